//! The window of a flow, fed with round trips.

use std::time::{Duration, Instant};

use super::{Congestion, MOST_SLACK, Sample};

const SEGMENT: u16 = 1380;

/// A path, and one flow on it that always has something to send.
struct Flow {
    now: Instant,
    congestion: Congestion,
    round_trip: Duration,
    /// Bytes per second.
    rate: f64,
    /// Bytes lost of a hundred.
    lost: u64,
}

impl Flow {
    fn new(round_trip: Duration, rate: f64) -> Self {
        Self {
            now: Instant::now(),
            congestion: Congestion::new(SEGMENT),
            round_trip,
            rate,
            lost: 0,
        }
    }

    /// One window: it takes as long as the path needs for it. Returns the round trip.
    fn round(&mut self) -> Duration {
        let window = self.congestion.window();
        let took = Duration::from_secs_f64(window as f64 / self.rate).max(self.round_trip);
        self.now += took;
        let repeated = window as u64 * self.lost / 100;
        let sample = Sample {
            round_trip: took,
            rate: (window as u64 - repeated) as f64 / took.as_secs_f64(),
            delivered: window as u64 - repeated,
            repeated,
            limited: true,
        };
        self.congestion.on_acknowledged(window, window);
        self.congestion.on_round(self.now, &sample, window);
        took
    }

    fn rounds(&mut self, count: usize) {
        for _ in 0..count {
            self.round();
        }
    }
}

#[test]
fn it_fills_a_path_and_queues_no_more_than_as_much_again() {
    let mut flow = Flow::new(Duration::from_millis(50), 12_500_000.0);
    flow.rounds(60);
    let held = 625_000.0;
    let window = flow.congestion.window() as f64;
    assert!((held..held * 2.1).contains(&window), "{window}");
}

#[test]
fn a_short_path_is_given_some_slack_and_no_more() {
    let mut flow = Flow::new(Duration::from_micros(50), 300_000_000.0);
    flow.rounds(200);
    assert!(flow.congestion.window() as f64 <= MOST_SLACK);
    assert!(flow.congestion.window() as f64 >= MOST_SLACK / 2.0);
}

#[test]
fn a_little_loss_is_borne_and_much_is_not() {
    let mut clean = Flow::new(Duration::from_millis(20), 12_500_000.0);
    clean.rounds(100);
    let mut noisy = Flow::new(Duration::from_millis(20), 12_500_000.0);
    noisy.lost = 1;
    noisy.rounds(100);
    assert!(noisy.congestion.window() * 10 > clean.congestion.window() * 9);
    let before = clean.congestion.window();
    clean.lost = 10;
    clean.round();
    assert!(clean.congestion.window() < before * 8 / 10);
    // But not below what the path was seen to hold.
    clean.rounds(3);
    assert!(
        clean.congestion.window() >= 200_000,
        "{}",
        clean.congestion.window()
    );
}

#[test]
fn silence_begins_anew_and_recovers() {
    let mut flow = Flow::new(Duration::from_millis(20), 12_500_000.0);
    flow.rounds(60);
    let before = flow.congestion.window();
    flow.congestion.on_timeout(before);
    assert_eq!(flow.congestion.window(), 2 * usize::from(SEGMENT));
    flow.rounds(40);
    assert!(flow.congestion.window() * 10 > before * 9);
}

#[test]
fn the_shortest_round_trip_is_looked_for_again() {
    let mut flow = Flow::new(Duration::from_millis(50), 12_500_000.0);
    flow.rounds(60);
    // The path became longer, and no queue of ours is the reason.
    flow.round_trip = Duration::from_millis(100);
    let until = flow.now + Duration::from_secs(30);
    let mut least = usize::MAX;
    while flow.now < until {
        flow.round();
        least = least.min(flow.congestion.window());
    }
    assert!(least < 400_000, "it drained its queue to see: {least}");
    assert!(
        flow.congestion.window() > 1_250_000,
        "{}",
        flow.congestion.window()
    );
}

#[test]
fn acknowledgements_at_one_instant_raise_the_rate_one_after_the_other() {
    let round_trip = Duration::from_millis(40);
    let mut congestion = Congestion::new(SEGMENT);
    let mut now = Instant::now();
    for _ in 0..20 {
        now += round_trip;
        let window = congestion.window();
        let mut delivered = 0;
        while delivered < window {
            // What the other end took in one turn.
            let part = (window - delivered).min(16 * usize::from(SEGMENT));
            delivered += part;
            let rate = delivered as f64 / round_trip.as_secs_f64();
            if delivered == part {
                let sample = Sample {
                    round_trip,
                    rate,
                    delivered: part as u64,
                    repeated: 0,
                    limited: true,
                };
                congestion.on_round(now, &sample, window - delivered);
            } else {
                congestion.on_more(rate);
            }
            congestion.on_acknowledged(part, window - delivered);
        }
    }
    assert!(congestion.window() > 4_000_000, "{}", congestion.window());
}
