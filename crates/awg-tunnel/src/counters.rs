//! What happened, by number: every message, and every drop under its reason.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The counters of a tunnel, from its start.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// Each counter with its name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }
        }
    };
}

impl Counters {
    /// How many datagrams were received and dropped, for whatever reason: all that were neither a packet nor a message of the
    /// tunnel's own that was accepted.
    pub fn datagrams_dropped(&self) -> u64 {
        let taken = self.packets_received
            + self.keepalives_received
            + self.initiations_received
            + self.responses_received
            + self.cookie_replies_received;
        self.datagrams_received.saturating_sub(taken)
    }
}

counters! {
    /// Datagrams received.
    datagrams_received,
    /// Their bytes.
    bytes_received,
    /// Datagrams given out to be sent, by `seal` or `poll_transmit`.
    datagrams_sent,
    /// Their bytes.
    bytes_sent,
    /// Signature and junk packets given out.
    preamble_sent,
    /// Initiations given out.
    initiations_sent,
    /// Responses given out.
    responses_sent,
    /// Cookie replies given out.
    cookie_replies_sent,
    /// Keepalives given out.
    keepalives_sent,
    /// Transport messages with a packet given out.
    packets_sent,
    /// Initiations accepted.
    initiations_received,
    /// Responses accepted.
    responses_received,
    /// Cookie replies accepted.
    cookie_replies_received,
    /// Keepalives received.
    keepalives_received,
    /// Packets received and delivered.
    packets_received,
    /// Sessions that came into use.
    sessions_established,
    /// Runs of initiations that were given up.
    handshakes_failed,

    /// Received and dropped: from UDP port 0, where no answer can go.
    dropped_port_zero,
    /// Received and dropped: fits no message. Junk and signature packets end here.
    dropped_unclassified,
    /// Received and dropped: a handshake message whose mac1 is wrong.
    dropped_mac1,
    /// Received and dropped: an initiation that was accepted, or refused for its age, before.
    dropped_initiation_replayed,
    /// Received and dropped: an initiation that does not open.
    dropped_initiation_forged,
    /// Received and dropped: an initiation by a key that is no peer's.
    dropped_unknown_peer,
    /// Received and dropped: an initiation whose timestamp is not after the last one's.
    dropped_old_timestamp,
    /// Received and dropped: an initiation within 20 ms of the peer's last.
    dropped_initiation_flood,
    /// Received and dropped: under load and without a valid mac2; answered with a cookie reply.
    dropped_without_cookie,
    /// Received and dropped: under load and above the rate of its source address.
    dropped_rate_limited,
    /// Received and dropped: a response to no initiation of ours.
    dropped_response_unexpected,
    /// Received and dropped: a response that does not open.
    dropped_response_forged,
    /// Received and dropped: a cookie reply to no message of ours.
    dropped_cookie_unexpected,
    /// Received and dropped: a cookie reply that does not open.
    dropped_cookie_forged,
    /// Received and dropped: a transport message for no session.
    dropped_unknown_session,
    /// Received and dropped: a transport message for a session past its time.
    dropped_session_expired,
    /// Received and dropped: a transport message with a counter past the limit.
    dropped_counter_limit,
    /// Received and dropped: a transport message that does not authenticate.
    dropped_forged,
    /// Received and dropped: a transport message that came before, or is too old to tell.
    dropped_replayed,
    /// Authentic and dropped: content that is no IP packet.
    dropped_not_ip,
    /// Authentic and dropped: an IP packet whose length field is wrong.
    dropped_packet_length,
    /// Authentic and dropped: an IP packet above the MTU.
    dropped_received_above_mtu,
    /// Authentic and dropped: an IP packet from an address that is not the peer's.
    dropped_source_not_allowed,

    /// Not sent: a packet above the MTU.
    dropped_sent_above_mtu,
    /// Not sent: a packet for a peer whose endpoint is not known.
    dropped_no_endpoint,
    /// Not sent: a packet for a peer that is gone.
    dropped_no_peer,
    /// Not sent: the datagram's slice is too short for what it is to hold; a mistake of the caller.
    dropped_slice_too_short,
    /// Not sent: packets that waited for a session when the queue was full.
    dropped_staged_full,
    /// Not sent: packets that waited for a session that did not come.
    dropped_staged_flushed,
    /// Not sent: handshake messages, since too many waited to be polled.
    dropped_outbox_full,
    /// Events nobody polled in time.
    dropped_events,
}
