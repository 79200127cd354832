//! What the carriers did and what they turned away: [`CarrierCounters`].

/// Numbers since the stack was made, except where a field says "now".
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CarrierCounters {
    /// UDP datagrams taken for a carrier.
    pub received: u64,
    /// UDP datagrams sent.
    pub sent: u64,
    /// Datagrams to the carrier's port whose header makes no sense or whose checksum is wrong.
    pub malformed: u64,
    /// Datagrams beyond the number of peers that may have carriers.
    pub peers_full: u64,
    /// Carriers whose handshake was completed.
    pub established: u64,
    /// Carriers that were lost: closed by the other end, reset, or silent.
    pub lost: u64,
    /// Stateless resets sent for carriers that nobody knows here.
    pub resets_sent: u64,
    /// Attempts to reach a carrier that failed.
    pub attempts_failed: u64,
    /// Panics inside a carrier. Each cost its peer the carrier, and nobody else anything.
    pub panics: u64,
    /// Streams whose request makes no sense.
    pub bad_requests: u64,
    /// Flows turned away since a table was full.
    pub flows_full: u64,
    /// Incoming flows that nobody accepted in time.
    pub half_open_expired: u64,
    /// Times that a flow's send buffer had no room: the embedder was told to wait.
    pub send_buffer_full: u64,
    /// Times that a connection's credit grew with what its flows hold.
    pub windows_grown: u64,
    /// Times that there was no room for connections, at either end, for more than a moment.
    pub windows_full: u64,
    /// Flows ended since nobody read them and others had need of the room.
    pub flows_unread: u64,
    /// Carriers ended since a frame came that has no place in one.
    pub fragmented: u64,
    /// Flows ended since what came lay in too many pieces.
    pub flows_fragmented: u64,
    /// UDP datagrams received on carried flows and given on.
    pub datagrams_received: u64,
    /// UDP datagrams sent on carried flows.
    pub datagrams_sent: u64,
    /// Of these, those that went by a stream since no QUIC datagram holds them.
    pub datagrams_by_stream: u64,
    /// Those not sent or not given on since a queue was full.
    pub datagram_queue_full: u64,
    /// Those of no flow, or that make no sense.
    pub datagrams_malformed: u64,
    /// UDP flows that ended since they were idle.
    pub datagrams_expired: u64,
    /// QUIC packets deemed lost by carriers, those that ended since among them.
    pub packets_lost: u64,
    /// Carriers now, those under way among them.
    pub carriers: u64,
    /// Flows now, those that wait for the embedder among them.
    pub flows: u64,
    /// Flows that wait for the embedder, now.
    pub half_open: u64,
}
