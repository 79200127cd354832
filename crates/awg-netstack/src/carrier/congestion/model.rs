//! What is known of a path: its rate, its length, and what it loses by itself.

use std::time::{Duration, Instant};

use super::ROUND_TRIP_AGE;

/// Rounds over which the best rate counts, and how long one of them is at least.
const ROUNDS: usize = 10;
const LEAST_ROUND: Duration = Duration::from_millis(10);
/// A round trip so little longer is the same.
const SAME: u32 = 32;
const SAME_AT_LEAST: Duration = Duration::from_micros(200);
/// Packets over which the path's own loss is averaged.
const LOSS_PACKETS: f64 = 400.0;
/// No path is taken for worse.
const MOST_LOSS: f64 = 0.25;

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// Bytes per second, the best of each round.
    rates: [f64; ROUNDS],
    slot: usize,
    slot_since: Option<Instant>,
    best: f64,
    /// The shortest round trip, and when it was seen last.
    round_trip: Option<(Duration, Instant)>,
    loss: f64,
    /// Packets that this is known from.
    judged: f64,
}

impl Model {
    /// Bytes per second that the path delivers.
    pub(super) fn rate(&self) -> f64 {
        self.best
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip.map(|(shortest, _)| shortest)
    }

    /// Bytes that the path holds without a queue.
    pub(super) fn held(&self) -> f64 {
        self.round_trip()
            .map_or(0.0, |shortest| self.best * shortest.as_secs_f64())
    }

    /// The share of packets that the path loses by itself.
    pub(super) fn loss(&self) -> f64 {
        self.loss
    }

    /// How much more has to be sent than is to arrive.
    pub(super) fn compensation(&self) -> f64 {
        1.0 / (1.0 - self.loss)
    }

    /// The path delivered at that rate.
    pub(super) fn delivered(&mut self, rate: f64) {
        if let Some(slot) = self.rates.get_mut(self.slot) {
            *slot = slot.max(rate);
        }
        self.best = self.best.max(rate);
    }

    /// The path delivers no more than that.
    pub(super) fn fell(&mut self, rate: f64) {
        self.rates = [0.0; ROUNDS];
        self.best = 0.0;
        self.delivered(rate);
    }

    /// Something was on its way for so long, there and back.
    pub(super) fn took(&mut self, now: Instant, round_trip: Duration) {
        match &mut self.round_trip {
            Some((shortest, seen)) if round_trip >= *shortest => {
                if round_trip.saturating_sub(*shortest) <= (*shortest / SAME).max(SAME_AT_LEAST) {
                    *seen = now;
                }
            }
            _ => self.round_trip = Some((round_trip, now)),
        }
    }

    /// Whether the shortest round trip was not seen for long.
    pub(super) fn is_old(&self, now: Instant) -> bool {
        self.round_trip
            .is_some_and(|(_, seen)| now.saturating_duration_since(seen) > ROUND_TRIP_AGE)
    }

    pub(super) fn set_round_trip(&mut self, now: Instant, round_trip: Duration) {
        self.round_trip = Some((round_trip, now));
    }

    /// Of what was sent without strain so much arrived and so much did not.
    pub(super) fn calm(&mut self, arrived: u64, lost: u64, mtu: u64) {
        let packets = (arrived + lost) as f64 / mtu as f64;
        self.judged = (self.judged + packets).min(LOSS_PACKETS);
        let weight = (packets / self.judged.max(50.0)).min(1.0);
        let seen = lost as f64 / (arrived + lost).max(1) as f64;
        self.loss = (self.loss + (seen - self.loss) * weight).clamp(0.0, MOST_LOSS);
    }

    /// A round is over in which the path was asked for all that it has. Others say nothing: they let no rate be forgotten.
    pub(super) fn end_round(&mut self, now: Instant) {
        let since = *self.slot_since.get_or_insert(now);
        if now.saturating_duration_since(since) < LEAST_ROUND {
            return;
        }
        self.slot_since = Some(now);
        self.slot = (self.slot + 1) % ROUNDS;
        if let Some(slot) = self.rates.get_mut(self.slot) {
            *slot = 0.0;
        }
        self.best = self.rates.iter().copied().fold(0.0, f64::max);
    }
}
