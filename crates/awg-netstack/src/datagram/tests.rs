use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpAddress, Ipv4Packet, Ipv6Packet, UdpPacket, UdpRepr};

use super::*;
use crate::memory::Packets;

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

#[test]
fn idle_flows_end_after_two_minutes() {
    let now = Instant::now();
    let mut server = server();
    let (flow, _) = through(&mut server, now, "10.8.0.2:5000", "192.0.2.1:9").unwrap();
    assert_eq!(server.next_timeout(), Some(now + seconds(120)));
    assert!(ended(&mut server, now + seconds(119)).is_empty());
    // Either direction keeps it.
    let later = now + seconds(100);
    server.send(later, flow, at("192.0.2.1:9"), b"x").unwrap();
    assert!(ended(&mut server, now + seconds(120)).is_empty());
    assert_eq!(server.next_timeout(), Some(later + seconds(120)));
    through(
        &mut server,
        now + seconds(200),
        "10.8.0.2:5000",
        "192.0.2.1:9",
    )
    .unwrap();
    assert!(ended(&mut server, now + seconds(319)).is_empty());
    assert_eq!(ended(&mut server, now + seconds(320)), [flow]);
    assert_eq!(server.counters().expired, 1);
    assert_eq!(server.counters().flows, 0);
    assert_eq!(server.next_timeout(), None);
    let late = server.send(now, flow, at("192.0.2.1:9"), b"x");
    assert_eq!(late, Err(DatagramDrop::NoFlow));
    assert_eq!(server.counters().no_flow, 1);
}

#[test]
fn flows_that_only_ask_for_names_end_sooner() {
    let now = Instant::now();
    let mut server = server();
    let (only, _) = through(&mut server, now, "10.8.0.2:1", "192.0.2.1:53").unwrap();
    let (more, _) = through(&mut server, now, "10.8.0.2:2", "192.0.2.1:53").unwrap();
    through(&mut server, now, "10.8.0.2:2", "192.0.2.1:443").unwrap();
    let (ours, _) = give(&mut server, now, "10.8.0.2:1", "10.8.0.1:53", true).unwrap();
    server.send(now, only, at("192.0.2.1:53"), b"x").unwrap();
    server.send(now, ours, at("9.9.9.9:5353"), b"x").unwrap();
    assert!(ended(&mut server, now + seconds(29)).is_empty());
    let mut flows = ended(&mut server, now + seconds(30));
    flows.sort();
    assert_eq!(flows, [only, ours]);
    assert_eq!(ended(&mut server, now + seconds(120)), [more]);

    let mut rng = StdRng::from_seed([1; 32]);
    let mut client = client();
    let own = at("10.8.0.2:0").ip();
    let flow = client.open(now, PEER, own, &mut rng).unwrap();
    assert!(ended(&mut client, now + seconds(60)).is_empty());
    let asked = now + seconds(60);
    client.send(asked, flow, at("10.8.0.1:53"), b"x").unwrap();
    assert_eq!(client.next_timeout(), Some(asked + seconds(30)));
    assert_eq!(ended(&mut client, asked + seconds(30)), [flow]);
}

#[test]
fn time_costs_one_look_per_flow_and_period() {
    let now = Instant::now();
    let mut server = server();
    for port in 1000..1500 {
        let source = format!("10.8.0.2:{port}");
        through(&mut server, now, &source, "192.0.2.1:9").unwrap();
    }
    // A busy flow among them.
    for millisecond in 0..20_000 {
        let now = now + Duration::from_millis(millisecond);
        through(&mut server, now, "10.8.0.2:1000", "192.0.2.1:9").unwrap();
    }
    assert_eq!(server.timer_entries(), 500);
    assert_eq!(ended(&mut server, now + seconds(120)).len(), 499);
    assert_eq!(server.timer_entries(), 1);
}

#[test]
fn a_name_is_not_used_twice() {
    let now = Instant::now();
    let mut server = server();
    let (first, _) = through(&mut server, now, "10.8.0.2:1", "192.0.2.1:9").unwrap();
    assert!(server.close(first));
    assert!(!server.close(first));
    let (second, fresh) = through(&mut server, now, "10.8.0.2:1", "192.0.2.1:9").unwrap();
    assert!(fresh);
    assert_eq!(first.slot(), second.slot());
    assert_ne!(first, second);
    let stale = server.send(now, first, at("192.0.2.1:9"), b"x");
    assert_eq!(stale, Err(DatagramDrop::NoFlow));
    assert!(!server.close(first));
    assert_eq!(server.send(now, second, at("192.0.2.1:9"), b"x"), Ok(()));
    assert_eq!(server.counters().flows, 1);
}

#[test]
fn flows_are_bounded_per_peer_and_in_all() {
    let now = Instant::now();
    let mut server = Datagrams::new(
        MTU,
        true,
        DatagramLimits {
            flows: 5,
            flows_per_peer: 3,
            ..limits()
        },
        0,
    );
    let mut begin = |peer, port| {
        let (source, destination) = (
            SocketAddr::new(at("10.8.0.2:0").ip(), port),
            at("192.0.2.1:9"),
        );
        let bytes = message(source, destination, b"");
        server
            .handle_message(now, peer, source.ip(), destination.ip(), false, &bytes)
            .map(|received| received.flow)
    };
    let flows: Vec<_> = (1..=3).map(|port| begin(PEER, port).unwrap()).collect();
    assert_eq!(begin(PEER, 4), Err(Refused::FlowsFull));
    assert!(begin(Peer(1), 1).is_ok() && begin(Peer(1), 2).is_ok());
    assert_eq!(begin(Peer(1), 3), Err(Refused::FlowsFull));
    // Flows that are there go on.
    assert_eq!(begin(PEER, 1), Ok(flows[0]));
    assert_eq!(server.counters().flows_full, 2);
    let mut gone = Vec::new();
    server.forget_peer(PEER, |flow| gone.push(flow));
    gone.sort();
    assert_eq!(gone, flows);
    assert_eq!(server.counters().flows, 2);
    assert!(
        through(&mut server, now, "10.8.0.2:1", "192.0.2.1:9")
            .unwrap()
            .1
    );
}

#[test]
fn what_waits_to_leave_is_bounded() {
    let now = Instant::now();
    let mut server = server();
    let (flow, _) = through(&mut server, now, "10.8.0.2:1", "192.0.2.1:9").unwrap();
    let mut taken = 0;
    let full = loop {
        match server.send(now, flow, at("192.0.2.1:9"), &vec![0; 60_000]) {
            Ok(()) => taken += 1,
            Err(full) => break full,
        }
    };
    assert_eq!((taken, full), ((1 << 20) / 60_072, DatagramDrop::QueueFull));
    assert_eq!(server.counters().queue_full, 1);
    assert_eq!(server.counters().sent, taken);
}

#[test]
fn the_longest_datagrams() {
    let now = Instant::now();
    let mut server = server();
    for (source, remote, most) in [
        ("10.8.0.2:1", "192.0.2.1:9", 65_507),
        ("[fd00::2]:1", "[2001:db8::1]:9", 65_527),
    ] {
        let (flow, _) = through(&mut server, now, source, remote).unwrap();
        let payload = vec![1; most + 1];
        let over = server.send(now, flow, at(remote), &payload);
        assert_eq!(over, Err(DatagramDrop::TooLarge));
        server.send(now, flow, at(remote), &payload[1..]).unwrap();
        let packets = sent(&mut server);
        assert!(
            packets
                .iter()
                .all(|packet| packet.len() <= usize::from(MTU))
        );
    }
    assert_eq!(server.counters().too_large, 2);
}

#[test]
fn broken_datagrams_are_counted_by_what_is_wrong() {
    let now = Instant::now();
    let mut server = server();
    let (source, destination) = (at("10.8.0.2:1"), at("192.0.2.1:9"));
    let good = message(source, destination, b"payload");
    let changed = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    let mut give = |ipv6: bool, bytes: &[u8]| {
        let (from, to) = if ipv6 {
            (at("[fd00::2]:0").ip(), at("[fd00::3]:0").ip())
        } else {
            (source.ip(), destination.ip())
        };
        let result = server.handle_message(now, PEER, from, to, false, bytes);
        result.map(|received| received.payload.len())
    };
    // Short, longer than it is, shorter than its header, ports of 0.
    for bytes in [
        &good[..7],
        &[],
        &changed(5, 16)[..],
        &changed(5, 7),
        &changed(1, 0),
        &changed(3, 0),
    ] {
        assert_eq!(give(false, bytes), Err(Refused::Malformed));
    }
    assert_eq!(give(false, &changed(9, 0)), Err(Refused::Malformed));
    // Without a checksum: fine over IPv4, not over IPv6.
    let mut bare = changed(9, 0);
    bare[6..8].fill(0);
    assert_eq!(give(false, &bare), Ok(7));
    assert_eq!(give(true, &bare), Err(Refused::Malformed));
    assert_eq!(server.counters().malformed, 6);
    assert_eq!(server.counters().bad_checksum, 2);
    assert_eq!(server.counters().received, 1);
}

#[test]
fn a_checksum_of_zero_is_sent_as_its_other_spelling() {
    // Found by counting up: the payload word that makes the sum zero.
    let (source, destination) = (at("10.8.0.2:1"), at("192.0.2.1:9"));
    let zero = (0..=u16::MAX)
        .map(u16::to_be_bytes)
        .filter(|payload| {
            let header = header::seal(source, destination, payload).unwrap();
            header[6..] == [0xff, 0xff]
        })
        .collect::<Vec<_>>();
    assert_eq!(zero.len(), 1);
    let header = header::seal(source, destination, &zero[0]).unwrap();
    let mut bytes = header.to_vec();
    bytes.extend(zero[0]);
    assert!(Header::parse(source.ip(), destination.ip(), &bytes).is_ok());
}

#[test]
fn known_header() {
    // RFC 768, words by hand: c000 0201 + c000 0202 + 0011 + 000a, 0400 + 0035 + 000a, 6869.
    let sum = 0xc000u32 + 0x0201 + 0xc000 + 0x0202 + 0x11 + 0x0a + 0x0400 + 0x35 + 0x0a + 0x6869;
    let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
    let header = header::seal(at("192.0.2.1:1024"), at("192.0.2.2:53"), b"hi").unwrap();
    assert_eq!(header[..6], [4, 0, 0, 53, 0, 10]);
    assert_eq!(header[6..], sum.to_be_bytes());
}

#[test]
fn errors_about_our_datagrams() {
    let now = Instant::now();
    let mut rng = StdRng::from_seed([1; 32]);
    let mut client = client();
    let own = at("10.8.0.2:0").ip();
    let flow = client.open(now, PEER, own, &mut rng).unwrap();
    client
        .send(now, flow, at("192.0.2.1:9"), &[1; 1300])
        .unwrap();
    let (source, destination, _) = read(&sent(&mut client)[0]);
    let mut error = ReceivedError {
        report: Report::PortUnreachable,
        protocol: UDP,
        source,
        destination,
        sequence: None,
    };
    assert_eq!(client.handle_error(PEER, &error), Some(Blamed::Flow(flow)));
    assert_eq!(client.handle_error(PEER, &error), Some(Blamed::Nobody));
    assert_eq!(client.handle_error(Peer(1), &error), None);
    // A smaller link: what follows is cut to it.
    error.report = Report::TooBig { mtu: 600 };
    assert_eq!(client.handle_error(PEER, &error), Some(Blamed::Nobody));
    client.send(now, flow, destination, &[1; 1300]).unwrap();
    let refused = ReceivedError {
        report: Report::PortUnreachable,
        ..error
    };
    assert_eq!(
        client.handle_error(PEER, &refused),
        Some(Blamed::Flow(flow))
    );
    let lengths: Vec<usize> = sent(&mut client).iter().map(Vec::len).collect();
    assert_eq!(lengths, [596, 596, 20 + 1308 - 2 * 576]);
    // Never larger again.
    error.report = Report::TooBig { mtu: 9000 };
    client.handle_error(PEER, &error);
    assert_eq!(client.counters().mtu_lowered, 1);

    let mut server = server();
    let (flow, _) = through(&mut server, now, "10.8.0.2:1", "192.0.2.1:9").unwrap();
    let mut error = ReceivedError {
        source: at("192.0.2.1:9"),
        destination: at("10.8.0.2:1"),
        ..error
    };
    error.report = Report::TooBig { mtu: 1000 };
    server.handle_error(PEER, &error);
    server
        .send(now, flow, at("192.0.2.1:9"), &[1; 1300])
        .unwrap();
    assert_eq!(sent(&mut server).len(), 2);
    // Nobody waits for this one.
    error.report = Report::PortUnreachable;
    assert_eq!(server.handle_error(PEER, &error), Some(Blamed::Nobody));
}

proptest! {
    #[test]
    fn what_leaves_arrives(ipv6 in any::<bool>(), payload in prop::collection::vec(any::<u8>(), 0..5000), mtu in 1280u16..2000) {
        let now = Instant::now();
        let mut rng = StdRng::from_seed([1; 32]);
        let mut client = Datagrams::new(mtu, false, limits(), 7);
        let (own, remote) = if ipv6 { ("[fd00::2]:0", "[2001:db8::1]:9") } else { ("10.8.0.2:0", "192.0.2.1:9") };
        let (own, remote) = (at(own).ip(), at(remote));
        let flow = client.open(now, PEER, own, &mut rng).unwrap();
        client.send(now, flow, remote, &payload).unwrap();
        let mut reassembler = crate::fragment::Reassembler::new(crate::FragmentLimits::default());
        let mut whole = None;
        for packet in sent(&mut client) {
            prop_assert!(packet.len() <= usize::from(mtu));
            whole = if crate::fragment::is_fragment(&packet) {
                reassembler.handle_fragment(now, PEER, &packet)
            } else {
                Some(packet)
            };
        }
        let whole = whole.unwrap();
        let header = if ipv6 { 40 } else { 20 };
        let mut server = server();
        let received = server.handle_message(now, PEER, own, remote.ip(), false, &whole[header..]).unwrap();
        prop_assert_eq!(received.payload, &payload[..]);
        prop_assert_eq!(received.destination, remote);
    }

    #[test]
    fn random_messages_do_no_harm(ipv6 in any::<bool>(), own in any::<bool>(), accept in any::<bool>(), mut bytes in prop::collection::vec(any::<u8>(), 0..64), honest in any::<bool>()) {
        let mut datagrams = Datagrams::new(MTU, accept, limits(), 0);
        let (source, destination) = if ipv6 { ("[fd00::2]:0", "[fd00::1]:0") } else { ("10.8.0.2:0", "10.8.0.1:0") };
        let (source, destination) = (at(source).ip(), at(destination).ip());
        if honest && bytes.len() >= 8 {
            bytes[4] = 0;
            bytes[5] = bytes.len() as u8;
            bytes[6..8].fill(0);
            let sum = crate::checksum::transport(source, destination, UDP, &bytes);
            bytes[6..8].copy_from_slice(&sum);
        }
        let now = Instant::now();
        let fine = datagrams.handle_message(now, PEER, source, destination, own, &bytes).is_ok();
        prop_assert_eq!(datagrams.counters().received, u64::from(fine));
    }
}
