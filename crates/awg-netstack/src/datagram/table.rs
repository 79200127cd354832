//! The table of UDP flows: found by their ends, named by slot and generation, timed lazily.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::DatagramLimits;
use crate::deadlines::Deadlines;
use crate::flow::{FlowId, Kind, Peer};

/// What makes datagrams those of one flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Ends {
    /// From `source`, through us to anywhere.
    Through { source: SocketAddr },
    /// From `source` to an address and port of ours.
    ToUs { source: SocketAddr, own: SocketAddr },
    /// Opened by us, on this address and port.
    Opened { own: SocketAddr },
}

/// What a flow has talked to so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Talk {
    Nothing,
    OnlyDns,
    Others,
}

/// One UDP flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) id: FlowId,
    pub(super) peer: Peer,
    pub(super) ends: Ends,
    /// Longest packet to the peer's end, in bytes.
    pub(super) mtu: u16,
    /// Whether its owner was told of an error since it last sent.
    pub(super) told: bool,
    last: Instant,
    talk: Talk,
}

impl Flow {
    /// Notes a datagram of either direction. Gives how long the flow may be idle from now on.
    pub(super) fn talk(&mut self, now: Instant, dns: bool, limits: &DatagramLimits) -> Duration {
        self.last = now;
        self.talk = match (self.talk, dns) {
            (Talk::Nothing | Talk::OnlyDns, true) => Talk::OnlyDns,
            _ => Talk::Others,
        };
        self.idle(limits)
    }

    fn idle(&self, limits: &DatagramLimits) -> Duration {
        match self.talk {
            Talk::OnlyDns => limits.dns_idle,
            Talk::Nothing | Talk::Others => limits.idle,
        }
    }

    /// When the flow ends if nothing happens on it.
    pub(super) fn due(&self, limits: &DatagramLimits) -> Instant {
        self.last + self.idle(limits)
    }
}

/// There is no place for another flow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// All UDP flows.
pub(super) struct Table {
    most: usize,
    most_per_peer: usize,
    slots: Vec<Slot>,
    /// Slots without a flow.
    free: Vec<u32>,
    found: HashMap<(Peer, Ends), u32>,
    /// How many flows each peer has, and since when.
    shares: HashMap<Peer, (usize, Instant)>,
    deadlines: Deadlines,
}

/// A place for a flow.
#[derive(Default)]
struct Slot {
    /// How many flows were here.
    generation: u32,
    flow: Option<Flow>,
}

impl Table {
    pub(super) fn new(most: usize, most_per_peer: usize) -> Self {
        Self {
            most,
            most_per_peer,
            slots: Vec::new(),
            free: Vec::new(),
            found: HashMap::new(),
            shares: HashMap::new(),
            deadlines: Deadlines::default(),
        }
    }

    pub(super) fn find(&self, peer: Peer, ends: Ends) -> Option<u32> {
        self.found.get(&(peer, ends)).copied()
    }

    /// The flow of that name, if it has not ended.
    pub(super) fn get(&self, id: FlowId) -> Option<&Flow> {
        let flow = self.slots.get(id.slot() as usize)?.flow.as_ref()?;
        (flow.id == id).then_some(flow)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Flow> {
        self.slots.get_mut(slot as usize)?.flow.as_mut()
    }

    /// Begins a flow; its timer is the caller's to arm.
    pub(super) fn insert(
        &mut self,
        now: Instant,
        peer: Peer,
        ends: Ends,
        mtu: u16,
    ) -> Result<u32, Full> {
        if self.found.len() >= self.most || self.share(peer) >= self.most_per_peer {
            return Err(Full);
        }
        let slot = if let Some(slot) = self.free.pop() {
            slot
        } else {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        };
        let place = self.slots.get_mut(slot as usize).ok_or(Full)?;
        place.generation = place.generation.wrapping_add(1);
        place.flow = Some(Flow {
            id: FlowId::new(Kind::Udp, slot, place.generation),
            peer,
            ends,
            mtu,
            told: false,
            last: now,
            talk: Talk::Nothing,
        });
        let (share, _) = self.shares.entry(peer).or_insert((0, now));
        *share += 1;
        self.found.insert((peer, ends), slot);
        Ok(slot)
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Flow> {
        let flow = self.slots.get_mut(slot as usize)?.flow.take()?;
        self.found.remove(&(flow.peer, flow.ends));
        self.free.push(slot);
        if let Entry::Occupied(mut share) = self.shares.entry(flow.peer) {
            let (left, _) = share.get_mut();
            *left -= 1;
            if *left == 0 {
                share.remove();
            }
        }
        Some(flow)
    }

    /// The slots of all flows of `peer`.
    pub(super) fn slots_of(&self, peer: Peer) -> Vec<u32> {
        self.slots
            .iter()
            .filter_map(|slot| slot.flow.as_ref())
            .filter(|flow| flow.peer == peer)
            .map(|flow| flow.id.slot())
            .collect()
    }

    /// The peers that have flows, and since when.
    pub(super) fn peers(&self) -> impl Iterator<Item = (Peer, Instant)> {
        self.shares.iter().map(|(peer, (_, since))| (*peer, *since))
    }

    fn share(&self, peer: Peer) -> usize {
        self.shares.get(&peer).map_or(0, |(share, _)| *share)
    }

    /// Makes sure that `slot` is looked at by `at`.
    pub(super) fn arm(&mut self, slot: u32, at: Instant) {
        self.deadlines.arm(slot, at);
    }

    /// A slot to look at.
    pub(super) fn fire(&mut self, now: Instant) -> Option<u32> {
        self.deadlines.fire(now)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    #[cfg(test)]
    pub(super) fn timer_entries(&self) -> usize {
        self.deadlines.len()
    }
}
