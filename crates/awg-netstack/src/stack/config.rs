//! What a stack is given.

use std::net::IpAddr;

use crate::limits::Limits;

/// How a stack is set up.
#[derive(Clone, Debug)]
pub struct StackConfig {
    /// Its own tunnel addresses: the source of flows that it opens, and where it answers pings.
    pub addresses: Vec<IpAddr>,
    /// The longest packet that the tunnel carries, in bytes; at least 576, and 1,280 where IPv6 is used.
    pub mtu: u16,
    /// Which flows of peers are taken.
    pub accept: Accept,
    /// The bounds.
    pub limits: Limits,
}

/// Which flows of peers a stack takes. What it does not take is refused where that is an address of its own, else dropped.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Accept {
    /// None.
    #[default]
    Nothing,
    /// TCP connections to the stack's own addresses.
    ConnectionsToSelf,
    /// All, for any destination.
    Everything,
}

impl From<bool> for Accept {
    fn from(everything: bool) -> Self {
        if everything {
            Self::Everything
        } else {
            Self::Nothing
        }
    }
}
