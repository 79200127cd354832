//! What counts as late.

use std::time::{Duration, Instant};

use noq_proto::congestion::Controller;

use super::super::company::Mixed;
use super::Congestion;

const MTU: u16 = 1392;
const MILLISECOND: Duration = Duration::from_millis(1);

/// A sender that knows its path: `rate` bytes per second, 50 ms there and back. It has just sent something.
fn sender(now: Instant, rate: f64) -> Congestion {
    sender_over(now, 50 * MILLISECOND, rate, Mixed::default())
}

fn sender_over(now: Instant, round_trip: Duration, rate: f64, mixed: Mixed) -> Congestion {
    let mut sender = Congestion::new(now, MTU, 32 * u64::from(MTU), mixed);
    sender.model.took(now, round_trip);
    sender.model.delivered(rate);
    sender.phase = sender.cruise(now);
    sender.on_packet_sent(now, MTU, 0);
    sender
}

#[test]
fn who_could_have_sent_before_is_late() {
    let now = Instant::now();
    let mut sender = sender(now, 10e6);
    sender.on_end_acks(now, u64::from(MTU), false, None);
    sender.on_packet_sent(now + 35 * MILLISECOND, MTU, 0);
    assert_eq!(sender.round.late, 33 * MILLISECOND);
    let end = now + 50 * MILLISECOND;
    assert!(sender.round.was_behind(end));
    // But not where the window held it up.
    sender.on_cwnd_limited();
    assert!(!sender.round.was_behind(end));
}

#[test]
fn who_had_nothing_to_send_is_not_late() {
    let now = Instant::now();
    let mut sender = sender(now, 10e6);
    sender.on_end_acks(now, u64::from(MTU), true, None);
    sender.on_packet_sent(now + 35 * MILLISECOND, MTU, 0);
    assert_eq!(sender.round.late, Duration::ZERO);
}

#[test]
fn who_waits_for_a_slow_pacer_is_not_late() {
    for rate in [5e3, 50e3, 100e3, 1e6] {
        let mut now = Instant::now();
        let mut sender = sender(now, rate);
        for _ in 0..20 {
            let pace = sender.pace().expect("a path that is known");
            now += Duration::from_secs_f64(f64::from(MTU) / pace);
            sender.on_end_acks(now, u64::from(MTU), false, None);
            sender.on_packet_sent(now, MTU, 0);
        }
        assert!(sender.round.late < MILLISECOND, "at {rate} bytes a second");
    }
}

#[test]
fn less_is_on_its_way_beside_who_sends_little_but_only_on_the_shortest_paths() {
    let now = Instant::now();
    for (round_trip, short) in [
        (MILLISECOND / 5, true),
        (MILLISECOND, false),
        (5 * MILLISECOND, false),
    ] {
        let mixed = Mixed::default();
        let sender = sender_over(now, round_trip, 300e6, mixed.clone());
        let alone = sender.window();
        mixed.set(true);
        if short {
            // 60,000 bytes are held by the path, twice that and 96 KiB are allowed otherwise.
            assert_eq!((alone, sender.window()), (218_304, 92_768));
        } else {
            assert_eq!(sender.window(), alone);
        }
    }
}
