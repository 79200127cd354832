use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

const PLACES: u32 = 256;

/// What a system gives: one packet with all headers, and how it wants it cut.
struct Given {
    header: Vec<u8>,
    packet: Vec<u8>,
    start: usize,
    length: usize,
    segment: usize,
}

impl Given {
    fn new(ipv4: bool, protocol: u8, payload: usize, segment: usize) -> Self {
        let start = if ipv4 { 20 } else { 40 };
        let transport = if protocol == PROTOCOL_TCP { 32 } else { 8 };
        let length = start + transport;
        let mut packet = vec![0; length + payload];
        if ipv4 {
            packet[0] = 0x45;
            packet[4..6].copy_from_slice(&7_u16.to_be_bytes());
            packet[6] = 0x40;
            packet[8] = 64;
            packet[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        } else {
            packet[0] = 0x60;
            packet[7] = 64;
            packet[8..40].copy_from_slice(&std::array::from_fn::<u8, 32, _>(|at| at as u8));
        }
        let at = protocol_at(&packet);
        packet[at] = protocol;
        packet[start..start + 4].copy_from_slice(&[0x30, 0x39, 0, 80]);
        if protocol == PROTOCOL_TCP {
            // Near the end, so that it wraps.
            packet[start + 4..start + 8].copy_from_slice(&0xffff_f000_u32.to_be_bytes());
            packet[start + 8..start + 16].copy_from_slice(&[0, 0, 0, 9, 0x80, ACK, 1, 0]);
            packet[start + 20..start + 32].copy_from_slice(&[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
        }
        let checksum = if protocol == PROTOCOL_TCP { 16 } else { 6 };
        for (number, byte) in packet[length..].iter_mut().enumerate() {
            *byte = (number * 7 + number / 251) as u8;
        }
        let partial = Partial {
            start,
            offset: checksum,
        };
        let total = packet.len();
        set_lengths(&mut packet, start, total);
        set_partial_checksum(&mut packet, partial, total);
        let mut header = vec![0; HEADER];
        let kind = match (protocol, ipv4) {
            (PROTOCOL_UDP, _) => UDP,
            (_, true) => TCP4,
            (_, false) => TCP6,
        };
        write_header(&mut header, kind, length, segment, partial);
        Self {
            header,
            packet,
            start,
            length,
            segment,
        }
    }

    fn read(&self) -> Vec<u8> {
        [&self.header[..], &self.packet].concat()
    }

    fn cut(&self) -> (Packets, Vec<Packet>) {
        let mut packets = Packets::new(PLACES, 2048);
        let mut pieces = Vec::new();
        assert_eq!(cut(&self.read(), &mut packets, &mut pieces), 0);
        (packets, pieces)
    }
}

fn kinds() -> impl Iterator<Item = (bool, u8)> {
    [true, false]
        .into_iter()
        .flat_map(|ipv4| [PROTOCOL_TCP, PROTOCOL_UDP].map(|protocol| (ipv4, protocol)))
}

/// The transport's checksum as a receiver sees it once the rest is added: all ones if it is right.
fn seen_checksum(packet: &[u8], start: usize) -> u16 {
    let offset = if packet[protocol_at(packet)] == PROTOCOL_TCP {
        16
    } else {
        6
    };
    let mut complete = packet.to_vec();
    let mut transport = complete[start..].to_vec();
    if transport.len() % 2 == 1 {
        transport.push(0);
    }
    let whole = !fold(sum(&transport));
    complete[start + offset..start + offset + 2].copy_from_slice(&whole.to_be_bytes());
    let addresses = if is_ipv4(packet) {
        &packet[12..20]
    } else {
        &packet[8..40]
    };
    let mut transport = complete[start..].to_vec();
    let length = transport.len();
    if length % 2 == 1 {
        transport.push(0);
    }
    fold(sum(addresses) + u32::from(packet[protocol_at(packet)]) + length as u32 + sum(&transport))
}

#[test]
fn what_is_cut_are_packets_of_their_own() {
    for (ipv4, protocol) in kinds() {
        let mut given = Given::new(ipv4, protocol, 4_001, 1_000);
        if protocol == PROTOCOL_TCP {
            given.packet[given.start + 13] |= PSH | FIN | CWR;
        }
        let (packets, pieces) = given.cut();
        let sizes: Vec<_> = pieces
            .iter()
            .map(|piece| piece.len() - given.length)
            .collect();
        assert_eq!(sizes, [1_000, 1_000, 1_000, 1_000, 1]);
        for (number, piece) in pieces.iter().enumerate() {
            let bytes = packets.bytes(*piece);
            assert_eq!(
                bytes[given.length..],
                given.packet[given.length + 1_000 * number..][..sizes[number]]
            );
            assert_eq!(
                seen_checksum(bytes, given.start),
                0xffff,
                "{ipv4} {protocol} {number}"
            );
            if ipv4 {
                assert_eq!(usize::from(u16_at(bytes, 2)), bytes.len());
                assert_eq!(u16_at(bytes, 4), 7 + number as u16);
                assert_eq!(fold(sum(&bytes[..20])), 0xffff);
            } else {
                assert_eq!(usize::from(u16_at(bytes, 4)), bytes.len() - 40);
            }
            if protocol == PROTOCOL_TCP {
                assert_eq!(
                    u32_at(bytes, given.start + 4),
                    0xffff_f000_u32.wrapping_add(1_000 * number as u32)
                );
                let flags = bytes[given.start + 13];
                assert_eq!(flags & (PSH | FIN) != 0, number == 4);
                assert_eq!(flags & CWR != 0, number == 0);
            } else {
                assert_eq!(
                    usize::from(u16_at(bytes, given.start + 4)),
                    bytes.len() - given.start
                );
            }
        }
    }
}

#[test]
fn what_was_cut_is_joined_to_what_it_was() {
    for (ipv4, protocol) in kinds() {
        for payload in [2_000, 3_999, 40_000] {
            let given = Given::new(ipv4, protocol, payload, 1_000);
            let (packets, pieces) = given.cut();
            let mut head = Vec::new();
            let row = join(&pieces, &packets, &mut head);
            assert_eq!(
                row,
                Row {
                    count: pieces.len(),
                    headers: given.length
                }
            );
            let payload = pieces
                .iter()
                .flat_map(|piece| &packets.bytes(*piece)[row.headers..]);
            let joined: Vec<u8> = head.iter().chain(payload).copied().collect();
            assert!(joined == given.read(), "{ipv4} {protocol}");
            assert_eq!(given.segment, 1_000);
        }
    }
}

#[test]
fn a_row_ends_where_something_is_missing_or_different() {
    for (ipv4, protocol) in kinds() {
        let given = Given::new(ipv4, protocol, 10_000, 1_000);
        let tcp = protocol == PROTOCOL_TCP;
        let start = given.start;
        let changes: [(&str, usize, u8, usize); 7] = [
            ("another port", start + 1, 1, 5),
            ("another address", start - 1, 1, 5),
            ("another class", 1, 0x10, 5),
            ("a sequence number", start + 5, 1, if tcp { 5 } else { 10 }),
            ("another window", start + 14, 1, if tcp { 5 } else { 10 }),
            ("an option", start + 31, 1, if tcp { 5 } else { 10 }),
            ("a push ends it", start + 13, PSH, if tcp { 6 } else { 10 }),
        ];
        for (what, at, bit, count) in changes {
            let (mut packets, pieces) = given.cut();
            if !tcp && at > start + 4 && at < start + 8 {
                continue;
            }
            packets.bytes_mut(pieces[5])[at] ^= bit;
            assert_eq!(
                join(&pieces, &packets, &mut Vec::new()).count,
                count,
                "{what} {ipv4} {protocol}"
            );
        }
        let (packets, mut pieces) = given.cut();
        pieces.remove(5);
        assert_eq!(
            join(&pieces, &packets, &mut Vec::new()).count,
            if tcp { 5 } else { 9 }
        );
        pieces.swap(0, 1);
        assert_eq!(
            join(&pieces, &packets, &mut Vec::new()).count,
            if tcp { 1 } else { 9 }
        );
    }
}

#[test]
fn a_shorter_one_is_the_last_and_a_longer_one_begins_anew() {
    for (ipv4, protocol) in kinds() {
        let (mut packets, mut pieces) = Given::new(ipv4, protocol, 2_500, 1_000).cut();
        let again = Given::new(ipv4, protocol, 2_000, 1_000);
        assert_eq!(cut(&again.read(), &mut packets, &mut pieces), 0);
        assert_eq!(join(&pieces, &packets, &mut Vec::new()).count, 3);
        assert_eq!(join(&pieces[2..], &packets, &mut Vec::new()).count, 1);
    }
}

#[test]
fn what_is_no_row_passes_byte_by_byte() {
    let tcp = Given::new(true, PROTOCOL_TCP, 0, 1_000);
    let mut syn = tcp.packet.clone();
    syn[tcp.start + 13] = 2;
    let mut icmp = tcp.packet.clone();
    icmp[9] = 1;
    let mut fragment = Given::new(true, PROTOCOL_UDP, 700, 1_000).packet;
    fragment[6] = 0x20;
    for (packet, partial) in [
        (tcp.packet, true),
        (syn, true),
        (icmp, false),
        (fragment, false),
        (vec![0x45], false),
        (Vec::new(), false),
    ] {
        let mut header = vec![0; HEADER];
        if partial {
            write_header(
                &mut header,
                NONE,
                0,
                0,
                Partial {
                    start: 20,
                    offset: 16,
                },
            );
        }
        let read = [&header[..], &packet].concat();
        let mut packets = Packets::new(PLACES, 2048);
        let mut pieces = Vec::new();
        for _ in 0..2 {
            assert_eq!(cut(&read, &mut packets, &mut pieces), 0);
        }
        let mut head = Vec::new();
        assert_eq!(
            join(&pieces, &packets, &mut head),
            Row {
                count: 1,
                headers: 0
            }
        );
        assert_eq!([&head[..], packets.bytes(pieces[0])].concat(), read);
    }
}

#[test]
fn what_finds_no_place_is_counted() {
    let given = Given::new(true, PROTOCOL_TCP, 10_000, 1_000);
    let mut packets = Packets::new(4, 2048);
    let mut pieces = Vec::new();
    assert_eq!(cut(&given.read(), &mut packets, &mut pieces), 6);
    assert_eq!((pieces.len(), packets.held()), (4, 4));
    let large = Given::new(true, PROTOCOL_TCP, 3_000, 3_000);
    pieces.drain(..).for_each(|piece| packets.free(piece));
    assert_eq!(cut(&large.read(), &mut packets, &mut pieces), 1);
    assert_eq!(cut(&[1, 2, 3], &mut packets, &mut pieces), 1);
}

#[test]
fn mutated_packets_panic_nowhere() {
    let mut random = StdRng::seed_from_u64(7);
    for turn in 0..40_000 {
        let (ipv4, protocol) = kinds().nth(turn % 4).expect("four kinds");
        let mut read = Given::new(
            ipv4,
            protocol,
            random.random_range(0..3_000),
            random.random_range(1..1_500),
        )
        .read();
        for _ in 0..random.random_range(1..8) {
            let at = random.random_range(0..read.len().min(90));
            read[at] = random.random();
        }
        read.truncate(random.random_range(0..=read.len()));
        let mut packets = Packets::new(64, 2048);
        let mut pieces = Vec::new();
        cut(&read, &mut packets, &mut pieces);
        let mut rest = &pieces[..];
        while !rest.is_empty() {
            let row = join(rest, &packets, &mut Vec::new());
            assert!(
                rest[..row.count]
                    .iter()
                    .all(|piece| piece.len() >= row.headers)
            );
            rest = &rest[row.count..];
        }
    }
}
