//! A peer who does not keep to the carrier, beside one who does: since packets have no protection, a changed byte is a changed
//! frame, request or address. Whatever the one sends, the other's carrier goes on.

mod wire;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use awg_netstack::{
    CarrierConfig, CarrierCounters, Event, FlowId, Limits, Peer, Rejection, Stack, StackConfig,
    Target,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wire::Packets;

const SERVER: [u8; 4] = [10, 0, 0, 1];
const PORT: u16 = 51_443;
const GOOD: Peer = Peer(1);
const BAD: Peer = Peer(2);

fn stack(address: [u8; 4], now: Instant) -> Stack {
    let serves = address == SERVER;
    let config = StackConfig {
        addresses: vec![address.into()],
        mtu: 1280,
        accept: serves.into(),
        limits: Limits {
            flows: 16,
            flows_per_peer: 8,
            half_open: 4,
            half_open_per_peer: 3,
            buffer_bytes_per_flow: 1 << 16,
            datagram_bytes: 1 << 16,
            ..Limits::default()
        },
    };
    let mut stack = Stack::new(config, [address[3]; 32], now);
    stack.set_carrier(CarrierConfig {
        listen: serves.then_some(PORT),
        reset_key: [address[3]; 32],
    });
    if !serves {
        stack.carry(now, Peer(0), Some((SERVER, PORT).into()));
    }
    stack
}

fn packets(stack: &mut Stack, now: Instant) -> Packets {
    let mut packets = Packets::with_room(4_096);
    assert!(!stack.poll_transmit(now, &mut packets), "it never stops");
    packets
}

struct World {
    now: Instant,
    server: Stack,
    good: Stack,
    bad: Stack,
    /// Requests of the bad peer.
    asked: Vec<FlowId>,
    /// The last packet of the bad peer, and the last one for it.
    last: Vec<u8>,
    last_back: Vec<u8>,
    /// What the bad peer was told.
    told: Vec<Event>,
    echoes: Vec<FlowId>,
    rng: StdRng,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = Instant::now();
        let mut world = Self {
            now,
            server: stack(SERVER, now),
            good: stack([10, 0, 0, 2], now),
            bad: stack([10, 0, 0, 3], now),
            asked: Vec::new(),
            last: Vec::new(),
            last_back: Vec::new(),
            told: Vec::new(),
            echoes: Vec::new(),
            rng: StdRng::seed_from_u64(seed),
        };
        while !world.good.is_carried(Peer(0)) {
            world.pass(1, 0);
        }
        world
    }

    /// Lets time pass; `harm` of a thousand of the bad peer's packets, either way, are changed.
    fn pass(&mut self, millis: u64, harm: u32) {
        self.now += Duration::from_millis(millis);
        let now = self.now;
        for _ in 0..4 {
            for end in [&mut self.server, &mut self.good, &mut self.bad] {
                end.handle_timeout(now, |_| Some(now));
            }
            self.serve();
            for mut packet in packets(&mut self.good, now).all_to(Peer(0)) {
                self.server.handle_packet(now, GOOD, &mut packet);
            }
            for packet in packets(&mut self.bad, now).all_to(Peer(0)) {
                self.last.clone_from(&packet);
                for mut packet in self.harmed(packet, harm) {
                    self.server.handle_packet(now, BAD, &mut packet);
                }
            }
            for (peer, mut packet) in packets(&mut self.server, now).packets {
                if peer == GOOD {
                    self.good.handle_packet(now, Peer(0), &mut packet);
                    continue;
                }
                self.last_back.clone_from(&packet);
                for mut packet in self.harmed(packet, harm) {
                    self.bad.handle_packet(now, Peer(0), &mut packet);
                }
            }
        }
    }

    /// What becomes of a packet: behind the headers of IP and UDP bytes change, or it is cut, or comes twice.
    fn harmed(&mut self, packet: Vec<u8>, harm: u32) -> Vec<Vec<u8>> {
        if self.rng.random_range(0..1_000) >= harm || packet.len() < 60 {
            return vec![packet];
        }
        let mut changed = packet.clone();
        for _ in 0..self.rng.random_range(1..4) {
            // Early bytes are headers and frames' beginnings.
            let most = if self.rng.random() { 60 } else { packet.len() };
            let at = self.rng.random_range(28..most);
            changed[at] = self.rng.random();
        }
        match self.rng.random_range(0..4) {
            0 => vec![changed, packet],
            1 => vec![packet, changed],
            _ => vec![changed],
        }
    }

    fn serve(&mut self) {
        let now = self.now;
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Requested { flow, peer, .. } if peer == GOOD => {
                    self.server.accept(now, flow).expect("it waits");
                    self.echoes.push(flow);
                }
                Event::Requested { flow, .. } => self.asked.push(flow),
                _ => {}
            }
        }
        while self.server.poll_datagram().is_some() {}
        self.told
            .extend(std::iter::from_fn(|| self.bad.poll_event()));
        while self.bad.poll_datagram().is_some() {}
        for flow in &self.echoes {
            let mut heard = Vec::new();
            self.server.receive(*flow, &mut |held| {
                heard.extend_from_slice(held);
                held.len()
            });
            self.server.send(*flow, &mut |free| {
                free[..heard.len()].copy_from_slice(&heard);
                heard.len()
            });
        }
        let counters = self.server.counters().carrier;
        assert!(counters.carriers <= 2 && counters.flows <= 16 && counters.half_open <= 4);
    }

    /// The good peer asks, and hears back what it says.
    fn converse(&mut self) {
        let name = "example.org".into();
        let target = Target::Name { name, port: 80 };
        let flow = self
            .good
            .open_stream(self.now, Peer(0), &target, b"echo of this")
            .expect("its carrier is up");
        let mut heard = Vec::new();
        for _ in 0..100 {
            self.pass(1, 0);
            while let Some(event) = self.good.poll_event() {
                let broken = matches!(event, Event::Closed { .. } | Event::CarrierDown { .. });
                assert!(!broken, "{event:?}");
            }
            self.good.receive(flow, &mut |held| {
                heard.extend_from_slice(held);
                held.len()
            });
            if heard == b"echo of this" {
                self.good.abort(flow);
                self.pass(1, 0);
                while self.good.poll_event().is_some() {}
                self.echoes.clear();
                return;
            }
        }
        panic!("the other peer's carrier stands still: {heard:?}");
    }

    /// Something that the bad peer, or the server with it, may do.
    fn act(&mut self, flows: &mut Vec<FlowId>) {
        let now = self.now;
        let some = (!flows.is_empty()).then(|| flows[self.rng.random_range(0..flows.len())]);
        let target = Target::Address(([192, 0, 2, 1], 9).into());
        let bytes = vec![7; self.rng.random_range(0..3_000)];
        match (self.rng.random_range(0..9), some) {
            (0 | 1, _) => flows.extend(self.bad.open_stream(now, Peer(0), &target, &bytes).ok()),
            (2, _) => flows.extend(self.bad.open_carried_datagrams(now, Peer(0)).ok()),
            (3, Some(flow)) => {
                self.bad.send(flow, &mut |free| free.len().min(bytes.len()));
                let remote = SocketAddr::from(([192, 0, 2, 1], 9));
                // Of a connection's flow it is refused.
                let _ = self.bad.send_datagram(now, flow, remote, &bytes);
            }
            (4, Some(flow)) => self.bad.shutdown(flow),
            (5, Some(flow)) => self.bad.abort(flow),
            (6, _) => {
                if let Some(flow) = self.asked.pop() {
                    // It may be over.
                    let _ = self.server.accept(now, flow);
                }
            }
            (7, _) => {
                if let Some(flow) = self.asked.pop() {
                    self.server.reject(now, flow, Rejection::TimedOut);
                }
            }
            (8, _) => {
                let length = self.rng.random_range(0..1_200);
                let bytes: Vec<u8> = (0..length).map(|_| self.rng.random()).collect();
                let mut message = [40_000_u16, PORT, 8 + bytes.len() as u16, 0]
                    .map(u16::to_be_bytes)
                    .concat();
                message.extend(bytes);
                let ends = [[10, 0, 0, 3], SERVER].concat();
                let mut packet = wire::packet(&ends, 17, message, 6);
                self.server.handle_packet(now, BAD, &mut packet);
            }
            _ => {}
        }
    }
}

/// Makes packets of the bad peer's connection.
struct Forger {
    ports: [u8; 4],
    id: [u8; 4],
    number: u32,
}

impl Forger {
    /// Of one whose connection is up.
    fn new(world: &mut World) -> Self {
        let target = Target::Address(([192, 0, 2, 1], 9).into());
        while world
            .bad
            .open_stream(world.now, Peer(0), &target, b"")
            .is_err()
        {
            world.pass(1, 0);
        }
        world.pass(1, 0);
        // Behind the headers of IP and UDP is a short header: a byte, and the server's ID.
        Self {
            ports: world.last[20..24].try_into().expect("four bytes"),
            id: world.last[29..33].try_into().expect("four bytes"),
            number: 1_000,
        }
    }

    /// One that makes packets of the server for it.
    fn back(world: &mut World) -> Self {
        Self::new(world);
        Self {
            ports: world.last_back[20..24].try_into().expect("four bytes"),
            id: world.last_back[29..33].try_into().expect("four bytes"),
            number: 1_000,
        }
    }

    /// Hands the server a packet with these frames.
    fn send(&mut self, world: &mut World, frames: &[u8]) {
        let ends = [[10, 0, 0, 3], SERVER].concat();
        let mut packet = self.packet(&ends, frames);
        world.server.handle_packet(world.now, BAD, &mut packet);
    }

    /// Hands the bad peer one that the server did not send.
    fn send_back(&mut self, world: &mut World, frames: &[u8]) {
        let ends = [SERVER, [10, 0, 0, 3]].concat();
        let mut packet = self.packet(&ends, frames);
        world.bad.handle_packet(world.now, Peer(0), &mut packet);
    }

    fn packet(&mut self, ends: &[u8], frames: &[u8]) -> Vec<u8> {
        let mut message = self.ports.to_vec();
        message.extend((8 + 9 + frames.len() as u16 + 2).to_be_bytes());
        message.extend([0, 0, 0x43]);
        message.extend(self.id);
        message.extend(self.number.to_be_bytes());
        message.extend(frames);
        message.extend(&self.number.to_be_bytes()[1..3]);
        self.number += 1;
        wire::packet(ends, 17, message, 6)
    }
}

/// A STREAM frame of the bad peer's stream with this number.
fn frame(stream: u8, offset: u32, bytes: &[u8]) -> Vec<u8> {
    let offset = (0x8000_0000 | offset).to_be_bytes();
    let length = (0x4000 | bytes.len() as u16).to_be_bytes();
    let ends = [&[0x0e, 4 * stream][..], &offset, &length];
    [&ends.concat(), bytes].concat()
}

const REQUEST: &[u8] = &[1, 192, 0, 2, 1, 0, 9];

#[test]
fn a_peer_that_sends_gap_after_gap_loses_its_carrier() {
    // So many bytes in so many frames of a packet, on one stream and on several.
    for (bytes, frames, streams) in [(1, 140, 1), (1, 140, 8), (1, 1, 1), (9, 1, 2)] {
        let mut world = World::new(1);
        let mut forger = Forger::new(&mut world);
        let mut sent = 0;
        while world.server.counters().carrier.fragmented == 0 {
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
        assert_eq!((counters.lost, counters.carriers), (1, 1));
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
    assert!(met.lost > 0 && met.established > 60);
}

#[test]
fn sorting_without_end_costs_a_peer_its_carrier_however_few_pieces_there_are_at_a_time() {
    let mut world = World::new(4);
    let mut forger = Forger::new(&mut world);
    forger.send(&mut world, &frame(1, 0, REQUEST));
    world.serve();
    let flow = world.asked.pop().expect("it asks");
    world.server.accept(world.now, flow).expect("it waits");
    let mut offset = REQUEST.len() as u32;
    let mut rounds = 0;
    while world.server.counters().carrier.fragmented == 0 {
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
    assert_eq!(world.server.counters().carrier.lost, 1);
    world.converse();
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
