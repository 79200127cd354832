//! The times of the protocol, on a link without faults.

use std::time::Duration;

use super::link::{End, SECOND, Setup, World, outer};
use crate::limits::MAX_INITIATIONS;
use crate::{Event, FailureCause, Role, Seal};

const INITIATION: usize = 148;
const KEEPALIVE: usize = 32;

fn established(event: &Event) -> bool {
    matches!(event, Event::SessionEstablished { .. })
}

#[test]
fn a_staged_packet_goes_out_with_the_session() {
    let mut world = World::new(1);
    assert_eq!(world.send(0, 100, 7), Seal::Staged);
    world.run(SECOND);
    assert_eq!(world.numbers_at(1), [7]);
    assert!(world.has_event(0, |event| matches!(
        event,
        Event::SessionEstablished {
            role: Role::Initiator,
            rekey: false,
            ..
        }
    )));
    assert!(world.has_event(1, |event| matches!(
        event,
        Event::SessionEstablished {
            role: Role::Responder,
            rekey: false,
            ..
        }
    )));
    assert!(matches!(world.send(1, 100, 8), Seal::Sealed { .. }));
    world.run(SECOND);
    assert_eq!(world.numbers_at(0), [8]);
    assert_eq!(world.drops(0), []);
    assert_eq!(world.drops(1), []);
}

#[test]
fn connect_makes_a_session_once() {
    let mut world = World::new(1);
    world.connect(0);
    world.connect(0);
    world.run(SECOND);
    world.connect(0);
    world.run(SECOND);
    assert_eq!(world.sent_by(0, INITIATION).len(), 1);
    // The initiator has nothing to say, so it confirms with a keepalive.
    assert_eq!(world.sent_by(0, KEEPALIVE).len(), 1);
}

#[test]
fn data_that_is_not_answered_gets_a_keepalive_after_ten_seconds() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(SECOND);
    world.send(0, 100, 2);
    world.run(60 * SECOND);
    // One for both; it is not answered itself, and no handshake was needed.
    let keepalives = world.sent_by(1, KEEPALIVE);
    assert_eq!(keepalives.len(), 1);
    assert_eq!(keepalives[0].at, 10 * SECOND + Duration::from_millis(45));
    assert_eq!(world.sent_by(0, KEEPALIVE).len(), 0);
    assert_eq!(world.sent_by(0, INITIATION).len(), 1);
    world.send(0, 100, 3);
    world.run(60 * SECOND);
    assert_eq!(world.sent_by(1, KEEPALIVE).len(), 2);
}

#[test]
fn silence_after_data_starts_a_handshake() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(20 * SECOND);
    world.sent.clear();
    world.ends[0].deaf = true;
    world.send(0, 100, 2);
    world.run(16 * SECOND);
    let initiations = world.sent_by(0, INITIATION);
    assert_eq!(initiations.len(), 1);
    let waited = initiations[0].at - 20 * SECOND;
    assert!(
        (15 * SECOND..=15 * SECOND + Duration::from_millis(333)).contains(&waited),
        "{waited:?}"
    );
}

#[test]
fn only_the_initiator_renews_by_time() {
    let mut world = World::new(1);
    world.send(0, 100, 0);
    world.run(SECOND);
    for second in 1..=400 {
        world.send(0, 100, second);
        world.send(1, 100, second);
        world.run(SECOND);
    }
    let initiations = world.sent_by(0, INITIATION);
    assert_eq!(world.sent_by(1, INITIATION).len(), 0);
    assert_eq!(initiations.len(), 4);
    for pair in initiations.windows(2) {
        let gap = pair[1].at - pair[0].at;
        assert!((120 * SECOND..123 * SECOND).contains(&gap), "{gap:?}");
    }
    // Nothing was lost on the way from one session to the next.
    assert_eq!(world.numbers_at(1).len(), 401);
    assert_eq!(world.numbers_at(0).len(), 400);
    assert_eq!(
        world.count_events(0, |event| matches!(
            event,
            Event::SessionEstablished { rekey: true, .. }
        )),
        3
    );
    assert_eq!(
        world.count_events(1, |event| matches!(
            event,
            Event::SessionEstablished { rekey: true, .. }
        )),
        3
    );
}

#[test]
fn an_initiator_that_receives_renews_after_165_seconds() {
    for (second, renewed) in [(164, 0), (166, 1)] {
        let mut world = World::new(1);
        world.connect(0);
        world.run(second * SECOND);
        world.sent.clear();
        world.send(1, 100, 1);
        // Its answer to the data is due in ten seconds and would renew the session, too.
        world.run(SECOND);
        assert_eq!(world.sent_by(0, INITIATION).len(), renewed, "at {second} s");
        assert_eq!(world.numbers_at(0), [1]);
    }
}

#[test]
fn a_responder_whose_session_is_too_old_starts_a_handshake() {
    let mut world = World::new(1);
    world.connect(0);
    world.run(200 * SECOND);
    assert_eq!(world.send(1, 100, 1), Seal::Staged);
    world.run(SECOND);
    assert_eq!(world.sent_by(1, INITIATION).len(), 1);
    assert_eq!(world.numbers_at(0), [1]);
}

#[test]
fn a_dead_peer_gets_twenty_initiations_and_then_what_waits_is_dropped() {
    let mut world = World::new(1);
    world.ends[1].deaf = true;
    world.send(0, 100, 1);
    world.run(60 * SECOND);
    // A packet in between neither shortens nor lengthens the run.
    world.send(0, 100, 2);
    world.run(50 * SECOND);
    let initiations = world.sent_by(0, INITIATION);
    assert_eq!(initiations.len(), MAX_INITIATIONS as usize);
    for pair in initiations.windows(2) {
        let gap = pair[1].at - pair[0].at;
        assert!(
            (5 * SECOND..=5 * SECOND + Duration::from_millis(333)).contains(&gap),
            "{gap:?}"
        );
        assert_ne!(
            pair[0].datagram[8..40],
            pair[1].datagram[8..40],
            "each has its own ephemeral"
        );
    }
    assert!(world.has_event(0, |event| matches!(
        event,
        Event::HandshakeUnanswered { initiations: 3, .. }
    )));
    assert!(world.has_event(0, |event| matches!(
        event,
        Event::HandshakeFailed {
            cause: FailureCause::NoAnswer,
            ..
        }
    )));
    assert_eq!(world.drops(0), [("dropped_staged_flushed", 2)]);
    // Quiet until there is something to send again.
    world.run(300 * SECOND);
    assert_eq!(world.sent_by(0, INITIATION).len(), 20);
    world.ends[1].deaf = false;
    world.send(0, 100, 3);
    world.run(SECOND);
    assert_eq!(world.numbers_at(1), [3]);
}

/// Whether an end still has a session, be it too old.
fn has_keys(end: &End) -> bool {
    let peer = end.tunnel.peers.get(end.peer).unwrap();
    peer.sessions.current().is_some()
}

#[test]
fn a_session_ends_at_180_seconds_and_its_keys_at_540() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(SECOND);
    for end in 0..2 {
        assert_eq!(world.tunnel(end).indices.len(), 1);
    }
    world.run(178 * SECOND);
    assert!(!world.has_event(0, |event| matches!(event, Event::SessionExpired { .. })));
    world.run(2 * SECOND);
    for end in 0..2 {
        assert_eq!(
            world.count_events(end, |event| matches!(event, Event::SessionExpired { .. })),
            1
        );
    }
    world.run(358 * SECOND);
    for end in 0..2 {
        assert!(has_keys(&world.ends[end]), "539 s");
    }
    world.run(2 * SECOND);
    for end in 0..2 {
        assert!(!has_keys(&world.ends[end]), "541 s");
        let tunnel = &world.ends[end].tunnel;
        assert_eq!(tunnel.indices.len(), 0);
        assert_eq!(tunnel.next_timeout(), None);
    }
    // And all begins anew.
    world.send(1, 100, 2);
    world.run(SECOND);
    assert_eq!(world.numbers_at(0), [2]);
}

#[test]
fn keepalives_and_handshakes_tell_that_a_peer_is_there() {
    let keepalive = Setup {
        keepalive: crate::Interval::every(25),
        ..Setup::default()
    };
    let mut world = World::with(1, &keepalive, &Setup::default());
    let heard = |world: &World, end: usize| {
        let End { tunnel, peer, .. } = &world.ends[end];
        tunnel.last_received(*peer)
    };
    assert_eq!(heard(&world, 1), None);
    world.run(SECOND);
    let handshake = heard(&world, 1).expect("an initiation at least");
    assert!(heard(&world, 0).is_some(), "a response");
    // Nobody sends a packet.
    world.run(100 * SECOND);
    let keepalive = heard(&world, 1).expect("still");
    assert!(keepalive >= handshake + 75 * SECOND);
    // What anybody could send tells nothing.
    let replay = world.sent_by(0, KEEPALIVE).pop().expect("one").datagram;
    let mut forgery = replay.clone();
    forgery[20] ^= 1;
    for datagram in [replay, forgery] {
        world.inject(1, outer(0), &datagram);
    }
    assert_eq!(heard(&world, 1), Some(keepalive));
}

#[test]
fn a_persistent_keepalive_keeps_a_session_up() {
    let keepalive = Setup {
        keepalive: crate::Interval::every(25),
        ..Setup::default()
    };
    let mut world = World::with(1, &keepalive, &Setup::default());
    world.run(1000 * SECOND);
    // The first handshake starts by itself; every renewal is the work of the keepalives.
    let initiations = world.sent_by(0, INITIATION);
    assert_eq!(initiations[0].at, Duration::ZERO);
    assert!(
        (7..=9).contains(&initiations.len()),
        "{}",
        initiations.len()
    );
    let sent: Vec<_> = world
        .sent
        .iter()
        .filter(|sent| sent.by == 0)
        .map(|sent| sent.at)
        .collect();
    assert!(sent.windows(2).all(|pair| pair[1] - pair[0] <= 25 * SECOND));
    assert!(!world.has_event(0, |event| matches!(event, Event::SessionExpired { .. })));
    // Data pushes the next one out.
    world.sent.clear();
    for number in 0..100 {
        world.send(0, 100, number);
        world.run(SECOND);
    }
    // A renewed session is confirmed by a keepalive.
    let renewals = world.sent_by(0, INITIATION).len();
    assert_eq!(world.sent_by(0, KEEPALIVE).len(), renewals);
}

#[test]
fn two_ends_that_start_at_once_need_one_try() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.send(1, 100, 2);
    world.run(SECOND);
    assert_eq!(world.numbers_at(1), [1]);
    assert_eq!(world.numbers_at(0), [2]);
    for second in 0..300 {
        world.send(0, 100, second);
        world.send(1, 100, second);
        world.run(SECOND);
    }
    assert_eq!(world.numbers_at(0).len(), 301);
    assert_eq!(world.numbers_at(1).len(), 301);
    assert!(world.count_events(0, established) >= 2);
}

#[test]
fn an_initiation_that_came_too_soon_is_sent_when_it_may() {
    let mut world = World::new(1);
    // The responder's session is never confirmed, since the initiator does not hear the response.
    world.ends[0].deaf = true;
    world.connect(0);
    world.run(SECOND);
    assert_eq!(world.send(1, 100, 1), Seal::Staged);
    world.ends[0].deaf = false;
    world.run(10 * SECOND);
    assert_eq!(world.numbers_at(0), [1]);
}
