//! Ended connections are remembered for their time, up to a bound.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::super::ends::Key;
use super::{Rest, TimeWait};
use crate::flow::Peer;

const REST: Duration = Duration::from_secs(8);

fn key(port: u16) -> Key {
    let end = |port| SocketAddr::from(([192, 0, 2, 1], port));
    Key::new(Peer(1), end(port), end(80))
}

fn rest(next: u32, expected: u32) -> Rest {
    Rest {
        next,
        expected,
        orderly: true,
    }
}

#[test]
fn a_connection_is_remembered_for_its_time() {
    let now = Instant::now();
    let mut table = TimeWait::new(10, REST, now);
    assert!(!table.bury(now, key(1), rest(11, 12)));
    assert!(!table.bury(now + Duration::from_secs(4), key(2), rest(21, 22)));
    let found = table
        .find(now + Duration::from_secs(7), &key(1))
        .expect("it rests");
    assert_eq!((found.next, found.expected), (11, 12));
    assert!(table.find(now, &key(3)).is_none());
    assert!(table.find(now + REST, &key(1)).is_none());
    assert!(table.find(now + REST, &key(2)).is_some());
    assert_eq!(table.len(), 1);
}

#[test]
fn the_oldest_makes_room() {
    let now = Instant::now();
    let mut table = TimeWait::new(2, REST, now);
    assert!(!table.bury(now, key(1), rest(0, 0)));
    assert!(!table.bury(now, key(2), rest(0, 0)));
    assert!(table.bury(now, key(3), rest(0, 0)));
    assert!(table.find(now, &key(1)).is_none());
    assert!(table.find(now, &key(2)).is_some() && table.find(now, &key(3)).is_some());
    assert!(TimeWait::new(0, REST, now).bury(now, key(1), rest(0, 0)));
}

#[test]
fn ends_that_are_used_again_leave_nothing_behind() {
    let now = Instant::now();
    let mut table = TimeWait::new(10, REST, now);
    table.bury(now, key(1), rest(1, 1));
    table.forget(&key(1));
    assert!(table.find(now, &key(1)).is_none());
    let later = now + Duration::from_secs(4);
    table.bury(later, key(1), rest(2, 2));
    // The first stone's time comes; it does not take the second one's entry along.
    let found = table.find(now + REST, &key(1)).expect("the second rests");
    assert_eq!(found.next, 2);
    assert!(table.find(later + REST, &key(1)).is_none());
    assert_eq!((table.len(), table.index.len()), (0, 0));
}

#[test]
fn many_come_and_go_without_a_trace() {
    let start = Instant::now();
    let mut table = TimeWait::new(5000, REST, start);
    let mut now = start;
    for number in 0..100_000_u32 {
        now += Duration::from_millis(2);
        assert!(
            !table.bury(now, key((number % 60_000) as u16), rest(number, 0)),
            "4,000 rest at a time"
        );
        assert!(table.len() <= 4000);
    }
    let stone = table.find(now, &key(39_999)).expect("the last one");
    assert_eq!(stone.next, 99_999);
    assert!(table.find(now + REST, &key(39_999)).is_none());
    assert_eq!((table.len(), table.index.len()), (0, 0));
    assert!(
        table.stones.capacity() <= 1024,
        "a rush is not paid for for ever"
    );
}
