//! Who is gone, and when.

use std::time::{Duration, Instant};

use super::{LOOKS, Silence};
use crate::flow::Peer;

const PATIENCE: Duration = Duration::from_mins(15);

#[test]
fn a_peer_is_gone_when_it_was_silent_for_long_enough() {
    let start = Instant::now();
    let mut silence = Silence::new(PATIENCE, start);
    let peers = [(Peer(1), start), (Peer(2), start), (Peer(3), start)];
    let heard = |peer: Peer| match peer {
        Peer(1) => Some(start),
        Peer(2) => Some(start + Duration::from_mins(10)),
        _ => None,
    };
    let just_before = (start + PATIENCE)
        .checked_sub(Duration::from_nanos(1))
        .unwrap();
    assert!(
        silence
            .look(just_before, peers.into_iter(), heard)
            .is_empty()
    );
    // One that was never heard of is silent since it has flows.
    let gone = silence.look(start + PATIENCE, peers.into_iter(), heard);
    assert_eq!(gone, [Peer(1), Peer(3)]);
    assert_eq!(silence.next_timeout(), start + Duration::from_mins(25));
    let gone = silence.look(
        start + Duration::from_mins(25),
        [peers[1]].into_iter(),
        heard,
    );
    assert_eq!(gone, [Peer(2)]);
}

#[test]
fn new_flows_of_a_peer_that_was_silent_before_are_given_their_time() {
    let start = Instant::now();
    let mut silence = Silence::new(PATIENCE, start);
    let opened = start + Duration::from_hours(1);
    let gone = silence.look(opened, [(Peer(1), opened)].into_iter(), |_| Some(start));
    assert!(gone.is_empty());
    assert_eq!(silence.next_timeout(), opened + PATIENCE);
}

#[test]
fn peers_that_are_due_one_after_the_other_do_not_cost_a_look_each() {
    let start = Instant::now();
    let mut silence = Silence::new(PATIENCE, start);
    let peers =
        (0..1000).map(|number| (Peer(number), start + Duration::from_millis(number.into())));
    let mut asked = 0;
    let mut now = start;
    let mut gone = 0;
    while gone < 1000 {
        now = silence.next_timeout();
        let left = peers.clone().skip(gone);
        gone += silence
            .look(now, left, |_| {
                asked += 1;
                None
            })
            .len();
    }
    assert!(asked <= 2000, "{asked}");
    assert!(now <= start + Duration::from_secs(1) + PATIENCE + PATIENCE / LOOKS);
}
