//! Handshakes that fail, and what is told about why.

use std::net::SocketAddr;
use std::time::Duration;

use super::link::{Faults, SECOND, Setup, World, outer};
use crate::{Event, FailureCause, PeerConfig, PresharedKey, PrivateKey, Seal};

fn failed(cause: FailureCause) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::HandshakeFailed { cause: told, .. } if *told == cause)
}

#[test]
fn a_clock_set_back_is_told_at_the_responder() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(10 * SECOND);
    // The initiator comes back with a clock from yesterday.
    world.restart(0, &Setup::default());
    world.ends[0].clock_back = Duration::from_secs(24 * 3600);
    assert_eq!(world.send(0, 100, 2), Seal::Staged);
    world.run(110 * SECOND);
    assert_eq!(world.numbers_at(1), [1]);
    assert_eq!(world.tunnel(1).counters().dropped_old_timestamp, 20);
    // Twenty times dropped, and told once a minute, of the right peer.
    assert_eq!(world.count_events(1, failed(FailureCause::OldTimestamp)), 2);
    let peer = world.ends[1].peer;
    assert!(world.has_event(1, |event| matches!(
        event,
        Event::HandshakeFailed { peer: Some(told), from: Some(from), cause: FailureCause::OldTimestamp }
            if *told == peer && *from == outer(0)
    )));
    assert!(world.has_event(0, failed(FailureCause::NoAnswer)));
    // The clock is right again: so is everything else.
    world.ends[0].clock_back = Duration::ZERO;
    world.send(0, 100, 3);
    world.run(SECOND);
    assert_eq!(world.numbers_at(1), [1, 3]);
}

fn with_preshared_key() -> Setup {
    Setup {
        preshared: Some(PresharedKey::from_bytes([1; 32])),
        ..Setup::default()
    }
}

fn given_up(event: &Event) -> bool {
    matches!(event, Event::InitiationsGivenUp { .. })
}

#[test]
fn the_end_of_every_run_is_told_even_where_its_cause_is_not() {
    let mut world = World::with(1, &with_preshared_key(), &Setup::default());
    for runs in 1..=3 {
        world.connect(0);
        world.run(120 * SECOND);
        assert_eq!(world.tunnel(0).counters().handshakes_failed, runs);
        assert_eq!(world.count_events(0, given_up), runs as usize);
    }
    // The cause was told with false responses; the minute's rule swallowed it at the ends of runs.
    let at_the_end = |event: &Event| matches!(event, Event::HandshakeFailed { from: None, .. });
    assert_eq!(world.count_events(0, at_the_end), 0);
    assert_eq!(world.count_events(1, given_up), 0);
}

#[test]
fn other_preshared_keys_are_told_at_both_ends() {
    let mut world = World::with(1, &with_preshared_key(), &Setup::default());
    world.send(0, 100, 1);
    world.run(120 * SECOND);
    assert_eq!(world.numbers_at(1), Vec::<u32>::new());
    assert!(world.has_event(0, failed(FailureCause::WrongPresharedKey)));
    // An answer came, so nobody is told that none did.
    assert!(!world.has_event(0, failed(FailureCause::NoAnswer)));
    assert!(!world.has_event(0, |event| matches!(
        event,
        Event::HandshakeUnanswered { .. }
    )));
    assert!(world.has_event(1, failed(FailureCause::NotConfirmed)));
    assert_eq!(world.tunnel(0).counters().dropped_response_forged, 20);
    // Put right while running, at one end.
    let peer = world.ends[0].peer;
    let now = world.now(0);
    let config = PeerConfig {
        endpoint: Some(outer(1).into()),
        allowed_ips: vec!["10.0.0.2/32".parse().unwrap()],
        ..PeerConfig::new(super::link::key(1).public_key())
    };
    world.tunnel(0).update_peer(now, peer, config).unwrap();
    world.send(0, 100, 2);
    world.run(SECOND);
    assert_eq!(world.numbers_at(1), [2]);
}

#[test]
fn a_peer_that_is_not_configured_is_told() {
    let mut world = World::new(1);
    let peer = world.ends[1].peer;
    assert!(world.tunnel(1).remove_peer(peer));
    world.send(0, 100, 1);
    world.run(30 * SECOND);
    assert_eq!(world.count_events(1, failed(FailureCause::UnknownPeer)), 1);
    assert_eq!(world.tunnel(1).counters().dropped_unknown_peer, 6);
    assert!(
        world.sent.iter().all(|sent| sent.by == 0),
        "a stranger gets no answer"
    );
}

#[test]
fn a_wrong_public_key_is_told_at_the_responder() {
    let mut world = World::new(1);
    let peer = world.ends[0].peer;
    world.tunnel(0).remove_peer(peer);
    let now = world.now(0);
    let stranger = PrivateKey::from_bytes([77; 32]).public_key();
    let config = PeerConfig {
        endpoint: Some(outer(1).into()),
        ..PeerConfig::new(stranger)
    };
    world.ends[0].peer = world.tunnel(0).add_peer(now, config).unwrap();
    world.send(0, 100, 1);
    world.run(30 * SECOND);
    assert_eq!(world.count_events(1, failed(FailureCause::Mac1)), 1);
    assert_eq!(world.tunnel(1).counters().dropped_mac1, 6);
    assert!(world.sent.iter().all(|sent| sent.by == 0));
}

#[test]
fn a_false_response_does_not_stop_the_true_one() {
    let mut world = World::new(1);
    world.faults = Faults {
        delay: SECOND..2 * SECOND,
        ..Faults::none()
    };
    world.send(0, 100, 1);
    // Somebody on the way knows the initiation and our public key: mac1 is right, the rest is not.
    let initiation = world.sent[0].datagram.clone();
    for forgery in 0..16 {
        let mut response = crate::message::Response([forgery; 92]);
        response.0[..4].copy_from_slice(&2u32.to_le_bytes());
        response.0[8..12].copy_from_slice(&initiation[4..8]);
        let public = world.tunnel(0).identity.public;
        let now = world.now(0).instant;
        crate::cookie::CookieJar::new(&public).authenticate(now, &mut response.0);
        assert_eq!(world.inject(0, outer(1), &response.0), (0, false));
    }
    assert_eq!(world.tunnel(0).counters().dropped_response_forged, 16);
    world.run(6 * SECOND);
    assert_eq!(world.numbers_at(1), [1]);
    assert_eq!(world.tunnel(0).counters().initiations_sent, 1);
}

#[test]
fn an_end_that_moves_is_followed() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(SECOND);
    let moved = "198.51.100.7:1234".parse().unwrap();
    world.ends[0].address = moved;
    // Nothing but an authentic message moves it.
    let strange: SocketAddr = "203.0.113.5:9".parse().unwrap();
    let mut forged = world
        .sent
        .iter()
        .rfind(|sent| sent.by == 0)
        .unwrap()
        .datagram
        .clone();
    assert_eq!(world.inject(1, strange, &forged), (0, false), "a copy");
    let last = forged.len() - 1;
    forged[8] = 200;
    forged[last] ^= 1;
    assert_eq!(world.inject(1, strange, &forged), (0, false), "a forgery");
    assert!(!world.has_event(1, |event| matches!(event, Event::PeerRoamed { .. })));
    world.send(0, 100, 2);
    world.run(SECOND);
    let peer = world.ends[1].peer;
    let told = Event::PeerRoamed {
        peer,
        from: outer(0),
        to: moved,
    };
    assert_eq!(world.count_events(1, |event| *event == told), 1);
    world.send(1, 100, 3);
    world.run(SECOND);
    assert_eq!(world.numbers_at(0), [3]);
    // A handshake says it as well.
    world.ends[1].address = "198.51.100.8:99".parse().unwrap();
    let now = world.now(1);
    world.run(200 * SECOND);
    assert!(world.now(1).instant > now.instant);
    world.send(1, 100, 4);
    world.run(SECOND);
    assert_eq!(world.numbers_at(0), [3, 4]);
    world.send(0, 100, 5);
    world.run(SECOND);
    assert_eq!(world.numbers_at(1), [1, 2, 5]);
}

#[test]
fn an_end_that_moves_with_every_packet_is_followed_and_told_once_a_minute() {
    let mut world = World::new(1);
    world.send(0, 100, 0);
    world.run(SECOND);
    let moved = |event: &Event| matches!(event, Event::PeerRoamed { .. });
    for number in 1..=50 {
        world.ends[0].address = SocketAddr::from(([198, 51, 100, 7], 1000 + number as u16));
        world.send(0, 100, number);
        world.run(SECOND / 10);
        assert_eq!(world.count_events(1, moved), 1);
    }
    let peer = world.ends[1].peer;
    let known = world.tunnel(1).peer_status(peer).unwrap().endpoint;
    assert_eq!(known, Some(world.ends[0].address.into()));
    world.run(60 * SECOND);
    world.ends[0].address = outer(0);
    world.send(0, 100, 51);
    world.run(SECOND);
    assert_eq!(world.count_events(1, moved), 2);
}

#[test]
fn a_hint_names_all_that_an_initiator_cannot_tell_apart() {
    let hint = FailureCause::NoAnswer.hint();
    for suspect in ["address", "port", "firewall", "keys", "H, S", "clock"] {
        assert!(hint.contains(suspect), "{suspect}");
    }
    assert!(FailureCause::OldTimestamp.hint().contains("initiator"));
}
