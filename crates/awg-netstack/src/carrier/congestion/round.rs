//! What one round trip told.

use std::time::{Duration, Instant};

/// A round of which less was not late was not sent as it was meant.
const ON_TIME: f64 = 15.0 / 16.0;
/// No more than three quarters of a round count as late.
const LEAST_DUTY: f64 = 0.25;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) number: u64,
    /// It ends when what leaves after that is acknowledged.
    pub(super) end: u64,
    pub(super) delivered: u64,
    pub(super) lost: u64,
    pub(super) shortest: Option<Duration>,
    pub(super) longest: Duration,
    /// The best rate in it.
    pub(super) rate: f64,
    pub(super) limited: bool,
    since: Instant,
    /// For how long the embedder was late, and whether the window held it up as well.
    pub(super) late: Duration,
    pub(super) filled: bool,
}

impl Round {
    /// One that begins now.
    pub(super) fn new(number: u64, end: u64, now: Instant) -> Self {
        Self {
            number,
            end,
            delivered: 0,
            lost: 0,
            shortest: None,
            longest: Duration::ZERO,
            rate: 0.0,
            limited: false,
            since: now,
            late: Duration::ZERO,
            filled: false,
        }
    }

    /// The part of it that was not late, if it ends now.
    pub(super) fn duty(&self, now: Instant) -> f64 {
        let took = now.saturating_duration_since(self.since);
        let late = self.late.as_secs_f64() / took.as_secs_f64().max(1e-6);
        (1.0 - late).clamp(LEAST_DUTY, 1.0)
    }

    /// Whether the embedder was late in it, or its machine stood still, and not the path: what was delivered says how much was sent,
    /// and not how much the path has.
    pub(super) fn was_behind(&self, now: Instant) -> bool {
        !self.limited && !self.filled && self.duty(now) < ON_TIME
    }
}
