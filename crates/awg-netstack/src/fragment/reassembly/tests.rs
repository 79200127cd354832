use std::time::Duration;

use proptest::prelude::*;
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet};

use super::super::{Outgoing, Route, is_fragment};
use super::*;
use crate::memory::Packets;

const PEER: Peer = Peer(1);

fn reassembler() -> Reassembler {
    Reassembler::new(FragmentLimits::default())
}

/// `payload` in pieces, as our own sender cuts it.
fn cut(ipv6: bool, identification: u32, mtu: u16, payload: &[u8]) -> Vec<Vec<u8>> {
    let (source, destination) = if ipv6 {
        ("fd00::2", "2001:db8::1")
    } else {
        ("10.8.0.2", "192.0.2.1")
    };
    let route = Route {
        peer: PEER,
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        protocol: 17,
        mtu,
    };
    let mut outgoing = Outgoing::new(1 << 20, identification.wrapping_sub(1));
    outgoing.push(route, &[], payload).unwrap();
    let mut sink = Packets::default();
    outgoing.poll_transmit(&mut sink);
    sink.packets.into_iter().map(|(_, packet)| packet).collect()
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 % 251) as u8).collect()
}

fn check_whole(packet: &[u8], payload: &[u8]) {
    assert!(!is_fragment(packet));
    if packet[0] >> 4 == 4 {
        let packet = Ipv4Packet::new_checked(packet).unwrap();
        assert!(packet.verify_checksum());
        assert_eq!(usize::from(packet.total_len()), 20 + payload.len());
        assert_eq!(packet.next_header(), IpProtocol::Udp);
        assert_eq!(packet.payload(), payload);
    } else {
        let packet = Ipv6Packet::new_checked(packet).unwrap();
        assert_eq!(packet.next_header(), IpProtocol::Udp);
        assert_eq!(packet.payload(), payload);
    }
}

/// An IPv4 piece by hand.
fn ipv4_piece(identification: u16, offset: usize, more: bool, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend(((20 + body.len()) as u16).to_be_bytes());
    packet.extend(identification.to_be_bytes());
    packet.extend(((offset / 8) as u16 | if more { 0x2000 } else { 0 }).to_be_bytes());
    packet.extend([64, 17, 0, 0, 10, 0, 0, 2, 192, 0, 2, 1]);
    let sum = crate::checksum::internet(&packet);
    packet[10..12].copy_from_slice(&sum);
    packet.extend(body);
    packet
}

#[test]
fn whole_packets_are_not_fragments() {
    for ipv6 in [false, true] {
        assert!(!is_fragment(&cut(ipv6, 1, 1420, &bytes(100))[0]));
        let pieces = cut(ipv6, 1, 1280, &bytes(3000));
        assert_eq!(pieces.len(), 3);
        assert!(pieces.iter().all(|piece| is_fragment(piece)));
    }
    assert!(!is_fragment(&[]));
    assert!(!is_fragment(&[0x60; 7]));
}

#[test]
fn an_atomic_fragment_is_whole_and_touches_nothing_else() {
    let now = Instant::now();
    let mut reassembler = reassembler();
    let payload = bytes(3000);
    let pieces = cut(true, 9, 1280, &payload);
    assert!(reassembler.handle_fragment(now, PEER, &pieces[0]).is_none());
    // RFC 6946: same identification, offset 0, no more.
    let mut atomic = pieces[0].clone();
    atomic[43] = 0;
    let whole = reassembler.handle_fragment(now, PEER, &atomic).unwrap();
    check_whole(&whole, &pieces[0][48..]);
    assert!(reassembler.handle_fragment(now, PEER, &pieces[1]).is_none());
    let whole = reassembler.handle_fragment(now, PEER, &pieces[2]).unwrap();
    check_whole(&whole, &payload);
}

#[test]
fn headers_before_the_fragment_header_stay() {
    let mut options = vec![44, 0, 1, 4, 0, 0, 0, 0];
    let mut packet = vec![0x60, 0, 0, 0, 0, 8 + 8 + 16, 0, 64];
    packet.extend([0xfd; 32]);
    packet.append(&mut options);
    packet.extend([17, 0, 0, 1, 0, 0, 0, 5]);
    packet.extend([7; 16]);
    let mut last = packet.clone();
    last[51] = 16;
    let now = Instant::now();
    let mut reassembler = reassembler();
    assert!(reassembler.handle_fragment(now, PEER, &last).is_none());
    let whole = reassembler.handle_fragment(now, PEER, &packet).unwrap();
    let mut expected = packet[..48].to_vec();
    expected[40] = 17;
    expected[5] = 8 + 32;
    expected.extend([7; 32]);
    assert_eq!(whole, expected);
}

#[test]
fn overlap_ends_the_packet_and_what_still_comes_of_it() {
    let now = Instant::now();
    let mut reassembler = reassembler();
    let give = |reassembler: &mut Reassembler, offset, more, body: &[u8]| {
        reassembler.handle_fragment(now, PEER, &ipv4_piece(5, offset, more, body))
    };
    assert!(give(&mut reassembler, 0, true, &[1; 16]).is_none());
    assert!(give(&mut reassembler, 8, true, &[2; 16]).is_none());
    assert_eq!(reassembler.counters().refused, 1);
    assert!(give(&mut reassembler, 16, false, &[3; 8]).is_none());
    assert!(give(&mut reassembler, 0, true, &[1; 16]).is_none());
    assert_eq!(reassembler.counters().late, 2);
    assert_eq!(reassembler.held(), PACKET_OVERHEAD);
    reassembler.handle_timeout(now + FragmentLimits::default().age);
    assert_eq!(reassembler.held(), 0);
    assert_eq!(reassembler.counters().expired, 0);
}

#[test]
fn contradictions_are_refused() {
    type Pieces = &'static [(usize, bool, usize)];
    let cases: [Pieces; 6] = [
        // Two ends.
        &[(16, false, 8), (32, false, 8)],
        // More after the end.
        &[(16, false, 8), (24, true, 8)],
        // The last piece before another one.
        &[(32, true, 8), (16, false, 8)],
        // The same place, other bytes of another length.
        &[(0, true, 16), (0, true, 8)],
        // Inside another.
        &[(0, true, 24), (8, true, 8)],
        // The end of one that promises more.
        &[(8, false, 8), (8, true, 8)],
    ];
    for (index, case) in cases.iter().enumerate() {
        let mut reassembler = reassembler();
        for &(offset, more, length) in *case {
            let piece = ipv4_piece(1, offset, more, &vec![0; length]);
            let whole = reassembler.handle_fragment(Instant::now(), PEER, &piece);
            assert!(whole.is_none());
        }
        assert_eq!(reassembler.counters().refused, 1, "case {index}");
    }
}

#[test]
fn copies_are_ignored() {
    let now = Instant::now();
    let mut reassembler = reassembler();
    let payload = bytes(4000);
    let pieces = cut(false, 3, 1280, &payload);
    let mut whole = None;
    for piece in pieces[..3].iter().chain(&pieces[..3]).chain(&pieces[3..]) {
        assert!(whole.is_none());
        whole = reassembler.handle_fragment(now, PEER, piece);
    }
    check_whole(&whole.unwrap(), &payload);
    assert_eq!(reassembler.counters().refused, 0);
    assert_eq!(reassembler.held(), 0);
}

#[test]
fn packets_do_not_mix() {
    let now = Instant::now();
    let mut reassembler = reassembler();
    let payload = bytes(2000);
    let pieces = cut(false, 3, 1280, &payload);
    let others = cut(false, 4, 1280, &payload);
    assert!(reassembler.handle_fragment(now, PEER, &pieces[0]).is_none());
    assert!(reassembler.handle_fragment(now, PEER, &others[1]).is_none());
    // Another peer, same addresses and number.
    let other_peer = reassembler.handle_fragment(now, Peer(2), &pieces[1]);
    assert!(other_peer.is_none());
    assert!(reassembler.handle_fragment(now, PEER, &pieces[1]).is_some());
}

#[test]
fn age_is_bounded() {
    let now = Instant::now();
    let age = FragmentLimits::default().age;
    let mut reassembler = reassembler();
    let pieces = cut(false, 3, 1280, &bytes(2000));
    assert_eq!(reassembler.next_timeout(), None);
    reassembler.handle_fragment(now, PEER, &pieces[0]);
    assert_eq!(reassembler.next_timeout(), Some(now + age));
    reassembler.handle_timeout(now + age);
    assert_eq!(reassembler.counters().expired, 1);
    assert_eq!(reassembler.next_timeout(), None);
    assert_eq!(reassembler.held(), 0);
    let late = reassembler.handle_fragment(now + age, PEER, &pieces[1]);
    assert!(late.is_none());
}

#[test]
fn a_lost_timeout_call_does_not_stretch_the_age() {
    let now = Instant::now();
    let mut reassembler = reassembler();
    let pieces = cut(false, 3, 1280, &bytes(2000));
    reassembler.handle_fragment(now, PEER, &pieces[0]);
    let later = now + FragmentLimits::default().age;
    let whole = reassembler.handle_fragment(later, PEER, &pieces[1]);
    assert!(whole.is_none());
    assert_eq!(reassembler.counters().expired, 1);
}

#[test]
fn the_oldest_of_the_same_peer_gives_way() {
    let now = Instant::now();
    let mut reassembler = Reassembler::new(FragmentLimits {
        packets_per_peer: 2,
        ..FragmentLimits::default()
    });
    let neighbour = cut(false, 77, 1280, &bytes(2000));
    reassembler.handle_fragment(now, Peer(2), &neighbour[0]);
    let packets: Vec<_> = (0..3)
        .map(|id| cut(false, id, 1280, &bytes(2000)))
        .collect();
    for packet in &packets {
        reassembler.handle_fragment(now, PEER, &packet[0]);
    }
    assert_eq!(reassembler.counters().evicted, 1);
    assert!(
        reassembler
            .handle_fragment(now, PEER, &packets[2][1])
            .is_some()
    );
    assert!(
        reassembler
            .handle_fragment(now, PEER, &packets[1][1])
            .is_some()
    );
    assert!(
        reassembler
            .handle_fragment(now, PEER, &packets[0][1])
            .is_none()
    );
    assert!(
        reassembler
            .handle_fragment(now, Peer(2), &neighbour[1])
            .is_some()
    );
}

#[test]
fn bytes_are_bounded_per_peer_and_in_all() {
    let now = Instant::now();
    let limits = FragmentLimits {
        bytes_per_peer: 10_000,
        bytes: 15_000,
        ..FragmentLimits::default()
    };
    let mut reassembler = Reassembler::new(limits);
    for id in 0..50 {
        reassembler.handle_fragment(now, PEER, &ipv4_piece(id, 0, true, &[0; 1000]));
        assert!(reassembler.held() <= 10_000);
    }
    assert_eq!(reassembler.counters().evicted, 50 - 10_000 / 1340);
    for id in 0..50 {
        reassembler.handle_fragment(now, Peer(2), &ipv4_piece(id, 0, true, &[0; 1000]));
        assert!(reassembler.held() <= 15_000);
    }
    // What one peer holds is not the other's to take.
    let peer = &reassembler.peers[&PEER];
    assert_eq!(peer.packets.len(), 10_000 / 1340);

    let mut small = Reassembler::new(FragmentLimits {
        bytes: 500,
        ..FragmentLimits::default()
    });
    small.handle_fragment(now, PEER, &ipv4_piece(1, 0, true, &[0; 1000]));
    assert_eq!((small.counters().no_room, small.held()), (1, 0));
}

#[test]
fn pieces_of_a_packet_are_bounded() {
    let mut reassembler = reassembler();
    for index in 0..=PIECES {
        let piece = ipv4_piece(1, index * 16, true, &[0; 8]);
        reassembler.handle_fragment(Instant::now(), PEER, &piece);
    }
    assert_eq!(reassembler.counters().refused, 1);
}

#[test]
fn too_long_a_packet_is_refused() {
    let now = Instant::now();
    let mut reassembler = reassembler();
    let beyond = ipv4_piece(1, 65_528, false, &[0; 8]);
    reassembler.handle_fragment(now, PEER, &beyond);
    assert_eq!(reassembler.counters().malformed, 1);
    // The pieces fit, the header on top does not.
    let mut whole = None;
    for offset in (0..65_520).step_by(6552) {
        whole = reassembler.handle_fragment(
            now,
            PEER,
            &ipv4_piece(2, offset, offset + 6552 < 65_520, &[0; 6552]),
        );
    }
    assert!(whole.is_none());
    assert_eq!(reassembler.counters().refused, 1);
    assert_eq!(reassembler.held(), 0);
}

#[test]
fn a_forgotten_peer_leaves_nothing() {
    let now = Instant::now();
    let mut reassembler = reassembler();
    let pieces = cut(false, 3, 1280, &bytes(2000));
    reassembler.handle_fragment(now, PEER, &pieces[0]);
    reassembler.forget_peer(PEER);
    assert_eq!(reassembler.held(), 0);
    assert!(reassembler.handle_fragment(now, PEER, &pieces[1]).is_none());
    reassembler.handle_timeout(now + Duration::from_mins(1));
    assert!(reassembler.peers.is_empty());
}

proptest! {
    #[test]
    fn any_order_of_any_cut_gives_the_original(
        ipv6 in any::<bool>(),
        length in 1281usize..20_000,
        mtu in 576u16..1500,
        order in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let payload = bytes(length);
        let pieces = cut(ipv6, 1, mtu, &payload);
        prop_assume!(pieces.len() > 1);
        // A shuffle drawn from the seed, with one copy.
        let mut turn: Vec<usize> = (0..pieces.len()).collect();
        let mut state = seed | 1;
        for index in (1..turn.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            turn.swap(index, (state >> 33) as usize % (index + 1));
        }
        let copied = turn[order.index(turn.len() - 1)];
        turn.insert(1, turn[0]);
        let mut reassembler = reassembler();
        let now = Instant::now();
        let mut whole = None;
        for index in turn {
            prop_assert!(whole.is_none());
            whole = reassembler.handle_fragment(now, PEER, &pieces[index]);
        }
        check_whole(&whole.unwrap(), &payload);
        prop_assert_eq!(reassembler.held(), 0);
        // What comes after the whole begins anew and does harm to nothing.
        prop_assert!(reassembler.handle_fragment(now, PEER, &pieces[copied]).is_none());
    }

    #[test]
    fn random_packets_do_no_harm(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..40)) {
        let mut reassembler = reassembler();
        for mut packet in packets {
            if let Some(first) = packet.first_mut() {
                *first = if *first & 1 == 0 { 0x45 } else { 0x60 };
            }
            is_fragment(&packet);
            reassembler.handle_fragment(Instant::now(), PEER, &packet);
        }
        reassembler.handle_timeout(Instant::now() + Duration::from_mins(1));
        prop_assert_eq!(reassembler.held(), 0);
    }

    #[test]
    fn mutated_pieces_do_no_harm_and_the_books_balance(
        ipv6 in any::<bool>(),
        flips in prop::collection::vec((0usize..8, 0usize..64, any::<u8>(), any::<prop::sample::Index>()), 0..24),
    ) {
        let mut reassembler = reassembler();
        let now = Instant::now();
        let pieces = cut(ipv6, 1, 600, &bytes(4000));
        for (which, at, value, length) in flips {
            let mut piece = pieces[which % pieces.len()].clone();
            piece[at] = value;
            if piece[0] >> 4 == 4 {
                // Let it through to what is behind the checksum.
                piece[10..12].fill(0);
                let header = usize::from(piece[0] & 15) * 4;
                let sum = crate::checksum::internet(&piece[..header]);
                piece[10..12].copy_from_slice(&sum);
            }
            piece.truncate(length.index(piece.len()) + 1);
            if let Some(whole) = reassembler.handle_fragment(now, PEER, &piece) {
                prop_assert!(whole.len() <= 65_535 + 40);
            }
            let cost: usize = reassembler.peers.values().flat_map(|queue| &queue.packets).map(|packet| packet.cost).sum();
            prop_assert_eq!(cost, reassembler.held());
        }
    }
}
