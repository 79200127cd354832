//! Tokens over time.

use proptest::prelude::*;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

#[test]
fn a_burst_at_once_and_then_the_rate() {
    let now = Instant::now();
    let mut bucket = TokenBucket::new(now, 10.0, 20.0);
    for _ in 0..20 {
        assert!(bucket.take(now, 1));
    }
    assert!(!bucket.take(now, 1));
    assert_eq!(
        bucket.ready_at(1),
        now + 100 * MILLISECOND + Duration::from_micros(1)
    );
    assert!(!bucket.take(now + 99 * MILLISECOND, 1));
    assert!(bucket.take(now + 101 * MILLISECOND, 1));
    assert_eq!(bucket.available(now + Duration::from_hours(1)), 20);
}

#[test]
fn what_is_taken_in_advance_is_paid_back() {
    let now = Instant::now();
    let mut bucket = TokenBucket::new(now, 100.0, 50.0);
    assert!(bucket.lends(now, 100));
    assert!(!bucket.lends(now, 101));
    bucket.spend(100);
    assert_eq!(bucket.available(now), 0);
    assert!(!bucket.lends(now, 1));
    assert_eq!(bucket.available(now + 500 * MILLISECOND), 0);
    assert_eq!(bucket.available(now + 900 * MILLISECOND), 40);
}

#[test]
fn a_change_keeps_what_fits() {
    let now = Instant::now();
    let mut bucket = TokenBucket::new(now, 10.0, 100.0);
    bucket.change(now, 10.0, 30.0);
    assert_eq!(bucket.available(now), 30);
    bucket.change(now, 1000.0, 1000.0);
    assert_eq!(bucket.available(now), 30);
    assert_eq!(bucket.available(now + 100 * MILLISECOND), 130);
}

#[test]
fn more_than_it_holds_is_waited_for_no_longer_than_until_it_is_full() {
    let now = Instant::now();
    let mut bucket = TokenBucket::new(now, 10.0, 10.0);
    assert_eq!(bucket.ready_at(1_000_000), now);
    bucket.spend(10);
    assert!(bucket.ready_at(1_000_000) <= now + 1001 * MILLISECOND);
    // No rate is so low that a time is out of range.
    let mut slow = TokenBucket::new(now, f64::MIN_POSITIVE, 1.0);
    slow.spend(1);
    assert!(slow.ready_at(1) >= now + LONGEST);
}

#[test]
fn time_that_seems_to_go_back_gives_nothing() {
    let now = Instant::now() + Duration::from_secs(1);
    let mut bucket = TokenBucket::new(now, 10.0, 10.0);
    bucket.spend(10);
    assert_eq!(bucket.available(now.checked_sub(MILLISECOND).unwrap()), 0);
    assert_eq!(bucket.available(now), 0);
}

proptest! {
    #[test]
    fn no_more_than_burst_and_rate_are_taken(
        rate in 1.0..100_000.0_f64,
        burst in 1.0..100_000.0_f64,
        steps in proptest::collection::vec((0..1000_u64, 0..10_000_u64), 1..100),
    ) {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(start, rate, burst);
        let (mut now, mut taken) = (start, 0);
        for (milliseconds, tokens) in steps {
            now += Duration::from_millis(milliseconds);
            if bucket.take(now, tokens) {
                taken += tokens;
            } else {
                let there = bucket.ready_at(tokens);
                prop_assert!(there > now || tokens as f64 > burst);
                prop_assert!(bucket.clone().available(there) as f64 >= (tokens as f64).min(burst).floor() - 1.0);
            }
            let most = burst + rate * (now - start).as_secs_f64();
            prop_assert!(taken as f64 <= most + 1.0);
        }
    }
}
