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
//! 1. [`null`] no packet protection · [`parameters`] what is told at the beginning · [`request`] what is said on a stream ·
//!    [`udp`] headers · [`arena`] and [`chunks`] memory · [`keys`] what is secret or random · [`frames`] in packets, [`short`] ones ·
//!    [`volley`] how many at once · [`pieces`] of streams, counted · [`counters`];
//! 2. [`company`] on a link · [`settings`] of QUIC · [`flows`] their table · [`arrivals`] datagrams for the embedder · [`shared`] what all links have in
//!    common · [`credit`] windows, [`grant`] the other end's;
//! 3. [`link`] one peer's end, with [`succession`], [`streams`], [`owner`], [`writing`], [`guard`], [`backlog`], [`endings`],
//!    [`stopped`], [`datagrams`] and [`call`];
//! 4. [`links`] all of them, by place; this module, with [`packets`], [`commands`], [`timeouts`] and [`losses`].

mod arena;
mod arrivals;
mod backlog;
mod call;
mod chunks;
mod commands;
mod company;
mod congestion;
mod counters;
mod credit;
mod datagrams;
mod endings;
mod flows;
mod frames;
mod grant;
mod guard;
mod keys;
mod lingering;
mod link;
mod links;
mod losses;
mod null;
mod owner;
mod packets;
mod parameters;
mod pieces;
mod request;
mod settings;
mod shared;
mod short;
mod stopped;
mod streams;
mod succession;
mod timeouts;
mod udp;
mod volley;
mod writing;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::arena::Arena;
use self::arrivals::Arrived;
use self::call::Call;
pub use self::counters::CarrierCounters;
use self::link::Link;
use self::links::{Fault, Links};
use self::packets::Outgoing;
use self::shared::Shared;
use crate::allowance::Allowances;
use crate::deadlines::Deadlines;
use crate::event::{Closure, Event};
use crate::flow::Peer;
use crate::limits::Limits;
use crate::stack::Datagram;

/// Bytes that may travel with a request.
pub const EARLY: usize = 64 << 10;

/// Ports that carriers of ours leave from. Below are those of services.
const PORTS: std::ops::RangeInclusive<u16> = 16_384..=65_535;

/// How the carrier is set up.
#[derive(Clone)]
pub struct CarrierConfig {
    /// The UDP port at the stack's own addresses where peers' carriers are taken; `None` on a client.
    pub listen: Option<u16>,
    /// Secret, and the same after a restart: by it the other end of a carrier that was forgotten learns that it was.
    pub reset_key: [u8; 32],
}

/// The carriers of all peers.
pub(crate) struct Carriers {
    mtu: u16,
    config: Option<CarrierConfig>,
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
    /// Answers to peers that have no carrier.
    allowances: Allowances,
    /// Peers that get none, and until when.
    barred: HashMap<Peer, Instant>,
    /// The datagram that was taken last: the embedder may borrow from it.
    arrived: Option<Arrived>,
    /// The last time that was told.
    now: Instant,
}

impl Carriers {
    /// `own`: the addresses of this end of the tunnel.
    pub(crate) fn new(
        limits: &Limits,
        mtu: u16,
        own: &[IpAddr],
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        Self {
            mtu,
            config: None,
            links: Links::default(),
            shared: Shared::new(limits, own, StdRng::from_seed(seed)),
            timers: Deadlines::default(),
            dirty: VecDeque::new(),
            heard: Vec::new(),
            outgoing: Outgoing::default(),
            arena: Arena::new(usize::from(mtu)),
            allowances: Allowances::new(limits.errors_per_second, now),
            barred: HashMap::new(),
            arrived: None,
            now,
        }
    }

    /// Sets the carrier up.
    pub(crate) fn configure(&mut self, config: CarrierConfig) {
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
                self.close(now, place);
            }
            return;
        };
        if let Some(place) = self.links.of(peer) {
            if self.links.get(place).is_some_and(|link| link.remote == at) {
                return;
            }
            self.close(now, place);
        }
        let own = SocketAddr::new(from, self.shared.rng.random_range(PORTS));
        let Some(place) = self.add(now, peer, own, at, true) else {
            return;
        };
        self.call(now, place);
    }

    /// Tells the other end of a link that it is over, and forgets it.
    fn close(&mut self, now: Instant, place: u32) {
        self.with(place, |link, shared| {
            link.close(now, shared, Closure::Aborted);
        });
        self.remove(place);
    }

    /// Closes links, as many as can be told now. Whether there are more.
    pub(crate) fn close_some(&mut self, now: Instant) -> bool {
        for place in self.links.some(self.shared.room_for_replies()) {
            self.close(now, place);
        }
        self.links.len() > 0
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
        let listens = config.listen.is_some() && !calls;
        if !listens && !calls {
            return None;
        }
        let listens = listens.then_some(size);
        let mut link = Link::new(peer, own, remote, endpoint, listens, &self.shared, now);
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

    /// Whether the carrier to a peer has had no room for connections for more than a moment, at either end.
    pub(crate) fn is_full(&self, peer: Peer) -> bool {
        let link = self.links.of(peer).and_then(|place| self.links.get(place));
        link.is_some_and(Link::is_full)
    }

    /// Does something with a link. If it panics, the link is no more.
    fn with<R>(&mut self, place: u32, work: impl FnOnce(&mut Link, &mut Shared) -> R) -> Option<R> {
        match self.links.guard(place, &mut self.shared, work) {
            Ok(result) => Some(result),
            Err(Fault::Gone) => None,
            Err(Fault::Panicked) => {
                self.broke(place);
                None
            }
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

    /// A link may have something to tell, and to send.
    fn hear(&mut self, place: u32) {
        self.hear_only(place);
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
        let now = self.now;
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

    /// The datagram that arrived first.
    pub(crate) fn poll_datagram(&mut self) -> Option<Datagram<'_>> {
        self.settle();
        self.arrived = self.shared.arrived.pop();
        let arrived = self.arrived.as_ref()?;
        Some(Datagram {
            flow: arrived.flow,
            source: arrived.source,
            destination: arrived.destination,
            payload: &arrived.payload,
        })
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

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        [self.timers.next(), self.shared.deadlines.next()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The peer is back after a while. With `asks`, it is asked whether it knows the carrier though nothing waits for an answer.
    pub(crate) fn resume(&mut self, now: Instant, peer: Peer, asks: bool) {
        self.now = now;
        let Some(place) = self.links.of(peer) else {
            return;
        };
        self.with(place, |link, _| {
            if asks || link.waits() {
                link.resume(now);
            }
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

#[cfg(test)]
mod tests;
