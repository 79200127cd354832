//! Which initiations were accepted before, or refused for their age. An honest initiator makes each anew, so one that comes again is a copy, by the network or by
//! somebody who recorded it.

use std::collections::{HashSet, VecDeque};

use crate::message::MAC_SIZE;

/// The last so many initiations, by the first half of mac1.
///
/// Whoever knows our public key can forge a mac1 that is already here; all it gets is that its own message is dropped.
pub(crate) struct SeenInitiations {
    known: HashSet<u64>,
    order: VecDeque<u64>,
    capacity: usize,
}

impl SeenInitiations {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            known: HashSet::new(),
            order: VecDeque::new(),
            capacity,
        }
    }

    /// Whether this initiation came before.
    pub(crate) fn contains(&self, mac1: &[u8; MAC_SIZE]) -> bool {
        self.known.contains(&fingerprint(mac1))
    }

    /// Remembers an initiation; forgets the oldest when full.
    pub(crate) fn insert(&mut self, mac1: &[u8; MAC_SIZE]) {
        let print = fingerprint(mac1);
        if self.known.insert(print) {
            self.order.push_back(print);
            if self.order.len() > self.capacity
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }
}

fn fingerprint(mac1: &[u8; MAC_SIZE]) -> u64 {
    let (print, _) = mac1.split_first_chunk().expect("a MAC has 16 bytes");
    u64::from_le_bytes(*print)
}
