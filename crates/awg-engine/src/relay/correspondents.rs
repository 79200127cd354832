//! Whom a source of datagrams has sent to, and hence may hear from: address-dependent filtering (RFC 4787, section 5,
//! REQ-8). Ports do not matter, so that a far end may answer from another one.
//!
//! Bounded, and recycled oldest first: of the addresses sent to, the last [`AT_LEAST`] different ones are always known, and
//! twice as many at most.

use std::collections::HashSet;
use std::net::IpAddr;

/// Addresses that are known for sure, where there were so many.
const AT_LEAST: usize = 256;

/// The addresses; without any it takes no memory beside itself.
#[derive(Debug, Default)]
pub(super) struct Correspondents {
    /// The one that was sent to last: most datagrams go where the one before went.
    last: Option<IpAddr>,
    recent: HashSet<IpAddr>,
    /// What was recent before that was full.
    former: HashSet<IpAddr>,
}

impl Correspondents {
    /// Something is sent to `address`.
    pub(super) fn note(&mut self, address: IpAddr) {
        if self.last == Some(address) {
            return;
        }
        self.last = Some(address);
        if self.recent.contains(&address) {
            return;
        }
        if self.recent.len() >= AT_LEAST {
            self.former = std::mem::take(&mut self.recent);
        }
        self.recent.insert(address);
    }

    /// Whether something was sent to `address`.
    pub(super) fn know(&self, address: IpAddr) -> bool {
        self.last == Some(address)
            || self.recent.contains(&address)
            || self.former.contains(&address)
    }
}

#[cfg(test)]
mod tests;
