use super::*;

#[test]
fn instants_follow_the_clock_that_counts_sleep() {
    let clock = Clock::new();
    let before = with_sleep().expect("the clock of this system");
    let first = clock.instant();
    let second = clock.instant();
    let after = with_sleep().expect("the clock of this system");
    assert!(first <= second);
    assert!(
        second - first
            <= after
                .checked_sub(before)
                .expect("a clock that goes forward")
    );
    assert!(clock.instant() >= clock.start);
}

#[test]
fn a_clock_that_started_earlier_is_as_much_ahead_of_its_start() {
    let clock = Clock::new();
    let slept = Duration::from_hours(8);
    let asleep = Clock {
        start_with_sleep: clock.start_with_sleep.saturating_sub(slept),
        ..clock
    };
    let slept = clock.start_with_sleep.min(slept);
    assert!(asleep.instant() >= clock.start + slept);
}

#[test]
fn sleep_is_what_one_clock_counts_and_the_other_does_not() {
    let clock = Clock::new();
    assert!(clock.slept() < Duration::from_secs(1));
    let slept = Duration::from_hours(8).min(clock.start_with_sleep);
    let asleep = Clock {
        start_with_sleep: clock.start_with_sleep.saturating_sub(slept),
        ..clock
    };
    assert!(asleep.slept() + Duration::from_secs(1) > slept);
    assert!(asleep.slept() <= slept + Duration::from_secs(1));
}

#[test]
fn the_time_of_day_is_that_of_the_system() {
    let clock = Clock::new();
    let before = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    assert!(clock.unix() + Duration::from_mins(1) > before);
}
