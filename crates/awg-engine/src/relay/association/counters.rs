//! What became of the datagrams of associations, by reason.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Datagrams of all associations since the start.
        #[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
        pub(crate) struct AssociationCounters {
            $($(#[$doc])* pub(crate) $name: u64,)*
        }

        impl AssociationCounters {
            /// Each with its name.
            pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((concat!("association_", stringify!($name)), self.$name)),*].into_iter()
            }
        }
    };
}

counters! {
    /// Taken from applications and sent into the tunnel.
    sent,
    /// Out of the tunnel and given to applications.
    delivered,
    /// Associations refused since there were as many as there may be.
    refused_full,
    /// From another address than the application's, or another port than its first datagram came from.
    dropped_stranger,
    /// Without a readable header.
    dropped_malformed,
    /// Fragments of SOCKS5, which are not put together.
    dropped_fragment,
    /// To a destination that the policy forbids.
    dropped_forbidden,
    /// To an address that no peer is for, or of a family that this end has no address of.
    dropped_unroutable,
    /// To a peer whose carrier is not up, where nothing but a carrier may carry them.
    dropped_uncarried,
    /// Not taken by the network stack, which counts why.
    dropped_unsent,
    /// To a name that was not found.
    dropped_name_missing,
    /// To a name whose look-up took too long.
    dropped_name_late,
    /// To a name when too many names were known, or too much waited for look-ups.
    dropped_name_full,
    /// From an address that the application has not sent to.
    dropped_unsolicited,
    /// For an application that reads too slowly.
    dropped_overflow,
    /// For an application, refused by the system.
    dropped_unsendable,
}
