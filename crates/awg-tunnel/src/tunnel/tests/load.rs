//! Under load: cookies, and what strangers learn.

use std::net::SocketAddr;
use std::time::Duration;

use super::link::{SECOND, Setup, World, outer};
use crate::cookie::CookieJar;
use crate::message::Initiation;
use crate::{Event, Now, PrivateKey, Tunnel, TunnelConfig};

fn force_load(world: &mut World, end: usize, time: Duration) {
    let until = world.now(end).instant + time;
    world.tunnel(end).gauge.force_until(until);
}

#[test]
fn a_cookie_lets_an_initiation_in_at_the_second_try() {
    let mut world = World::new(1);
    force_load(&mut world, 1, 60 * SECOND);
    world.send(0, 100, 1);
    world.run(SECOND);
    assert_eq!(world.numbers_at(1), Vec::<u32>::new());
    assert_eq!(world.sent_by(1, 64).len(), 1, "a cookie reply");
    assert_eq!(world.tunnel(0).counters().cookie_replies_received, 1);
    assert_eq!(world.tunnel(1).counters().dropped_without_cookie, 1);
    world.run(6 * SECOND);
    assert_eq!(world.numbers_at(1), [1]);
    assert_eq!(world.tunnel(1).counters().cookie_replies_sent, 1);
}

#[test]
fn an_initiator_under_load_asks_the_responder_for_a_cookie() {
    let mut world = World::new(1);
    force_load(&mut world, 0, 60 * SECOND);
    world.send(0, 100, 1);
    world.run(SECOND);
    assert_eq!(world.sent_by(0, 64).len(), 1);
    assert_eq!(world.tunnel(1).counters().cookie_replies_received, 1);
    world.run(6 * SECOND);
    assert_eq!(world.numbers_at(1), [1]);
}

#[test]
fn a_replayed_initiation_gets_no_cookie() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(SECOND);
    let initiation = world.sent_by(0, 148)[0].datagram.clone();
    force_load(&mut world, 1, 60 * SECOND);
    assert_eq!(
        world.inject(1, SocketAddr::from(([203, 0, 113, 1], 1)), &initiation),
        (0, false)
    );
    assert_eq!(world.tunnel(1).counters().dropped_initiation_replayed, 1);
    assert_eq!(world.tunnel(1).counters().cookie_replies_sent, 0);
    // Neither does a response that nobody waits for.
    let response = world.sent_by(1, 92)[0].datagram.clone();
    force_load(&mut world, 0, 60 * SECOND);
    assert_eq!(
        world.inject(0, SocketAddr::from(([203, 0, 113, 1], 1)), &response),
        (0, false)
    );
    assert_eq!(world.tunnel(0).counters().cookie_replies_sent, 0);
}

/// What was accepted before a restart is known by its timestamp once, and by itself from then on: copies make no load.
#[test]
fn replays_after_a_restart_get_no_cookie_however_many_they_are() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(SECOND);
    let accepted = world.events.iter().find_map(|(_, _, event)| match event {
        Event::InitiationAccepted { timestamp, .. } => Some(*timestamp),
        _ => None,
    });
    let initiation = world.sent_by(0, 148)[0].datagram.clone();
    let setup = Setup {
        last_timestamp: accepted,
        ..Setup::default()
    };
    world.restart(1, &setup);
    for _ in 0..1500 {
        assert_eq!(world.inject(1, outer(0), &initiation), (0, false));
    }
    let counters = world.tunnel(1).counters();
    assert_eq!(counters.dropped_old_timestamp, 1);
    assert_eq!(counters.dropped_initiation_replayed, 1499);
}

#[test]
fn a_replayed_cookie_reply_is_dropped() {
    let mut world = World::new(1);
    force_load(&mut world, 1, 2 * SECOND);
    world.send(0, 100, 1);
    world.run(SECOND);
    let reply = world.sent_by(1, 64)[0].datagram.clone();
    world.inject(0, outer(1), &reply);
    assert_eq!(world.tunnel(0).counters().cookie_replies_received, 1);
    assert_eq!(world.tunnel(0).counters().dropped_cookie_forged, 1);
}

/// A flood of well-formed initiations makes load by itself; who has a cookie still gets in.
#[test]
fn a_flood_is_answered_with_cookies_and_a_peer_gets_in() {
    let mut world = World::new(1);
    let public = world.tunnel(1).identity.public;
    let mut jar = CookieJar::new(&public);
    let mut answers = 0;
    let flood = |world: &mut World, jar: &mut CookieJar, count: u32, salt: u32| {
        let mut answers = 0;
        for number in 0..count {
            let mut noise = [0x55; 108];
            noise[..4].copy_from_slice(&number.to_le_bytes());
            noise[4..8].copy_from_slice(&salt.to_le_bytes());
            let mut initiation = Initiation::new(1, number, &noise);
            let now = world.now(1).instant;
            jar.authenticate(now, &mut initiation.0);
            let from = SocketAddr::from(((0x0a00_0000 + number).to_be_bytes(), 500));
            answers += world.inject(1, from, &initiation.0).0;
        }
        answers
    };
    let bound = TunnelConfig::new(
        PrivateKey::from_bytes([1; 32]),
        Setup::default().parameters,
        1420,
    )
    .initiation_rate;
    assert_eq!(flood(&mut world, &mut jar, bound, 0), 0);
    answers += flood(&mut world, &mut jar, 100, 1);
    assert_eq!(
        answers, 100,
        "each one above the bound gets a cookie reply and nothing else"
    );
    assert_eq!(
        world.tunnel(1).counters().dropped_initiation_forged,
        u64::from(bound)
    );
    world.sent.clear();
    world.send(0, 100, 1);
    for salt in 2..10 {
        world.run(SECOND);
        flood(&mut world, &mut jar, bound + 10, salt);
    }
    assert_eq!(world.numbers_at(1), [1]);
    assert_eq!(world.tunnel(0).counters().cookie_replies_received, 1);
}

#[test]
fn what_nobody_polls_is_bounded() {
    let now = Now {
        instant: std::time::Instant::now(),
        unix: Duration::from_secs(1),
    };
    let mut config = TunnelConfig::new(
        PrivateKey::from_bytes([1; 32]),
        Setup::default().parameters,
        1420,
    );
    config.limits.outbox = 10;
    config.initiation_rate = 0;
    let mut tunnel = Tunnel::new(config, [0; 32], now).unwrap();
    let mut jar = CookieJar::new(&tunnel.identity.public);
    for number in 0..30 {
        let mut initiation = Initiation::new(1, number, &[number as u8; 108]);
        jar.authenticate(now.instant, &mut initiation.0);
        tunnel.handle_datagram(now, outer(0), &mut initiation.0);
    }
    let mut datagram = Vec::new();
    let polled = std::iter::from_fn(|| tunnel.poll_transmit(now, &mut datagram)).count();
    assert_eq!(polled, 10);
    assert_eq!(tunnel.counters().dropped_outbox_full, 20);
}

#[test]
fn copies_are_no_load() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(SECOND);
    let initiation = world.sent_by(0, 148)[0].datagram.clone();
    for _ in 0..10_000 {
        world.inject(1, outer(0), &initiation);
    }
    let now = world.now(1).instant;
    assert!(!world.tunnel(1).gauge.is_loaded(now));
}
