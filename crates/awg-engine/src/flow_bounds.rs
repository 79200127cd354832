//! How many flows there may be: what the settings allow, and what the limit of open files leaves room for.
//!
//! Each flow takes a descriptor, and so do the sockets that the embedder has in hand before it gives them over. So flows get
//! three quarters of the descriptors that are free at the start; and one peer, where there are several, gets half of that at
//! most, so that it cannot take them all.

use crate::settings::Limits;

/// The bounds that hold once the engine runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FlowBounds {
    /// Flows at once, of all peers and applications together.
    pub(crate) flows: usize,
    /// Flows at once that one peer opens, TCP and UDP together.
    pub(crate) flows_per_peer: usize,
    /// SOCKS5 UDP associations at once.
    pub(crate) associations: usize,
}

impl FlowBounds {
    /// `free`: descriptors that this process may still open; `None` = not known, the settings alone count.
    pub(crate) fn new(limits: &Limits, free: Option<usize>) -> Self {
        let flows = free.map_or(limits.flows, |free| {
            limits.flows.min((free - free / 4).max(1))
        });
        Self {
            flows,
            flows_per_peer: limits.flows_per_peer.min(flows),
            associations: limits.associations.min((flows / 2).max(1)),
        }
    }

    /// What one of so many peers may have.
    pub(crate) fn of_one_peer(self, peers: usize) -> usize {
        if peers > 1 {
            self.flows_per_peer.min((self.flows / 2).max(1))
        } else {
            self.flows_per_peer
        }
    }
}

#[cfg(test)]
mod tests;
