//! Two stacks, a seeded link between them that loses, doubles, delays and reorders packets, and a clock that only these
//! tests move.

// Each test file compiles this for itself and uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use awg_netstack::{Event, FlowId, Limits, Peer, Stack, StackConfig};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::wire::{self, Packets};

/// How the link behaves, each way.
#[derive(Clone, Copy)]
pub struct Path {
    pub delay: Duration,
    /// Added at random, so that packets overtake each other.
    pub jitter: Duration,
    /// Of a thousand packets, those to which it is added.
    pub jittered: u32,
    /// Of a thousand packets.
    pub lost: u32,
    pub doubled: u32,
    pub damaged: u32,
    /// Bytes per second; what does not fit `queue` is lost.
    pub rate: Option<f64>,
    pub queue: Duration,
    /// Packets that an end takes before it sends what they make necessary.
    pub turn: usize,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(5),
            jitter: Duration::ZERO,
            jittered: 1_000,
            lost: 0,
            doubled: 0,
            damaged: 0,
            rate: None,
            queue: Duration::from_millis(100),
            turn: usize::MAX,
        }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    at: Instant,
    number: u64,
    to: usize,
    packet: Vec<u8>,
}

/// The client is end 0, the server end 1.
pub struct World {
    pub now: Instant,
    pub path: Path,
    pub ends: Vec<Stack>,
    flights: BinaryHeap<Reverse<Flight>>,
    number: u64,
    rng: StdRng,
    busy_until: [Instant; 2],
    pub carried: [u64; 2],
    pub bytes: [u64; 2],
    /// Longest packet seen.
    pub longest: usize,
    /// Bytes that found the queue full.
    pub overflowed: [u64; 2],
    /// When each end last heard of the other, packets or not.
    pub heard: [Instant; 2],
    /// A link in the middle that takes no longer packets, and says so.
    pub narrow: Option<usize>,
    /// The last packet that each end sent.
    pub last_sent: [Vec<u8>; 2],
    /// Nothing is carried at all.
    pub cut: bool,
    /// Both ends' machines stand still until then; what is due meanwhile comes at once.
    pub stands_until: Instant,
}

pub const CLIENT: usize = 0;
pub const SERVER: usize = 1;
pub const MTU: u16 = 1420;
/// What each end calls the other.
pub const PEER: Peer = Peer(7);

impl World {
    pub fn new(seed: u64, path: Path) -> Self {
        Self::with_limits(seed, path, Limits::default(), Limits::default())
    }

    pub fn with_limits(seed: u64, path: Path, client: Limits, server: Limits) -> Self {
        let now = Instant::now();
        let mut rng = StdRng::seed_from_u64(seed);
        let config = |addresses: [&str; 2], accept: bool, limits| StackConfig {
            addresses: addresses
                .iter()
                .map(|address| address.parse::<IpAddr>().expect("an address"))
                .collect(),
            mtu: MTU,
            accept: accept.into(),
            limits,
        };
        let client = config(["10.0.0.2", "fd00::2"], false, client);
        let server = config(["10.0.0.1", "fd00::1"], true, server);
        Self {
            now,
            path,
            ends: vec![
                Stack::new(client, rng.random(), now),
                Stack::new(server, rng.random(), now),
            ],
            flights: BinaryHeap::new(),
            number: 0,
            busy_until: [now; 2],
            carried: [0; 2],
            bytes: [0; 2],
            longest: 0,
            overflowed: [0; 2],
            heard: [now; 2],
            narrow: None,
            last_sent: [const { Vec::new() }; 2],
            cut: false,
            stands_until: now,
            rng,
        }
    }

    /// Sends what both ends have.
    pub fn flush(&mut self) {
        for end in [CLIENT, SERVER] {
            self.flush_end(end);
        }
    }

    fn flush_end(&mut self, end: usize) {
        loop {
            let mut sink = Packets::with_room(64);
            let more = self.ends[end].poll_transmit(self.now, &mut sink);
            for packet in sink.all_to(PEER) {
                self.carry(1 - end, packet);
            }
            if !more {
                break;
            }
        }
    }

    /// Puts a packet on its way to an end.
    pub fn carry(&mut self, to: usize, mut packet: Vec<u8>) {
        self.carried[to] += 1;
        self.bytes[to] += packet.len() as u64;
        self.last_sent[1 - to].clone_from(&packet);
        if let Some(mtu) = self.narrow.filter(|mtu| packet.len() > *mtu) {
            let [high, low] = (mtu as u16).to_be_bytes();
            let ipv6 = packet[0] >> 4 == 6;
            let kind = if ipv6 { [2, 0] } else { [3, 4] };
            self.report(1 - to, kind, [0, 0, high, low], &packet);
            return;
        }
        self.longest = self.longest.max(packet.len());
        let chance = |rng: &mut StdRng, of: u32| rng.random_range(0..1000) < of;
        if self.cut || chance(&mut self.rng, self.path.lost) {
            return;
        }
        let mut at = self.now + self.path.delay;
        if let Some(rate) = self.path.rate {
            let start = self.busy_until[to].max(self.now);
            if start - self.now > self.path.queue {
                self.overflowed[to] += packet.len() as u64;
                return;
            }
            self.busy_until[to] = start + Duration::from_secs_f64(packet.len() as f64 / rate);
            at = self.busy_until[to] + self.path.delay;
        }
        if chance(&mut self.rng, self.path.damaged) {
            let place = self.rng.random_range(0..packet.len());
            packet[place] ^= 1 << self.rng.random_range(0..8);
        }
        let copies = 1 + u32::from(chance(&mut self.rng, self.path.doubled));
        for _ in 0..copies {
            let mut jitter = self.path.jitter.mul_f64(self.rng.random::<f64>());
            if self.path.jittered < 1_000 && !chance(&mut self.rng, self.path.jittered) {
                jitter = Duration::ZERO;
            }
            self.number += 1;
            self.flights.push(Reverse(Flight {
                at: at + jitter,
                number: self.number,
                to,
                packet: packet.clone(),
            }));
        }
    }

    /// Hands an end an ICMP error of some router about a packet that it sent.
    pub fn report(&mut self, end: usize, kind: [u8; 2], rest: [u8; 4], about: &[u8]) {
        let ipv6 = about[0] >> 4 == 6;
        let mut message = vec![kind[0], kind[1], 0, 0];
        message.extend(rest);
        message.extend(&about[..about.len().min(500)]);
        // A router of the target's network answers.
        let (source, destination) = if ipv6 {
            (&about[24..40], &about[8..24])
        } else {
            (&about[16..20], &about[12..16])
        };
        let protocol = if ipv6 { wire::ICMPV6 } else { wire::ICMP };
        let addresses = [source, destination].concat();
        let mut packet = wire::packet(&addresses, protocol, message, 2);
        self.ends[end].handle_packet(self.now, PEER, &mut packet);
    }

    /// Moves the clock to the next thing that happens, `until` at most, and hands over what arrives then. `false` once
    /// nothing is left before `until`.
    pub fn step(&mut self, until: Instant) -> bool {
        self.flush();
        let arrival = self.flights.peek().map(|Reverse(flight)| flight.at);
        let timers = self.ends.iter().filter_map(Stack::next_timeout);
        let next = timers.chain(arrival).min();
        let next = next.map(|next| next.max(self.stands_until));
        let Some(next) = next.filter(|next| *next <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = self.now.max(next);
        let mut taken = [0; 2];
        while let Some(Reverse(flight)) = self.flights.peek()
            && flight.at <= self.now
        {
            let Some(Reverse(mut flight)) = self.flights.pop() else {
                break;
            };
            self.heard[flight.to] = self.now;
            self.ends[flight.to].handle_packet(self.now, PEER, &mut flight.packet);
            taken[flight.to] += 1;
            if taken[flight.to] % self.path.turn == 0 {
                self.flush_end(flight.to);
            }
        }
        for (end, heard) in self.ends.iter_mut().zip(self.heard) {
            end.handle_timeout(self.now, |_| Some(heard));
        }
        self.flush();
        true
    }

    /// Lets time pass, with nobody taking events.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
    }

    /// Steps until an end has an event.
    pub fn event(&mut self, end: usize) -> Event {
        let until = self.now + Duration::from_hours(1);
        loop {
            if let Some(event) = self.ends[end].poll_event() {
                return event;
            }
            let more = self.step(until);
            if let Some(event) = self.ends[end].poll_event() {
                return event;
            }
            assert!(more, "no event within an hour");
        }
    }

    /// How long a packet to an end would wait in the link's queue now.
    pub fn waiting(&self, to: usize) -> Duration {
        self.busy_until[to].saturating_duration_since(self.now)
    }

    /// An established flow: the client's name of it, and the server's.
    pub fn open(&mut self, to: &str) -> (FlowId, FlowId) {
        let to = to.parse().expect("an address");
        let client = self.ends[CLIENT]
            .connect(self.now, PEER, None, to)
            .expect("room for a flow");
        let server = loop {
            if let Event::Incoming {
                flow, destination, ..
            } = self.event(SERVER)
            {
                assert_eq!(destination, to);
                break flow;
            }
        };
        self.ends[SERVER]
            .accept(self.now, server)
            .expect("a waiting flow");
        while self.event(CLIENT) != (Event::Established { flow: client }) {}
        while self.event(SERVER) != (Event::Established { flow: server }) {}
        (client, server)
    }
}

/// Writes all of `data`, for which there has to be room.
pub fn send_all(world: &mut World, (end, flow): (usize, FlowId), data: &[u8]) {
    let mut sent = 0;
    while sent < data.len() {
        let written = world.ends[end].send(flow, &mut |free| {
            let count = free.len().min(data.len() - sent);
            free[..count].copy_from_slice(&data[sent..sent + count]);
            count
        });
        assert!(written > 0, "no room");
        sent += written;
    }
}

/// Reads all that arrived.
pub fn take_all(world: &mut World, (end, flow): (usize, FlowId)) -> Vec<u8> {
    let mut taken = Vec::new();
    while world.ends[end].receive(flow, &mut |held| {
        taken.extend_from_slice(held);
        held.len()
    }) > 0
    {}
    taken
}

/// Byte `position` of a stream that repeats only after a long time.
pub fn pattern(position: usize) -> u8 {
    (position.wrapping_mul(0x9e37_79b9) >> 16) as u8 ^ (position >> 13) as u8
}

/// One way of a flow: who writes what to whom.
pub struct Stream {
    pub from: (usize, FlowId),
    pub to: (usize, FlowId),
    pub length: usize,
    pub sent: usize,
    pub received: usize,
    pub finished: bool,
    /// Bytes that the reader takes at once.
    pub gulp: usize,
}

impl Stream {
    pub fn new(from: (usize, FlowId), to: (usize, FlowId), length: usize) -> Self {
        Self {
            from,
            to,
            length,
            sent: 0,
            received: 0,
            finished: false,
            gulp: usize::MAX,
        }
    }

    /// Writes and reads what there is room for and what there is; finishes the flow's side after the last byte.
    pub fn work(&mut self, world: &mut World) {
        self.write(world);
        self.read(world);
    }

    pub fn write(&mut self, world: &mut World) {
        let (end, flow) = self.from;
        while self.sent < self.length {
            let (sent, length) = (self.sent, self.length);
            let written = world.ends[end].send(flow, &mut |free| {
                let count = free.len().min(length - sent);
                for (offset, byte) in free[..count].iter_mut().enumerate() {
                    *byte = pattern(sent + offset);
                }
                count
            });
            if written == 0 {
                return;
            }
            self.sent += written;
        }
        if !self.finished {
            self.finished = true;
            world.ends[end].shutdown(flow);
        }
    }

    pub fn read(&mut self, world: &mut World) {
        let (end, flow) = self.to;
        let mut gulp = self.gulp;
        while gulp > 0 {
            let received = self.received;
            let taken = world.ends[end].receive(flow, &mut |held| {
                let count = held.len().min(gulp);
                for (offset, byte) in held[..count].iter().enumerate() {
                    assert_eq!(
                        *byte,
                        pattern(received + offset),
                        "at {}",
                        received + offset
                    );
                }
                count
            });
            if taken == 0 {
                return;
            }
            gulp -= taken;
            self.received += taken;
        }
    }
}
