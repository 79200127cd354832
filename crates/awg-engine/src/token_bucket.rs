//! A token bucket: so much over time, and so much of it at once. Time is an argument.

use std::time::{Duration, Instant};

/// The longest wait that is told; nobody waits for more.
const LONGEST: Duration = Duration::from_hours(24);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBucket {
    /// Tokens in a second.
    rate: f64,
    /// The most that it holds.
    burst: f64,
    /// What it held at `at`; below 0 = taken in advance.
    tokens: f64,
    at: Instant,
}

impl TokenBucket {
    /// A full bucket. `rate` is above 0, `burst` at least 1.
    pub(crate) fn new(now: Instant, rate: f64, burst: f64) -> Self {
        Self {
            rate,
            burst,
            tokens: burst,
            at: now,
        }
    }

    /// From now on so much; what is in it stays, as far as it fits.
    pub(crate) fn change(&mut self, now: Instant, rate: f64, burst: f64) {
        self.refill(now);
        self.rate = rate;
        self.burst = burst;
        self.tokens = self.tokens.min(burst);
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.burst);
        self.at = self.at.max(now);
    }

    /// How many whole tokens there are.
    #[expect(clippy::cast_sign_loss, reason = "it is not below 0")]
    pub(crate) fn available(&mut self, now: Instant) -> u64 {
        self.refill(now);
        self.tokens.max(0.0) as u64
    }

    /// Takes `tokens`, or none of them.
    pub(crate) fn take(&mut self, now: Instant, tokens: u64) -> bool {
        let enough = self.available(now) >= tokens;
        if enough {
            self.spend(tokens);
        }
        enough
    }

    /// Whether `tokens` may be taken in advance: up to another burst.
    pub(crate) fn lends(&mut self, now: Instant, tokens: u64) -> bool {
        self.refill(now);
        self.tokens + self.burst >= tokens as f64
    }

    /// Takes `tokens` whether they are there or not.
    pub(crate) fn spend(&mut self, tokens: u64) {
        self.tokens -= tokens as f64;
    }

    /// When there will be `tokens`, or as many as it holds if that is less.
    pub(crate) fn ready_at(&self, tokens: u64) -> Instant {
        let missing = (tokens as f64).min(self.burst) - self.tokens;
        if missing <= 0.0 {
            return self.at;
        }
        // Rounded up, so that whoever comes then finds them.
        let wait = Duration::try_from_secs_f64(missing / self.rate).unwrap_or(LONGEST);
        self.at + wait.min(LONGEST) + Duration::from_micros(1)
    }
}

#[cfg(test)]
mod tests;
