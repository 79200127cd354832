//! When is there load: more initiations in a second than a bound, and for one second after.
//!
//! The reference looks at the length of its handshake queue; a loop that handles each datagram at once has none.

use std::time::{Duration, Instant};

use crate::limits::UNDER_LOAD_TIME;

/// Counts handshake messages whose mac1 was right.
pub(crate) struct LoadGauge {
    bound: u32,
    window: Instant,
    count: u32,
    until: Option<Instant>,
}

impl LoadGauge {
    const WINDOW: Duration = Duration::from_secs(1);

    /// `bound`: messages a second that are not yet load.
    pub(crate) fn new(bound: u32, now: Instant) -> Self {
        Self {
            bound,
            window: now,
            count: 0,
            until: None,
        }
    }

    /// Counts one message; says whether there is load.
    pub(crate) fn count(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.window) >= Self::WINDOW {
            self.window = now;
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        if self.count > self.bound {
            self.until = Some(now + UNDER_LOAD_TIME);
        }
        self.is_loaded(now)
    }

    /// Whether there is load.
    pub(crate) fn is_loaded(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    #[cfg(test)]
    pub(crate) fn force_until(&mut self, until: Instant) {
        self.until = Some(until);
    }
}
