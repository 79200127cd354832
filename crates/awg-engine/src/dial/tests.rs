use std::net::SocketAddr;
use std::time::{Duration, Instant};

use awg_netstack::FlowId as StackFlow;

use super::Dial;
use crate::refusal::Refusal;

const STAGGER: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(10);

fn destination(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 80))
}

fn flow(number: u64) -> StackFlow {
    StackFlow::from_bits(number)
}

fn dial(now: Instant, destinations: u8) -> Dial<SocketAddr> {
    let destinations = (1..=destinations).map(destination).collect();
    Dial::new(now, destinations, STAGGER, PATIENCE)
}

#[test]
fn attempts_are_staggered() {
    let start = Instant::now();
    let mut dial = dial(start, 3);
    assert_eq!(dial.poll_attempt(start), Some(destination(1)));
    dial.started(start, flow(1), destination(1));
    assert_eq!(dial.poll_attempt(start), None);
    assert_eq!(dial.next_timeout(), start + STAGGER);
    assert_eq!(dial.poll_attempt(start + STAGGER), Some(destination(2)));
    dial.started(start + STAGGER, flow(2), destination(2));
    assert_eq!(dial.next_timeout(), start + 2 * STAGGER);
    assert_eq!(dial.verdict(start + STAGGER), None);
}

#[test]
fn a_refused_attempt_brings_the_next_one_at_once() {
    let start = Instant::now();
    let mut dial = dial(start, 2);
    dial.poll_attempt(start);
    dial.started(start, flow(1), destination(1));
    let later = start + Duration::from_millis(10);
    dial.refused(later, flow(1), Refusal::Refused);
    assert_eq!(dial.verdict(later), None);
    assert_eq!(dial.poll_attempt(later), Some(destination(2)));
}

#[test]
fn the_winner_is_taken_out_and_the_others_remain_to_be_given_up() {
    let start = Instant::now();
    let mut dial = dial(start, 2);
    for (number, at) in [(1, start), (2, start + STAGGER)] {
        let to = dial.poll_attempt(at).unwrap();
        dial.started(at, flow(number), to);
    }
    assert_eq!(dial.won(flow(3)), None);
    assert_eq!(dial.won(flow(2)), Some(destination(2)));
    assert_eq!(dial.running().collect::<Vec<_>>(), [flow(1)]);
}

#[test]
fn the_most_telling_refusal_is_the_verdict() {
    let start = Instant::now();
    let mut dial = dial(start, 3);
    for (number, refusal) in [
        (1, Refusal::NetworkUnreachable),
        (2, Refusal::Refused),
        (3, Refusal::HostUnreachable),
    ] {
        let to = dial.poll_attempt(start).unwrap();
        dial.started(start, flow(number), to);
        assert_eq!(dial.verdict(start), None);
        dial.refused(start, flow(number), refusal);
    }
    assert_eq!(dial.verdict(start), Some(Refusal::Refused));
}

#[test]
fn silence_times_out_over_all_destinations() {
    let start = Instant::now();
    let mut dial = dial(start, 100);
    let mut now = start;
    while let Some(to) = dial.poll_attempt(now) {
        dial.started(now, flow(u64::from(to.port())), to);
        now = dial.next_timeout();
    }
    assert_eq!(now, start + PATIENCE);
    assert_eq!(dial.verdict(now), Some(Refusal::TimedOut));
}

#[test]
fn an_attempt_that_cannot_begin_counts() {
    let start = Instant::now();
    let mut dial = dial(start, 1);
    dial.poll_attempt(start);
    dial.failed(start, Refusal::NetworkUnreachable);
    assert_eq!(dial.verdict(start), Some(Refusal::NetworkUnreachable));
}

#[test]
fn what_is_held_begins_when_it_may_and_has_its_own_reason_where_it_never_does() {
    let start = Instant::now();
    let mut dial = dial(start, 1);
    let to = dial.poll_attempt(start).unwrap();
    dial.held(to, Refusal::NetworkUnreachable);
    assert_eq!(
        (
            dial.poll_attempt(start + STAGGER),
            dial.verdict(start + STAGGER)
        ),
        (None, None)
    );
    assert_eq!(dial.next_timeout(), start + PATIENCE);
    assert_eq!(
        dial.verdict(start + PATIENCE),
        Some(Refusal::NetworkUnreachable)
    );
    dial.go_on(start + STAGGER);
    assert_eq!(dial.poll_attempt(start + STAGGER), Some(to));
}

#[test]
fn what_was_lost_is_tried_again_at_once() {
    let start = Instant::now();
    let mut dial = dial(start, 2);
    let to = dial.poll_attempt(start).unwrap();
    dial.started(start, flow(1), to);
    assert!(!dial.lost(start, flow(2)));
    assert!(dial.lost(start, flow(1)));
    assert_eq!(dial.poll_attempt(start), Some(to));
}

#[test]
fn what_takes_the_place_of_others_has_the_time_that_they_left() {
    let start = Instant::now();
    let left = PATIENCE / 4;
    let late = start + 3 * left;
    let mut dial = dial(start, 1);
    let to = dial.poll_attempt(start).unwrap();
    dial.held(to, Refusal::TimedOut);
    assert_eq!(dial.left(late), left);
    dial.turn_to(late, vec![destination(7), destination(8)], PATIENCE);
    assert_eq!(dial.poll_attempt(late), Some(destination(7)));
    dial.failed(late, Refusal::Failed);
    assert_eq!(dial.poll_attempt(late), Some(destination(8)));
    dial.started(late, flow(1), destination(8));
    assert_eq!(dial.next_timeout(), start + PATIENCE);
    // On a carrier it is as if that had been asked for at first.
    dial.allow(STAGGER);
    assert_eq!(dial.next_timeout(), start + PATIENCE + STAGGER);
}

#[test]
fn what_takes_the_place_of_others_may_have_a_part_of_their_time() {
    let start = Instant::now();
    let mut dial = dial(start, 1);
    let to = dial.poll_attempt(start).unwrap();
    dial.held(to, Refusal::TimedOut);
    dial.turn_to(start, vec![destination(7)], PATIENCE / 2);
    let to = dial.poll_attempt(start).unwrap();
    dial.started(start, flow(1), to);
    assert_eq!(dial.next_timeout(), start + PATIENCE / 2);
    dial.refused(start, flow(1), Refusal::Failed);
    assert_eq!(dial.verdict(start), Some(Refusal::Failed));
}
