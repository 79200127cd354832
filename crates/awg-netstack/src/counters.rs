//! What the stack did and what it turned away: [`Counters`].

use crate::carrier::CarrierCounters;
use crate::datagram::DatagramCounters;
use crate::fragment::FragmentCounters;
use crate::icmp::IcmpCounters;

/// Numbers since the stack was made, except where a field says "now".
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// Packets handed in.
    pub packets_received: u64,
    /// Packets given to the sink.
    pub packets_sent: u64,
    /// Packets that are no IP packet, or whose lengths or IPv4 checksum are wrong.
    pub malformed: u64,
    /// Packets from or to an address that is no single host's.
    pub not_unicast: u64,
    /// Packets of a protocol that the stack does not speak.
    pub unknown_protocol: u64,
    /// Packets for somebody else, on a stack that takes no flows for others.
    pub elsewhere: u64,
    /// ICMP errors that fit no flow of ours: forged, or late.
    pub stray_errors: u64,
    /// TCP.
    pub tcp: TcpCounters,
    /// UDP.
    pub datagrams: DatagramCounters,
    /// Fragments received.
    pub fragments: FragmentCounters,
    /// ICMP.
    pub icmp: IcmpCounters,
    /// The QUIC carrier.
    pub carrier: CarrierCounters,
}

/// What became of TCP segments and flows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TcpCounters {
    /// Segments whose checksum or header is wrong.
    pub malformed: u64,
    /// Segments of no flow.
    pub stray: u64,
    /// Repeated SYNs of a flow that waits for the embedder.
    pub repeated_syns: u64,
    /// SYNs turned away since [`Limits::half_open`](crate::Limits::half_open) or
    /// [`Limits::half_open_per_peer`](crate::Limits::half_open_per_peer) was reached.
    pub half_open_full: u64,
    /// SYNs turned away since their packet is longer than the MTU.
    pub syns_too_long: u64,
    /// Flows turned away since [`Limits::flows`](crate::Limits::flows) or
    /// [`Limits::flows_per_peer`](crate::Limits::flows_per_peer) was reached.
    pub flows_full: u64,
    /// Incoming flows that nobody accepted in time.
    pub half_open_expired: u64,
    /// Times that a flow's send buffer had no room: the embedder was told to wait.
    pub send_buffer_full: u64,
    /// Ended flows forgotten before their time since [`Limits::time_wait_flows`](crate::Limits::time_wait_flows) was
    /// reached.
    pub time_wait_full: u64,
    /// RSTs sent to segments of no flow.
    pub resets_sent: u64,
    /// RSTs, and acknowledgements for ended flows, not sent since
    /// [`Limits::errors_per_second`](crate::Limits::errors_per_second) was reached.
    pub answers_suppressed: u64,
    /// Bare answers dropped since [`Limits::waiting_packets`](crate::Limits::waiting_packets) was reached.
    pub waiting_full: u64,
    /// Flows whose packets were made smaller by a "packet too big".
    pub mtu_lowered: u64,
    /// Segments sent again after duplicate acknowledgements, or since a hole stayed.
    pub fast_retransmits: u64,
    /// Times that a flow heard nothing for so long that it began again from its first unacknowledged byte.
    pub retransmission_timeouts: u64,
    /// Times that a flow sent everything again at once since its peer was back.
    pub resumed: u64,
    /// Times that the other end of an idle flow was asked whether it is there.
    pub keepalives_sent: u64,
    /// Flows that ended since none of these was answered.
    pub keepalives_unanswered: u64,
    /// Flows that were asked whether they have something to send: the work that a packet costs.
    pub flow_polls: u64,
    /// Timers that were looked at.
    pub timer_polls: u64,
    /// Times that a flow gave memory of its buffers back.
    pub memory_returned: u64,
    /// Flows now, those that wait for the embedder among them.
    pub flows: u64,
    /// Flows that wait for the embedder, now.
    pub half_open: u64,
    /// Ended flows that are remembered, now.
    pub time_wait: u64,
    /// Bytes of buffers that flows may have touched and not given back, now (an upper bound).
    pub buffer_bytes: u64,
}
