//! A token bucket for each source address, in a table of bounded size (`ratelimiter/ratelimiter.go`).
//!
//! Only messages with a valid mac2 get here, so the addresses are not forged.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The time that one message costs: 20 a second.
const COST: Duration = Duration::from_millis(50);
/// What a bucket holds: a burst of 5.
const FULL: Duration = Duration::from_millis(250);
/// What is left of a full one after one message.
const AFTER_ONE: Duration = FULL.saturating_sub(COST);

/// The buckets of all addresses that asked of late.
pub(crate) struct SourceBuckets {
    buckets: HashMap<IpAddr, Bucket>,
    capacity: usize,
    swept: Option<Instant>,
}

struct Bucket {
    tokens: Duration,
    updated: Instant,
}

impl SourceBuckets {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            buckets: HashMap::new(),
            capacity,
            swept: None,
        }
    }

    /// Takes a token of `source`. Without one, and for a new address while the table is full, the answer is no.
    pub(crate) fn take(&mut self, now: Instant, source: IpAddr) -> bool {
        if let Some(bucket) = self.buckets.get_mut(&source) {
            let tokens = bucket.tokens + now.saturating_duration_since(bucket.updated);
            bucket.tokens = tokens.min(FULL);
            bucket.updated = now;
            // As in the reference, a bucket is never emptied: what one message costs has to be left over.
            if bucket.tokens <= COST {
                return false;
            }
            bucket.tokens -= COST;
            return true;
        }
        if self.buckets.len() >= self.capacity {
            self.sweep(now);
        }
        if self.buckets.len() >= self.capacity {
            return false;
        }
        self.buckets.insert(
            source,
            Bucket {
                tokens: AFTER_ONE,
                updated: now,
            },
        );
        true
    }

    /// Forgets the buckets that are full again: they are as good as absent. At most once per token's time, since it looks at all.
    fn sweep(&mut self, now: Instant) {
        if self
            .swept
            .is_some_and(|swept| now.saturating_duration_since(swept) < COST)
        {
            return;
        }
        self.swept = Some(now);
        self.buckets.retain(|_, bucket| {
            bucket.tokens + now.saturating_duration_since(bucket.updated) < FULL
        });
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.buckets.len()
    }
}
