//! Datagrams from somebody who wants to do harm: no answer, no effect, a counter.

use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use super::link::{Faults, SECOND, Setup, World, drops, outer, packet};
use crate::limits::{REJECT_AFTER_MESSAGES, REKEY_AFTER_MESSAGES};
use crate::{Event, Seal};

fn stranger() -> SocketAddr {
    "203.0.113.66:666".parse().unwrap()
}

fn total_drops(world: &World, end: usize) -> u64 {
    let tunnel = &world.ends[end].tunnel;
    let by_reason = drops(tunnel).iter().map(|(_, count)| count).sum();
    // Nothing is dropped here on the way out.
    assert_eq!(tunnel.counters().datagrams_dropped(), by_reason);
    by_reason
}

/// A conversation, and all its datagrams in order.
fn conversation(setup: &Setup) -> World {
    let mut world = World::with(5, setup, setup);
    for number in 0..4 {
        world.send(0, 100, number);
        world.send(1, 100, number);
        world.run(SECOND);
    }
    world
}

fn setups() -> [Setup; 2] {
    let parameters = awg_obfuscation::Parameters::from_settings([
        ("S1", "31"),
        ("S2", "77"),
        ("S3", "45"),
        ("S4", "23"),
        ("H1", "100-199"),
        ("H2", "200-299"),
        ("H3", "300-399"),
        ("H4", "400-499"),
    ])
    .unwrap();
    [
        Setup::default(),
        Setup {
            parameters,
            ..Setup::default()
        },
    ]
}

#[test]
fn a_recorded_conversation_has_no_effect_when_it_comes_again() {
    for setup in setups() {
        let mut world = conversation(&setup);
        let sent = world.sent.clone();
        let (delivered, events) = (world.delivered.len(), world.events.len());
        for round in 0..2 {
            for datagram in &sent {
                for end in 0..2 {
                    let before = total_drops(&world, end);
                    let result = world.inject(end, stranger(), &datagram.datagram);
                    assert_eq!(result, (0, false), "round {round}");
                    assert_eq!(total_drops(&world, end), before + 1);
                }
            }
        }
        assert_eq!(world.delivered.len(), delivered);
        let strange = |event: &Event| !matches!(event, Event::HandshakeFailed { .. });
        assert!(
            world.events[events..]
                .iter()
                .all(|(_, _, event)| !strange(event))
        );
        world.send(0, 100, 77);
        world.run(SECOND);
        assert!(world.numbers_at(1).contains(&77));
    }
}

#[test]
fn a_datagram_from_a_port_that_cannot_be_answered_does_not_move_its_peer() {
    let mut world = conversation(&Setup::default());
    let delivered = world.delivered.len();
    world.ends[0].address.set_port(0);
    world.send(0, 100, 5);
    world.run(SECOND);
    let server = &world.ends[1];
    assert_eq!(server.tunnel.counters().dropped_port_zero, 1);
    assert_eq!(world.delivered.len(), delivered);
    let status = server.tunnel.peer_status(server.peer).unwrap();
    assert_eq!(status.endpoint, Some(outer(0).into()));
}

#[test]
fn truncated_longer_and_flipped_datagrams_have_no_effect() {
    for setup in setups() {
        let mut world = World::with(6, &setup, &setup);
        // Nothing arrives by itself: this test hands it over, broken first.
        world.faults = Faults {
            delay: 1000 * SECOND..1001 * SECOND,
            ..Faults::none()
        };
        world.send(0, 100, 1);
        let mut step = 0;
        while step < world.sent.len() && step < 6 {
            let sent = world.sent[step].clone();
            let to = 1 - sent.by;
            let message = bare(sent.datagram.len(), &setup);
            let padding = sent.datagram.len() - message;
            // Without load mac2 is not looked at.
            let checked = match message {
                148 | 92 => sent.datagram.len() - 16,
                _ => sent.datagram.len(),
            };
            let mut broken = Vec::new();
            for length in 0..sent.datagram.len() {
                broken.push(sent.datagram[..length].to_vec());
            }
            let mut longer = sent.datagram.clone();
            longer.push(0);
            broken.push(longer);
            for byte in padding..checked {
                let mut flipped = sent.datagram.clone();
                flipped[byte] ^= 1 << (byte % 8);
                // A transport message's type word is not authenticated: any of its range will do.
                let in_range = byte < padding + 4
                    && to_word(&flipped, padding).is_some_and(|word| {
                        setup
                            .parameters
                            .headers
                            .iter()
                            .any(|range| range.contains(word))
                    });
                if !in_range {
                    broken.push(flipped);
                }
            }
            for datagram in broken {
                let before = total_drops(&world, to);
                assert_eq!(world.inject(to, outer(sent.by), &datagram), (0, false));
                assert_eq!(total_drops(&world, to), before + 1);
            }
            // The true one still works.
            let (answers, delivered) = world.inject(to, outer(sent.by), &sent.datagram);
            assert!(answers > 0 || delivered, "step {step}");
            step += 1;
        }
        assert_eq!(world.numbers_at(1), [1]);
    }
}

/// The message's size without padding, by the datagram's size.
fn bare(size: usize, setup: &Setup) -> usize {
    let parameters = &setup.parameters;
    let fits = |padding: u16, bare: usize| size == usize::from(padding) + bare;
    if fits(parameters.padding_initiation, 148) {
        148
    } else if fits(parameters.padding_response, 92) {
        92
    } else {
        size - usize::from(parameters.padding_transport)
    }
}

fn to_word(datagram: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*datagram.get(at..)?.first_chunk()?))
}

#[test]
fn random_datagrams_have_no_effect() {
    for setup in setups() {
        let mut world = conversation(&setup);
        let mut rng = StdRng::seed_from_u64(1);
        let words: Vec<u32> = setup
            .parameters
            .headers
            .iter()
            .map(|range| range.first())
            .collect();
        let paddings = [
            setup.parameters.padding_initiation,
            setup.parameters.padding_response,
            setup.parameters.padding_cookie_reply,
            setup.parameters.padding_transport,
        ];
        for round in 0..20_000 {
            let kind = round % 5;
            let size = match kind {
                0 => 148 + usize::from(paddings[0]),
                1 => 92 + usize::from(paddings[1]),
                2 => 64 + usize::from(paddings[2]),
                3 => 32 + usize::from(paddings[3]) + rng.random_range(0..200),
                _ => rng.random_range(0..2000),
            };
            let mut datagram = vec![0; size];
            rng.fill_bytes(&mut datagram);
            if let Some(word) = words.get(kind) {
                let at = usize::from(paddings[kind]);
                datagram[at..at + 4].copy_from_slice(&word.to_le_bytes());
            }
            let end = round % 2;
            let before = total_drops(&world, end);
            assert_eq!(world.inject(end, stranger(), &datagram), (0, false));
            assert_eq!(total_drops(&world, end), before + 1);
        }
    }
}

#[test]
fn an_authentic_peer_cannot_send_what_it_may_not() {
    let mut world = conversation(&Setup::default());
    let own = super::link::inner(0);
    let other = super::link::inner(1);
    let before = world.delivered.len();
    let mut long = packet(own, other, 100, 1);
    long[2..4].copy_from_slice(&101u16.to_be_bytes());
    long.truncate(96);
    let mut wrong_version = packet(own, other, 100, 1);
    wrong_version[0] = 0x75;
    for sent in [
        packet([10, 0, 0, 9].into(), other, 100, 1),
        long,
        wrong_version,
    ] {
        assert!(matches!(world.send_packet(0, &sent), Seal::Sealed { .. }));
    }
    world.run(SECOND);
    assert_eq!(world.delivered.len(), before);
    let counters = world.tunnel(1).counters();
    assert_eq!(counters.dropped_source_not_allowed, 1);
    assert_eq!(counters.dropped_packet_length, 1);
    assert_eq!(counters.dropped_not_ip, 1);
    // Padding after the packet does not come out.
    let mut short = packet(own, other, 100, 9);
    short[2..4].copy_from_slice(&50u16.to_be_bytes());
    world.send_packet(0, &short);
    world.run(SECOND);
    assert_eq!(world.delivered.last().unwrap().2, short[..50]);
}

#[test]
fn a_packet_above_the_mtu_is_neither_sent_nor_taken() {
    let mut world = conversation(&Setup::default());
    let big = packet(super::link::inner(0), super::link::inner(1), 1421, 1);
    assert_eq!(
        world.send_packet(0, &big),
        Seal::Dropped(crate::SendDrop::AboveMtu)
    );
    assert_eq!(world.tunnel(0).counters().dropped_sent_above_mtu, 1);
    // A peer with another MTU sends it all the same.
    world.tunnel(0).framings.0[0].mtu = 1500;
    assert!(matches!(world.send_packet(0, &big), Seal::Sealed { .. }));
    world.run(SECOND);
    assert_eq!(world.tunnel(1).counters().dropped_received_above_mtu, 1);
}

#[test]
fn a_session_is_renewed_by_count_and_ends_at_the_last_counter() {
    let mut world = conversation(&Setup::default());
    world.run(10 * SECOND);
    let set = |world: &mut World, end: usize, counter: u64| {
        let peer = world.ends[end].peer;
        let peer = world.tunnel(end).peers.get_mut(peer).unwrap();
        peer.sessions.current_mut().unwrap().set_counter(counter);
    };
    world.sent.clear();
    set(&mut world, 0, REKEY_AFTER_MESSAGES);
    world.send(0, 100, 50);
    world.run(Duration::from_millis(1));
    assert_eq!(world.sent_by(0, 148).len(), 1, "the message after 2^60");
    world.run(10 * SECOND);

    // The last counters that may be used.
    set(&mut world, 0, REJECT_AFTER_MESSAGES - 1);
    world.sent.clear();
    assert!(matches!(world.send(0, 100, 51), Seal::Sealed { .. }));
    assert_eq!(world.send(0, 100, 52), Seal::Staged);
    world.run(10 * SECOND);
    let numbers = world.numbers_at(1);
    assert!(numbers.ends_with(&[50, 51, 52]), "{numbers:?}");
    let last = world.sent[0].datagram[8..16].try_into().unwrap();
    assert_eq!(u64::from_le_bytes(last), REJECT_AFTER_MESSAGES - 1);

    // A peer that goes on is refused.
    let mut beyond = world
        .sent
        .iter()
        .rfind(|sent| sent.datagram.len() > 100 && sent.by == 0)
        .unwrap()
        .datagram
        .clone();
    beyond[8..16].copy_from_slice(&REJECT_AFTER_MESSAGES.to_le_bytes());
    world.inject(1, outer(0), &beyond);
    assert_eq!(world.tunnel(1).counters().dropped_counter_limit, 1);
}
