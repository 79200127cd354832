//! A peer who does not keep to the carrier, beside one who does. Whatever the one sends, the other's carrier goes on. Streams in
//! pieces are `carrier_pieces.rs`'.

mod rogue;
mod wire;

use awg_netstack::{CarrierCounters, Event, Peer};
use rand::RngExt;
use rogue::{BAD, Forger, REQUEST, SERVER, World, packets, stack};

#[test]
fn a_frame_that_has_no_place_in_a_carrier_ends_it() {
    // CRYPTO with a gap, PATH_ACK, and a STREAM frame whose type takes more bytes than it needs and which is cut off.
    for frames in [
        &[6, 9, 1, 1][..],
        &[0x3e, 0, 0, 0, 0, 0],
        &[0x40, 0x0e, 4, 0, 9],
    ] {
        let mut world = World::new(3);
        let mut forger = Forger::new(&mut world);
        forger.send(&mut world, frames);
        world.converse();
        assert_eq!(world.server.counters().carrier.lost, 1, "{frames:?}");
    }
}

/// One run; what the server counted.
fn run(seed: u64) -> CarrierCounters {
    let mut world = World::new(seed);
    let harm = [20, 100, 400][seed as usize % 3];
    let mut flows = Vec::new();
    for _ in 0..100 {
        world.act(&mut flows);
        let millis = world.rng.random_range(0..40);
        world.pass(millis, harm);
    }
    world.converse();
    assert_eq!(world.bad.counters().carrier.panics, 0, "{seed}");
    world.server.counters().carrier
}

#[test]
fn whatever_one_peer_sends_the_other_goes_on() {
    let mut met = CarrierCounters::default();
    for seed in 0..60 {
        let counters = run(seed);
        met.panics += counters.panics;
        met.lost += counters.lost;
        met.bad_requests += counters.bad_requests;
        met.established += counters.established;
    }
    println!("{met:?}");
    assert_eq!(met.panics, 0);
    assert!(met.lost > 0 && met.established > 60);
}

#[test]
fn a_server_that_opens_streams_gets_no_flows_of_its_client() {
    // Bidirectional and unidirectional ones, the first and one far away.
    for stream in [[0x40, 1], [0x40, 3], [0x7f, 0xfd], [0x7f, 0xff]] {
        let mut world = World::new(5);
        let mut forger = Forger::back(&mut world);
        world.told.clear();
        let frames = [&[0x0a][..], &stream, &[REQUEST.len() as u8], REQUEST].concat();
        forger.send_back(&mut world, &frames);
        assert_eq!(world.bad.counters().carrier.half_open, 0);
        world.pass(1, 0);
        let of_another =
            |event: &&Event| matches!(event, Event::Requested { .. } | Event::Incoming { .. });
        assert_eq!(world.told.iter().find(of_another), None, "{:?}", world.told);
        // Its own flow ends with the connection, and another connection is made.
        let down = |event: &Event| matches!(event, Event::CarrierDown { .. });
        assert!(world.told.iter().any(down), "{:?}", world.told);
        let counters = world.bad.counters().carrier;
        assert_eq!((counters.flows, counters.lost), (0, 1));
        while !world.bad.is_carried(Peer(0)) {
            world.pass(100, 0);
        }
        world.converse();
    }
}

#[test]
fn another_version_is_answered_with_ours_and_disturbs_nothing() {
    let mut world = World::new(6);
    let forger = Forger::new(&mut world);
    let before = world.server.counters().carrier;
    for version in [1_u32, 2, 0x6177_6702, 0x0a0a_0a0a] {
        let mut datagram = vec![0xc0];
        datagram.extend(version.to_be_bytes());
        datagram.extend([4, 1, 2, 3, 4, 4, 5, 6, 7, 8]);
        datagram.resize(1_200, 0);
        let mut message = forger.ports.to_vec();
        message.extend((8 + datagram.len() as u16).to_be_bytes());
        message.extend([0, 0]);
        message.extend(datagram);
        let ends = [[10, 0, 0, 3], SERVER].concat();
        let mut packet = wire::packet(&ends, 17, message, 6);
        world.server.handle_packet(world.now, BAD, &mut packet);
        let answers = packets(&mut world.server, world.now).all_to(BAD);
        let [answer] = &answers[..] else {
            panic!("{} answers", answers.len());
        };
        // RFC 8999 section 6: no version, the IDs the other way around, and what is spoken.
        let quic = &answer[28..];
        assert_eq!(quic[0] & 0x80, 0x80);
        assert_eq!(quic[1..15], [0, 0, 0, 0, 4, 5, 6, 7, 8, 4, 1, 2, 3, 4]);
        assert!(quic.ends_with(&0x6177_6701_u32.to_be_bytes()));
    }
    let after = world.server.counters().carrier;
    assert_eq!(
        (after.lost, after.carriers, after.flows),
        (before.lost, before.carriers, before.flows)
    );
    world.pass(1, 0);
    assert!(world.bad.is_carried(Peer(0)));
    world.converse();
}

#[test]
fn a_first_packet_that_is_late_ends_nothing() {
    let mut world = World::new(7);
    Forger::new(&mut world);
    // One whose client has given up: nobody answers.
    let mut other = stack([10, 0, 0, 3], world.now);
    world.told.clear();
    for mut packet in packets(&mut other, world.now).all_to(Peer(0)) {
        world.server.handle_packet(world.now, BAD, &mut packet);
    }
    drop(packets(&mut world.server, world.now));
    for _ in 0..40 {
        world.pass(100, 0);
    }
    assert_eq!(
        world
            .told
            .iter()
            .find(|event| matches!(event, Event::Closed { .. } | Event::CarrierDown { .. })),
        None
    );
    assert!(world.bad.is_carried(Peer(0)));
    assert_eq!(world.server.counters().carrier.established, 2);
    let counters = world.server.counters().carrier;
    assert_eq!((counters.lost, counters.flows), (0, 1));
    world.converse();
}

#[test]
fn a_short_packet_of_a_former_connection_is_reset_though_there_is_another() {
    let mut world = World::new(8);
    let mut former = Forger::new(&mut world);
    world.bad = stack([10, 0, 0, 3], world.now);
    while !world.bad.is_carried(Peer(0)) {
        world.pass(1, 0);
    }
    let before = world.server.counters().carrier;
    world.pass(10, 0);
    former.send(&mut world, &[1]);
    let after = world.server.counters().carrier;
    assert_eq!(after.resets_sent, before.resets_sent + 1);
    assert!(world.bad.is_carried(Peer(0)));
    world.converse();
}

#[test]
fn who_is_closed_does_not_go_on_with_a_connection_begun_meanwhile() {
    let mut world = World::new(12);
    let mut forger = Forger::new(&mut world);
    // With names of its own, as after a restart.
    let mut other = stack([10, 0, 0, 4], world.now);
    for mut packet in packets(&mut other, world.now).all_to(Peer(0)) {
        world.server.handle_packet(world.now, BAD, &mut packet);
    }
    assert_eq!(world.server.counters().carrier.carriers, 2);
    // CRYPTO, which QUIC itself would take.
    forger.send(&mut world, &[6, 9, 1, 1]);
    let counters = world.server.counters().carrier;
    assert_eq!((counters.lost, counters.carriers), (1, 1));
    world.bad = other;
    world.pass(5_000, 0);
    assert!(!world.bad.is_carried(Peer(0)));
    for _ in 0..50 {
        world.pass(200, 0);
    }
    assert!(world.bad.is_carried(Peer(0)));
    world.converse();
}
