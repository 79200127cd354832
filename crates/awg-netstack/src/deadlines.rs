//! When to look at the slots of a table again, at no cost for the slots that rest.
//!
//! A slot is armed with the earliest instant at which it may be due. A slot that was active since is armed anew only
//! when that instant fires: a packet never touches the heap, and an idle slot costs one heap operation per period.
//! Nothing is searched or removed in the middle.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

#[cfg(test)]
mod tests;

/// The earliest look at each slot of a table.
#[derive(Default)]
pub(crate) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, u32)>>,
    /// What each slot is armed with; an entry of the heap that differs was overtaken.
    armed: Vec<Option<Instant>>,
}

impl Deadlines {
    /// Makes sure that `slot` fires at `at` or before.
    ///
    /// A slot that already fires before then stays as it is, so a table's heap has about one entry per slot however
    /// often its slots change hands.
    pub(crate) fn arm(&mut self, slot: u32, at: Instant) {
        let index = slot as usize;
        if index >= self.armed.len() {
            self.armed.resize(index + 1, None);
        }
        let Some(armed) = self.armed.get_mut(index) else {
            return;
        };
        if armed.is_none_or(|armed| at < armed) {
            *armed = Some(at);
            self.heap.push(Reverse((at, slot)));
        }
    }

    /// A slot whose instant has come. The owner looks whether it is really due, and arms it again if not.
    pub(crate) fn fire(&mut self, now: Instant) -> Option<u32> {
        while let Some(&Reverse((at, slot))) = self.heap.peek() {
            if at > now {
                return None;
            }
            self.heap.pop();
            if let Some(armed) = self.armed.get_mut(slot as usize)
                && *armed == Some(at)
            {
                *armed = None;
                return Some(slot);
            }
        }
        None
    }

    /// When to call [`fire`](Self::fire) next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Entries in the heap.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}
