//! Rounds of bursts, of which nothing else leaves before all that is heard was taken.

use std::time::{Duration, Instant};

use super::{Heard, Moved, Rounds};
use crate::tcp::machine::congestion::Sample;

const SEGMENT: u32 = 1000;
const ROUND_TRIP: Duration = Duration::from_millis(40);

/// A burst's way there and back.
struct Burst {
    now: Instant,
    rounds: Rounds,
    sent: u32,
    heard: u32,
    repeated: u64,
}

impl Burst {
    fn new() -> Self {
        Self {
            now: Instant::now(),
            rounds: Rounds::default(),
            sent: 0,
            heard: 0,
            repeated: 0,
        }
    }

    fn moved(&self) -> Moved {
        Moved {
            delivered: u64::from(self.heard),
            repeated: self.repeated,
        }
    }

    /// So many new segments leave at once.
    fn send(&mut self, segments: u32) {
        for _ in 0..segments {
            self.sent += SEGMENT;
            let moved = self.moved();
            self.rounds.on_sent(self.now, self.sent, false, moved);
        }
    }

    /// The first `segments` of what is on its way leave again.
    fn repeat(&mut self, segments: u32) {
        for place in 0..segments {
            let start = self.heard + place * SEGMENT;
            self.rounds.on_repeated(start, start + SEGMENT);
            self.repeated += u64::from(SEGMENT);
        }
    }

    /// An acknowledgement of so many segments more.
    fn hear(&mut self, segments: u32) -> Heard {
        self.heard += segments * SEGMENT;
        let (heard, moved) = (self.heard, self.moved());
        self.rounds.on_heard(self.now, |end| end <= heard, moved)
    }
}

fn round(heard: Heard) -> Sample {
    match heard {
        Heard::Round(sample) => sample,
        Heard::More(_) | Heard::Nothing => panic!("the round is not over now"),
    }
}

fn more(heard: &Heard) -> f64 {
    match heard {
        Heard::More(rate) => *rate,
        Heard::Round(_) | Heard::Nothing => panic!("no more of a round that is over"),
    }
}

/// Whether a rate is that of so many segments in a round trip.
fn is_of(rate: f64, segments: u32) -> bool {
    (rate * ROUND_TRIP.as_secs_f64() - f64::from(segments * SEGMENT)).abs() < 1.0
}

#[test]
fn all_that_is_heard_until_more_is_sent_is_of_the_round() {
    let mut burst = Burst::new();
    for _ in 0..3 {
        burst.send(36);
        burst.now += ROUND_TRIP;
        let sample = round(burst.hear(16));
        assert_eq!(sample.round_trip, ROUND_TRIP);
        assert!(is_of(sample.rate, 16));
        assert!(is_of(more(&burst.hear(16)), 32));
        assert!(is_of(more(&burst.hear(4)), 36));
    }
    // What comes later took longer.
    burst.send(2);
    burst.now += ROUND_TRIP;
    assert!(is_of(round(burst.hear(1)).rate, 1));
    burst.now += ROUND_TRIP;
    assert!(is_of(more(&burst.hear(1)), 1));
}

#[test]
fn what_moved_between_two_rounds_is_told_once() {
    let mut burst = Burst::new();
    let (mut delivered, mut repeated) = (0, 0);
    for _ in 0..3 {
        burst.send(36);
        burst.now += ROUND_TRIP;
        let sample = round(burst.hear(16));
        (delivered, repeated) = (delivered + sample.delivered, repeated + sample.repeated);
        burst.repeat(2);
        burst.hear(20);
    }
    let segment = u64::from(SEGMENT);
    // The rest of the last one is for the next to tell.
    assert_eq!(delivered, (3 * 36 - 20) * segment);
    assert_eq!(repeated, (3 * 2 - 2) * segment);
}

#[test]
fn a_round_whose_first_segment_left_twice_tells_nothing() {
    let mut burst = Burst::new();
    burst.send(36);
    burst.repeat(1);
    burst.now += ROUND_TRIP;
    assert!(matches!(burst.hear(36), Heard::Nothing));
    // But one that is over keeps what it has told.
    burst.send(36);
    burst.now += ROUND_TRIP;
    round(burst.hear(16));
    burst.repeat(1);
    assert!(is_of(more(&burst.hear(20)), 36));
}

#[test]
fn what_was_forgotten_counts_for_nothing() {
    let mut burst = Burst::new();
    burst.send(36);
    burst.rounds.forget();
    // All of it leaves again before anything new does.
    burst.repeat(36);
    assert!(matches!(burst.hear(36), Heard::Nothing));
    burst.send(10);
    burst.now += ROUND_TRIP;
    let sample = round(burst.hear(10));
    assert!(is_of(sample.rate, 10));
    assert_eq!(sample.repeated, 0);
    assert_eq!(sample.delivered, u64::from(10 * SEGMENT));
}
