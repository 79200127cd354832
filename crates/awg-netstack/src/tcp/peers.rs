//! What each peer has in the table ([`Peers`]).

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use crate::flow::Peer;

/// One peer's share.
pub(crate) struct Share {
    /// Its flows, by number.
    pub(crate) flows: HashSet<u32>,
    pub(crate) half_open: usize,
    /// Since when it has flows.
    since: Instant,
}

/// The peers that have flows.
#[derive(Default)]
pub(crate) struct Peers {
    shares: HashMap<Peer, Share>,
}

impl Peers {
    /// The share of a peer, as of `now` if it had none.
    pub(crate) fn share(&mut self, now: Instant, peer: Peer) -> &mut Share {
        self.shares.entry(peer).or_insert(Share {
            flows: HashSet::new(),
            half_open: 0,
            since: now,
        })
    }

    /// A peer that has nothing left is not kept.
    pub(crate) fn settle(&mut self, peer: Peer) {
        if self
            .shares
            .get(&peer)
            .is_some_and(|share| share.flows.is_empty())
        {
            self.shares.remove(&peer);
        }
    }

    /// The numbers of a peer's flows.
    pub(crate) fn flows(&self, peer: Peer) -> Vec<u32> {
        self.shares
            .get(&peer)
            .map_or_else(Vec::new, |share| share.flows.iter().copied().collect())
    }

    /// The peers that have flows, and since when.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Peer, Instant)> {
        self.shares.iter().map(|(peer, share)| (*peer, share.since))
    }
}
