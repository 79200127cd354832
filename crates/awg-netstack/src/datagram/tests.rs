//! Whose flow a datagram belongs to. What ends flows, and what is wrong with datagrams, is in the files below.

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpAddress, Ipv4Packet, Ipv6Packet, UdpPacket, UdpRepr};

use super::*;
use crate::memory::Packets;

mod lifetimes;
mod messages;

const PEER: Peer = Peer(9);
const MTU: u16 = 1420;

fn limits() -> DatagramLimits {
    DatagramLimits {
        flows: 1000,
        flows_per_peer: 500,
        queue_bytes: 1 << 20,
        idle: Duration::from_mins(2),
        dns_idle: Duration::from_secs(30),
    }
}

fn server() -> Datagrams {
    Datagrams::new(MTU, true, limits(), 0)
}

fn client() -> Datagrams {
    Datagrams::new(MTU, false, limits(), 0)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A datagram as another stack writes it.
fn message(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 8 + payload.len()];
    let mut packet = UdpPacket::new_unchecked(&mut bytes);
    let repr = UdpRepr {
        src_port: source.port(),
        dst_port: destination.port(),
    };
    repr.emit(
        &mut packet,
        &IpAddress::from(source.ip()),
        &IpAddress::from(destination.ip()),
        payload.len(),
        |place| place.copy_from_slice(payload),
        &ChecksumCapabilities::default(),
    );
    bytes
}

/// Hands in a datagram that is for somebody else.
fn through(
    datagrams: &mut Datagrams,
    now: Instant,
    source: &str,
    destination: &str,
) -> Result<(FlowId, bool), Refused> {
    give(datagrams, now, source, destination, false)
}

fn give(
    datagrams: &mut Datagrams,
    now: Instant,
    source: &str,
    destination: &str,
    own: bool,
) -> Result<(FlowId, bool), Refused> {
    let (source, destination) = (at(source), at(destination));
    let bytes = message(source, destination, b"payload");
    let (from, to) = (source.ip(), destination.ip());
    let received = datagrams.handle_message(now, PEER, from, to, own, &bytes)?;
    assert_eq!(received.source, source);
    assert_eq!(received.destination, destination);
    assert_eq!(received.payload, b"payload");
    Ok((received.flow, received.fresh))
}

fn sent(datagrams: &mut Datagrams) -> Vec<Vec<u8>> {
    let mut sink = Packets::default();
    assert!(!datagrams.poll_transmit(&mut sink));
    assert!(sink.packets.iter().all(|(peer, _)| *peer == PEER));
    sink.packets.into_iter().map(|(_, packet)| packet).collect()
}

/// Ports and payload of a whole packet that left, its checksums verified by another implementation.
fn read(packet: &[u8]) -> (SocketAddr, SocketAddr, Vec<u8>) {
    let (source, destination, message): (IpAddr, IpAddr, &[u8]) = if packet[0] >> 4 == 4 {
        let packet = Ipv4Packet::new_checked(packet).unwrap();
        assert!(packet.verify_checksum());
        (
            packet.src_addr().into(),
            packet.dst_addr().into(),
            packet.payload(),
        )
    } else {
        let packet = Ipv6Packet::new_checked(packet).unwrap();
        (
            packet.src_addr().into(),
            packet.dst_addr().into(),
            packet.payload(),
        )
    };
    let datagram = UdpPacket::new_checked(message).unwrap();
    assert!(datagram.verify_checksum(&source.into(), &destination.into()));
    assert_ne!(datagram.checksum(), 0);
    (
        SocketAddr::new(source, datagram.src_port()),
        SocketAddr::new(destination, datagram.dst_port()),
        datagram.payload().to_vec(),
    )
}

fn ended(datagrams: &mut Datagrams, now: Instant) -> Vec<FlowId> {
    let mut flows = Vec::new();
    datagrams.handle_timeout(now, |flow| flows.push(flow));
    flows
}

#[test]
fn mapping_does_not_depend_on_the_destination() {
    let now = Instant::now();
    let mut server = server();
    let (flow, fresh) = through(&mut server, now, "10.8.0.2:5000", "192.0.2.1:3478").unwrap();
    assert!(fresh);
    let again = through(&mut server, now, "10.8.0.2:5000", "198.51.100.7:9").unwrap();
    assert_eq!(again, (flow, false));
    let other_port = through(&mut server, now, "10.8.0.2:5001", "192.0.2.1:3478").unwrap();
    assert_ne!(other_port.0, flow);
    assert!(other_port.1);
    // Another peer with the same address is another source.
    let bytes = message(at("10.8.0.2:5000"), at("192.0.2.1:3478"), b"");
    let (from, to) = (at("10.8.0.2:0").ip(), at("192.0.2.1:0").ip());
    let received = server
        .handle_message(now, Peer(1), from, to, false, &bytes)
        .unwrap();
    assert!(received.fresh);
    assert_eq!(server.counters().flows, 3);
}

#[test]
fn the_payload_is_a_part_of_the_packet() {
    let mut server = server();
    let (source, destination) = (at("10.8.0.2:5000"), at("192.0.2.1:9"));
    let mut bytes = message(source, destination, b"payload");
    bytes.extend(b"padding");
    let (from, to) = (source.ip(), destination.ip());
    let received = server
        .handle_message(Instant::now(), PEER, from, to, false, &bytes)
        .unwrap();
    assert!(std::ptr::eq(received.payload, &raw const bytes[8..15]));
}

#[test]
fn each_source_and_port_of_ours_is_a_flow() {
    let now = Instant::now();
    let mut server = server();
    let mut dns = |source| give(&mut server, now, source, "10.8.0.1:53", true).unwrap();
    let first = dns("10.8.0.2:5000");
    assert!(first.1);
    assert_eq!(dns("10.8.0.2:5000"), (first.0, false));
    assert_ne!(dns("10.8.0.2:5001").0, first.0);
    let (elsewhere, fresh) = through(&mut server, now, "10.8.0.2:5000", "192.0.2.1:53").unwrap();
    assert!(fresh && elsewhere != first.0);
    // The answer comes from where the question went.
    let upstream = at("9.9.9.9:53");
    server.send(now, first.0, upstream, b"answer").unwrap();
    let expected = (at("10.8.0.1:53"), at("10.8.0.2:5000"), b"answer".to_vec());
    assert_eq!(read(&sent(&mut server)[0]), expected);
}

#[test]
fn answers_come_from_whom_they_came() {
    let now = Instant::now();
    let mut server = server();
    let (flow, _) = through(&mut server, now, "10.8.0.2:5000", "192.0.2.1:9").unwrap();
    // From a third one as well: what reaches the mapped port is the peer's.
    for remote in ["192.0.2.1:9", "203.0.113.5:77", "[::ffff:203.0.113.6]:78"] {
        server.send(now, flow, at(remote), b"hello").unwrap();
    }
    let packets = sent(&mut server);
    let sources = ["192.0.2.1:9", "203.0.113.5:77", "203.0.113.6:78"];
    for (packet, source) in packets.iter().zip(sources) {
        let expected = (at(source), at("10.8.0.2:5000"), b"hello".to_vec());
        assert_eq!(read(packet), expected);
    }
    let wrong = server.send(now, flow, at("[2001:db8::1]:9"), b"hello");
    assert_eq!(wrong, Err(DatagramDrop::WrongFamily));
    assert_eq!(server.counters().wrong_family, 1);
}

#[test]
fn a_flow_opened_by_us_takes_what_comes_to_its_port() {
    let now = Instant::now();
    let mut rng = StdRng::from_seed([3; 32]);
    let mut client = client();
    let own = at("[fd00::2]:0").ip();
    let flow = client.open(now, PEER, own, &mut rng).unwrap();
    let dns = at("[fd00::1]:53");
    client.send(now, flow, dns, b"question").unwrap();
    let (source, destination, payload) = read(&sent(&mut client)[0]);
    assert_eq!(
        (source.ip(), destination, payload),
        (own, dns, b"question".to_vec())
    );
    assert!(PORTS.contains(&source.port()));
    let answer = message(dns, source, b"answer");
    let received = client
        .handle_message(now, PEER, dns.ip(), own, true, &answer)
        .unwrap();
    assert_eq!((received.flow, received.fresh), (flow, false));
    // Not from another peer, not to another port, not to another address.
    let from_other = client.handle_message(now, Peer(1), dns.ip(), own, true, &answer);
    assert_eq!(from_other, Err(Refused::PortUnreachable));
    let other = SocketAddr::new(own, source.port() ^ 1);
    let answer = message(dns, other, b"answer");
    let to_other = client.handle_message(now, PEER, dns.ip(), own, true, &answer);
    assert_eq!(to_other, Err(Refused::PortUnreachable));
    let elsewhere = through(&mut client, now, "10.8.0.1:5", "192.0.2.1:6");
    assert_eq!(elsewhere, Err(Refused::Elsewhere));
    assert_eq!(client.counters().unclaimed, 3);
}

#[test]
fn ports_are_drawn_and_never_shared() {
    let now = Instant::now();
    let mut rng = StdRng::from_seed([5; 32]);
    let mut client = client();
    let own = at("10.8.0.2:0").ip();
    let mut ports = std::collections::HashSet::new();
    for _ in 0..500 {
        let flow = client.open(now, PEER, own, &mut rng).unwrap();
        client.send(now, flow, at("10.8.0.1:9"), b"").unwrap();
    }
    for packet in sent(&mut client) {
        assert!(ports.insert(read(&packet).0.port()));
    }
    assert_eq!(ports.len(), 500);
    let full = client.open(now, PEER, own, &mut rng);
    assert_eq!(full, Err(OpenError::FlowsFull));
}
