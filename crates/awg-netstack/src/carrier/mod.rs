//! The QUIC carrier: connections and UDP flows as streams and datagrams of one QUIC connection to each peer, whose packets go
//! through the tunnel as UDP (RFC 9000, 9221; the format of what is on the streams is `docs/reference/carrier.md`'s).
//!
//! The tunnel under it encrypts, authenticates, roams and keeps alive; so nothing of that is here. What QUIC gives is
//! loss recovery, congestion control and flow control in one place for all flows of a peer.
//!
//! Each peer has an endpoint of its own, and every call into it is guarded: if it panics, that peer loses its carrier, and nobody
//! else anything.
//!
//! The modules in floors; each uses only those above it:
//!
//! 1. [`null`] no packet protection · [`request`] what is said on a stream · [`udp`] headers · [`arena`] memory · [`keys`]
//!    what is secret or random · [`counters`];
//! 2. [`settings`] of QUIC · [`flows`] their table · [`shared`] what all links have in common · [`credit`] windows;
//! 3. [`link`] one peer's end, with [`streams`], [`datagrams`] and [`call`];
//! 4. this module: all of them, and the packets.

mod arena;
mod call;
mod counters;
mod credit;
mod datagrams;
mod flows;
mod keys;
mod link;
mod links;
mod null;
mod request;
mod settings;
mod shared;
mod streams;
mod udp;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use noq_proto::ServerConfig;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::arena::Arena;
use self::call::Call;
pub use self::counters::CarrierCounters;
use self::flows::Stage;
use self::link::Link;
use self::links::Links;
use self::request::{Code, Request};
use self::shared::{CHUNK, Shared};
use crate::allowance::Allowances;
use crate::datagram::DatagramDrop;
use crate::deadlines::Deadlines;
use crate::error::{AcceptError, ConnectError};
use crate::event::{CarrierLoss, Closure, Event, Rejection};
use crate::flow::{FlowId, Kind, Peer, Target};
use crate::icmp::{ReceivedError, Report};
use crate::limits::Limits;
use crate::sink::PacketSink;
use crate::stack::Datagram;

/// Bytes that may travel with a request.
pub const EARLY: usize = 64 << 10;

/// Ports that carriers of ours leave from. Below are those of services.
const PORTS: std::ops::RangeInclusive<u16> = 16_384..=65_535;

/// A peer that was not heard of for so long has no session: nobody is asked.
const GONE: std::time::Duration = std::time::Duration::from_mins(3);

/// How the carrier is set up.
#[derive(Clone)]
pub struct CarrierConfig {
    /// The UDP port at the stack's own addresses where peers' carriers are taken; `None` on a client.
    pub listen: Option<u16>,
    /// Secret, and the same after a restart: by it the other end of a carrier that was forgotten learns that it was.
    pub reset_key: [u8; 32],
}

/// Datagrams of one turn on their way into the sink.
#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    /// Where the next one begins.
    next: usize,
    /// The length of each but the last.
    segment: usize,
    peer: Option<Peer>,
    ends: Option<(SocketAddr, SocketAddr)>,
}

/// The carriers of all peers.
pub(crate) struct Carriers {
    mtu: u16,
    config: Option<CarrierConfig>,
    /// For IPv4 and IPv6: their datagrams are of different sizes.
    servers: [Option<Arc<ServerConfig>>; 2],
    links: Links,
    shared: Shared,
    /// When to look at a link.
    timers: Deadlines,
    /// Links that may have something to send, each once.
    dirty: VecDeque<u32>,
    /// Links that may have something to tell, each once.
    heard: Vec<u32>,
    outgoing: Outgoing,
    arena: Arena,
    /// What is offered to the embedder where it lies in pieces.
    scratch: Vec<u8>,
    /// Answers to peers that have no carrier.
    allowances: Option<Allowances>,
    /// The datagram that was taken last: the embedder may borrow from it.
    arrived: Option<shared::Arrived>,
    now: Option<Instant>,
}

impl Carriers {
    pub(crate) fn new(limits: &Limits, mtu: u16, seed: [u8; 32]) -> Self {
        Self {
            mtu,
            config: None,
            servers: [None, None],
            links: Links::default(),
            shared: Shared::new(limits, StdRng::from_seed(seed)),
            timers: Deadlines::default(),
            dirty: VecDeque::new(),
            heard: Vec::new(),
            outgoing: Outgoing::default(),
            arena: Arena::new(usize::from(mtu)),
            scratch: Vec::new(),
            allowances: None,
            arrived: None,
            now: None,
        }
    }

    /// Sets the carrier up.
    pub(crate) fn configure(&mut self, config: CarrierConfig) {
        self.servers = [IpAddr::from([0; 4]), IpAddr::from([0; 16])].map(|family| {
            let size = self.size(family)?;
            config.listen?;
            Some(settings::server(&self.shared.limits, size))
        });
        self.config = Some(config);
    }

    /// Bytes of a QUIC datagram to an address, if there is room for one at all.
    fn size(&self, to: IpAddr) -> Option<u16> {
        let size = self.mtu.checked_sub(udp::headers(to) as u16)?;
        (size >= settings::LEAST_DATAGRAM).then_some(size)
    }

    /// Keeps a carrier from an address of ours to one of the peer's, or none.
    pub(crate) fn carry(&mut self, now: Instant, peer: Peer, ends: Option<(IpAddr, SocketAddr)>) {
        let ends = ends.filter(|(_, at)| self.size(at.ip()).is_some() && at.port() != 0);
        let (Some((from, at)), true) = (ends, self.config.is_some()) else {
            if let Some(place) = self.links.of(peer) {
                self.with(place, |link, shared| {
                    link.close(now, shared, Closure::Aborted);
                });
                self.remove(place);
            }
            return;
        };
        if let Some(place) = self.links.of(peer) {
            if self.links.get(place).is_some_and(|link| link.remote == at) {
                return;
            }
            self.with(place, |link, shared| {
                link.close(now, shared, Closure::Aborted);
            });
            self.remove(place);
        }
        let own = SocketAddr::new(from, self.shared.rng.random_range(PORTS));
        let Some(place) = self.add(now, peer, own, at, true) else {
            return;
        };
        self.call(now, place);
    }

    /// Makes a link without a connection.
    fn add(
        &mut self,
        now: Instant,
        peer: Peer,
        own: SocketAddr,
        remote: SocketAddr,
        calls: bool,
    ) -> Option<u32> {
        let config = self.config.as_ref()?;
        if self.links.len() >= self.shared.limits.flows {
            self.shared.counters.peers_full += 1;
            return None;
        }
        let size = self.size(remote.ip())?;
        let seed = self.shared.rng.random();
        let endpoint = settings::endpoint(config.reset_key, seed, size);
        let server = if calls {
            None
        } else {
            Some(self.servers.get(usize::from(remote.is_ipv6()))?.clone()?)
        };
        let mut link = Link::new(peer, own, remote, endpoint, server, &self.shared, now);
        link.call = calls.then(Call::default);
        Some(self.links.insert(link))
    }

    /// Tries to reach the other end of a link of ours.
    fn call(&mut self, now: Instant, place: u32) {
        let (Some(config), Some(link)) = (&self.config, self.links.get(place)) else {
            return;
        };
        let Some(size) = self.size(link.remote.ip()) else {
            return;
        };
        let endpoint = settings::endpoint(config.reset_key, self.shared.rng.random(), size);
        self.with(place, |link, shared| {
            if let Some(call) = &mut link.call {
                call.begun();
            }
            link.connect(now, endpoint, size, shared);
        });
        self.stir(place);
        self.arm(place);
    }

    pub(crate) fn is_up(&self, peer: Peer) -> bool {
        self.links
            .of(peer)
            .and_then(|place| self.links.get(place))
            .is_some_and(|link| link.up && link.call.is_some())
    }

    /// Whether a datagram from a peer to an own address is a carrier's.
    pub(crate) fn claims(&self, peer: Peer, to: SocketAddr) -> bool {
        let Some(config) = &self.config else {
            return false;
        };
        if config.listen == Some(to.port()) {
            return self.size(to.ip()).is_some();
        }
        self.links
            .of(peer)
            .and_then(|place| self.links.get(place))
            .is_some_and(|link| link.own == to)
    }

    /// Takes a datagram's payload that [`claims`](Self::claims) said is a carrier's.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        peer: Peer,
        from: SocketAddr,
        to: SocketAddr,
        payload: &[u8],
    ) {
        self.now = Some(now);
        self.shared.counters.received += 1;
        let known = self.links.of(peer);
        let place = match known {
            Some(place) => place,
            None => {
                let limit = self.shared.limits.errors_per_second;
                let allowances = self
                    .allowances
                    .get_or_insert_with(|| Allowances::new(limit, now));
                if !allowances.take(now, peer) {
                    return;
                }
                match self.add(now, peer, to, from, false) {
                    Some(place) => place,
                    None => return,
                }
            }
        };
        let data = self.arena.keep(payload);
        self.with(place, |link, shared| {
            link.handle(now, from, to, data, shared);
        });
        match self.links.get(place) {
            // Nothing came of it.
            Some(link) if link.wire.is_none() && link.call.is_none() => self.remove(place),
            Some(_) => self.hear(place),
            None => {}
        }
    }

    /// Counts a datagram for a carrier that is broken.
    pub(crate) fn count_malformed(&mut self) {
        self.shared.counters.malformed += 1;
    }

    /// Takes an ICMP error; whether it is about a carrier's datagram.
    pub(crate) fn handle_error(&mut self, now: Instant, peer: Peer, error: &ReceivedError) -> bool {
        let Some(place) = self.links.of(peer) else {
            return false;
        };
        let fits = self
            .links
            .get(place)
            .is_some_and(|link| link.own == error.source && link.remote == error.destination);
        if fits && error.report == Report::PortUnreachable {
            self.lose(now, place, CarrierLoss::Unreachable);
        }
        fits
    }

    /// Does something with a link. If it panics, the link is no more.
    fn with<R>(&mut self, place: u32, work: impl FnOnce(&mut Link, &mut Shared) -> R) -> Option<R> {
        let result = self.links.guard(place, &mut self.shared, work)?;
        if result.is_none() {
            self.broke(place);
        }
        result
    }

    /// A link panicked: nothing of it can be relied on but its flows' names.
    fn broke(&mut self, place: u32) {
        self.shared.counters.panics += 1;
        let Some((peer, call)) = self.links.abandon(place, &mut self.shared) else {
            return;
        };
        let Some((own, remote, mut call)) = call else {
            return;
        };
        let Some(now) = self.now else { return };
        self.shared.counters.lost += 1;
        let why = CarrierLoss::Failed;
        self.shared
            .events
            .push_back(Event::CarrierDown { peer, why });
        call.failed(now, None);
        if let Some(place) = self.add(now, peer, own, remote, true) {
            if let Some(link) = self.links.get_mut(place) {
                link.call = Some(call);
            }
            self.arm(place);
        }
    }

    /// A link's connection is over, or did not come to be.
    fn lose(&mut self, now: Instant, place: u32, why: CarrierLoss) {
        let up = self
            .with(place, |link, shared| {
                let up = link.up.then_some(link.since);
                link.last_word(now, shared);
                link.hang_up(shared, Closure::Reset);
                if let Some(call) = &mut link.call {
                    call.failed(now, up);
                    let peer = link.peer;
                    shared.events.push_back(Event::CarrierDown { peer, why });
                }
                up
            })
            .flatten();
        if up.is_some() {
            self.shared.counters.lost += 1;
        } else {
            self.shared.counters.attempts_failed += 1;
        }
        match self.links.get(place) {
            Some(link) if link.call.is_some() => self.arm(place),
            Some(_) => self.remove(place),
            None => {}
        }
    }

    fn remove(&mut self, place: u32) {
        self.timers.disarm(place);
        self.links.remove(place, &mut self.shared);
    }

    /// A link may have something to tell, and to send.
    fn hear(&mut self, place: u32) {
        if let Some(link) = self.links.get_mut(place)
            && !link.is_heard
        {
            link.is_heard = true;
            self.heard.push(place);
        }
        self.stir(place);
    }

    /// A link may have something to send.
    fn stir(&mut self, place: u32) {
        if let Some(link) = self.links.get_mut(place)
            && !link.is_dirty
        {
            link.is_dirty = true;
            self.dirty.push_back(place);
        }
    }

    fn arm(&mut self, place: u32) {
        if let Some(at) = self.links.get(place).and_then(Link::next_timeout) {
            self.timers.arm(place, at);
        }
    }

    /// Hears what links have to tell.
    fn settle(&mut self) {
        let Some(now) = self.now else { return };
        while let Some(place) = self.heard.pop() {
            if let Some(link) = self.links.get_mut(place) {
                link.is_heard = false;
            }
            let settled = self.with(place, |link, shared| link.settle(now, shared));
            if let Some(Err(why)) = settled {
                self.lose(now, place, why);
            }
        }
    }

    /// Opens a connection.
    pub(crate) fn open_stream(
        &mut self,
        now: Instant,
        peer: Peer,
        target: &Target,
        early: &[u8],
    ) -> Result<FlowId, ConnectError> {
        if early.len() > EARLY {
            return Err(ConnectError::TooMuchEarly);
        }
        self.open(now, peer, &Request::Connection(target.clone()), early)
    }

    /// Opens a UDP flow.
    pub(crate) fn open_datagrams(
        &mut self,
        now: Instant,
        peer: Peer,
    ) -> Result<FlowId, ConnectError> {
        self.open(now, peer, &Request::Datagrams, &[])
    }

    fn open(
        &mut self,
        now: Instant,
        peer: Peer,
        request: &Request,
        early: &[u8],
    ) -> Result<FlowId, ConnectError> {
        self.now = Some(now);
        self.settle();
        let place = self.links.of(peer).ok_or(ConnectError::NotCarried)?;
        let opened = self.with(place, |link, shared| {
            link.open(now, place, request, early, shared)
        });
        self.stir(place);
        opened.unwrap_or(Err(ConnectError::NotCarried))
    }

    /// The datagram that arrived first.
    pub(crate) fn poll_datagram(&mut self) -> Option<Datagram<'_>> {
        self.settle();
        self.arrived = self.shared.next_arrived();
        let arrived = self.arrived.as_ref()?;
        Some(Datagram {
            flow: arrived.flow,
            source: arrived.source,
            destination: arrived.destination,
            payload: &arrived.payload,
        })
    }

    /// The place of a flow's link, and the flow's number.
    fn locate(&mut self, flow: FlowId) -> Option<(u32, u32)> {
        let (number, flow) = self.shared.flows.find(flow)?;
        Some((flow.link, number))
    }

    pub(crate) fn accept(&mut self, flow: FlowId) -> Result<(), AcceptError> {
        let (place, number) = self.locate(flow).ok_or(AcceptError::Gone)?;
        let stage = self.shared.flows.get(number).map(|flow| flow.stage);
        if stage != Some(Stage::Waiting) {
            return Err(AcceptError::AlreadyOpen);
        }
        self.with(place, |link, shared| link.accept(number, shared));
        self.stir(place);
        Ok(())
    }

    pub(crate) fn reject(&mut self, flow: FlowId, why: Rejection) {
        let Some((place, number)) = self.locate(flow) else {
            return;
        };
        let stage = self.shared.flows.get(number).map(|flow| flow.stage);
        if stage == Some(Stage::Waiting) {
            self.with(place, |link, shared| {
                link.break_off(number, why.into(), Closure::Refused, shared);
            });
            self.stir(place);
        }
    }

    pub(crate) fn send(&mut self, name: FlowId, fill: &mut dyn FnMut(&mut [u8]) -> usize) -> usize {
        let Some((place, number)) = self.locate(name) else {
            return 0;
        };
        let Some(flow) = self.shared.flows.get(number) else {
            return 0;
        };
        if flow.shutdown || !matches!(flow.stage, Stage::Open | Stage::Asking) {
            return 0;
        }
        if !flow.first.is_empty() {
            flow.blocked = true;
            self.shared.counters.send_buffer_full += 1;
            return 0;
        }
        let bytes = self.shared.fill(fill);
        let written = bytes.len();
        if written > 0 {
            self.with(place, |link, shared| link.send(number, bytes, shared));
            self.stir(place);
        }
        written
    }

    pub(crate) fn receive(&mut self, name: FlowId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        let Some((place, number)) = self.locate(name) else {
            return 0;
        };
        let Some(flow) = self.shared.flows.get(number) else {
            return 0;
        };
        if flow.held.is_empty() || flow.stage != Stage::Open {
            return 0;
        }
        let taken = if let (1, Some(only)) = (flow.held.len(), flow.held.front()) {
            take(only).min(only.len())
        } else {
            self.scratch.clear();
            for part in &flow.held {
                let room = CHUNK - self.scratch.len();
                self.scratch
                    .extend_from_slice(part.get(..room).unwrap_or(part));
                if self.scratch.len() >= CHUNK {
                    break;
                }
            }
            take(&self.scratch).min(self.scratch.len())
        };
        if taken > 0 {
            self.with(place, |link, shared| link.taken(number, taken, shared));
            self.stir(place);
        }
        taken
    }

    pub(crate) fn receivable(&mut self, name: FlowId) -> usize {
        self.shared
            .flows
            .find(name)
            .map_or(0, |(_, flow)| flow.held_bytes)
    }

    pub(crate) fn shutdown(&mut self, name: FlowId) {
        let Some((place, number)) = self.locate(name) else {
            return;
        };
        let Some(flow) = self.shared.flows.get(number) else {
            return;
        };
        if flow.shutdown || flow.stage == Stage::Datagrams {
            return;
        }
        flow.shutdown = true;
        if matches!(flow.stage, Stage::Open | Stage::Asking) {
            self.with(place, |link, shared| link.flush(number, shared));
            self.stir(place);
        }
    }

    pub(crate) fn abort(&mut self, name: FlowId) {
        let Some((place, number)) = self.locate(name) else {
            return;
        };
        let (code, how) = match self.shared.flows.get(number).map(|flow| flow.stage) {
            Some(Stage::Waiting) => (Code::Refused, Closure::Refused),
            _ => (Code::Aborted, Closure::Aborted),
        };
        self.with(place, |link, shared| {
            link.break_off(number, code, how, shared);
        });
        self.stir(place);
    }

    pub(crate) fn send_datagram(
        &mut self,
        now: Instant,
        name: FlowId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), DatagramDrop> {
        let (place, number) = self.locate(name).ok_or(DatagramDrop::NoFlow)?;
        let sent = self.with(place, |link, shared| {
            link.send_datagram(now, number, remote, payload, shared)
        });
        self.stir(place);
        sent.unwrap_or(Err(DatagramDrop::NoFlow))
    }

    pub(crate) fn close_datagrams(&mut self, name: FlowId) {
        if name.kind() != Kind::Udp {
            return;
        }
        if let Some((place, number)) = self.locate(name) {
            self.with(place, |link, shared| link.close_datagrams(number, shared));
            self.stir(place);
        }
    }

    /// What happened, oldest first.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.settle();
        loop {
            let event = self.shared.events.pop_front()?;
            let flows = &mut self.shared.flows;
            match event {
                Event::Closed { flow, .. } => flows.free(flow),
                Event::Readable { flow } => match flows.find(flow) {
                    Some((_, flow)) => flow.told.readable = false,
                    None => continue,
                },
                Event::Writable { flow } => match flows.find(flow) {
                    Some((_, flow)) => flow.told.writable = false,
                    None => continue,
                },
                _ => {}
            }
            return Some(event);
        }
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        last_heard: &mut impl FnMut(Peer) -> Option<Instant>,
    ) {
        self.now = Some(now);
        while let Some(number) = self.shared.deadlines.fire(now) {
            let link = self.shared.flows.get(number).map(|flow| flow.link);
            if let Some(place) = link {
                self.with(place, |link, shared| {
                    link.handle_deadline(now, number, shared);
                });
                self.stir(place);
            }
        }
        // Each once: what is due again at once is due with the next call.
        let mut due = Vec::new();
        while let Some(place) = self.timers.fire(now) {
            due.push(place);
        }
        for place in due {
            let Some(link) = self.links.get(place) else {
                continue;
            };
            let heard = last_heard(link.peer);
            self.handle_link_timeout(now, place, heard);
            self.arm(place);
        }
    }

    fn handle_link_timeout(&mut self, now: Instant, place: u32, heard: Option<Instant>) {
        let Some(link) = self.links.get(place) else {
            return;
        };
        if let Some(call) = link.call
            && call.is_due(now)
        {
            if heard.is_some_and(|heard| now < heard + GONE) {
                return self.call(now, place);
            }
            self.with(place, |link, _| {
                if let Some(call) = &mut link.call {
                    call.put_off(now);
                }
            });
            return;
        }
        if link.call.is_some() && Call::is_unanswered(now, link) {
            return self.lose(now, place, CarrierLoss::TimedOut);
        }
        match self.with(place, |link, _| link.handle_timeout(now, heard)) {
            Some(Err(why)) => self.lose(now, place, why),
            _ => self.hear(place),
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        [self.timers.next(), self.shared.deadlines.next()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Moves what waits into `sink`; `true` when the sink was full before the end.
    pub(crate) fn poll_transmit(&mut self, now: Instant, sink: &mut dyn PacketSink) -> bool {
        self.now = Some(now);
        self.settle();
        loop {
            if !self.drain(sink) {
                return true;
            }
            let Some(place) = self.dirty.pop_front() else {
                return false;
            };
            let mut bytes = std::mem::take(&mut self.outgoing.bytes);
            bytes.clear();
            let sent = self.with(place, |link, shared| {
                let segment = link.transmit(now, &mut bytes, shared);
                segment.map(|segment| (segment, link.peer, (link.own, link.remote)))
            });
            self.outgoing.bytes = bytes;
            if let Some(Some((segment, peer, ends))) = sent {
                self.outgoing.segment = segment;
                self.outgoing.peer = Some(peer);
                self.outgoing.ends = Some(ends);
                self.dirty.push_back(place);
            } else {
                self.outgoing.bytes.clear();
                if let Some(link) = self.links.get_mut(place) {
                    link.is_dirty = false;
                }
                // Polling may have found the end of a connection.
                self.hear_only(place);
            }
            self.arm(place);
        }
    }

    /// A link may have something to tell.
    fn hear_only(&mut self, place: u32) {
        if let Some(link) = self.links.get_mut(place)
            && !link.is_heard
        {
            link.is_heard = true;
            self.heard.push(place);
        }
    }

    /// Moves what was written into the sink. `false` when that was full before the end.
    fn drain(&mut self, sink: &mut dyn PacketSink) -> bool {
        while let Some(reply) = self.shared.replies.front() {
            if !sink.has_room() {
                return false;
            }
            let length = udp::headers(reply.to.ip()) + reply.payload.len();
            if length <= usize::from(self.mtu) {
                self.shared.counters.sent += 1;
                sink.packet(reply.peer, length, &mut |packet| {
                    udp::write(packet, reply.from, reply.to, &reply.payload);
                });
            }
            self.shared.replies.pop_front();
        }
        let Outgoing {
            bytes,
            next,
            segment,
            peer: Some(peer),
            ends: Some((from, to)),
        } = &mut self.outgoing
        else {
            return true;
        };
        let headers = udp::headers(to.ip());
        while let Some(rest) = bytes.get(*next..).filter(|rest| !rest.is_empty()) {
            if !sink.has_room() {
                return false;
            }
            let payload = rest.get(..*segment).unwrap_or(rest);
            self.shared.counters.sent += 1;
            sink.packet(*peer, headers + payload.len(), &mut |packet| {
                udp::write(packet, *from, *to, payload);
            });
            *next += payload.len();
        }
        bytes.clear();
        *next = 0;
        true
    }

    /// The peer is back after a while.
    pub(crate) fn resume(&mut self, now: Instant, peer: Peer) {
        self.now = Some(now);
        let Some(place) = self.links.of(peer) else {
            return;
        };
        self.with(place, |link, _| {
            link.resume(now);
            if let Some(call) = &mut link.call {
                call.hurry(now);
            }
        });
        if self
            .links
            .get(place)
            .and_then(|link| link.call)
            .is_some_and(|call| call.is_due(now))
        {
            self.call(now, place);
        }
        self.hear(place);
        self.arm(place);
    }

    /// Ends what is of a peer, without a word to it. A carrier that is ours to keep up is tried again when there is reason to.
    pub(crate) fn forget_peer(&mut self, now: Instant, peer: Peer) {
        self.now = Some(now);
        if let Some(allowances) = &mut self.allowances {
            let _ = allowances;
        }
        let Some(place) = self.links.of(peer) else {
            return;
        };
        self.with(place, |link, shared| {
            let was = link.wire.is_some();
            link.hang_up(shared, Closure::PeerGone);
            if let Some(call) = &mut link.call
                && was
            {
                call.put_off(now);
                let why = CarrierLoss::TimedOut;
                shared.events.push_back(Event::CarrierDown { peer, why });
            }
        });
        match self.links.get(place) {
            Some(link) if link.call.is_some() => self.arm(place),
            Some(_) => self.remove(place),
            None => {}
        }
    }

    /// The peers that have connections, and since when.
    pub(crate) fn peers(&self) -> impl Iterator<Item = (Peer, Instant)> {
        self.links
            .iter()
            .filter(|link| link.wire.is_some())
            .map(|link| (link.peer, link.since))
    }

    pub(crate) fn counters(&self) -> CarrierCounters {
        CarrierCounters {
            carriers: self.links.len() as u64,
            flows: self.shared.flows.used() as u64,
            half_open: self.shared.half_open as u64,
            ..self.shared.counters
        }
    }
}

impl Link {
    /// A flow may have waited for too long.
    fn handle_deadline(&mut self, now: Instant, number: u32, shared: &mut Shared) {
        match shared.flows.get(number).map(|flow| flow.stage) {
            Some(Stage::Asking) => self.refuse(number, Code::TimedOut, shared),
            Some(Stage::Requesting | Stage::Waiting) => {
                shared.counters.half_open_expired += 1;
                self.break_off(number, Code::TimedOut, Closure::Expired, shared);
            }
            Some(Stage::Datagrams) => self.expire_datagrams(now, number, shared),
            Some(Stage::Open) | None => {}
        }
    }
}
