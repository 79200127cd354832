//! Ended connections that are remembered for a while ([`TimeWait`]): strays of theirs are answered, and their ports
//! rest (RFC 9293 section 3.6.1). Each is a [`Tombstone`], not a socket.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use super::ends::Key;

/// What is kept of a connection that is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rest {
    /// Our next sequence number, and the peer's.
    pub(crate) next: u32,
    pub(crate) expected: u32,
    /// Whether all that was sent arrived. To a connection that failed there is no answer but a reset.
    pub(crate) orderly: bool,
}

/// What is left of a connection: 64 bytes, and 12 in the index.
#[derive(Clone, Copy, Debug)]
struct Tombstone {
    key: Key,
    /// Milliseconds since the table began.
    until: u64,
    rest: Rest,
}

/// The tombstones, in the order in which they expire.
pub(crate) struct TimeWait {
    bound: usize,
    rest: Duration,
    origin: Instant,
    stones: VecDeque<Tombstone>,
    /// How many were removed from the front: the index counts from the beginning of time.
    removed: u32,
    index: HashMap<u64, u32>,
    hasher: RandomState,
}

impl TimeWait {
    pub(crate) fn new(bound: usize, rest: Duration, origin: Instant) -> Self {
        Self {
            bound,
            rest,
            origin,
            stones: VecDeque::new(),
            removed: 0,
            index: HashMap::new(),
            hasher: RandomState::new(),
        }
    }

    /// Remembers a connection. Returns whether an older one had to make room before its time.
    pub(crate) fn bury(&mut self, now: Instant, key: Key, rest: Rest) -> bool {
        self.expire(now);
        if self.bound == 0 {
            return true;
        }
        let full = self.stones.len() >= self.bound;
        if full {
            self.pop();
        }
        let until = self.elapsed(now + self.rest);
        let position = self.removed.wrapping_add(self.stones.len() as u32);
        self.index.insert(self.hasher.hash_one(key), position);
        self.stones.push_back(Tombstone { key, until, rest });
        full
    }

    /// What is remembered of a connection.
    pub(crate) fn find(&mut self, now: Instant, key: &Key) -> Option<Rest> {
        self.expire(now);
        let position = *self.index.get(&self.hasher.hash_one(key))?;
        let place = position.wrapping_sub(self.removed) as usize;
        self.stones
            .get(place)
            .filter(|stone| stone.key == *key)
            .map(|stone| stone.rest)
    }

    /// Forgets a connection: its ends are in use again.
    pub(crate) fn forget(&mut self, key: &Key) {
        // The stone stays where it is until its time comes; without an index entry nobody finds it.
        self.index.remove(&self.hasher.hash_one(key));
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.stones.len()
    }

    fn expire(&mut self, now: Instant) {
        let now = self.elapsed(now);
        while self.stones.front().is_some_and(|stone| stone.until <= now) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Some(stone) = self.stones.pop_front() else {
            return;
        };
        let hash = self.hasher.hash_one(stone.key);
        // A later stone of the same ends has taken the entry over.
        if self.index.get(&hash) == Some(&self.removed) {
            self.index.remove(&hash);
        }
        self.removed = self.removed.wrapping_add(1);
        if self.stones.is_empty() && self.stones.capacity() > 1024 {
            self.stones.shrink_to(1024);
            self.index.shrink_to(1024);
        }
    }

    fn elapsed(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.origin).as_millis()).unwrap_or(u64::MAX)
    }
}

const _: () = assert!(size_of::<Tombstone>() + 2 * size_of::<(u64, u32)>() < 100);

#[cfg(test)]
mod tests;
