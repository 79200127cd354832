//! When a carrier that is ours to keep up is tried ([`Call`]): at once when it was lost, and less and less often while it cannot
//! be reached.

use std::time::{Duration, Instant};

use super::link::Link;

/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(5);

/// The first pause, which doubles up to the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// One that was up for less was no success.
const STABLE: Duration = Duration::from_secs(2);

/// Whether and when to try.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Call {
    /// Attempts in a row that failed.
    failures: u32,
    /// When to try next; `None` while an attempt is under way or was answered.
    again: Option<Instant>,
}

impl Call {
    /// The handshake is done.
    pub(super) fn answered(&mut self) {
        self.again = None;
    }

    /// The attempt failed, or the carrier that was up since `up` was lost.
    pub(super) fn failed(&mut self, now: Instant, up: Option<Instant>) {
        if up.is_some_and(|up| now.saturating_duration_since(up) >= STABLE) {
            self.failures = 0;
            self.again = Some(now);
            return;
        }
        let pause = FIRST
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.again = Some(now + pause);
    }

    /// There is reason to believe that the next attempt succeeds.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.failures = 0;
        if self.again.is_some() {
            self.again = Some(now);
        }
    }

    /// Puts it off, since nobody is there.
    pub(super) fn put_off(&mut self, now: Instant) {
        self.again = Some(now + LONGEST);
    }

    /// Whether it is time.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.again.is_some_and(|again| again <= now)
    }

    /// An attempt begins.
    pub(super) fn begun(&mut self) {
        self.again = None;
    }

    /// Whether an attempt waits for an answer in vain.
    pub(super) fn is_unanswered(now: Instant, link: &Link) -> bool {
        !link.up && link.wire.is_some() && now >= link.since + ANSWER
    }

    /// When one of these comes.
    pub(super) fn next(&self, link: &Link) -> Option<Instant> {
        match self.again {
            Some(again) => Some(again),
            None if !link.up && link.wire.is_some() => Some(link.since + ANSWER),
            None => None,
        }
    }
}
