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
    // The overtaken entry of 5 s is silent.
    assert_eq!(deadlines.fire(start + seconds(20)), None);
}

#[test]
fn a_slot_that_changes_hands_all_the_time_keeps_one_entry() {
    let start = Instant::now();
    let mut deadlines = Deadlines::default();
    for millisecond in 0..10_000 {
        deadlines.arm(3, start + Duration::from_millis(millisecond) + seconds(30));
    }
    assert_eq!(deadlines.len(), 1);
}
