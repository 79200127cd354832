//! What each peer has in the table ([`Peers`]), and when it was last heard of.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::flow::Peer;

/// One peer's share.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) flows: usize,
    pub(crate) half_open: usize,
    heard: Instant,
}

/// The peers that have flows.
pub(crate) struct Peers {
    shares: HashMap<Peer, Share>,
    silence: Duration,
    /// The last one heard of: most packets come in runs.
    last: Option<(Peer, Instant)>,
    look_at: Instant,
}

impl Peers {
    pub(crate) fn new(silence: Duration, now: Instant) -> Self {
        Self {
            shares: HashMap::new(),
            silence,
            last: None,
            look_at: now + silence,
        }
    }

    /// The share of a peer, as of `now` if it had none.
    pub(crate) fn share(&mut self, now: Instant, peer: Peer) -> &mut Share {
        self.shares.entry(peer).or_insert(Share {
            flows: 0,
            half_open: 0,
            heard: now,
        })
    }

    /// A packet of `peer` arrived.
    pub(crate) fn hear(&mut self, now: Instant, peer: Peer) {
        match &mut self.last {
            Some((last, heard)) if *last == peer => *heard = now,
            last => {
                let before = last.replace((peer, now));
                self.note(before);
            }
        }
    }

    fn note(&mut self, heard: Option<(Peer, Instant)>) {
        if let Some((peer, at)) = heard
            && let Some(share) = self.shares.get_mut(&peer)
        {
            share.heard = share.heard.max(at);
        }
    }

    /// A peer that has nothing left is not kept.
    pub(crate) fn settle(&mut self, peer: Peer) {
        if self.shares.get(&peer).is_some_and(|share| share.flows == 0) {
            self.shares.remove(&peer);
        }
    }

    /// When to call [`silent`](Self::silent).
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        (!self.shares.is_empty()).then_some(self.look_at)
    }

    /// The peers that were not heard of for too long.
    pub(crate) fn silent(&mut self, now: Instant) -> Vec<Peer> {
        if now < self.look_at {
            return Vec::new();
        }
        self.note(self.last);
        let silence = self.silence;
        let silent = self
            .shares
            .iter()
            .filter(|(_, share)| now.saturating_duration_since(share.heard) >= silence)
            .map(|(peer, _)| *peer)
            .collect();
        // The earliest that another can be due, but not at once again.
        let next = self
            .shares
            .values()
            .map(|share| share.heard + silence)
            .filter(|at| *at > now)
            .min();
        self.look_at = next.unwrap_or(now + silence).max(now + silence / 64);
        silent
    }
}
