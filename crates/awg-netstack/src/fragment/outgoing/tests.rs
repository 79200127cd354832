use smoltcp::wire::{Ipv4Packet, Ipv6Packet};

use super::*;
use crate::memory::Packets;

fn route(source: &str, destination: &str, mtu: u16) -> Route {
    Route {
        peer: Peer(3),
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        protocol: 17,
        mtu,
    }
}

fn sent(outgoing: &mut Outgoing) -> Vec<Vec<u8>> {
    let mut sink = Packets::default();
    assert!(!outgoing.poll_transmit(&mut sink));
    assert!(sink.packets.iter().all(|(peer, _)| *peer == Peer(3)));
    sink.packets.into_iter().map(|(_, packet)| packet).collect()
}

#[test]
fn a_small_message_is_one_plain_packet() {
    let mut outgoing = Outgoing::new(4096, 41);
    outgoing
        .push(route("10.0.0.1", "10.0.0.2", 1420), b"head", b"body")
        .unwrap();
    outgoing
        .push(route("fd00::1", "fd00::2", 1420), b"head", b"")
        .unwrap();
    let packets = sent(&mut outgoing);
    let ipv4 = Ipv4Packet::new_checked(&packets[0]).unwrap();
    assert_eq!(ipv4.header_len(), 20);
    assert_eq!(ipv4.total_len(), 28);
    assert_eq!(ipv4.ident(), 42);
    assert!(!ipv4.dont_frag() && !ipv4.more_frags());
    assert_eq!(ipv4.hop_limit(), 64);
    assert!(ipv4.verify_checksum());
    assert_eq!(ipv4.payload(), b"headbody");
    let mut expected = vec![0x60, 0, 0, 0, 0, 4, 17, 64];
    expected.extend("fd00::1".parse::<Ipv6Addr>().unwrap().octets());
    expected.extend("fd00::2".parse::<Ipv6Addr>().unwrap().octets());
    expected.extend(b"head");
    assert_eq!(packets[1], expected);
    assert!(outgoing.is_empty());
}

#[test]
fn known_ipv4_header() {
    let mut outgoing = Outgoing::new(4096, 0x1233);
    outgoing
        .push(route("192.0.2.1", "192.0.2.2", 1420), &[], &[1, 2])
        .unwrap();
    let words = [
        0x4500u32, 0x0016, 0x1234, 0, 0x4011, 0xc000, 0x0201, 0xc000, 0x0202,
    ];
    let sum: u32 = words.iter().sum();
    let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
    let packet = sent(&mut outgoing).remove(0);
    assert_eq!(packet[10..12], sum.to_be_bytes());
    assert_eq!(packet[..10], [0x45, 0, 0, 22, 0x12, 0x34, 0, 0, 64, 17]);
    assert_eq!(packet[12..], [192, 0, 2, 1, 192, 0, 2, 2, 1, 2]);
}

#[test]
fn cuts_are_as_large_as_the_mtu_allows() {
    let payload: Vec<u8> = (0..3000u32).map(|i| i as u8).collect();
    let mut outgoing = Outgoing::new(1 << 16, 7);
    outgoing
        .push(route("10.0.0.1", "10.0.0.2", 1420), &[], &payload)
        .unwrap();
    let packets = sent(&mut outgoing);
    // 1400 = 175 units of 8.
    let lengths: Vec<usize> = packets.iter().map(Vec::len).collect();
    assert_eq!(lengths, [1420, 1420, 220]);
    for (index, packet) in packets.iter().enumerate() {
        let packet = Ipv4Packet::new_checked(packet).unwrap();
        assert!(packet.verify_checksum());
        assert_eq!(packet.ident(), 8);
        assert_eq!(packet.frag_offset(), index as u16 * 1400);
        assert_eq!(packet.more_frags(), index < 2);
    }

    outgoing
        .push(route("fd00::1", "fd00::2", 1420), &[], &payload)
        .unwrap();
    let packets = sent(&mut outgoing);
    // 1372 bytes of room, 171 units.
    let lengths: Vec<usize> = packets.iter().map(Vec::len).collect();
    assert_eq!(lengths, [48 + 1368, 48 + 1368, 48 + 264]);
    for (index, packet) in packets.iter().enumerate() {
        let packet = Ipv6Packet::new_checked(packet).unwrap();
        let more = u16::from(index < 2);
        let field = ((index as u16 * 1368) | more).to_be_bytes();
        let expected = [17, 0, field[0], field[1], 0, 0, 0, 9];
        assert_eq!(packet.payload()[..8], expected);
    }
}

#[test]
fn a_full_sink_is_continued_where_it_stopped() {
    let payload: Vec<u8> = (0..5000u32).map(|i| (i * 7) as u8).collect();
    let mut outgoing = Outgoing::new(1 << 16, 7);
    outgoing
        .push(route("10.0.0.1", "10.0.0.2", 1280), &[], &payload)
        .unwrap();
    let mut body = Vec::new();
    for turn in 1.. {
        let mut sink = Packets {
            room: Some(1),
            ..Packets::default()
        };
        let again = outgoing.poll_transmit(&mut sink);
        assert_eq!(sink.packets.len(), 1);
        body.extend_from_slice(&sink.packets[0].1[20..]);
        if !again {
            assert_eq!(turn, 4);
            break;
        }
    }
    assert_eq!(body, payload);
}

#[test]
fn it_is_bounded_and_gives_its_memory_back() {
    let mut outgoing = Outgoing::new(1 << 20, 0);
    let to = route("10.0.0.1", "10.0.0.2", 1420);
    let mut taken = 0usize;
    while outgoing.push(to, &[], &[0; 1000]).is_ok() {
        taken += 1;
    }
    assert_eq!(taken, (1 << 20) / 1064);
    assert_eq!(outgoing.waiting(), taken * 1000);
    assert_eq!(sent(&mut outgoing).len(), taken);
    assert!(outgoing.bytes.capacity() <= KEPT);

    let mut empty = 0;
    while outgoing.push(to, &[], &[]).is_ok() {
        empty += 1;
    }
    assert_eq!(empty, (1 << 20) / OVERHEAD);
    assert_eq!(sent(&mut outgoing).len(), empty);
}
