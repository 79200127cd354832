//! The memory of flows' buffers ([`Buffers`]): how much a new flow is given, and what is kept for the next one.
//!
//! A buffer's size is the largest window, and cannot change while the flow lives. A busy flow walks through all of it,
//! so a buffer far larger than its path holds costs memory and the processor's caches, and gains nothing. What a path
//! holds is known from the peer's earlier flows: their round trip, at a gigabit per second, twice over.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use super::machine::{Rings, TcpMachine};
use crate::flow::Peer;

/// The sizes of buffers, in bytes each way.
const SIZES: [usize; 3] = [1 << 20, 4 << 20, 16 << 20];
/// What a flow is given whose path is not known yet.
const UNKNOWN: usize = 4 << 20;
/// Bytes per microsecond that a path is taken to carry: a gigabit per second.
const RATE: u128 = 125;
/// Pairs of buffers kept for the next flows.
const SPARE: usize = 64;
/// Peers whose paths are remembered; a further one has none remembered.
const PATHS: usize = 4096;

/// See the module.
pub(crate) struct Buffers {
    most: usize,
    spare: Vec<Rings>,
    /// The shortest round trip of the flow that ended last, by peer.
    round_trips: HashMap<Peer, Duration>,
}

impl Buffers {
    /// Buffers of at most `most` bytes each way.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: Rings::round(most),
            spare: Vec::new(),
            round_trips: HashMap::new(),
        }
    }

    /// Buffers for a flow of `peer`.
    ///
    /// # Errors
    /// The system has no address space left.
    pub(crate) fn take(&mut self, peer: Peer) -> io::Result<Rings> {
        let size = self.size_for(peer);
        let fitting = self.spare.iter().rposition(|rings| rings.size() == size);
        match fitting {
            Some(index) => Ok(self.spare.swap_remove(index)),
            None => Rings::new(size),
        }
    }

    /// Takes back what a flow of `peer` had, and learns from it.
    pub(crate) fn give_back(&mut self, peer: Peer, machine: TcpMachine) {
        if let Some(round_trip) = machine.round_trip()
            && (self.round_trips.len() < PATHS || self.round_trips.contains_key(&peer))
        {
            self.round_trips.insert(peer, round_trip);
        }
        if let Some(mut rings) = machine.into_rings() {
            if self.spare.len() == SPARE {
                self.spare.remove(0);
            }
            rings.recycle();
            self.spare.push(rings);
        }
    }

    /// A peer is gone, and its path with it.
    pub(crate) fn forget(&mut self, peer: Peer) {
        self.round_trips.remove(&peer);
    }

    fn size_for(&self, peer: Peer) -> usize {
        let size = match self.round_trips.get(&peer) {
            None => UNKNOWN,
            Some(round_trip) => {
                let held = 2 * RATE * round_trip.as_micros();
                let [.., largest] = SIZES;
                SIZES
                    .into_iter()
                    .find(|size| *size as u128 >= held)
                    .unwrap_or(largest)
            }
        };
        size.min(self.most)
    }
}

#[cfg(test)]
mod tests;
