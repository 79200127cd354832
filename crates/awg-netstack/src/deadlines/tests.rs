use std::time::Duration;

use super::*;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn fires_in_order_and_once() {
    let start = Instant::now();
    let mut deadlines = Deadlines::default();
    deadlines.arm(7, start + seconds(3));
    deadlines.arm(1, start + seconds(1));
    assert_eq!(deadlines.next(), Some(start + seconds(1)));
    assert_eq!(deadlines.fire(start), None);
    assert_eq!(deadlines.fire(start + seconds(3)), Some(1));
    assert_eq!(deadlines.fire(start + seconds(3)), Some(7));
    assert_eq!(deadlines.fire(start + seconds(9)), None);
    assert_eq!(deadlines.next(), None);
}

#[test]
fn an_earlier_instant_overtakes_and_a_later_one_does_not() {
    let start = Instant::now();
    let mut deadlines = Deadlines::default();
    deadlines.arm(0, start + seconds(5));
    deadlines.arm(0, start + seconds(9));
    deadlines.arm(0, start + seconds(2));
    assert_eq!(deadlines.fire(start + seconds(2)), Some(0));
    assert_eq!(deadlines.fire(start + seconds(20)), None);
}

#[test]
fn a_slot_whose_instant_moves_back_all_the_time_keeps_one_entry() {
    let start = Instant::now();
    let mut deadlines = Deadlines::default();
    for millisecond in 0..10_000 {
        deadlines.arm(3, start + Duration::from_millis(millisecond) + seconds(30));
    }
    assert_eq!(deadlines.len(), 1);
}

#[test]
fn a_slot_whose_instant_is_now_near_now_far_keeps_one_entry_and_fires_only_then() {
    let start = Instant::now();
    let mut deadlines = Deadlines::default();
    let mut now = start;
    for _ in 0..1000 {
        // As a flow does: idle for minutes, then a segment whose acknowledgement is due soon.
        deadlines.arm(0, now + seconds(300));
        deadlines.arm(0, now + seconds(2));
        deadlines.arm(0, now + Duration::from_millis(5));
        assert_eq!(deadlines.len(), 1);
        now += Duration::from_millis(5);
        assert_eq!(deadlines.fire(now), Some(0));
    }
    assert_eq!(deadlines.next(), None, "nothing that was overtaken wakes");
}

#[test]
fn an_empty_slot_wakes_nobody() {
    let start = Instant::now();
    let mut deadlines = Deadlines::default();
    deadlines.arm(0, start + seconds(1));
    deadlines.arm(1, start + seconds(2));
    deadlines.disarm(0);
    deadlines.disarm(0);
    deadlines.disarm(9);
    assert_eq!(deadlines.next(), Some(start + seconds(2)));
    assert_eq!(deadlines.fire(start + seconds(3)), Some(1));
    assert_eq!(deadlines.len(), 0);
}
