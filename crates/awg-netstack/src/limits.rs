//! How much one peer, and all of them together, may make the stack hold: [`Limits`].

use std::time::Duration;

/// Every table and buffer that the network can fill has its bound here, and in [`Counters`](crate::Counters) the number
/// of what it turned away.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Flows in all, TCP and UDP each.
    pub flows: usize,
    /// Flows of one peer, TCP and UDP each.
    pub flows_per_peer: usize,
    /// TCP flows in all that wait for [`accept`](crate::Stack::accept).
    pub half_open: usize,
    /// The same of one peer.
    pub half_open_per_peer: usize,
    /// Bytes that a TCP flow may hold in each direction: its largest window. Only what is in use takes memory.
    pub buffer_bytes_per_flow: usize,
    /// Ended TCP flows that are remembered for [`time_wait`](Self::time_wait), under 100 bytes each.
    pub time_wait_flows: usize,
    /// How long an incoming flow waits for the embedder's answer.
    pub accept_within: Duration,
    /// How long a flow that we open waits for the peer's answer. More than [`accept_within`](Self::accept_within) of
    /// the other end, so that its answer comes first.
    pub connect_within: Duration,
    /// How long the addresses and ports of an ended flow rest (RFC 9293 section 3.6.1; a tunnel forgets a packet much
    /// sooner than the internet).
    pub time_wait: Duration,
    /// How long a flow that failed at one end may take to bring the other what was sent before, and that to read it. As long as a
    /// system waits for the end of a connection that no program has any more.
    pub linger: Duration,
    /// A TCP flow that did nothing for so long gives its buffers' memory back.
    pub idle_memory: Duration,
    /// A TCP flow that heard nothing for so long asks its other end whether it is there; one that is not ends the flow,
    /// by its reset or, after nine questions a quarter of this apart, by its silence.
    pub keepalive: Duration,
    /// A peer that was not heard of for so long loses its flows.
    pub silent_peer: Duration,
    /// To one peer in one second: answers to segments of no flow, and ICMP errors each (RFC 1812 section 4.3.2.8, RFC
    /// 4443 section 2.4).
    pub errors_per_second: u32,
    /// Bare TCP answers that wait for [`poll_transmit`](crate::Stack::poll_transmit).
    pub waiting_packets: usize,
    /// Bytes of UDP datagrams that wait for it.
    pub datagram_bytes: usize,
    /// How long a UDP flow may be idle.
    pub datagram_idle: Duration,
    /// The same of one that only talked to port 53.
    pub dns_idle: Duration,
    /// Packets that arrive in pieces.
    pub fragments: FragmentLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: 65_536,
            flows_per_peer: 16_384,
            half_open: 4_096,
            half_open_per_peer: 1_024,
            buffer_bytes_per_flow: 16 << 20,
            time_wait_flows: 65_536,
            accept_within: Duration::from_secs(10),
            connect_within: Duration::from_secs(15),
            time_wait: Duration::from_secs(8),
            linger: Duration::from_mins(1),
            idle_memory: Duration::from_secs(2),
            keepalive: Duration::from_mins(5),
            silent_peer: Duration::from_mins(15),
            errors_per_second: 2_000,
            waiting_packets: 4_096,
            datagram_bytes: 4 << 20,
            datagram_idle: Duration::from_mins(2),
            dns_idle: Duration::from_secs(30),
            fragments: FragmentLimits::default(),
        }
    }
}

/// Bounds on what waits to be made whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FragmentLimits {
    /// Packets in pieces, of one peer.
    pub packets_per_peer: usize,
    /// Bytes held for one peer, with what keeping them costs.
    pub bytes_per_peer: usize,
    /// Bytes held for all.
    pub bytes: usize,
    /// How long a packet may take from its first piece to its last. RFC 791 recommends 15 s, RFC 8200 has 60 s: over a
    /// tunnel the pieces leave together, and what is late is lost.
    pub age: Duration,
}

impl Default for FragmentLimits {
    fn default() -> Self {
        Self {
            packets_per_peer: 64,
            bytes_per_peer: 1 << 20,
            bytes: 16 << 20,
            age: Duration::from_secs(15),
        }
    }
}
