//! How many bytes a flow may have in flight ([`Congestion`]): CUBIC (RFC 9438) below a cap that follows the path.
//!
//! The cap is twice what the path holds without a queue: the best delivery rate of late times the shortest round trip of late (the model of BBR, draft-ietf-ccwg-bbr section 4.1).
//! It keeps a fast short path from filling megabytes of queue, which every other flow of the tunnel would wait behind. Loss still rules below it.

use std::time::{Duration, Instant};

const BETA: f64 = 0.7;
const CUBIC: f64 = 0.4;
/// RFC 6928: ten segments to begin with.
const INITIAL_SEGMENTS: f64 = 10.0;
/// Below this the cap does nothing: batches and the other end's scheduling need some slack, whatever the round trip.
const SMALLEST_CAP: f64 = 256.0 * 1024.0;
/// Rounds over which the best rate counts.
const ROUNDS: usize = 10;
/// How long the shortest round trip counts before it is looked for again.
const ROUND_TRIP_AGE: Duration = Duration::from_secs(10);

/// One flow's congestion state. Bytes throughout.
pub(super) struct Congestion {
    segment: f64,
    window: f64,
    threshold: f64,
    /// The window at the last loss.
    peak: f64,
    /// When growth after that loss began, and the window that Reno would have by now.
    epoch: Option<(Instant, f64)>,
    path: Path,
}

impl Congestion {
    pub(super) fn new(segment: u16) -> Self {
        let segment = f64::from(segment);
        Self {
            segment,
            window: segment * INITIAL_SEGMENTS,
            threshold: f64::INFINITY,
            peak: 0.0,
            epoch: None,
            path: Path::default(),
        }
    }

    /// Bytes that may be in flight.
    pub(super) fn window(&self) -> usize {
        self.window.min(self.path.cap()) as usize
    }

    /// `acknowledged` more bytes arrived; `in_flight` were on their way before.
    pub(super) fn on_acknowledged(&mut self, now: Instant, acknowledged: usize, in_flight: usize) {
        // A window that was not used says nothing about the path (RFC 9438 section 5.8).
        if (in_flight + acknowledged) as f64 * 2.0 < self.window {
            return;
        }
        let acknowledged = acknowledged as f64;
        if self.window < self.threshold {
            self.window = (self.window + acknowledged)
                .min(self.path.cap() * 2.0)
                .max(self.window);
            return;
        }
        let (since, reno) = *self.epoch.get_or_insert((now, self.window));
        let elapsed = now.saturating_duration_since(since).as_secs_f64();
        let origin =
            (self.peak.max(self.window * BETA) * (1.0 - BETA) / (CUBIC * self.segment)).cbrt();
        let cubic = CUBIC * (elapsed - origin).powi(3) * self.segment + self.peak;
        let gain = 3.0 * (1.0 - BETA) / (1.0 + BETA);
        let reno = reno + gain * self.segment * acknowledged / self.window;
        self.epoch = Some((since, reno));
        let target = cubic.max(reno).min(self.window * 1.5);
        if target > self.window {
            self.window += (target - self.window) * (acknowledged / self.window).min(1.0);
        }
    }

    /// A segment was lost, with `in_flight` bytes on their way. Once per round trip.
    pub(super) fn on_loss(&mut self, in_flight: usize) {
        let used = self.window.min((in_flight as f64).max(self.segment * 2.0));
        self.peak = if used < self.peak {
            used * (1.0 + BETA) / 2.0
        } else {
            used
        };
        self.window = (used * BETA).max(self.segment * 2.0);
        self.threshold = self.window;
        self.epoch = None;
    }

    /// Nothing was heard for so long that all of `in_flight` is taken for lost.
    pub(super) fn on_timeout(&mut self, in_flight: usize) {
        let used = self.window.min((in_flight as f64).max(self.segment * 2.0));
        self.peak = used;
        self.threshold = (used * BETA).max(self.segment * 2.0);
        self.window = self.segment * 2.0;
        self.epoch = None;
    }

    /// One round trip was measured, in which `delivered` bytes arrived; `limited` if more could have been on their way.
    pub(super) fn on_round(
        &mut self,
        now: Instant,
        round_trip: Duration,
        delivered: usize,
        limited: bool,
    ) {
        self.path.on_round(now, round_trip, delivered, limited);
    }
}

/// What late rounds tell of the path.
#[derive(Default)]
struct Path {
    /// Bytes per second of the last rounds.
    rates: [f64; ROUNDS],
    next: usize,
    shortest: Option<(Duration, Instant)>,
    /// The shortest round trip is being looked for again: the queue must be empty for that.
    draining: bool,
}

impl Path {
    fn on_round(&mut self, now: Instant, round_trip: Duration, delivered: usize, limited: bool) {
        let round_trip = round_trip.max(Duration::from_micros(20));
        let rate = delivered as f64 / round_trip.as_secs_f64();
        // What was sent below the window tells only that the path is at least as fast.
        if limited || rate > self.best() {
            if let Some(slot) = self.rates.get_mut(self.next) {
                *slot = rate;
            }
            self.next = (self.next + 1) % ROUNDS;
        }
        match self.shortest {
            Some((shortest, _)) if !self.draining && round_trip > shortest => {}
            _ => {
                self.shortest = Some((round_trip, now));
                self.draining = false;
                return;
            }
        }
        if let Some((_, since)) = self.shortest {
            self.draining = now.saturating_duration_since(since) > ROUND_TRIP_AGE;
        }
    }

    fn best(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    fn cap(&self) -> f64 {
        let Some((shortest, _)) = self.shortest else {
            return SMALLEST_CAP;
        };
        let held = self.best() * shortest.as_secs_f64();
        if self.draining {
            return (held / 2.0).max(SMALLEST_CAP / 2.0);
        }
        (held * 2.0).max(SMALLEST_CAP)
    }
}
