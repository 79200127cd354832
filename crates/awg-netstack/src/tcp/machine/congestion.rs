//! How many bytes a flow may have in flight ([`Congestion`]). It follows a model of the path, as BBR does
//! (draft-ietf-ccwg-bbr), rather than each loss, as CUBIC does:
//!
//! - *The cap* is twice what the path holds without a queue: the best delivery rate of late times the shortest round
//!   trip of late. It keeps a fast short path from filling megabytes of queue, which every other flow of the tunnel
//!   would wait behind.
//! - Below it the window doubles each round trip until the path is first seen to lose, and grows by a sixteenth from
//!   then on.
//! - *Loss* counts only above [`TOLERATED_LOSS`]: a radio link that loses one packet in a hundred is not full. The
//!   window then shrinks to [`SHRINK`] of what was in use, but not below what the path was seen to hold.
//!
//! Over the simulated links of `tests/paths.rs` this moves 5 to 20 times as much as CUBIC where one packet in a
//! thousand is lost, and as much where none is.

use std::time::{Duration, Instant};

const SHRINK: f64 = 0.7;
const GROWTH: f64 = 1.0 / 16.0;
/// RFC 6928: ten segments to begin with.
const INITIAL_SEGMENTS: f64 = 10.0;
/// draft-ietf-ccwg-bbr section 2.4, `BBR.LossThresh`.
const TOLERATED_LOSS: f64 = 0.02;
/// Segments over which loss is judged: fewer tell little of two in a hundred. Only what is far beyond that is judged at
/// once.
const JUDGED: f64 = 100.0;
const OBVIOUS_LOSS: f64 = 0.2;
/// The cap's own floor: so much time at the best rate, within these bytes. Batches, delayed acknowledgements and the
/// other end's scheduling need slack, whatever the round trip.
const SLACK: Duration = Duration::from_millis(20);
const LEAST_SLACK: f64 = 48.0 * 1024.0;
const MOST_SLACK: f64 = 224.0 * 1024.0;
/// Rounds over which the best rate counts.
const ROUNDS: usize = 10;
/// How long the shortest round trip counts before it is looked for again.
const ROUND_TRIP_AGE: Duration = Duration::from_secs(10);

/// No round trip counts as shorter.
pub(super) const SHORTEST_ROUND_TRIP: Duration = Duration::from_micros(20);

/// What one round trip told.
pub(super) struct Sample {
    pub(super) round_trip: Duration,
    /// Bytes per second that arrived meanwhile.
    pub(super) rate: f64,
    /// Bytes that arrived, and bytes that were sent again, since the end of the round trip before.
    pub(super) delivered: u64,
    pub(super) repeated: u64,
    /// Whether the window was used up: otherwise the path is at least as fast.
    pub(super) limited: bool,
}

/// One flow's congestion state. Bytes throughout.
pub(super) struct Congestion {
    segment: f64,
    window: f64,
    /// Where doubling ends.
    threshold: f64,
    /// What arrived and what was sent again since loss was judged last.
    delivered: f64,
    repeated: f64,
    path: Path,
}

impl Congestion {
    pub(super) fn new(segment: u16) -> Self {
        let segment = f64::from(segment);
        Self {
            segment,
            window: segment * INITIAL_SEGMENTS,
            threshold: f64::INFINITY,
            delivered: 0.0,
            repeated: 0.0,
            path: Path::default(),
        }
    }

    /// The shortest round trip of late, if there was one.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.path.shortest.map(|(shortest, _)| shortest)
    }

    /// Bytes that may be in flight.
    pub(super) fn window(&self) -> usize {
        #[expect(clippy::cast_sign_loss, reason = "both are positive")]
        let window = self.window.min(self.path.cap()) as usize;
        window
    }

    /// `acknowledged` more bytes arrived; `in_flight` are still on their way.
    pub(super) fn on_acknowledged(&mut self, acknowledged: usize, in_flight: usize) {
        // A window that was not used says nothing about the path (RFC 9438 section 5.8).
        if (in_flight + acknowledged) as f64 * 2.0 < self.window {
            return;
        }
        let gain = if self.window < self.threshold {
            1.0
        } else {
            GROWTH
        };
        let most = self.path.cap().max(self.window);
        self.window = (self.window + acknowledged as f64 * gain).min(most);
    }

    /// One round trip is over, with `in_flight` bytes on their way.
    pub(super) fn on_round(&mut self, now: Instant, sample: &Sample, in_flight: usize) {
        self.path.on_round(now, sample);
        self.delivered += sample.delivered as f64;
        self.repeated += sample.repeated as f64;
        let total = self.delivered + self.repeated;
        let enough = total >= JUDGED * self.segment;
        let obvious = self.repeated > OBVIOUS_LOSS * total && self.repeated > 3.0 * self.segment;
        if !enough && !obvious {
            return;
        }
        if self.repeated > TOLERATED_LOSS * total {
            self.window = self.shrink(in_flight);
        }
        (self.delivered, self.repeated) = (0.0, 0.0);
    }

    /// The last round trip has brought more before anything new was sent: `rate` bytes per second altogether.
    pub(super) fn on_more(&mut self, rate: f64) {
        self.path.on_more(rate);
    }

    /// Nothing was heard for so long that all of `in_flight` is taken for lost.
    pub(super) fn on_timeout(&mut self, in_flight: usize) {
        self.shrink(in_flight);
        self.window = self.segment * 2.0;
        (self.delivered, self.repeated) = (0.0, 0.0);
    }

    fn shrink(&mut self, in_flight: usize) -> f64 {
        let least = self.segment * 2.0;
        let used = self.window.min((in_flight as f64).max(least));
        self.threshold = (used * SHRINK).max(self.path.held()).max(least);
        self.threshold
    }
}

/// What late rounds tell of the path.
#[derive(Default)]
struct Path {
    /// Bytes per second of the last rounds, and which of them is the last.
    rates: [f64; ROUNDS],
    last: usize,
    shortest: Option<(Duration, Instant)>,
    /// The shortest round trip is being looked for again: the queue must be empty for that.
    draining: bool,
}

impl Path {
    fn on_round(&mut self, now: Instant, sample: &Sample) {
        let round_trip = sample.round_trip.max(SHORTEST_ROUND_TRIP);
        if sample.limited || sample.rate > self.best() {
            self.last = (self.last + 1) % ROUNDS;
            if let Some(rate) = self.rates.get_mut(self.last) {
                *rate = sample.rate;
            }
        }
        match self.shortest {
            Some((shortest, since)) if !self.draining && round_trip > shortest => {
                self.draining = now.saturating_duration_since(since) > ROUND_TRIP_AGE;
            }
            _ => {
                self.shortest = Some((round_trip, now));
                self.draining = false;
            }
        }
    }

    fn on_more(&mut self, rate: f64) {
        if let Some(last) = self.rates.get_mut(self.last) {
            *last = last.max(rate);
        }
    }

    fn best(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    /// What the path holds without a queue.
    fn held(&self) -> f64 {
        self.shortest
            .map_or(0.0, |(shortest, _)| self.best() * shortest.as_secs_f64())
    }

    fn cap(&self) -> f64 {
        if self.shortest.is_none() {
            return MOST_SLACK;
        }
        let slack = (self.best() * SLACK.as_secs_f64()).clamp(LEAST_SLACK, MOST_SLACK);
        if self.draining {
            return (self.held() / 2.0).max(slack / 2.0);
        }
        (self.held() * 2.0).max(slack)
    }
}

#[cfg(test)]
mod tests;
