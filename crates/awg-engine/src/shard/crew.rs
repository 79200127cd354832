//! A shard among others: which peers are its own, and what it hands over to the others and takes from them.
//!
//! Each shard has sockets at the same ports, and the system chooses the one that a datagram comes to. What is another shard's goes
//! there by a ring ([`hand_over`](crate::hand_over)) and is taken up in that shard's next turn, for which it is woken if it sleeps.
//! A shard that is alone has nothing of this.

use awg_tunnel::{Endpoint, PublicKey, Tunnel};

use super::Shard;
use crate::hand_over::{Inlet, Outlet, ring};
use crate::routes::home;
use crate::shared::Shared;
use crate::terms::PeerSettings;

/// Bytes of the rings into one shard together, and of one of them at least and at most.
const BYTES_INTO_ONE: usize = 2 << 20;
const LEAST_BYTES: usize = 1 << 18;
const MOST_BYTES: usize = 1 << 20;
/// Bytes of ring for which there is room for one more datagram: with smaller ones it is full sooner.
const BYTES_PER_DATAGRAM: usize = 256;

/// See the module.
#[derive(Debug)]
pub(crate) struct Crew {
    number: usize,
    count: usize,
    /// Peers that the other shards have.
    peers_elsewhere: usize,
    /// By the shards' numbers; none to oneself.
    outlets: Vec<Option<Outlet>>,
    inlets: Vec<Inlet>,
    /// The shards that something was put there for and that were not told so.
    expectant: Vec<usize>,
    handed_over: u64,
    dropped: u64,
    /// Whether an application was ever passed on.
    has_passed_on: bool,
}

impl Crew {
    /// So many shards, at least one, with rings between them.
    pub(crate) fn muster(count: usize) -> Vec<Self> {
        let mut crews: Vec<Self> = (0..count.max(1))
            .map(|number| Self {
                number,
                count: count.max(1),
                peers_elsewhere: 0,
                outlets: Vec::new(),
                inlets: Vec::new(),
                expectant: Vec::new(),
                handed_over: 0,
                dropped: 0,
                has_passed_on: false,
            })
            .collect();
        let bytes = BYTES_INTO_ONE / count.saturating_sub(1).max(1);
        let bytes = bytes.clamp(LEAST_BYTES, MOST_BYTES);
        for from in 0..crews.len() {
            for to in 0..crews.len() {
                let (outlet, inlet) = if from == to {
                    (None, None)
                } else {
                    let (outlet, inlet) = ring(bytes / BYTES_PER_DATAGRAM, bytes);
                    (Some(outlet), Some(inlet))
                };
                crews[from].outlets.push(outlet);
                crews[to].inlets.extend(inlet);
            }
        }
        crews
    }

    /// Which one this is.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether a peer lives here.
    pub(super) fn has(&self, key: &PublicKey) -> bool {
        home(key, self.count) == self.number
    }

    /// Peers that live elsewhere.
    pub(super) fn peers_elsewhere(&self) -> usize {
        self.peers_elsewhere
    }

    /// Tells a tunnel, whose own peers are in it already, whose all networks are and where all peers live.
    pub(super) fn place(&mut self, tunnel: &mut Tunnel, peers: &[PeerSettings]) {
        if self.count == 1 {
            return;
        }
        let all = peers.iter().map(|peer| &peer.config);
        tunnel.place_peers(all.map(|config| {
            let key = &config.public_key;
            (key, config.allowed_ips.as_slice(), home(key, self.count))
        }));
        let elsewhere = peers
            .iter()
            .filter(|peer| !self.has(&peer.config.public_key));
        self.peers_elsewhere = elsewhere.count();
    }

    /// Puts a datagram where its shard finds it, if there is room.
    pub(super) fn hand_over(&mut self, shard: usize, from: Endpoint, datagram: &[u8]) {
        let outlet = self.outlets.get_mut(shard).and_then(Option::as_mut);
        if !outlet.is_some_and(|outlet| outlet.push(from, datagram)) {
            self.dropped += 1;
            return;
        }
        self.handed_over += 1;
        if !self.expectant.contains(&shard) {
            self.expectant.push(shard);
        }
    }

    /// Wakes those shards that sleep and have been given something.
    pub(super) fn rouse(&mut self, shared: &Shared) {
        for shard in self.expectant.drain(..) {
            if let Some(desk) = shared.desks.get(shard) {
                desk.rouse();
            }
        }
    }

    /// Whether others have given something.
    pub(super) fn has_mail(&self) -> bool {
        self.inlets.iter().any(|inlet| !inlet.is_empty())
    }

    /// An application was passed on to another shard.
    pub(super) fn note_passed_on(&mut self) {
        self.has_passed_on = true;
    }

    /// Whether that ever happened.
    pub(super) fn has_passed_on(&self) -> bool {
        self.has_passed_on
    }

    /// Datagrams handed over, and those that found no room.
    pub(super) fn counters(&self) -> [(&'static str, u64); 2] {
        [
            ("handed_over", self.handed_over),
            ("handed_over_dropped", self.dropped),
        ]
    }
}

impl Shard {
    /// The number of this shard, from 0.
    pub(crate) fn number(&self) -> usize {
        self.crew.number
    }

    /// Takes up what other shards have handed over: a batch from each.
    pub(super) fn receive_handed_over(&mut self) {
        for place in 0..self.crew.inlets.len() {
            let Some(inlet) = self.crew.inlets.get_mut(place) else {
                return;
            };
            if let Some(local) = inlet.receive(&mut self.wire.incoming) {
                self.take_in(local, true);
            }
        }
    }

    /// Whether the loop may wait for what the system says. From now on whoever hands something over wakes it.
    pub(super) fn fall_asleep(&self) -> bool {
        if self.crew.count == 1 {
            return true;
        }
        let desk = &self.shared.desks[self.crew.number];
        desk.fall_asleep();
        let may = !self.crew.has_mail();
        if !may {
            desk.wake_up();
        }
        may
    }

    /// The loop does not wait any more.
    pub(super) fn wake_up(&self) {
        if self.crew.count > 1 {
            self.shared.desks[self.crew.number].wake_up();
        }
    }
}
