//! What one round trip told.

use std::time::{Duration, Instant};

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
    /// For how long the embedder was late, and the most that was on its way.
    pub(super) late: Duration,
    pub(super) peak: u64,
}

impl Round {
    /// One that begins now, with `in_flight` bytes on their way.
    pub(super) fn new(number: u64, end: u64, now: Instant, in_flight: u64) -> Self {
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
            peak: in_flight,
        }
    }

    /// The part of it that was not late, if it ends now.
    pub(super) fn duty(&self, now: Instant) -> f64 {
        let took = now.saturating_duration_since(self.since);
        let late = self.late.as_secs_f64() / took.as_secs_f64().max(1e-6);
        (1.0 - late).clamp(LEAST_DUTY, 1.0)
    }
}
