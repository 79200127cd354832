//! Each peer has its own share.

use std::time::{Duration, Instant};

use super::{Allowances, BUCKETS};
use crate::flow::Peer;

fn spend(allowances: &mut Allowances, now: Instant, peer: Peer) -> usize {
    (0..1000).filter(|_| allowances.take(now, peer)).count()
}

#[test]
fn a_peer_that_spent_its_share_leaves_the_others_theirs() {
    let now = Instant::now();
    let mut allowances = Allowances::new(100, now);
    assert_eq!(spend(&mut allowances, now, Peer(1)), 100);
    assert_eq!(spend(&mut allowances, now, Peer(1)), 0);
    assert_eq!(spend(&mut allowances, now, Peer(2)), 100);
}

#[test]
fn time_fills_a_share_up_to_a_second_s_worth() {
    let now = Instant::now();
    let mut allowances = Allowances::new(100, now);
    spend(&mut allowances, now, Peer(1));
    assert_eq!(
        spend(&mut allowances, now + Duration::from_millis(50), Peer(1)),
        5
    );
    assert_eq!(
        spend(&mut allowances, now + Duration::from_hours(1), Peer(1)),
        100
    );
}

#[test]
fn the_memory_is_the_same_for_any_number_of_peers() {
    let now = Instant::now();
    let mut allowances = Allowances::new(100, now);
    assert_eq!(spend(&mut allowances, now, Peer(3)), 100);
    assert_eq!(
        spend(&mut allowances, now, Peer(3 + BUCKETS as u32)),
        0,
        "they share a bucket"
    );
}
