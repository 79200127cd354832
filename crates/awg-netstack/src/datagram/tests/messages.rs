//! What leaves, what does not, and what is wrong with what arrives.

use proptest::prelude::*;

use super::*;

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
