//! When to look at the slots of a table again, at no cost for the slots that rest.
//!
//! A slot is armed with the earliest instant at which it may be due, and has one entry at most. A slot that was active
//! since is armed anew only when that instant fires: a packet that moves the instant back touches nothing, and an idle
//! slot costs two operations per period.

use std::collections::BTreeSet;
use std::time::Instant;

#[cfg(test)]
mod tests;

/// The earliest look at each slot of a table.
#[derive(Default)]
pub(crate) struct Deadlines {
    /// A set rather than a heap, in which an entry that was overtaken would stay until its time: a flow whose next
    /// instant is now near, now far would have hundreds.
    queue: BTreeSet<(Instant, u32)>,
    /// What each slot is armed with.
    armed: Vec<Option<Instant>>,
}

impl Deadlines {
    /// Makes sure that `slot` fires at `at` or before. A slot that already fires before then stays as it is.
    pub(crate) fn arm(&mut self, slot: u32, at: Instant) {
        let index = slot as usize;
        if index >= self.armed.len() {
            self.armed.resize(index + 1, None);
        }
        let Some(armed) = self.armed.get_mut(index) else {
            return;
        };
        if armed.is_some_and(|armed| armed <= at) {
            return;
        }
        if let Some(overtaken) = armed.replace(at) {
            self.queue.remove(&(overtaken, slot));
        }
        self.queue.insert((at, slot));
    }

    /// The slot is empty: it does not fire.
    pub(crate) fn disarm(&mut self, slot: u32) {
        if let Some(at) = self.armed.get_mut(slot as usize).and_then(Option::take) {
            self.queue.remove(&(at, slot));
        }
    }

    /// A slot whose instant has come. The owner looks whether it is really due, and arms it again if not.
    pub(crate) fn fire(&mut self, now: Instant) -> Option<u32> {
        let (_, slot) = self.queue.first().copied().filter(|(at, _)| *at <= now)?;
        self.queue.pop_first();
        if let Some(armed) = self.armed.get_mut(slot as usize) {
            *armed = None;
        }
        Some(slot)
    }

    /// When to call [`fire`](Self::fire) next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Entries in the queue.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}
