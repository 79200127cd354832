//! The machine: peers, sessions and timers put together, behind sans-I/O verbs.
//!
//! `peers` adds and removes, `send` seals, `receive` sorts what comes, `transport` opens data, `handshake` makes and answers
//! initiations, `timeouts` runs deadlines, `transmit` gives out what waits, `sharing` is for ends with several tunnels.

mod config;
mod framing;
mod handshake;
mod outbox;
mod peers;
mod receive;
mod send;
mod sharing;
#[cfg(test)]
mod tests;
mod timeouts;
mod transmit;
mod transport;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use awg_obfuscation::{SignatureCounter, TrailerWindow};

use crate::allowed_ips::AllowedIps;
use crate::cookie::{CookieChecker, LoadGauge, SeenInitiations, SourceBuckets};
use crate::counters::Counters;
use crate::endpoint::Local;
use crate::entropy::Entropy;
use crate::event::{Event, EventQueue, FailureCause};
use crate::index_table::IndexTable;
use crate::keys::{KeyError, PublicKey};
use crate::noise::Identity;
use crate::peer::{PeerId, PeerTable, Told};
use crate::share::Share;
use crate::time::Now;
use crate::timers::AlarmClock;

pub use config::{Limits, TunnelConfig, TunnelError};
use framing::{Framing, Framings};
use outbox::Outbox;
pub use receive::Inbound;
pub use send::{Seal, SendDrop};

/// One end of a WireGuard tunnel, with all its peers.
///
/// The contract: after [`handle_datagram`](Self::handle_datagram), [`handle_timeout`](Self::handle_timeout),
/// [`seal`](Self::seal), [`connect`](Self::connect) or a change of peers, call [`poll_transmit`](Self::poll_transmit) until it
/// gives nothing and send each datagram in that order; then [`poll_event`](Self::poll_event) until it gives nothing; then come back
/// at [`next_timeout`](Self::next_timeout) at the latest. A batch of datagrams may be handled before polling. Time must not run
/// backwards.
pub struct Tunnel {
    identity: Identity,
    framings: Framings,
    limits: Limits,
    entropy: Entropy,
    peers: PeerTable,
    by_key: HashMap<PublicKey, PeerId>,
    indices: IndexTable,
    allowed_ips: AllowedIps<PeerId>,
    clock: AlarmClock,
    outbox: Outbox,
    events: EventQueue,
    counters: Counters,
    signature_counter: SignatureCounter,
    staged_bytes: usize,
    checker: CookieChecker,
    gauge: LoadGauge,
    sources: SourceBuckets,
    seen: SeenInitiations,
    told: Told,
    /// Where this is one of several tunnels of an end.
    share: Option<Share>,
    /// The peers that others of them have, and which.
    elsewhere: HashMap<PublicKey, usize>,
    /// The datagram at hand was handed over by another one.
    handed_over: bool,
    /// The last datagram is another one's.
    misplaced: Option<usize>,
}

impl Tunnel {
    /// A tunnel without peers. `seed` must be unpredictable: all keys come from it.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: TunnelConfig, seed: [u8; 32], now: Now) -> Result<Self, TunnelError> {
        if *config.private_key.as_bytes() == [0; 32] {
            return Err(TunnelError::PrivateKey(KeyError::Zero));
        }
        let framings = Framings::new(&config)?;
        let public = config.private_key.public_key();
        let limits = config.limits;
        Ok(Self {
            checker: CookieChecker::new(&public),
            identity: Identity {
                private: config.private_key,
                public,
            },
            framings,
            limits,
            entropy: Entropy::new(seed),
            peers: PeerTable::default(),
            by_key: HashMap::new(),
            indices: IndexTable::default(),
            allowed_ips: AllowedIps::new(),
            clock: AlarmClock::default(),
            outbox: Outbox::new(limits.outbox),
            events: EventQueue::new(limits.events),
            counters: Counters::default(),
            signature_counter: SignatureCounter::default(),
            staged_bytes: 0,
            gauge: LoadGauge::new(config.initiation_rate, now.instant),
            sources: SourceBuckets::new(limits.sources),
            seen: SeenInitiations::new(limits.remembered_initiations),
            told: Told::default(),
            share: None,
            elsewhere: HashMap::new(),
            handed_over: false,
            misplaced: None,
        })
    }

    /// Bytes that a datagram sealed for `peer` has before the content: S4 and the header.
    #[inline]
    pub fn headroom(&self, peer: PeerId) -> usize {
        self.framing_of(peer).headroom()
    }

    /// The most bytes that the datagram of so much content for `peer` has: S4, header, content padded with zeros, tag. How many zeros
    /// is drawn when it is [sealed](Self::seal).
    #[inline]
    pub fn sealed_len(&self, peer: PeerId, content_len: usize) -> usize {
        let window = self
            .peers
            .get(peer)
            .map_or(TrailerWindow::default(), |peer| peer.window);
        self.framing_of(peer).sealed_len(content_len, window)
    }

    /// Room for any sealed packet, whoever the peer is.
    pub fn largest_sealed_len(&self) -> usize {
        self.framings.largest_sealed()
    }

    /// The framing of the place at which a peer was last heard; the first one's for a peer that is nowhere yet.
    #[inline]
    fn framing_of(&self, peer: PeerId) -> &Framing {
        let endpoint = self.peers.get(peer).and_then(|peer| peer.endpoint);
        let local = endpoint.map_or(Local::default(), |endpoint| endpoint.local);
        self.framings.at(local)
    }

    /// The peer that an inner address belongs to, by the longest allowed prefix.
    #[inline]
    pub fn route(&self, destination: IpAddr) -> Option<PeerId> {
        let peer = self.allowed_ips.find(destination);
        peer.filter(|peer| *peer != sharing::ELSEWHERE)
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do. It may turn out to be nothing.
    #[inline]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.clock.next()
    }

    /// What happened, one at a time.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// The numbers of everything.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn emit(&mut self, event: Event) {
        self.events.push(event, &mut self.counters.dropped_events);
    }

    /// Tells why a handshake fails, if it was not told just now.
    fn emit_failure(
        &mut self,
        now: Now,
        peer: Option<PeerId>,
        from: Option<SocketAddr>,
        cause: FailureCause,
    ) {
        let told = match peer {
            None => &mut self.told,
            Some(id) => match self.peers.get_mut(id) {
                Some(peer) => &mut peer.told,
                None => return,
            },
        };
        if told.is_news(now.instant, cause) {
            self.emit(Event::HandshakeFailed { peer, from, cause });
        }
    }
}
