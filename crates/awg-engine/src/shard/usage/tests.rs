//! Limits over time, and who waits for what.

use std::time::Duration;

use super::*;

const RATE: u64 = 1_000_000;
const TURN: usize = 64 * 1024;

fn limited(now: Instant, change: impl FnOnce(&mut PeerLimits)) -> Usage {
    let mut limits = PeerLimits::default();
    change(&mut limits);
    Usage::new(now, limits)
}

fn at_a_rate(now: Instant) -> Usage {
    limited(now, |limits| limits.bytes_per_second = Some(RATE))
}

/// Takes all that is there.
fn exhaust(usage: &mut Usage, now: Instant) {
    let mut turn = Turn::default();
    loop {
        let allowed = usage.allowance(now, Way::ToPeer, &mut turn, TURN);
        if allowed == 0 {
            break;
        }
        usage.note(Way::ToPeer, allowed as u64);
    }
}

#[test]
fn without_limits_nothing_waits_and_everything_is_counted() {
    let now = Instant::now();
    let mut usage = limited(now, |_| {});
    let mut turn = Turn::default();
    for _ in 0..1000 {
        assert_eq!(usage.admit_flow(now, 1_000_000), Ok(()));
        assert_eq!(usage.allowance(now, Way::ToPeer, &mut turn, TURN), TURN);
        assert!(usage.admit_datagram(now, Way::FromPeer, TURN));
        assert!(!usage.note(Way::ToPeer, TURN as u64));
    }
    assert!(!usage.park(Way::ToPeer, 1, &mut turn));
    assert_eq!(usage.next_timeout(), None);
    assert_eq!(usage.relayed(), 1000 * TURN as u64);
    assert_eq!(usage.turned_away(), TurnedAway::default());
}

#[test]
fn flows_are_bounded_at_once_and_over_time() {
    let now = Instant::now();
    let mut usage = limited(now, |limits| {
        limits.flows = Some(20);
        limits.new_flows_per_second = Some(5.0);
    });
    for flows in 0..10 {
        assert_eq!(usage.admit_flow(now, flows), Ok(()));
    }
    assert_eq!(usage.admit_flow(now, 10), Err(Excess::NewFlows));
    let later = now + Duration::from_millis(201);
    assert_eq!(usage.admit_flow(later, 20), Err(Excess::Flows));
    assert_eq!(usage.admit_flow(later, 10), Ok(()));
    assert_eq!(usage.admit_flow(later, 11), Err(Excess::NewFlows));
    let turned_away = usage.turned_away();
    assert_eq!((turned_away.flows, turned_away.new_flows), (1, 2));
}

#[test]
fn one_flow_may_always_come() {
    let now = Instant::now();
    let mut usage = limited(now, |limits| limits.new_flows_per_second = Some(0.1));
    assert_eq!(usage.admit_flow(now, 0), Ok(()));
    assert_eq!(usage.admit_flow(now, 1), Err(Excess::NewFlows));
    assert_eq!(usage.admit_flow(now + Duration::from_secs(11), 1), Ok(()));
}

#[test]
fn each_way_has_the_whole_rate() {
    let now = Instant::now();
    let mut usage = at_a_rate(now);
    exhaust(&mut usage, now);
    assert_eq!(usage.relayed(), 250_000, "a quarter of a second at once");
    let mut turn = Turn::default();
    assert_eq!(usage.allowance(now, Way::FromPeer, &mut turn, TURN), TURN);
    let later = now + Duration::from_secs(10);
    exhaust(&mut usage, later);
    assert_eq!(usage.relayed(), 500_000);
}

#[test]
fn connections_wait_until_it_is_worth_waking_them() {
    let now = Instant::now();
    let mut usage = at_a_rate(now);
    exhaust(&mut usage, now);
    let mut turn = Turn::default();
    assert!(usage.park(Way::ToPeer, 7, &mut turn));
    let at = usage.next_timeout().expect("a time");
    assert_eq!(
        (at - now).as_millis(),
        10,
        "a hundredth of a second's worth"
    );
    assert_eq!(usage.wake(now, Way::ToPeer), (vec![], 0));
    assert_eq!(usage.wake(at, Way::FromPeer), (vec![], 0));
    let (woken, given) = usage.wake(at, Way::ToPeer);
    assert_eq!(woken, [7]);
    assert!((10_000..10_010).contains(&given), "{given}");
    turn.wake(Way::ToPeer, 10_000);
    assert_eq!(usage.next_timeout(), None);
    assert_eq!(usage.allowance(at, Way::ToPeer, &mut turn, TURN), 10_000);
}

#[test]
fn whoever_waited_longest_comes_first_and_all_get_as_much() {
    let mut now = Instant::now();
    let mut usage = at_a_rate(now);
    exhaust(&mut usage, now);
    let mut turns = [Turn::default(); 40];
    let mut carried = [0; 40];
    for (place, turn) in turns.iter_mut().enumerate() {
        usage.park(Way::ToPeer, place, turn);
    }
    for _ in 0..1000 {
        now = usage.next_timeout().expect("somebody waits").max(now);
        let (woken, given) = usage.wake(now, Way::ToPeer);
        assert!(!woken.is_empty());
        for place in woken {
            let turn = &mut turns[place];
            turn.wake(Way::ToPeer, given);
            let allowed = usage.allowance(now, Way::ToPeer, turn, TURN);
            usage.note(Way::ToPeer, allowed as u64);
            carried[place] += allowed;
            // It wants more, and asks again before its turn: there is nothing for it.
            usage.park(Way::ToPeer, place, turn);
            assert_eq!(usage.allowance(now, Way::ToPeer, turn, TURN), 0);
        }
    }
    let (least, most) = (carried.iter().min().unwrap(), carried.iter().max().unwrap());
    assert!(most - least <= 2 * 1667, "{least} to {most}");
    assert!(*least > 200_000);
}

#[test]
fn who_is_gone_is_not_woken() {
    let now = Instant::now();
    let mut usage = at_a_rate(now);
    exhaust(&mut usage, now);
    let mut turns = [Turn::default(); 2];
    usage.park(Way::ToPeer, 1, &mut turns[0]);
    usage.park(Way::ToPeer, 1, &mut turns[0]);
    usage.park(Way::FromPeer, 1, &mut turns[0]);
    usage.park(Way::ToPeer, 2, &mut turns[1]);
    usage.leave(turns[0]);
    let at = now + Duration::from_secs(1);
    assert_eq!(usage.wake(at, Way::ToPeer).0, [2]);
    assert_eq!(usage.next_timeout(), None);
}

#[test]
fn datagrams_go_before_connections_and_are_dropped_beyond() {
    let now = Instant::now();
    let mut usage = at_a_rate(now);
    exhaust(&mut usage, now);
    let mut passed = 0;
    while usage.admit_datagram(now, Way::ToPeer, 1000) {
        usage.note(Way::ToPeer, 1000);
        passed += 1;
    }
    assert_eq!(passed, 250, "a burst in advance");
    assert_eq!(usage.turned_away().bandwidth, 1);
    // What was lent is paid back before connections have any.
    let mut turn = Turn::default();
    let later = now + Duration::from_millis(249);
    assert_eq!(usage.allowance(later, Way::ToPeer, &mut turn, TURN), 0);
    assert!(usage.admit_datagram(later, Way::ToPeer, 1000));
}

#[test]
fn a_quota_counts_both_ways_and_ends_once() {
    let now = Instant::now();
    let mut usage = limited(now, |limits| limits.quota_bytes = Some(1000));
    let mut turn = Turn::default();
    assert_eq!(usage.allowance(now, Way::ToPeer, &mut turn, TURN), 1000);
    assert!(!usage.note(Way::ToPeer, 600));
    assert_eq!(usage.allowance(now, Way::FromPeer, &mut turn, TURN), 400);
    assert!(usage.note(Way::FromPeer, 500));
    assert!(!usage.note(Way::FromPeer, 500), "once");
    assert!(usage.is_spent());
    assert_eq!(usage.allowance(now, Way::ToPeer, &mut turn, TURN), 0);
    assert!(!usage.admit_datagram(now, Way::ToPeer, 1));
    assert_eq!(usage.admit_flow(now, 0), Err(Excess::Quota));
    assert_eq!(usage.turned_away().quota, 2);
    let limits = PeerLimits {
        quota_bytes: Some(10),
        ..PeerLimits::default()
    };
    usage.change(now, limits);
    assert_eq!(usage.admit_flow(now, 0), Ok(()));
    assert!(usage.note(Way::ToPeer, 10));
    assert_eq!(usage.relayed(), 1610);
}

#[test]
fn a_change_keeps_whoever_waits_and_lets_go_where_nothing_is_to_wait_for() {
    let now = Instant::now();
    let mut usage = at_a_rate(now);
    exhaust(&mut usage, now);
    let mut turn = Turn::default();
    usage.park(Way::ToPeer, 7, &mut turn);
    let faster = PeerLimits {
        bytes_per_second: Some(10 * RATE),
        ..PeerLimits::default()
    };
    assert!(usage.change(now, faster).is_empty());
    assert!(usage.next_timeout().is_some());
    assert_eq!(usage.change(now, PeerLimits::default()), [7]);
    turn.release();
    assert_eq!(usage.next_timeout(), None);
    assert_eq!(usage.allowance(now, Way::ToPeer, &mut turn, TURN), TURN);
}

#[test]
fn a_peer_without_limits_keeps_no_buckets() {
    assert!(size_of::<Usage>() <= 200);
}
