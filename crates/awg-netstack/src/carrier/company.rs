//! Who sends on a link beside whom ([`Company`]). On a very short path nothing is paced: what a bulk transfer has on its way beyond
//! what the path holds lies in queues, and whoever sends little waits behind it, once each way. So the link knows whether there
//! are both, and has less on its way then (`Controller::window` of [`congestion`](super::congestion)).
//!
//! It looks at the streams one by one: many that send little each are no bulk transfer, and small ones beside a large one are
//! taken for somebody who waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of late beyond which a stream sends much. Above what questions and answers amount to, far below a bulk transfer.
const LITTLE: u64 = 1 << 20;

/// Whoever sent nothing for more seconds is no company.
const AWAY: u32 = 1;

/// Whether a link has both: for its controller, which QUIC keeps to itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Mixed(Arc<AtomicBool>);

impl Mixed {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, mixed: bool) {
        self.0.store(mixed, Ordering::Relaxed);
    }
}

/// What was sent on one stream of late: each second what was before counts half.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Volume {
    bytes: u64,
    second: u32,
}

impl Volume {
    /// Bytes of late, with these that are sent now.
    pub(super) fn add(&mut self, second: u32, count: usize) -> u64 {
        let passed = second.saturating_sub(self.second).min(u64::BITS - 1);
        self.bytes = (self.bytes >> passed).saturating_add(count as u64);
        self.second = second;
        self.bytes
    }
}

/// A stream's index, and the second in which something was sent there last.
type Sender = Option<(u64, u32)>;

/// See the module. Seconds are those of the link's [`Backlog`](super::backlog::Backlog).
#[derive(Default)]
pub(super) struct Company {
    little: Sender,
    much: Sender,
    mixed: Mixed,
}

impl Company {
    /// What the link's controller looks at.
    pub(super) fn mixed(&self) -> Mixed {
        self.mixed.clone()
    }

    /// The connection is a new one, whose seconds begin anew.
    pub(super) fn forget(&mut self) {
        (self.little, self.much) = (None, None);
        self.mixed.set(false);
    }

    /// Something was sent on a stream, or in datagrams that belong to it; its volume of late is so much with that.
    pub(super) fn note(&mut self, stream: u64, second: u32, volume: u64) {
        let (of_its_kind, other) = if volume <= LITTLE {
            (&mut self.little, &mut self.much)
        } else {
            (&mut self.much, &mut self.little)
        };
        *of_its_kind = Some((stream, second));
        // It was of the other kind itself.
        other.take_if(|(before, _)| *before == stream);
        self.look(second);
    }

    /// Time went on.
    pub(super) fn look(&self, second: u32) {
        let is_there =
            |sender: Sender| sender.is_some_and(|(_, at)| second.saturating_sub(at) <= AWAY);
        self.mixed.set(is_there(self.little) && is_there(self.much));
    }
}

#[cfg(test)]
mod tests;
