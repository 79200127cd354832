//! What the stack tells its embedder: [`Event`], and why a flow did not come to be ([`Refusal`], [`Rejection`]) or
//! ended ([`Closure`]), or a carrier did ([`CarrierLoss`]).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::flow::{FlowId, Kind, Peer, Target};

/// Something happened to a flow.
///
/// Of each kind at most one waits per flow. A TCP flow's place in its table is free again only after its
/// [`Closed`](Event::Closed) was taken, so TCP's events are bounded by the table even if nobody takes them. A UDP flow's
/// place is free at once: take the events after each batch of packets and each timeout. A carried flow's place is as TCP's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A peer opens a flow. TCP waits for [`accept`](crate::Stack::accept) or [`reject`](crate::Stack::reject); UDP
    /// needs neither, its datagrams follow.
    Incoming {
        /// The new flow.
        flow: FlowId,
        /// Who opens it.
        peer: Peer,
        /// TCP or UDP.
        kind: Kind,
        /// The peer's end.
        source: SocketAddr,
        /// The end that the peer wants to reach. For UDP, that of the first datagram.
        destination: SocketAddr,
    },
    /// A peer opens a connection on the carrier: [`Incoming`](Self::Incoming) of one that may be for a name. It waits for
    /// [`accept`](crate::Stack::accept) or [`reject`](crate::Stack::reject).
    Requested {
        /// The new flow.
        flow: FlowId,
        /// Who opens it.
        peer: Peer,
        /// The carrier's end at the peer.
        source: SocketAddr,
        /// What the peer wants to reach.
        target: Target,
    },
    /// The carrier that [`carry`](crate::Stack::carry) asked for is up: flows may be opened on it.
    CarrierUp {
        /// To whom.
        peer: Peer,
    },
    /// It is down again. Its flows ended, each told of by its own event; it is tried again by itself.
    CarrierDown {
        /// To whom.
        peer: Peer,
        /// Why.
        why: CarrierLoss,
    },
    /// Its carrier has had no room for connections for more than a moment.
    CarrierFull {
        /// To whom.
        peer: Peer,
        /// Bytes that lie at this end and are not read; where they are few it is the other end that is full.
        held: u64,
    },
    /// It has room again.
    CarrierRoom {
        /// To whom.
        peer: Peer,
    },
    /// Flows ended since nobody read them while others of their carrier had need of the room: each is told of by its own
    /// [`Event::Closed`].
    Unread {
        /// Whose carrier.
        peer: Peer,
        /// How many.
        flows: u64,
        /// What they held.
        bytes: u64,
    },
    /// The handshake is complete: both ways are open.
    Established {
        /// The flow.
        flow: FlowId,
    },
    /// A flow that we opened did not come to be. [`Event::Closed`] follows.
    Refused {
        /// The flow.
        flow: FlowId,
        /// Why.
        why: Refusal,
    },
    /// Bytes arrived. The next one comes for bytes that arrive after this one was taken.
    Readable {
        /// The flow.
        flow: FlowId,
    },
    /// There is room again, after a [`send`](crate::Stack::send) left none.
    Writable {
        /// The flow.
        flow: FlowId,
    },
    /// The peer sends no more. Bytes that arrived before may still wait to be taken.
    Finished {
        /// The flow.
        flow: FlowId,
    },
    /// The flow is over; its last event.
    Closed {
        /// The flow.
        flow: FlowId,
        /// How it ended.
        how: Closure,
    },
}

/// A TCP flow whose full segments go without an answer, however often they are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clogged {
    /// To whom.
    pub peer: Peer,
    /// The address of the other end.
    pub remote: IpAddr,
    /// Since when.
    pub since: Instant,
}

/// Why a flow that we opened was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The target, or what stands for it, answered with RST.
    Reset,
    /// ICMP: no route to the network.
    NetworkUnreachable,
    /// ICMP: no route to the host.
    HostUnreachable,
    /// ICMP: administratively prohibited.
    Prohibited,
    /// ICMP: the host did not answer the other end; or nothing answered us.
    TimedOut,
    /// ICMP: nothing listens on the port.
    PortUnreachable,
    /// The other end of the carrier failed at it: its tables are full, or something broke there.
    Failed,
}

/// Why a carrier is down.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CarrierLoss {
    /// Nothing listens at its address: ICMP said so.
    Unreachable,
    /// Nothing answered, or nothing does any more while the peer is there.
    TimedOut,
    /// The other end does not know it any more: it was restarted.
    Reset,
    /// The other end speaks no version of the carrier that we do.
    Version,
    /// The other end closed it, or does not keep to the protocol; or something broke here.
    Failed,
}

/// What a TCP flow that waits for [`accept`](crate::Stack::accept) is answered instead.
///
/// | reason | IPv4 (RFC 792, RFC 1812 section 5.2.7.1) | IPv6 (RFC 4443 section 3.1) |
/// |---|---|---|
/// | `Refused` | RST | RST |
/// | `NetworkUnreachable` | 3/0 net unreachable | 1/0 no route to destination |
/// | `HostUnreachable` | 3/1 host unreachable | 1/3 address unreachable |
/// | `Prohibited` | 3/13 communication administratively prohibited | 1/1 administratively prohibited |
/// | `TimedOut` | 3/12 host unreachable for type of service | 1/2 beyond scope of source address |
/// | `Failed` | 3/1 host unreachable | 1/3 address unreachable |
/// | `Full` | RST | RST |
///
/// Neither protocol has a code for "the target did not answer": those of `TimedOut` mean nothing else here, and every
/// stack takes them as "host unreachable".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rejection {
    /// The target refused.
    Refused,
    /// There is no route to the target's network.
    NetworkUnreachable,
    /// The target cannot be reached.
    HostUnreachable,
    /// A policy forbids the target.
    Prohibited,
    /// The target did not answer in time.
    TimedOut,
    /// Something of our own failed. The carrier has a word for it; ICMP has not.
    Failed,
    /// This end takes no further flow: a bound is reached, or it is about to end. The carrier alone has a word for it.
    Full,
}

/// How a flow ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Closure {
    /// Both ends said that they send no more, and all of it arrived; or the embedder closed a UDP flow.
    Orderly,
    /// The peer reset it: what it sent may be incomplete.
    Reset,
    /// The embedder reset it with [`abort`](crate::Stack::abort).
    Aborted,
    /// It was never established: refused by the peer, or rejected by the embedder.
    Refused,
    /// The peer stopped answering.
    TimedOut,
    /// Nobody accepted it in time, or it was idle for too long.
    Expired,
    /// Its peer was forgotten, or not heard of for too long.
    PeerGone,
}
