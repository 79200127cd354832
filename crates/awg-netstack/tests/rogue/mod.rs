//! A server, a peer who keeps to the carrier and one who does not, joined without sockets ([`World`]), and packets made for the latter
//! ([`Forger`]): since carriers have no packet protection, a changed byte is a changed frame, request or address.

// Each test file compiles this for itself and uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use awg_netstack::{
    CarrierConfig, Event, FlowId, Limits, Peer, Rejection, Stack, StackConfig, Target,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::wire::{self, Packets};

pub const SERVER: [u8; 4] = [10, 0, 0, 1];
pub const PORT: u16 = 51_443;
pub const GOOD: Peer = Peer(1);
pub const BAD: Peer = Peer(2);

pub fn stack(address: [u8; 4], now: Instant) -> Stack {
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

pub fn packets(stack: &mut Stack, now: Instant) -> Packets {
    let mut packets = Packets::with_room(4_096);
    assert!(!stack.poll_transmit(now, &mut packets), "it never stops");
    packets
}

pub struct World {
    pub now: Instant,
    pub server: Stack,
    pub good: Stack,
    pub bad: Stack,
    /// Requests of the bad peer.
    pub asked: Vec<FlowId>,
    /// The last packet of the bad peer, and the last one for it.
    pub last: Vec<u8>,
    pub last_back: Vec<u8>,
    /// What the bad peer was told.
    pub told: Vec<Event>,
    pub echoes: Vec<FlowId>,
    pub rng: StdRng,
}

impl World {
    pub fn new(seed: u64) -> Self {
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
    pub fn pass(&mut self, millis: u64, harm: u32) {
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
    pub fn harmed(&mut self, packet: Vec<u8>, harm: u32) -> Vec<Vec<u8>> {
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

    pub fn serve(&mut self) {
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
    pub fn converse(&mut self) {
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
    pub fn act(&mut self, flows: &mut Vec<FlowId>) {
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
            (5, Some(flow)) if self.rng.random() => self.bad.linger(now, flow),
            (5, Some(flow)) => self.bad.abort(flow),
            (6, _) => {
                if let Some(flow) = self.asked.pop() {
                    // It may be over.
                    let _ = self.server.accept(now, flow);
                    if self.rng.random() {
                        self.server.send(flow, &mut |free| free.len().min(3_000));
                        self.server.linger(now, flow);
                    }
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
pub struct Forger {
    pub ports: [u8; 4],
    pub id: [u8; 4],
    pub number: u32,
}

impl Forger {
    /// Of one whose connection is up.
    pub fn new(world: &mut World) -> Self {
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
    pub fn back(world: &mut World) -> Self {
        Self::new(world);
        Self {
            ports: world.last_back[20..24].try_into().expect("four bytes"),
            id: world.last_back[29..33].try_into().expect("four bytes"),
            number: 1_000,
        }
    }

    /// Hands the server a packet with these frames.
    pub fn send(&mut self, world: &mut World, frames: &[u8]) {
        let ends = [[10, 0, 0, 3], SERVER].concat();
        let mut packet = self.packet(&ends, frames);
        world.server.handle_packet(world.now, BAD, &mut packet);
    }

    /// Hands the bad peer one that the server did not send.
    pub fn send_back(&mut self, world: &mut World, frames: &[u8]) {
        let ends = [SERVER, [10, 0, 0, 3]].concat();
        let mut packet = self.packet(&ends, frames);
        world.bad.handle_packet(world.now, Peer(0), &mut packet);
    }

    pub fn packet(&mut self, ends: &[u8], frames: &[u8]) -> Vec<u8> {
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
pub fn frame(stream: u8, offset: u32, bytes: &[u8]) -> Vec<u8> {
    let offset = (0x8000_0000 | offset).to_be_bytes();
    let length = (0x4000 | bytes.len() as u16).to_be_bytes();
    let ends = [&[0x0e, 4 * stream][..], &offset, &length];
    [&ends.concat(), bytes].concat()
}

pub const REQUEST: &[u8] = &[1, 192, 0, 2, 1, 0, 9];
