//! Streams in pieces: those of a peer that leaves gap after gap, or has them sorted without end, are broken off, and so are those that
//! nobody reads.

mod rogue;
mod wire;

use awg_netstack::Peer;
use rogue::{Forger, REQUEST, World, frame, packets, stack};

#[test]
fn streams_with_gap_after_gap_are_broken_off() {
    // So many bytes in so many frames of a packet, on one stream and on several.
    for (bytes, frames, streams) in [(1, 140, 1), (1, 140, 8), (1, 1, 1), (9, 1, 2)] {
        let mut world = World::new(1);
        let mut forger = Forger::new(&mut world);
        let mut sent = 0;
        while world.server.counters().carrier.flows_fragmented == 0 {
            let mut packet = Vec::new();
            for _ in 0..frames {
                let offset = 8 + sent / streams * (bytes + 1);
                let stream = 1 + (sent % streams) as u8;
                packet.extend(frame(stream, offset % 80_000, &vec![7; bytes as usize]));
                sent += 1;
            }
            forger.send(&mut world, &packet);
            world.serve();
            assert!(sent < 80_000, "{bytes} of {frames} on {streams}");
        }
        if frames > 1 {
            assert!(sent < 9_000 * streams, "{sent}");
        }
        let counters = world.server.counters().carrier;
        assert_eq!((counters.fragmented, counters.lost), (0, 0));
        world.converse();
    }
}

#[test]
fn a_frame_that_has_no_place_in_a_carrier_ends_it_for_a_while() {
    let mut world = World::new(3);
    let mut forger = Forger::new(&mut world);
    // CRYPTO, after the handshake, and behind a gap: QUIC would wait for more.
    forger.send(&mut world, &[0x06, 5, 1, 7]);
    world.serve();
    let counters = world.server.counters().carrier;
    assert_eq!(
        (counters.fragmented, counters.lost, counters.carriers),
        (1, 1, 1)
    );
    world.converse();
    assert_eq!(world.server.counters().carrier.flows, 0);
    // It calls again, and is not heard for a while.
    world.bad = stack([10, 0, 0, 3], world.now);
    world.pass(5_000, 0);
    assert!(!world.bad.is_carried(Peer(0)));
    for _ in 0..50 {
        world.pass(200, 0);
    }
    assert!(world.bad.is_carried(Peer(0)));
}

#[test]
fn small_pieces_in_order_are_no_harm_until_nobody_reads_more_than_a_window_of_them() {
    let mut world = World::new(2);
    let mut forger = Forger::new(&mut world);
    forger.send(&mut world, &frame(1, 0, REQUEST));
    world.serve();
    let flow = world.asked.pop().expect("it asks");
    let mut offset = REQUEST.len() as u32;
    let mut write = |world: &mut World, count: u32| {
        for _ in 0..count {
            forger.send(world, &frame(1, offset, &offset.to_be_bytes()[2..]));
            offset += 2;
            if offset % 1_000 == 1 {
                // What it may send.
                packets(&mut world.server, world.now);
            }
        }
        world.serve();
    };
    write(&mut world, 20_000);
    let now = world.now;
    world.server.accept(now, flow).expect("it waits");
    let mut received = Vec::new();
    while world.server.receive(flow, &mut |held| {
        received.extend_from_slice(held);
        held.len()
    }) > 0
    {}
    let sent: Vec<u8> = (0..20_000_u32)
        .flat_map(|number| (7 + 2 * number).to_be_bytes()[2..].to_vec())
        .collect();
    assert!(received == sent, "{} bytes", received.len());
    // As much as QUIC may hold, and as we hold ourselves.
    while world.server.counters().carrier.flows_fragmented == 0 {
        assert!(world.server.receivable(flow) <= 192 << 10);
        write(&mut world, 1_000);
    }
    let counters = world.server.counters().carrier;
    assert_eq!((counters.fragmented, counters.lost), (0, 0));
    assert_eq!(world.server.receive(flow, &mut <[u8]>::len), 0);
    world.converse();
}

#[test]
fn a_stream_that_is_sorted_without_end_is_broken_off_however_few_pieces_it_has_at_a_time() {
    let mut world = World::new(4);
    let mut forger = Forger::new(&mut world);
    forger.send(&mut world, &frame(1, 0, REQUEST));
    world.serve();
    let flow = world.asked.pop().expect("it asks");
    world.server.accept(world.now, flow).expect("it waits");
    let mut offset = REQUEST.len() as u32;
    let mut rounds = 0;
    while world.server.counters().carrier.flows_fragmented == 0 {
        // A thousand pieces behind a gap, which is filled then.
        for packet in 0..10_u32 {
            let piece = |at: u32| frame(1, offset + 1 + 2 * (100 * packet + at), b"x");
            let pieces: Vec<u8> = (0..100).flat_map(piece).collect();
            forger.send(&mut world, &pieces);
        }
        for part in 0..10 {
            forger.send(&mut world, &frame(1, offset + 200 * part, &[7; 200]));
        }
        offset += 2_000;
        world.serve();
        while world.server.receive(flow, &mut <[u8]>::len) > 0 {}
        packets(&mut world.server, world.now);
        rounds += 1;
        assert!(rounds < 1_000, "{:?}", world.server.counters().carrier);
    }
    assert!(rounds > 50, "{rounds}");
    assert_eq!(world.server.counters().carrier.lost, 0);
    world.converse();
}

#[test]
fn what_stands_behind_the_costly_pieces_of_a_packet_does_not_hide_them() {
    let mut world = World::new(9);
    let mut forger = Forger::new(&mut world);
    // So many streams may there be, without credit for more.
    for stranger in 2_u16..80 {
        let pieces = (0..107).flat_map(|piece| {
            let number = 107 * u32::from(stranger) + piece;
            frame(1, 8 + 2 * number, b"x")
        });
        // Empty frames of a stream that is new: too many of them are a burden of their own.
        let [high, low] = (0x4000 | (4 * stranger)).to_be_bytes();
        let strange = [0x0a, high, low, 0].repeat(65);
        let packet: Vec<u8> = pieces.chain(strange).collect();
        forger.send(&mut world, &packet);
        world.serve();
    }
    assert_eq!(world.server.counters().carrier.flows_fragmented, 1);
    assert_eq!(world.server.counters().carrier.lost, 0);
    world.converse();
}

#[test]
fn full_frames_that_bring_nothing_new_are_no_cheaper() {
    let mut world = World::new(10);
    let mut forger = Forger::new(&mut world);
    let pieces: Vec<u8> = (0..8_000)
        .flat_map(|piece| frame(1, 8 + 2 * piece, b"x"))
        .collect();
    for packet in pieces.chunks(130 * frame(1, 8, b"x").len()) {
        forger.send(&mut world, packet);
        world.serve();
    }
    assert_eq!(world.server.counters().carrier.flows_fragmented, 0);
    let mut sent = 0;
    while world.server.counters().carrier.flows_fragmented == 0 {
        forger.send(&mut world, &frame(1, 16_100, &[7; 1_200]));
        world.serve();
        packets(&mut world.server, world.now);
        sent += 1;
        // Before there are too many pieces.
        assert!(sent < 7_000, "{:?}", world.server.counters().carrier);
    }
    assert!(sent > 1_000, "{sent}");
    assert_eq!(world.server.counters().carrier.lost, 0);
    world.converse();
}

#[test]
fn of_many_streams_that_nobody_reads_some_end_and_not_the_carrier() {
    let mut world = World::new(11);
    let mut forger = Forger::new(&mut world);
    for stream in 1..=3 {
        forger.send(&mut world, &frame(stream, 0, REQUEST));
        world.serve();
        let flow = world.asked.pop().expect("it asks");
        world.server.accept(world.now, flow).expect("it waits");
    }
    let mut offset = REQUEST.len() as u32;
    while world.server.counters().carrier.flows_fragmented == 0 {
        for stream in 1..=3 {
            forger.send(&mut world, &frame(stream, offset, b"xx"));
        }
        offset += 2;
        if offset % 1_000 == 1 {
            packets(&mut world.server, world.now);
            world.serve();
        }
        assert!(offset < 100_000, "{:?}", world.server.counters().carrier);
    }
    let counters = world.server.counters().carrier;
    assert_eq!((counters.fragmented, counters.lost), (0, 0));
    world.converse();
}
