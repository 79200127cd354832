//! The protocol's times and counts as a device has them: WireGuard's, or ranges of seconds (AmneziaWG 3.1) of which each use draws
//! its own. A range of one number draws nothing. What each means is known from recordings of v3.1.20260814.

use std::time::Duration;

use awg_obfuscation::{NumberRange, Timing};

use crate::entropy::Entropy;
use crate::limits::{
    KEEPALIVE_TIMEOUT, MAX_INITIATIONS, REJECT_AFTER_TIME, REKEY_AFTER_TIME, REKEY_TIMEOUT,
};

/// After so many times the age at which a session is not used any more, its keys are overwritten.
const ZEROED_AFTER: u32 = 3;
/// What is configured are the attempts after the first two.
const ATTEMPTS_ALWAYS: u32 = 2;
/// How far initiations in a hurry are spread over their range.
const MOST_SPREAD: Duration = Duration::from_millis(600);

/// The times of one obfuscation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    rekey_after: NumberRange,
    rekey_timeout: NumberRange,
    reject_after: NumberRange,
    keepalive_timeout: NumberRange,
    attempts: NumberRange,
}

impl Times {
    pub(crate) fn new(timing: &Timing) -> Self {
        let or = |range: Option<NumberRange>, usual: Duration| {
            range.unwrap_or(NumberRange::single(usual.as_secs() as u32))
        };
        Self {
            rekey_after: or(timing.rekey_after_time, REKEY_AFTER_TIME),
            rekey_timeout: or(timing.rekey_timeout, REKEY_TIMEOUT),
            reject_after: or(timing.reject_after_time, REJECT_AFTER_TIME),
            keepalive_timeout: or(timing.keepalive_timeout, KEEPALIVE_TIMEOUT),
            attempts: timing
                .max_handshake_attempts
                .unwrap_or(NumberRange::single(MAX_INITIATIONS - ATTEMPTS_ALWAYS)),
        }
    }

    /// The least time between two initiations.
    pub(crate) fn between_initiations(&self) -> Duration {
        seconds(self.rekey_timeout.first())
    }

    /// The time until an initiation is repeated.
    pub(crate) fn retransmission(&self, entropy: &mut Entropy) -> Duration {
        draw(self.rekey_timeout, entropy) + entropy.jitter()
    }

    /// The same for a peer that is waited for by somebody: as early as the range allows, and within six seconds of the earliest
    /// where that is five, yet not as regular as a clock.
    pub(crate) fn hurried_retransmission(&self, entropy: &mut Entropy) -> Duration {
        let spread = seconds(self.rekey_timeout.last() - self.rekey_timeout.first());
        let spread = spread.min(MOST_SPREAD).as_millis() as u32;
        let drawn = NumberRange::new(0, spread).map_or(0, |range| range.draw(entropy.rng()));
        self.between_initiations() + Duration::from_millis(u64::from(drawn)) + entropy.jitter()
    }

    /// The time from data sent, with nothing authenticated received since, to a handshake.
    pub(crate) fn silence(&self, entropy: &mut Entropy) -> Duration {
        let patience = seconds(self.keepalive_timeout.last());
        patience + draw(self.rekey_timeout, entropy) + entropy.jitter()
    }

    /// The time from data received, with nothing sent since, to a keepalive.
    pub(crate) fn keepalive(&self, entropy: &mut Entropy) -> Duration {
        draw(self.keepalive_timeout, entropy)
    }

    /// How long a session is used.
    pub(crate) fn session(&self) -> Duration {
        seconds(self.reject_after.last())
    }

    /// The time from the last key derived to the overwriting of all.
    pub(crate) fn zero_keys(&self) -> Duration {
        self.session() * ZEROED_AFTER
    }

    /// Whether an initiator that sends renews a session of this age.
    #[inline]
    pub(crate) fn renews_on_send(&self, age: Duration, entropy: &mut Entropy) -> bool {
        is_past(age, self.rekey_after, Duration::ZERO, entropy)
    }

    /// Whether an initiator that receives does: early enough to ask once more, should the other end keep still.
    #[inline]
    pub(crate) fn renews_on_receive(&self, age: Duration, entropy: &mut Entropy) -> bool {
        let early = seconds(self.keepalive_timeout.first()) + self.between_initiations();
        is_past(age, self.reject_after, early, entropy)
    }

    /// How many initiations a run has; asked for each run.
    pub(crate) fn initiations(&self, entropy: &mut Entropy) -> u32 {
        let attempts = self.attempts.draw(entropy.rng());
        attempts.saturating_add(ATTEMPTS_ALWAYS)
    }
}

/// Whether `age` is past a draw of `range` less `early`. Nothing is drawn where the draw does not matter.
#[inline]
fn is_past(age: Duration, range: NumberRange, early: Duration, entropy: &mut Entropy) -> bool {
    let age = age + early;
    age > seconds(range.first()) && (age > seconds(range.last()) || age > draw(range, entropy))
}

fn draw(range: NumberRange, entropy: &mut Entropy) -> Duration {
    seconds(range.draw(entropy.rng()))
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

/// How often something is done at least, in whole seconds: a range from which each time draws its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval(NumberRange);

impl Interval {
    /// From `least` to `most` seconds, both included; nothing where that is no range, or begins with 0.
    pub fn between(least: u32, most: u32) -> Option<Self> {
        let range = NumberRange::new(least, most).ok()?;
        (least > 0).then_some(Self(range))
    }

    /// Always so many seconds; nothing for 0.
    pub fn every(seconds: u32) -> Option<Self> {
        Self::between(seconds, seconds)
    }

    /// The next time.
    #[inline]
    pub(crate) fn draw(self, entropy: &mut Entropy) -> Duration {
        draw(self.0, entropy)
    }
}
