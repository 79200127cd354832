//! The face of the crate: [`Stack`], made of TCP, UDP and ICMP; what happens there is theirs. [`config`] what it is given ·
//! [`incoming`] whose a packet is · [`carried`] the carrier's part of the face · [`resumption`] what an embedder asks for that sees a peer come and go.

mod carried;
mod config;
mod incoming;
mod resumption;

use std::collections::VecDeque;
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub use config::{Accept, StackConfig};

use incoming::{report, send_unreachable};

use crate::carrier::Carriers;
use crate::counters::Counters;
use crate::datagram::{DatagramDrop, DatagramLimits, Datagrams, OpenError, written_again};
use crate::error::{AcceptError, ConnectError};
use crate::event::{Closure, Event, Rejection};
use crate::flow::{FlowId, Peer};
use crate::fragment::{Reassembler, is_fragment};
use crate::icmp::Icmp;
use crate::silence::Silence;
use crate::sink::PacketSink;
use crate::tcp::Tcp;

/// A UDP datagram that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'p> {
    /// Its flow. If it is the first of an incoming one, [`Event::Incoming`] is in the queue of events already.
    pub flow: FlowId,
    /// Where it came from.
    pub source: SocketAddr,
    /// Where it wants to go: on a flow that we opened, our end.
    pub destination: SocketAddr,
    /// What it holds.
    pub payload: &'p [u8],
}

/// A userspace network stack: packets in, flows out, and the other way round. It has no socket, thread or clock.
///
/// The order of calls that costs least: [`handle_packet`](Self::handle_packet) for each packet of a received batch,
/// then [`handle_timeout`](Self::handle_timeout), [`poll_event`](Self::poll_event) until there is none with the flows'
/// bytes moved as the events ask for, then [`poll_transmit`](Self::poll_transmit) until it returns `false`; then wait
/// for packets, for the embedder's own sources, or for [`next_timeout`](Self::next_timeout). A batch is acknowledged
/// once per flow that way.
pub struct Stack {
    inner: Inner,
    /// The packet that was made of pieces last: a datagram may borrow from it.
    whole: Vec<u8>,
}

struct Inner {
    addresses: Vec<IpAddr>,
    accept: Accept,
    tcp: Tcp,
    datagrams: Datagrams,
    carriers: Carriers,
    icmp: Icmp,
    reassembler: Reassembler,
    silence: Silence,
    /// Events of UDP flows.
    events: VecDeque<Event>,
    rng: StdRng,
    counters: Counters,
}

impl Stack {
    /// A stack without flows. `seed` must be random: ports and sequence numbers come from it.
    pub fn new(config: StackConfig, seed: [u8; 32], now: Instant) -> Self {
        let StackConfig {
            addresses,
            mtu,
            accept,
            limits,
        } = config;
        let mut rng = StdRng::from_seed(seed);
        let datagram_limits = DatagramLimits {
            flows: limits.flows,
            flows_per_peer: limits.flows_per_peer,
            queue_bytes: limits.datagram_bytes,
            idle: limits.datagram_idle,
            dns_idle: limits.dns_idle,
        };
        let inner = Inner {
            accept,
            datagrams: Datagrams::new(
                mtu,
                accept == Accept::Everything,
                datagram_limits,
                rng.random(),
            ),
            icmp: Icmp::new(mtu, limits.errors_per_second, rng.random(), now),
            silence: Silence::new(limits.silent_peer, now),
            reassembler: Reassembler::new(limits.fragments.clone()),
            carriers: Carriers::new(&limits, mtu, &addresses, rng.random(), now),
            tcp: Tcp::new(limits, mtu, accept != Accept::Nothing, rng.random(), now),
            addresses,
            events: VecDeque::new(),
            rng,
            counters: Counters::default(),
        };
        Self {
            inner,
            whole: Vec::new(),
        }
    }

    /// Takes an IP packet from `peer`. TCP and ICMP are dealt with inside; the datagram of a UDP packet comes out. The
    /// packet is written to.
    pub fn handle_packet<'p>(
        &'p mut self,
        now: Instant,
        peer: Peer,
        packet: &'p mut [u8],
    ) -> Option<Datagram<'p>> {
        self.inner.counters.packets_received += 1;
        if !is_fragment(packet) {
            return self.inner.handle_whole(now, peer, packet);
        }
        self.whole = self.inner.reassembler.handle_fragment(now, peer, packet)?;
        self.inner.handle_whole(now, peer, &mut self.whole)
    }

    /// Gives the packets that are to leave to `sink`. Returns `true` if it had no more room: send what it has, and call
    /// again.
    pub fn poll_transmit(&mut self, now: Instant, sink: &mut dyn PacketSink) -> bool {
        let inner = &mut self.inner;
        let mut sink = Counting { sink, sent: 0 };
        // What is small and cannot wait goes first, streams last.
        let full = inner.icmp.poll_transmit(&mut sink)
            || inner.datagrams.poll_transmit(&mut sink)
            || inner.carriers.poll_transmit(now, &mut sink)
            || inner.tcp.poll_transmit(now, &mut sink);
        inner.counters.packets_sent += sink.sent;
        full
    }

    /// What happened to flows, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.inner
            .events
            .pop_front()
            .or_else(|| self.inner.tcp.poll_event())
            .or_else(|| self.inner.carriers.poll_event())
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn next_timeout(&self) -> Option<Instant> {
        let inner = &self.inner;
        let carried = inner.carriers.peers();
        let peers = inner
            .tcp
            .peers()
            .chain(inner.datagrams.peers())
            .chain(carried);
        [
            inner.tcp.next_timeout(),
            inner.datagrams.next_timeout(),
            inner.carriers.next_timeout(),
            inner.reassembler.next_timeout(),
            peers.map(|_| inner.silence.next_timeout()).next(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due. Events and packets may follow.
    ///
    /// `last_heard` is when a peer was last heard of by whatever proves that it is there, also what never came to this
    /// stack; `None` if it never was. It is asked now and then, of peers that have flows: those of one that was silent
    /// for [`Limits::silent_peer`](crate::Limits::silent_peer) end.
    pub fn handle_timeout(
        &mut self,
        now: Instant,
        mut last_heard: impl FnMut(Peer) -> Option<Instant>,
    ) {
        let inner = &mut self.inner;
        let icmp = &mut inner.icmp;
        inner.tcp.handle_timeout(now, |unreachable| {
            send_unreachable(icmp, now, &unreachable);
        });
        inner.reassembler.handle_timeout(now);
        inner.carriers.handle_timeout(now, &mut last_heard);
        let events = &mut inner.events;
        inner.datagrams.handle_timeout(now, |flow| {
            events.push_back(Event::Closed {
                flow,
                how: Closure::Expired,
            });
        });
        let carried = inner.carriers.peers();
        let peers = inner.tcp.peers().chain(inner.datagrams.peers());
        for peer in inner.silence.look(now, peers.chain(carried), last_heard) {
            self.forget_peer(now, peer);
        }
    }

    /// Opens a TCP flow through `peer` to an address, from one of ours (the first of the same family, unless said).
    /// [`Event::Established`] or [`Event::Refused`] follows.
    ///
    /// # Errors
    /// [`ConnectError`]: no flow was opened.
    pub fn connect(
        &mut self,
        now: Instant,
        peer: Peer,
        from: Option<IpAddr>,
        to: SocketAddr,
    ) -> Result<FlowId, ConnectError> {
        let to = SocketAddr::new(to.ip().to_canonical(), to.port());
        let from = self
            .inner
            .source(from, to.ip())
            .ok_or(ConnectError::Unaddressable)?;
        self.inner.tcp.connect(now, peer, from, to)
    }

    /// Takes an incoming TCP flow: the held SYN becomes a connection and is answered. [`Event::Established`] follows.
    ///
    /// # Errors
    /// [`AcceptError`]: the flow is over, or not one to accept.
    pub fn accept(&mut self, now: Instant, flow: FlowId) -> Result<(), AcceptError> {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.accept(flow);
        }
        inner.tcp.accept(now, flow)
    }

    /// Turns an incoming TCP flow away with RST or an ICMP error; see [`Rejection`]. [`Event::Closed`] follows.
    /// Anything but a waiting flow is left alone.
    pub fn reject(&mut self, now: Instant, flow: FlowId, why: Rejection) {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.reject(flow, why);
        }
        if let Some(unreachable) = inner.tcp.reject(now, flow, why) {
            send_unreachable(&mut inner.icmp, now, &unreachable);
        }
    }

    /// Lets `fill` write into a contiguous free part of the flow's send buffer; it returns how many bytes it wrote.
    /// Returns the same; 0 without a call if there is no room, in which case [`Event::Writable`] follows once there is.
    pub fn send(&mut self, flow: FlowId, fill: &mut dyn FnMut(&mut [u8]) -> usize) -> usize {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.send(flow, fill);
        }
        inner.tcp.send(flow, fill)
    }

    /// Lets `take` read a contiguous part of what the flow received; it returns how many bytes it is done with. Returns
    /// the same; 0 without a call if there are none.
    ///
    /// What is not taken closes the window, and the peer stops: backpressure.
    pub fn receive(&mut self, flow: FlowId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.receive(flow, usize::MAX, &mut |parts| {
                parts.first().map_or(0, |first| take(first))
            });
        }
        inner.tcp.receive(flow, take)
    }

    /// As [`receive`](Self::receive), with the parts that follow one another at once, up to `most` bytes of them: what one
    /// call of the system's takes. `take` is given one part at least, and none is empty.
    pub fn receive_parts(
        &mut self,
        flow: FlowId,
        most: usize,
        take: &mut dyn FnMut(&[IoSlice<'_>]) -> usize,
    ) -> usize {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.receive(flow, most, take);
        }
        inner.tcp.receive(flow, &mut |held| {
            let part = held.get(..most).unwrap_or(held);
            if part.is_empty() {
                return 0;
            }
            take(&[IoSlice::new(part)])
        })
    }

    /// Bytes that the flow's receive buffer holds now (a [`receive`](Self::receive) may offer them in parts).
    pub fn receivable(&mut self, flow: FlowId) -> usize {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.receivable(flow);
        }
        inner.tcp.receivable(flow)
    }

    /// Ends our side of a TCP flow after what is buffered (FIN). The other side goes on.
    pub fn shutdown(&mut self, flow: FlowId) {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.shutdown(flow);
        }
        inner.tcp.shutdown(flow);
    }

    /// Resets a TCP flow (RST) at once: the peer learns that something failed. [`Event::Closed`] follows.
    pub fn abort(&mut self, flow: FlowId) {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.abort(flow);
        }
        inner.tcp.abort(flow);
    }

    /// Resets a TCP flow behind what it was given to send: first that is brought to the other side, within a minute. For the
    /// embedder the flow is over. [`Event::Closed`] follows.
    pub fn linger(&mut self, now: Instant, flow: FlowId) {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.linger(now, flow);
        }
        inner.tcp.linger(now, flow);
    }

    /// Opens a UDP flow through `peer`, on a random port of one of our addresses: the first of the family of `to`, unless
    /// said. The flow can talk to whatever address of that family.
    ///
    /// # Errors
    /// [`ConnectError`]: no flow was opened.
    pub fn open_datagrams(
        &mut self,
        now: Instant,
        peer: Peer,
        from: Option<IpAddr>,
        to: IpAddr,
    ) -> Result<FlowId, ConnectError> {
        let inner = &mut self.inner;
        let from = inner
            .source(from, to.to_canonical())
            .ok_or(ConnectError::Unaddressable)?;
        inner
            .datagrams
            .open(now, peer, from, &mut inner.rng)
            .map_err(|error| match error {
                OpenError::FlowsFull => ConnectError::TooManyFlows,
                OpenError::NoPort => ConnectError::NoPort,
            })
    }

    /// Queues a datagram on a UDP flow, in fragments if it must. On an incoming flow `remote` is where it comes from,
    /// on one that we opened where it goes.
    ///
    /// # Errors
    /// [`DatagramDrop`]: it is not sent.
    pub fn send_datagram(
        &mut self,
        now: Instant,
        flow: FlowId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), DatagramDrop> {
        let inner = &mut self.inner;
        if flow.is_carried() {
            return inner.carriers.send_datagram(now, flow, remote, payload);
        }
        inner.datagrams.send(now, flow, remote, payload)
    }

    /// Tells `peer` by an ICMP error that `datagram`, which came from it, does not reach its destination. Its flow need not
    /// stand any more.
    pub fn refuse_datagram(
        &mut self,
        now: Instant,
        peer: Peer,
        datagram: &Datagram<'_>,
        why: Rejection,
    ) {
        let (source, destination) = (datagram.source, datagram.destination);
        if let Some(packet) = written_again(source, destination, datagram.payload) {
            let icmp = &mut self.inner.icmp;
            icmp.send_error(now, peer, report(why), &packet);
        }
    }

    /// Ends a UDP flow. [`Event::Closed`] follows.
    pub fn close_datagrams(&mut self, flow: FlowId) {
        if flow.is_carried() {
            return self.inner.carriers.close_datagrams(flow);
        }
        if self.inner.datagrams.close(flow) {
            self.inner.events.push_back(Event::Closed {
                flow,
                how: Closure::Orderly,
            });
        }
    }

    /// Ends all flows of a peer, without a word to it.
    pub fn forget_peer(&mut self, now: Instant, peer: Peer) {
        let inner = &mut self.inner;
        inner.tcp.forget_peer(now, peer);
        inner.carriers.forget_peer(now, peer);
        inner.reassembler.forget_peer(peer);
        let events = &mut inner.events;
        inner.datagrams.forget_peer(peer, |flow| {
            events.push_back(Event::Closed {
                flow,
                how: Closure::PeerGone,
            });
        });
    }

    /// What was done and what was turned away.
    pub fn counters(&self) -> Counters {
        let inner = &self.inner;
        Counters {
            tcp: inner.tcp.counters(),
            datagrams: inner.datagrams.counters(),
            fragments: inner.reassembler.counters(),
            icmp: inner.icmp.counters(),
            carrier: inner.carriers.counters(),
            ..inner.counters
        }
    }
}

/// Counts what leaves.
struct Counting<'a> {
    sink: &'a mut dyn PacketSink,
    sent: u64,
}

impl PacketSink for Counting<'_> {
    fn has_room(&self) -> bool {
        self.sink.has_room()
    }

    fn packet(&mut self, peer: Peer, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        self.sent += 1;
        self.sink.packet(peer, length, emit);
    }
}
