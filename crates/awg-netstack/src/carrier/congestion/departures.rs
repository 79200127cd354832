//! When what left, and how much had arrived by then: how rates of delivery are measured (draft-cheng-iccrg-delivery-rate-estimation).
//! What leaves within a small part of a round trip is one departure, however many packets it is: those of a fast, long path are
//! some hundreds so, and all of a round trip are known.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// More departures are not kept: the oldest are forgotten, and what comes of them counts as of the next.
const MOST: usize = 2048;

/// So many departures are told apart in a round trip.
const OF_A_ROUND_TRIP: u32 = 512;

#[derive(Clone, Copy, Debug)]
struct Departure {
    at: Instant,
    /// Bytes that had arrived, and when the last of them did.
    delivered: u64,
    delivered_at: Instant,
    /// When the last one left of those that had arrived.
    first_at: Instant,
    /// Whether more could have been sent before.
    limited: bool,
    calm: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Departures {
    all: VecDeque<Departure>,
    delivered: u64,
    delivered_at: Instant,
    first_at: Instant,
    /// Until more than that has arrived the embedder was what held things up.
    limited_until: u64,
    /// The latest departure of which something was acknowledged in this batch.
    newest: Option<Departure>,
}

/// What one batch of acknowledgements says.
pub(super) struct Sample {
    /// Bytes that had arrived when the latest of it left.
    pub(super) before: u64,
    pub(super) limited: bool,
    bytes: u64,
    interval: Duration,
}

impl Sample {
    /// Bytes per second; nothing if it was measured over less than the path's round trip.
    pub(super) fn rate(&self, round_trip: Option<Duration>) -> Option<f64> {
        let least = round_trip?.max(Duration::from_micros(50));
        (self.interval >= least).then(|| self.bytes as f64 / self.interval.as_secs_f64())
    }
}

impl Departures {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            all: VecDeque::new(),
            delivered: 0,
            delivered_at: now,
            first_at: now,
            limited_until: 0,
            newest: None,
        }
    }

    /// Bytes that have arrived so far.
    pub(super) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Something leaves; `first` if nothing else is on its way.
    pub(super) fn sent(&mut self, now: Instant, first: bool, calm: bool, round_trip: Duration) {
        if first {
            (self.delivered_at, self.first_at) = (now, now);
        }
        let part = round_trip / OF_A_ROUND_TRIP;
        let is_of = |last: &Departure| now <= last.at + part && last.calm == calm;
        if !first && self.all.back().is_some_and(is_of) {
            return;
        }
        if self.all.len() == MOST {
            self.all.pop_front();
        }
        self.all.push_back(Departure {
            at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_at: self.first_at,
            limited: self.delivered <= self.limited_until,
            calm,
        });
    }

    fn of(&self, sent: Instant) -> Option<&Departure> {
        let after = self.all.partition_point(|departure| departure.at <= sent);
        self.all.get(after.saturating_sub(1))
    }

    /// Whether what left then was sent in calm.
    pub(super) fn was_calm(&self, sent: Instant) -> bool {
        self.of(sent).is_some_and(|departure| departure.calm)
    }

    /// Something arrived that left at `sent`.
    pub(super) fn acknowledged(&mut self, now: Instant, sent: Instant, bytes: u64) {
        self.delivered += bytes;
        self.delivered_at = now;
        if self.newest.is_none_or(|newest| sent > newest.at) {
            self.newest = self.of(sent).copied();
        }
    }

    /// What is on its way is all that there is to send.
    pub(super) fn limited(&mut self, in_flight: u64) {
        self.limited_until = self.delivered + in_flight;
    }

    /// What the acknowledgements since the last sample say.
    pub(super) fn sample(&mut self, now: Instant) -> Option<Sample> {
        let newest = self.newest.take()?;
        let sending = newest.at.saturating_duration_since(newest.first_at);
        let arriving = now.saturating_duration_since(newest.delivered_at);
        self.first_at = newest.at;
        Some(Sample {
            before: newest.delivered,
            limited: newest.limited,
            bytes: self.delivered - newest.delivered,
            interval: sending.max(arriving),
        })
    }

    /// Departures so long before the last that something was heard of are not asked for any more.
    pub(super) fn forget(&mut self, older: Duration) {
        while self.all.len() > 1
            && self
                .all
                .front()
                .is_some_and(|oldest| oldest.at + older < self.first_at)
        {
            self.all.pop_front();
        }
    }
}
