//! UDP (RFC 768): datagrams to flows and back.
//!
//! What is a flow depends on who the datagrams are for:
//! - to any destination, through us: one flow per inner source address and port (endpoint-independent mapping, RFC 4787
//!   section 4.1), so that calls and games find each other;
//! - to an address of ours: one flow per source and port of ours, as a service there sees it;
//! - on a flow that we opened: whatever the peer sends to its port.
//!
//! A flow ends when it was idle for [`DatagramLimits::idle`], sooner if all it ever talked to was port 53. Traffic of
//! both directions keeps it (RFC 4787 REQ-6).
//!
//! A whole datagram that arrives is not copied: its payload is a part of the packet. One that leaves waits in a bounded
//! queue and is cut where it exceeds the path's MTU.

mod again;
mod header;
mod table;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand::{Rng, RngExt};

pub(crate) use self::again::written_again;
use self::header::Header;
use self::table::{Ends, Table};
use crate::flow::{FlowId, Peer};
use crate::fragment::{Outgoing, Route};
use crate::icmp::{ReceivedError, Report};
use crate::packet::UDP;
use crate::sink::PacketSink;

#[cfg(test)]
mod tests;

/// The port of DNS.
const DNS: u16 = 53;

/// Ports that flows of ours are opened on. Below are those of services.
const PORTS: std::ops::RangeInclusive<u16> = 16_384..=65_535;
/// Draws before giving up. With half of the ports taken, one in four billion openings fails.
const DRAWS: usize = 32;

/// Bounds on UDP flows.
#[derive(Clone, Debug)]
pub(crate) struct DatagramLimits {
    /// Flows in all.
    pub(crate) flows: usize,
    /// Flows of one peer.
    pub(crate) flows_per_peer: usize,
    /// Bytes of datagrams that wait to leave.
    pub(crate) queue_bytes: usize,
    /// How long a flow may be idle.
    pub(crate) idle: Duration,
    /// The same for one that only talked to port 53.
    pub(crate) dns_idle: Duration,
}

/// What became of UDP datagrams and flows.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct DatagramCounters {
    /// Datagrams received and given on.
    pub received: u64,
    /// Datagrams queued to be sent.
    pub sent: u64,
    /// Datagrams whose header makes no sense.
    pub malformed: u64,
    /// Datagrams whose checksum is wrong.
    pub bad_checksum: u64,
    /// Datagrams for a port or an address that is no flow's and may not become one.
    pub unclaimed: u64,
    /// Datagrams that would have begun a flow beyond a peer's share or the table.
    pub flows_full: u64,
    /// Datagrams that found the sending queue full.
    pub queue_full: u64,
    /// Datagrams to send on a flow that had ended.
    pub no_flow: u64,
    /// Datagrams to send to an address of another family than the flow's.
    pub wrong_family: u64,
    /// Datagrams to send that no IP packet holds.
    pub too_large: u64,
    /// Flows that ended since they were idle.
    pub expired: u64,
    /// Flows whose packets became smaller since a link behind the peer takes no larger ones.
    pub mtu_lowered: u64,
    /// Flows that were looked at since they may have been idle for too long: what time costs.
    pub timer_looks: u64,
    /// Flows there are now.
    pub flows: u64,
}

/// A datagram that arrived, on its flow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Received<'p> {
    pub(crate) flow: FlowId,
    /// Whether the datagram began the flow.
    pub(crate) fresh: bool,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) payload: &'p [u8],
}

/// Why a received datagram is on no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is broken: no answer.
    Malformed,
    /// Nobody is at this port of ours: the sender may be told ("port unreachable").
    PortUnreachable,
    /// It is for somebody else, and this stack passes nothing on: no answer.
    Elsewhere,
    /// There are too many flows: no answer, the sender may try again.
    FlowsFull,
}

/// Who has to hear of an ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blamed {
    /// The owner of this flow, which we opened. Once for all that was sent so far, so that errors cannot pile up.
    Flow(FlowId),
    /// Nobody: the flow came to us, knows already, or took the error as a hint.
    Nobody,
}

/// Why a datagram is not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DatagramDrop {
    /// The flow ended.
    #[error("the flow has ended")]
    NoFlow,
    /// One end is IPv4, the other IPv6.
    #[error("the remote address is of another family than the flow")]
    WrongFamily,
    /// No IP packet holds it: 65,507 bytes over IPv4, 65,527 over IPv6.
    #[error("the datagram is larger than an IP packet can be")]
    TooLarge,
    /// Too much is waiting already.
    #[error("the sending queue is full")]
    QueueFull,
}

/// Why a flow cannot be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// There are as many flows as there may be.
    #[error("too many flows")]
    FlowsFull,
    /// No free port was found.
    #[error("no free port")]
    NoPort,
}

/// The ends of a UDP message and its payload, if its header and checksum make sense.
pub(crate) fn datagram_ends(
    source: IpAddr,
    destination: IpAddr,
    message: &[u8],
) -> Option<(SocketAddr, SocketAddr, &[u8])> {
    let (header, payload) = Header::parse(source, destination, message).ok()?;
    let source = SocketAddr::new(source, header.source_port);
    let destination = SocketAddr::new(destination, header.destination_port);
    Some((source, destination, payload))
}

/// The UDP end of the stack.
pub(crate) struct Datagrams {
    accept: bool,
    mtu: u16,
    limits: DatagramLimits,
    table: Table,
    outgoing: Outgoing,
    counters: DatagramCounters,
}

impl Datagrams {
    /// `accept` is whether datagrams for any destination become flows; `identification` is the random number to begin
    /// numbering packets with.
    pub(crate) fn new(mtu: u16, accept: bool, limits: DatagramLimits, identification: u32) -> Self {
        Self {
            accept,
            mtu,
            table: Table::new(limits.flows, limits.flows_per_peer),
            outgoing: Outgoing::new(limits.queue_bytes, identification),
            limits,
            counters: DatagramCounters::default(),
        }
    }

    /// Takes the UDP `message` of a whole IP packet between two hosts (no multicast). `own` is whether `destination` is
    /// an address of the stack.
    pub(crate) fn handle_message<'p>(
        &mut self,
        now: Instant,
        peer: Peer,
        source: IpAddr,
        destination: IpAddr,
        own: bool,
        message: &'p [u8],
    ) -> Result<Received<'p>, Refused> {
        let (header, payload) = match Header::parse(source, destination, message) {
            Ok(parsed) => parsed,
            Err(header::Invalid::Checksum) => {
                self.counters.bad_checksum += 1;
                return Err(Refused::Malformed);
            }
            Err(header::Invalid::Header) => {
                self.counters.malformed += 1;
                return Err(Refused::Malformed);
            }
        };
        let source = SocketAddr::new(source, header.source_port);
        let destination = SocketAddr::new(destination, header.destination_port);
        let (slot, fresh) = self.claim(now, peer, source, destination, own)?;
        let Some(flow) = self.table.get_mut(slot) else {
            return Err(Refused::FlowsFull);
        };
        let talked_dns = match flow.ends {
            Ends::Opened { .. } => source.port() == DNS,
            Ends::Through { .. } | Ends::ToUs { .. } => destination.port() == DNS,
        };
        let idle = flow.talk(now, talked_dns, &self.limits);
        let flow = flow.id;
        self.table.arm(slot, now + idle);
        self.counters.received += 1;
        Ok(Received {
            flow,
            fresh,
            source,
            destination,
            payload,
        })
    }

    /// The slot of the flow that a datagram belongs to or begins, and whether it began it.
    fn claim(
        &mut self,
        now: Instant,
        peer: Peer,
        source: SocketAddr,
        destination: SocketAddr,
        own: bool,
    ) -> Result<(u32, bool), Refused> {
        if own && let Some(slot) = self.table.find(peer, Ends::Opened { own: destination }) {
            return Ok((slot, false));
        }
        if !self.accept {
            self.counters.unclaimed += 1;
            return Err(if own {
                Refused::PortUnreachable
            } else {
                Refused::Elsewhere
            });
        }
        let ends = if own {
            Ends::ToUs {
                source,
                own: destination,
            }
        } else {
            Ends::Through { source }
        };
        if let Some(slot) = self.table.find(peer, ends) {
            return Ok((slot, false));
        }
        let Ok(slot) = self.table.insert(now, peer, ends, self.mtu) else {
            self.counters.flows_full += 1;
            return Err(Refused::FlowsFull);
        };
        self.counters.flows += 1;
        Ok((slot, true))
    }

    /// Opens a flow to `peer` from our address `from`, on a random port.
    pub(crate) fn open<R: Rng + ?Sized>(
        &mut self,
        now: Instant,
        peer: Peer,
        from: IpAddr,
        rng: &mut R,
    ) -> Result<FlowId, OpenError> {
        for _ in 0..DRAWS {
            let own = SocketAddr::new(from, rng.random_range(PORTS));
            let ends = Ends::Opened { own };
            if self.table.find(peer, ends).is_some() {
                continue;
            }
            let Ok(slot) = self.table.insert(now, peer, ends, self.mtu) else {
                self.counters.flows_full += 1;
                return Err(OpenError::FlowsFull);
            };
            self.counters.flows += 1;
            self.table.arm(slot, now + self.limits.idle);
            if let Some(flow) = self.table.get_mut(slot) {
                return Ok(flow.id);
            }
        }
        Err(OpenError::NoPort)
    }

    /// Queues a datagram to the flow's peer.
    ///
    /// `remote` is the other end: where the datagram came from on a flow that came to us, where it goes on one that we
    /// opened. On a flow to an address of ours the source is that address, whatever `remote` is. IPv4-mapped addresses
    /// are taken as the IPv4 addresses that they are.
    ///
    /// # Errors
    ///
    /// [`DatagramDrop`]: the datagram is not sent, and counted.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        id: FlowId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), DatagramDrop> {
        let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
        let Some(flow) = self.table.get(id) else {
            self.counters.no_flow += 1;
            return Err(DatagramDrop::NoFlow);
        };
        let (source, destination) = match flow.ends {
            Ends::Through { source } => (remote, source),
            Ends::ToUs { source, own } => (own, source),
            Ends::Opened { own } => (own, remote),
        };
        let service = match flow.ends {
            Ends::ToUs { own, .. } => own,
            Ends::Through { .. } | Ends::Opened { .. } => remote,
        };
        let route = Route {
            peer: flow.peer,
            source: source.ip(),
            destination: destination.ip(),
            protocol: UDP,
            mtu: flow.mtu,
        };
        if source.is_ipv4() != destination.is_ipv4() {
            self.counters.wrong_family += 1;
            return Err(DatagramDrop::WrongFamily);
        }
        let Some(header) = header::seal(source, destination, payload) else {
            self.counters.too_large += 1;
            return Err(DatagramDrop::TooLarge);
        };
        if self.outgoing.push(route, &header, payload).is_err() {
            self.counters.queue_full += 1;
            return Err(DatagramDrop::QueueFull);
        }
        self.counters.sent += 1;
        let slot = id.slot();
        if let Some(flow) = self.table.get_mut(slot) {
            flow.told = false;
            let idle = flow.talk(now, service.port() == DNS, &self.limits);
            self.table.arm(slot, now + idle);
        }
        Ok(())
    }

    /// Takes an ICMP error from `peer`; `None` if no datagram of ours can have caused it.
    pub(crate) fn handle_error(&mut self, peer: Peer, error: &ReceivedError) -> Option<Blamed> {
        // Quoted is what we sent: its source is our end.
        let (ours, theirs) = (error.source, error.destination);
        let slot = [
            Ends::Opened { own: ours },
            Ends::ToUs {
                source: theirs,
                own: ours,
            },
            Ends::Through { source: theirs },
        ]
        .into_iter()
        .find_map(|ends| self.table.find(peer, ends))?;
        let flow = self.table.get_mut(slot)?;
        if let Report::TooBig { mtu } = error.report {
            if mtu < flow.mtu {
                flow.mtu = mtu;
                self.counters.mtu_lowered += 1;
            }
            return Some(Blamed::Nobody);
        }
        let told = std::mem::replace(&mut flow.told, true);
        if told || !matches!(flow.ends, Ends::Opened { .. }) {
            return Some(Blamed::Nobody);
        }
        Some(Blamed::Flow(flow.id))
    }

    /// Ends a flow. Whether there was one.
    pub(crate) fn close(&mut self, flow: FlowId) -> bool {
        let closed = self.table.get(flow).is_some() && self.table.remove(flow.slot()).is_some();
        self.counters.flows -= u64::from(closed);
        closed
    }

    /// The peers that have flows, and since when.
    pub(crate) fn peers(&self) -> impl Iterator<Item = (Peer, Instant)> {
        self.table.peers()
    }

    /// Ends all flows of `peer`, each told to `ended`. What waits to leave for it still leaves.
    pub(crate) fn forget_peer(&mut self, peer: Peer, mut ended: impl FnMut(FlowId)) {
        for slot in self.table.slots_of(peer) {
            if let Some(flow) = self.table.remove(slot) {
                self.counters.flows -= 1;
                ended(flow.id);
            }
        }
    }

    /// Ends the flows that were idle for too long, each told to `ended`.
    pub(crate) fn handle_timeout(&mut self, now: Instant, mut ended: impl FnMut(FlowId)) {
        while let Some(slot) = self.table.fire(now) {
            self.counters.timer_looks += 1;
            let Some(flow) = self.table.get_mut(slot) else {
                continue;
            };
            let due = flow.due(&self.limits);
            if due > now {
                self.table.arm(slot, due);
            } else if let Some(flow) = self.table.remove(slot) {
                self.counters.flows -= 1;
                self.counters.expired += 1;
                ended(flow.id);
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.table.next_timeout()
    }

    /// Moves what waits into `sink`; `true` when the sink was full before the end.
    pub(crate) fn poll_transmit(&mut self, sink: &mut dyn PacketSink) -> bool {
        self.outgoing.poll_transmit(sink)
    }

    pub(crate) fn counters(&self) -> DatagramCounters {
        self.counters
    }

    /// Timers that wait.
    #[cfg(test)]
    fn timer_entries(&self) -> usize {
        self.table.timer_entries()
    }
}
