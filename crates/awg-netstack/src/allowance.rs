//! How many answers a peer may cause that nobody asked for: ICMP errors (RFC 1812 section 4.3.2.8, RFC 4443 section
//! 2.4 (f)) and resets. A token bucket each, in fixed memory.

use std::time::{Duration, Instant};

use crate::flow::Peer;

/// Buckets there are; peers whose numbers meet in one share it.
const BUCKETS: usize = 256;
/// What a full bucket holds.
const SECOND: Duration = Duration::from_secs(1);

/// One bucket: the instant at which it is, or was, full. A bucket is as many intervals short of full as that instant
/// lies ahead.
pub(crate) struct Allowances {
    interval: Duration,
    full_at: Box<[Instant; BUCKETS]>,
}

impl Allowances {
    /// Full buckets, each of one second's worth.
    pub(crate) fn new(per_second: u32, now: Instant) -> Self {
        Self {
            interval: SECOND / per_second.max(1),
            full_at: Box::new([now; BUCKETS]),
        }
    }

    /// Takes one from the bucket of `peer`, if there is one.
    pub(crate) fn take(&mut self, now: Instant, peer: Peer) -> bool {
        let index = peer.0 as usize % BUCKETS;
        let Some(full_at) = self.full_at.get_mut(index) else {
            return false;
        };
        let next = (*full_at).max(now) + self.interval;
        if next > now + SECOND {
            return false;
        }
        *full_at = next;
        true
    }
}

#[cfg(test)]
mod tests;
