//! Names found, missing, waited for and forgotten.

use super::*;

const SOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

fn payload(waiting: &[Waiting]) -> Vec<(u16, &[u8])> {
    waiting
        .iter()
        .map(|(port, payload)| (*port, &**payload))
        .collect()
}

#[test]
fn datagrams_wait_for_their_name_once_asked_for() {
    let (now, mut names) = (Instant::now(), Names::default());
    assert_eq!(names.look_up(now, "a.example", 53, b"1"), Known::Wanted);
    assert_eq!(names.look_up(now, "a.example", 54, b"2"), Known::Waits);
    assert_eq!(names.look_up(now, "b.example", 53, b"3"), Known::Wanted);
    let waited = names.answer(now, "a.example", Some(SOME));
    assert_eq!(payload(&waited), [(53, &b"1"[..]), (54, &b"2"[..])]);
    assert_eq!(
        names.look_up(now, "a.example", 53, b"4"),
        Known::Address(SOME)
    );
    // An answer that nobody waits for changes nothing.
    assert!(names.answer(now, "a.example", None).is_empty());
    assert!(names.answer(now, "c.example", Some(SOME)).is_empty());
    assert_eq!(
        names.look_up(now, "a.example", 53, b"4"),
        Known::Address(SOME)
    );
}

#[test]
fn a_name_that_is_used_keeps_its_address() {
    let (start, mut names) = (Instant::now(), Names::default());
    names.look_up(start, "a.example", 53, b"");
    names.answer(start, "a.example", Some(SOME));
    let mut now = start;
    for _ in 0..10 {
        now += FORGET / 2;
        names.handle_timeout(now);
        assert_eq!(
            names.look_up(now, "a.example", 53, b""),
            Known::Address(SOME)
        );
    }
    now += FORGET;
    assert_eq!(names.look_up(now, "a.example", 53, b""), Known::Wanted);
}

#[test]
fn a_missing_name_is_not_asked_for_with_every_datagram() {
    let (now, mut names) = (Instant::now(), Names::default());
    names.look_up(now, "a.example", 53, b"1");
    assert_eq!(names.answer(now, "a.example", None).len(), 1);
    assert_eq!(names.look_up(now, "a.example", 53, b""), Known::Missing);
    assert_eq!(
        names.look_up(now + RETRY, "a.example", 53, b""),
        Known::Wanted
    );
}

#[test]
fn waiting_ends() {
    let (now, mut names) = (Instant::now(), Names::default());
    assert_eq!(names.next_timeout(), None);
    names.look_up(now, "a.example", 53, b"1");
    names.look_up(now, "a.example", 53, b"2");
    assert_eq!(names.next_timeout(), Some(now + PATIENCE));
    assert_eq!(names.handle_timeout(now), 0);
    assert_eq!(
        names.look_up(now + PATIENCE, "a.example", 53, b"3"),
        Known::Full
    );
    assert_eq!(names.handle_timeout(now + PATIENCE), 2);
    assert_eq!(names.next_timeout(), None);
    assert!(names.answer(now, "a.example", Some(SOME)).is_empty());
}

#[test]
fn what_waits_is_bounded() {
    let (now, mut names) = (Instant::now(), Names::default());
    for number in 0..WAITING {
        let name = if number % 2 == 0 {
            "a.example"
        } else {
            "b.example"
        };
        assert_ne!(names.look_up(now, name, 53, b""), Known::Full);
    }
    assert_eq!(names.look_up(now, "a.example", 53, b""), Known::Full);
    assert_eq!(names.look_up(now, "c.example", 53, b""), Known::Full);
    names.answer(now, "a.example", None);
    let large = vec![0; WAITING_BYTES + 1];
    assert_eq!(names.look_up(now, "b.example", 53, &large), Known::Full);
    assert_eq!(
        names.look_up(now, "b.example", 53, &large[1..]),
        Known::Waits
    );
    assert_eq!(names.look_up(now, "b.example", 53, b"."), Known::Full);
}

#[test]
fn the_name_not_used_for_longest_makes_room() {
    let (start, mut names) = (Instant::now(), Names::default());
    let after = |milliseconds| start + Duration::from_millis(milliseconds);
    let name = |number: usize| format!("{number}.example");
    for number in 0..NAMES {
        let now = after(number as u64);
        assert_eq!(names.look_up(now, &name(number), 53, b""), Known::Wanted);
        names.answer(now, &name(number), Some(SOME));
    }
    // The first was used again, so the second is the oldest.
    let now = after(1000);
    assert_eq!(names.look_up(now, &name(0), 53, b""), Known::Address(SOME));
    assert_eq!(names.look_up(now, &name(NAMES), 53, b""), Known::Wanted);
    assert_eq!(names.look_up(now, &name(0), 53, b""), Known::Address(SOME));
    names.answer(now, &name(NAMES), Some(SOME));
    assert_eq!(names.look_up(now, &name(1), 53, b""), Known::Wanted);
    assert_eq!(names.entries.len(), NAMES);
}
