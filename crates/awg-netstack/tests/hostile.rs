//! Packets that nobody should send: random ones, and true ones with bytes changed and their checksums made right again,
//! so that they get past the first look. Nothing may panic, and nothing may stay behind once time has passed.

mod wire;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use awg_netstack::{Event, Kind, Limits, Peer, Rejection, Stack, StackConfig};
use proptest::prelude::*;
use wire::{ICMP, ICMPV6, Packets, TCP, UDP};

const PEER: Peer = Peer(1);
const MTU: u16 = 1280;

fn stack(addresses: [&str; 2], accept: bool, now: Instant) -> Stack {
    let config = StackConfig {
        addresses: addresses
            .map(|text| text.parse().expect("an address"))
            .to_vec(),
        mtu: MTU,
        accept: accept.into(),
        limits: Limits::default(),
    };
    Stack::new(config, [7; 32], now)
}

fn server(now: Instant) -> Stack {
    stack(["10.0.0.1", "fd00::1"], true, now)
}

fn sent(stack: &mut Stack, now: Instant) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    loop {
        let mut sink = Packets::with_room(512);
        let more = stack.poll_transmit(now, &mut sink);
        packets.append(&mut sink.all_to(PEER));
        assert!(
            packets
                .iter()
                .all(|packet| packet.len() <= usize::from(MTU))
        );
        if !more {
            return packets;
        }
        assert!(packets.len() < 100_000, "it never stops sending");
    }
}

/// Takes the events as an embedder does: every other flow is accepted, its bytes are echoed.
fn serve(stack: &mut Stack, now: Instant) {
    let mut turn = 0;
    while let Some(event) = stack.poll_event() {
        match event {
            Event::Incoming {
                flow,
                kind: Kind::Tcp,
                ..
            } => {
                turn += 1;
                if turn % 2 == 0 {
                    stack.reject(now, flow, Rejection::HostUnreachable);
                } else {
                    let _ = stack.accept(now, flow);
                }
            }
            Event::Readable { flow } => while stack.receive(flow, &mut <[u8]>::len) > 0 {},
            Event::Established { flow } => {
                stack.send(flow, &mut |place| place.len().min(100));
            }
            Event::Finished { flow } => stack.shutdown(flow),
            _ => {}
        }
    }
}

/// One packet of every sort, as a true stack sends them.
fn samples(now: Instant) -> Vec<Vec<u8>> {
    let mut client = stack(["10.0.0.2", "fd00::2"], false, now);
    let mut server = server(now);
    let mut samples = Vec::new();
    for (own, remote) in [("10.0.0.2", "192.0.2.1:9"), ("fd00::2", "[2001:db8::1]:9")] {
        let remote: SocketAddr = remote.parse().expect("a socket address");
        let own = own.parse().expect("an address");
        client.connect(now, PEER, Some(own), remote).expect("room");
        let flow = client
            .open_datagrams(now, PEER, Some(own), remote.ip())
            .expect("room");
        for length in [20, 3000] {
            client
                .send_datagram(now, flow, remote, &vec![1; length])
                .expect("room");
        }
    }
    for _ in 0..4 {
        for mut packet in sent(&mut client, now) {
            samples.push(packet.clone());
            server.handle_packet(now, PEER, &mut packet);
        }
        serve(&mut server, now);
        for mut packet in sent(&mut server, now) {
            samples.push(packet.clone());
            client.handle_packet(now, PEER, &mut packet);
        }
    }
    // Errors about our packets, and pings.
    let quoted = samples[0].clone();
    let mut error = vec![3, 1, 0, 0, 0, 0, 0, 0];
    error.extend(quoted);
    let ping = vec![8, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8];
    let addresses = [10, 0, 0, 2, 10, 0, 0, 1];
    for message in [error, ping] {
        samples.push(wire::packet(&addresses, ICMP, message, 2));
    }
    samples
}

/// Makes the checksums of a packet right, where it has the form that they need.
fn mend(packet: &mut [u8]) {
    let Some(version) = packet.first().map(|byte| byte >> 4) else {
        return;
    };
    let (addresses, protocol, start) = if version == 4 {
        let start = usize::from(packet[0] & 15) * 4;
        if start < 20 || packet.len() < start {
            return;
        }
        packet[10..12].fill(0);
        let sum = wire::checksum(&packet[..start]);
        packet[10..12].copy_from_slice(&sum);
        (packet[12..20].to_vec(), packet[9], start)
    } else {
        if packet.len() < 40 {
            return;
        }
        (packet[8..40].to_vec(), packet[6], 40)
    };
    let message = &mut packet[start..];
    let at = match protocol {
        TCP => 16,
        UDP => 6,
        ICMP | ICMPV6 => 2,
        _ => return,
    };
    if message.len() < at + 2 {
        return;
    }
    message[at..at + 2].fill(0);
    let sum = wire::transport(&addresses, protocol, message);
    message[at..at + 2].copy_from_slice(&sum);
}

/// Hands packets in one by one, lives with what they did, and lets time pass.
fn endure(packets: Vec<Vec<u8>>) -> Stack {
    let mut now = Instant::now();
    let mut stack = server(now);
    for mut packet in packets {
        stack.handle_packet(now, PEER, &mut packet);
        serve(&mut stack, now);
        sent(&mut stack, now);
        now += Duration::from_millis(1);
    }
    let last = now;
    let end = now + Duration::from_hours(1);
    let mut wakes = 0;
    while let Some(next) = stack.next_timeout().filter(|next| *next <= end) {
        now = now.max(next);
        wakes += 1;
        assert!(wakes < 100_000, "it never rests");
        stack.handle_timeout(now, |_| Some(last));
        serve(&mut stack, now);
        sent(&mut stack, now);
    }
    stack
}

#[test]
fn the_samples_are_what_they_seem() {
    let now = Instant::now();
    let samples = samples(now);
    let of = |version: u8, protocol: u8| {
        let at = if version == 4 { 9 } else { 6 };
        samples
            .iter()
            .any(|packet| packet[0] >> 4 == version && packet[at] == protocol)
    };
    assert!(of(4, 6) && of(4, 17) && of(4, 1) && of(6, 6) && of(6, 17) && of(6, 44));
    let mut mended = samples.clone();
    for packet in &mut mended {
        let fragment = packet[0] >> 4 == 4 && packet[6] & 0x3f | packet[7] != 0;
        if !fragment {
            mend(packet);
        }
    }
    let taken = endure(mended).counters();
    assert_eq!(
        taken.malformed + taken.tcp.malformed + taken.icmp.malformed,
        0
    );
    assert_eq!(taken.datagrams.malformed + taken.datagrams.bad_checksum, 0);
}

/// A segment that its own IP header cuts short, beside one that is whole.
#[test]
fn lengths_that_contradict_each_other() {
    let samples = samples(Instant::now());
    for whole in &samples {
        for short in &samples {
            let mut short = short.clone();
            short[3] = 46;
            mend(&mut short);
            let left = endure(vec![whole.clone(), short]).counters();
            assert_eq!((left.datagrams.flows, left.tcp.flows), (0, 0));
        }
    }
}

proptest! {
    // What fails becomes a test of its own, with a name.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_packets(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..50), versions in any::<u64>()) {
        let mut packets = packets;
        for (index, packet) in packets.iter_mut().enumerate() {
            if let Some(first) = packet.first_mut() {
                *first = if versions >> (index % 64) & 1 == 0 { 0x45 } else { 0x60 };
            }
            mend(packet);
        }
        let stack = endure(packets);
        prop_assert_eq!(stack.counters().datagrams.flows, 0);
    }

    #[test]
    fn changed_packets(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), any::<bool>(), any::<prop::sample::Index>()), 1..60)) {
        let samples = samples(Instant::now());
        let packets = changes
            .into_iter()
            .map(|(which, at, value, cut, length)| {
                let mut packet = samples[which.index(samples.len())].clone();
                let at = at.index(packet.len().min(80));
                packet[at] = value;
                if cut {
                    packet.truncate(length.index(packet.len()) + 1);
                }
                mend(&mut packet);
                packet
            })
            .collect();
        let stack = endure(packets);
        let left = stack.counters();
        prop_assert_eq!((left.datagrams.flows, left.tcp.flows, left.tcp.half_open), (0, 0, 0));
    }
}
