//! UDP, pings and ICMP errors between two whole stacks, over a link that loses nothing. The clock stands still unless a
//! test moves it.

mod wire;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use awg_netstack::{
    Closure, DatagramDrop, Event, FlowId, Kind, Limits, Peer, Refusal, Stack, StackConfig,
};
use wire::{ICMP, Packets, checksum};

const PEER: Peer = Peer(3);
const MTU: u16 = 1420;

/// A datagram that arrived, kept.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Arrival {
    flow: FlowId,
    source: SocketAddr,
    destination: SocketAddr,
    payload: Vec<u8>,
}

struct World {
    now: Instant,
    client: Stack,
    server: Stack,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let stack = |addresses: [&str; 2], accept: bool, seed| {
            let config = StackConfig {
                addresses: addresses
                    .map(|text| text.parse().expect("an address"))
                    .to_vec(),
                mtu: MTU,
                accept: accept.into(),
                limits: Limits::default(),
            };
            Stack::new(config, [seed; 32], now)
        };
        Self {
            now,
            client: stack(["10.0.0.2", "fd00::2"], false, 1),
            server: stack(["10.0.0.1", "fd00::1"], true, 2),
        }
    }

    fn open(&mut self, from: &str) -> FlowId {
        let from: IpAddr = from.parse().expect("an address");
        self.client
            .open_datagrams(self.now, PEER, Some(from), from)
            .expect("room for a flow")
    }

    fn send(&mut self, flow: FlowId, to: &str, payload: &[u8]) {
        self.client
            .send_datagram(self.now, flow, at(to), payload)
            .expect("room in the queue");
    }

    /// Carries what the client has to the server, and what comes out there.
    fn up(&mut self) -> Vec<Arrival> {
        let packets = sent(&mut self.client, self.now);
        packets
            .into_iter()
            .filter_map(|packet| give(&mut self.server, self.now, packet))
            .collect()
    }

    fn down(&mut self) -> Vec<Arrival> {
        let packets = sent(&mut self.server, self.now);
        packets
            .into_iter()
            .filter_map(|packet| give(&mut self.client, self.now, packet))
            .collect()
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.client.handle_timeout(self.now, |_| Some(self.now));
        self.server.handle_timeout(self.now, |_| Some(self.now));
    }
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("a socket address")
}

fn sent(stack: &mut Stack, now: Instant) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    loop {
        let mut sink = Packets::with_room(4);
        let more = stack.poll_transmit(now, &mut sink);
        packets.append(&mut sink.all_to(PEER));
        if !more {
            return packets;
        }
    }
}

fn give(stack: &mut Stack, now: Instant, mut packet: Vec<u8>) -> Option<Arrival> {
    let datagram = stack.handle_packet(now, PEER, &mut packet)?;
    Some(Arrival {
        flow: datagram.flow,
        source: datagram.source,
        destination: datagram.destination,
        payload: datagram.payload.to_vec(),
    })
}

fn events(stack: &mut Stack) -> Vec<Event> {
    std::iter::from_fn(|| stack.poll_event()).collect()
}

#[test]
fn questions_and_answers_of_any_size() {
    for (own, remote) in [
        ("10.0.0.2", "192.0.2.1:9"),
        ("fd00::2", "[2001:db8::1]:9"),
        ("10.0.0.2", "10.0.0.1:53"),
    ] {
        let mut world = World::new();
        let flow = world.open(own);
        for length in [0u32, 1, 1392, 1393, 5000, 65_507] {
            let payload: Vec<u8> = (0..length).map(|index| (index % 253) as u8).collect();
            world.send(flow, remote, &payload);
            let arrived = world.up();
            assert_eq!(arrived.len(), 1, "{length} bytes to {remote}");
            assert_eq!(arrived[0].payload, payload);
            assert_eq!(arrived[0].destination, at(remote));
            let asked = &arrived[0];
            world
                .server
                .send_datagram(world.now, asked.flow, at(remote), &payload)
                .expect("room in the queue");
            let expected = Arrival {
                flow,
                source: at(remote),
                destination: asked.source,
                payload,
            };
            assert_eq!(world.down(), [expected]);
        }
        let incoming = events(&mut world.server);
        assert!(
            matches!(incoming[..], [Event::Incoming { kind: Kind::Udp, destination, peer: PEER, .. }] if destination == at(remote)),
            "{incoming:?}"
        );
        assert!(events(&mut world.client).is_empty());
    }
}

#[test]
fn one_flow_per_source_whatever_the_destination() {
    let mut world = World::new();
    let flow = world.open("10.0.0.2");
    world.send(flow, "192.0.2.1:9", b"a");
    world.send(flow, "198.51.100.1:10", b"b");
    let arrived = world.up();
    assert_eq!(arrived.len(), 2);
    assert_eq!(arrived[0].flow, arrived[1].flow);
    // A third one may call.
    let called = world
        .server
        .send_datagram(world.now, arrived[0].flow, at("203.0.113.1:11"), b"c");
    assert_eq!(called, Ok(()));
    assert_eq!(world.down()[0].source, at("203.0.113.1:11"));
    assert_eq!(events(&mut world.server).len(), 1);
}

#[test]
fn idle_flows_end_on_both_sides() {
    let mut world = World::new();
    let names = world.open("10.0.0.2");
    let game = world.open("10.0.0.2");
    world.send(names, "10.0.0.1:53", b"question");
    world.send(game, "192.0.2.1:9", b"move");
    let arrived = world.up();
    events(&mut world.server);
    let expired = |flow| Event::Closed {
        flow,
        how: Closure::Expired,
    };
    assert_eq!(
        world.server.next_timeout(),
        Some(world.now + Duration::from_secs(30))
    );
    world.pass(Duration::from_secs(30));
    assert_eq!(events(&mut world.client), [expired(names)]);
    assert_eq!(events(&mut world.server), [expired(arrived[0].flow)]);
    world.pass(Duration::from_secs(90));
    assert_eq!(events(&mut world.client), [expired(game)]);
    assert_eq!(events(&mut world.server), [expired(arrived[1].flow)]);
    let late = world
        .client
        .send_datagram(world.now, game, at("192.0.2.1:9"), b"");
    assert_eq!(late, Err(DatagramDrop::NoFlow));
}

#[test]
fn flows_end_when_told_to_and_with_their_peer() {
    let mut world = World::new();
    let first = world.open("10.0.0.2");
    let second = world.open("10.0.0.2");
    world.client.close_datagrams(first);
    world.client.close_datagrams(first);
    world.client.forget_peer(world.now, PEER);
    let closed = |flow, how| Event::Closed { flow, how };
    assert_eq!(
        events(&mut world.client),
        [
            closed(first, Closure::Orderly),
            closed(second, Closure::PeerGone)
        ]
    );
}

#[test]
fn nobody_at_the_port_is_told_once_per_question() {
    let mut world = World::new();
    // The other way round: the client answers for its own address.
    let knocker = Stack::new(
        StackConfig {
            addresses: vec!["10.0.0.1".parse().expect("an address")],
            mtu: MTU,
            accept: false.into(),
            limits: Limits::default(),
        },
        [9; 32],
        world.now,
    );
    world.server = knocker;
    let flow = world
        .server
        .open_datagrams(world.now, PEER, None, at("10.0.0.2:9").ip())
        .expect("room for a flow");
    for _ in 0..2 {
        for _ in 0..3 {
            world
                .server
                .send_datagram(world.now, flow, at("10.0.0.2:9"), b"anyone?")
                .expect("room in the queue");
        }
        assert!(world.down().is_empty());
        assert!(world.up().is_empty());
        let refused = Event::Refused {
            flow,
            why: Refusal::PortUnreachable,
        };
        assert_eq!(events(&mut world.server), [refused]);
    }
    assert_eq!(world.client.counters().datagrams.unclaimed, 6);
    assert_eq!(world.client.counters().icmp.errors_sent, 6);
    assert_eq!(world.server.counters().icmp.errors_received, 6);
    assert_eq!(world.server.counters().stray_errors, 0);
}

/// An echo request to the server, in pieces of `cut` bytes.
fn ping(content: usize, cut: usize) -> Vec<Vec<u8>> {
    let mut message = vec![8, 0, 0, 0, 0, 1, 0, 1];
    message.resize(8 + content, 0x55);
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum);
    let pieces = message.chunks(cut);
    let last = pieces.len() - 1;
    pieces
        .enumerate()
        .map(|(index, piece)| {
            let field = (index * cut / 8) as u16 | if index == last { 0 } else { 0x2000 };
            let addresses = [10, 0, 0, 2, 10, 0, 0, 1];
            let mut packet = wire::ipv4(&addresses, ICMP, 9, field, piece.len());
            packet.extend_from_slice(piece);
            packet
        })
        .collect()
}

#[test]
fn pings_are_answered_also_those_in_pieces() {
    let mut world = World::new();
    for packet in ping(56, 1400) {
        assert_eq!(give(&mut world.server, world.now, packet), None);
    }
    let replies = sent(&mut world.server, world.now);
    assert_eq!(replies.len(), 1);
    assert_eq!(
        replies[0][20..28],
        [0, 0, replies[0][22], replies[0][23], 0, 1, 0, 1]
    );
    assert_eq!(replies[0][28..], [0x55; 56]);

    let mut pieces = ping(5000, 1400);
    assert_eq!(pieces.len(), 4);
    pieces.reverse();
    for packet in pieces {
        give(&mut world.server, world.now, packet);
    }
    let replies = sent(&mut world.server, world.now);
    assert_eq!(replies.len(), 4);
    let bytes: usize = replies.iter().map(|packet| packet.len() - 20).sum();
    assert_eq!(bytes, 5008);
    assert_eq!(world.server.counters().icmp.echo_replies, 2);
    assert_eq!(world.server.counters().fragments.reassembled, 1);
}

#[test]
fn pieces_that_never_become_whole_are_forgotten() {
    let mut world = World::new();
    let first = ping(5000, 1400).remove(0);
    give(&mut world.server, world.now, first);
    let age = Limits::default().fragments.age;
    assert_eq!(world.server.next_timeout(), Some(world.now + age));
    world.pass(age);
    assert_eq!(world.server.counters().fragments.expired, 1);
    assert_eq!(world.server.next_timeout(), None);
}

#[test]
fn two_thousand_idle_flows_cost_a_datagram_nothing() {
    let mut world = World::new();
    let busy = world.open("10.0.0.2");
    for _ in 0..2000 {
        let idle = world.open("10.0.0.2");
        world.send(idle, "192.0.2.1:9", b"");
        world.up();
    }
    let looked = world.server.counters().datagrams.timer_looks;
    for _ in 0..1000 {
        world.now += Duration::from_millis(1);
        world.server.handle_timeout(world.now, |_| Some(world.now));
        world.send(busy, "192.0.2.1:9", b"");
        assert_eq!(world.up().len(), 1);
    }
    assert_eq!(world.server.counters().datagrams.timer_looks, looked);
    assert_eq!(world.server.counters().datagrams.flows, 2001);
}
