//! Peers that are gone without a word ([`Silence`]): their flows end once nothing was heard of them for a while.
//!
//! Who was heard of is the embedder's to say: a tunnel also hears what never reaches the stack, such as keepalives. It
//! is asked when the answer matters, so that a packet costs nothing here.

use std::time::{Duration, Instant};

use crate::flow::Peer;

/// Looks within one period of silence, at most: however many peers come and go, each look goes through all of them.
const LOOKS: u32 = 64;

/// When to look for peers that are gone.
pub(crate) struct Silence {
    /// How long a peer may be silent.
    patience: Duration,
    look_at: Instant,
}

impl Silence {
    pub(crate) fn new(patience: Duration, now: Instant) -> Self {
        Self {
            patience,
            look_at: now + patience,
        }
    }

    /// When to look, if there are peers with flows at all.
    pub(crate) fn next_timeout(&self) -> Instant {
        self.look_at
    }

    /// Looks, if it is time to, at peers and at since when they have had flows. Gives those that are gone.
    ///
    /// `last_heard` is when the embedder last heard of a peer. A peer is not silent for longer than it has had flows.
    pub(crate) fn look(
        &mut self,
        now: Instant,
        peers: impl Iterator<Item = (Peer, Instant)>,
        mut last_heard: impl FnMut(Peer) -> Option<Instant>,
    ) -> Vec<Peer> {
        if now < self.look_at {
            return Vec::new();
        }
        let mut gone = Vec::new();
        let mut next = now + self.patience;
        for (peer, since) in peers {
            let heard = last_heard(peer).map_or(since, |heard| heard.max(since));
            let due = heard + self.patience;
            if due <= now {
                gone.push(peer);
            } else {
                next = next.min(due);
            }
        }
        self.look_at = next.max(now + self.patience / LOOKS);
        gone
    }
}

#[cfg(test)]
mod tests;
