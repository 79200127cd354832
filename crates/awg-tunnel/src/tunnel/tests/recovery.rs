//! What a tunnel does for whoever notices before it that the way, or the other end, has changed.

use std::time::Duration;

use super::link::{End, SECOND, World};
use crate::Event;

const INITIATION: usize = 148;
const KEEPALIVE: usize = 32;

fn times(world: &World, size: usize) -> Vec<Duration> {
    let sent = world.sent_by(0, size);
    sent.iter().map(|sent| sent.at).collect()
}

#[test]
fn a_handshake_that_is_asked_for_begins_at_once_beside_the_session() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(10 * SECOND);
    world.handshake(0);
    assert_eq!(times(&world, INITIATION), [Duration::ZERO, 10 * SECOND]);
    // The session that there is shows where we are before the handshake is answered.
    assert_eq!(times(&world, KEEPALIVE), [10 * SECOND]);
    world.run(SECOND);
    assert!(world.has_event(0, |event| matches!(
        event,
        Event::SessionEstablished { rekey: true, .. }
    )));
}

#[test]
fn two_initiations_stay_apart_however_often_a_handshake_is_asked_for() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(10 * SECOND);
    world.handshake(0);
    for _ in 0..20 {
        world.run(SECOND / 10);
        world.handshake(0);
    }
    world.run(60 * SECOND);
    assert_eq!(
        times(&world, INITIATION),
        [Duration::ZERO, 10 * SECOND, 15 * SECOND]
    );
}

#[test]
fn every_initiation_without_an_answer_is_told() {
    let mut world = World::new(1);
    world.ends[1].deaf = true;
    world.connect(0);
    world.run(120 * SECOND);
    world.connect(0);
    world.run(6 * SECOND);
    let told: Vec<u32> = world
        .events
        .iter()
        .filter_map(|(_, _, event)| match event {
            Event::InitiationUnanswered { tries, .. } => Some(*tries),
            _ => None,
        })
        .collect();
    assert_eq!(told, (1..=21).collect::<Vec<_>>());
    // A session ends the row.
    world.ends[1].deaf = false;
    world.run(6 * SECOND);
    world.ends[1].deaf = true;
    world.run(10 * SECOND);
    world.handshake(0);
    world.run(6 * SECOND);
    let last = world
        .events
        .iter()
        .rev()
        .find_map(|(_, _, event)| match event {
            Event::InitiationUnanswered { tries, .. } => Some(*tries),
            _ => None,
        });
    assert_eq!(last, Some(1));
}

#[test]
fn a_clock_that_is_set_back_makes_no_initiation_look_like_a_replay() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    for hour in 1..=3 {
        world.run(10 * SECOND);
        world.ends[0].clock_back = Duration::from_hours(hour);
        world.handshake(0);
    }
    world.run(SECOND);
    assert_eq!(times(&world, INITIATION).len(), 4);
    assert_eq!(world.tunnel(1).counters().dropped_old_timestamp, 0);
    assert_eq!(world.tunnel(0).counters().sessions_established, 4);
}

#[test]
fn a_run_that_persists_is_never_given_up_and_keeps_what_waits() {
    let mut world = World::new(1);
    world.ends[1].deaf = true;
    let peer = world.ends[0].peer;
    world.ends[0].tunnel.persist(peer, true);
    world.send(0, 100, 1);
    world.run(300 * SECOND);
    assert!(!world.has_event(0, |event| matches!(event, Event::InitiationsGivenUp { .. })));
    let sent = times(&world, INITIATION);
    for pair in sent.windows(2) {
        let gap = pair[1] - pair[0];
        assert!((5 * SECOND..6 * SECOND).contains(&gap), "{gap:?}");
    }
    assert!(sent.len() > 50);
    world.ends[1].deaf = false;
    world.run(6 * SECOND);
    assert_eq!(world.numbers_at(1), [1]);
    // Without persistence the next run ends as the reference's does.
    world.ends[1].deaf = true;
    world.ends[0].tunnel.persist(peer, false);
    world.run(10 * SECOND);
    world.handshake(0);
    world.run(120 * SECOND);
    assert!(world.has_event(0, |event| matches!(event, Event::InitiationsGivenUp { .. })));
}

#[test]
fn a_peer_that_is_heard_after_packets_went_unanswered_is_told_of() {
    let heard_again = |event: &Event| matches!(event, Event::HeardAgain { .. });
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(SECOND / 10);
    world.send(1, 100, 2);
    world.run(SECOND);
    // An answer of this round trip is none of that kind, and neither is a packet that nothing waited for.
    world.send(1, 100, 2);
    world.send(0, 100, 3);
    world.run(SECOND / 10);
    world.send(1, 100, 4);
    world.run(SECOND);
    assert_eq!(world.count_events(0, heard_again), 0);
    world.ends[0].deaf = true;
    world.send(0, 100, 5);
    world.run(SECOND);
    world.ends[0].deaf = false;
    world.send(1, 100, 6);
    world.run(SECOND);
    assert_eq!(world.count_events(0, heard_again), 1);
}

#[test]
fn an_owner_sees_when_a_peer_was_heard_and_how_far_it_is() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    let contact = |world: &World, end: usize| {
        let End { tunnel, peer, .. } = &world.ends[end];
        tunnel.contact(*peer).unwrap()
    };
    assert!(contact(&world, 0).handshake_under_way);
    world.run(SECOND);
    let there = contact(&world, 0);
    assert!(!there.handshake_under_way);
    assert_eq!(there.round_trip, Some(Duration::from_millis(30)));
    assert_eq!(there.content, None);
    let heard = there.received;
    assert_eq!(there.handshake_heard, heard);
    world.send(1, 100, 2);
    world.run(SECOND);
    let here = contact(&world, 0);
    assert!(here.received > heard && here.content == here.received);
    assert!(here.received_bytes > there.received_bytes);
    assert_eq!(here.handshake_message, there.handshake_message);
}
