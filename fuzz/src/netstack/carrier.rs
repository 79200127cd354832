//! The QUIC carrier: a server with a peer who keeps to it and one who does not. Since the carrier has no packet protection, what
//! changes a byte of a packet changes a frame, a request or an address.
//!
//! Claimed: what leaves is well formed and not longer than the MTU, for each datagram no more than its share; nothing panics, though
//! that is caught; and whatever the one peer sends, the connection of the other goes on, its bytes unharmed.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use awg_netstack::{
    CarrierConfig, Event, FlowId, Limits, PacketSink, Peer, Rejection, Stack, StackConfig, Target,
};

use crate::memory;
use crate::wire::{self, UDP};
use crate::{input, input::choose};

/// What three stacks may hold, of which two have small windows.
const MEMORY: usize = 24 << 20;
/// Steps of one run: what comes after is ignored.
const STEPS: usize = 96;
/// Packets that one step may make a stack send.
const OUTPUT: usize = 4_096;

const MTU: u16 = 1280;
const PORT: u16 = 51_443;
const GOOD: Peer = Peer(1);
const BAD: Peer = Peer(2);
const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

#[derive(Debug, Arbitrary)]
pub(super) struct Input<'a> {
    pub(super) steps: Vec<Step<'a>>,
}

/// What the one who does not keep to it does next.
#[derive(Debug, Arbitrary)]
pub(super) enum Step<'a> {
    /// Sends bytes to the carrier's port.
    Datagram(&'a [u8]),
    /// Hands over what a proper end would send, with bytes of it changed, cut, or twice.
    Pass {
        change: Option<(u16, u8)>,
        cut: Option<u16>,
        twice: bool,
        back: bool,
    },
    /// Loses it.
    Lose,
    /// Asks for something.
    Open { name: bool, early: &'a [u8] },
    /// Opens a flow of datagrams.
    OpenDatagrams,
    /// Sends on a flow of its own.
    Send { flow: u8, bytes: &'a [u8] },
    /// Ends one.
    End { flow: u8, aborts: bool },
    /// Begins anew.
    Restart,
    /// The server does so with what is asked for.
    Answer(u8),
    /// Waits, in units of 20 ms.
    Pause(u8),
}

/// Plays what `data` describes.
///
/// # Panics
/// Where the carrier does what it must not.
pub fn carrier(data: &[u8]) {
    if let Some(input) = input::read::<Input>(data) {
        memory::within(MEMORY + data.len() * 64, || {
            play(&input);
        });
    }
}

#[derive(Default)]
struct Packets(Vec<(Peer, Vec<u8>)>);

impl PacketSink for Packets {
    fn has_room(&self) -> bool {
        self.0.len() < OUTPUT
    }

    fn packet(&mut self, peer: Peer, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        let mut packet = vec![0xee; length];
        emit(&mut packet);
        assert!(length <= usize::from(MTU));
        wire::inspect(&packet, MTU);
        self.0.push((peer, packet));
    }
}

fn stack(address: [u8; 4], server: bool, now: Instant) -> Stack {
    let config = StackConfig {
        addresses: vec![address.into()],
        mtu: MTU,
        accept: server.into(),
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
        listen: server.then_some(PORT),
        reset_key: [address[3]; 32],
    });
    if !server {
        stack.carry(now, Peer(0), Some(SocketAddr::new(SERVER, PORT)));
    }
    stack
}

/// All three, and the time.
struct World {
    now: Instant,
    server: Stack,
    good: Stack,
    bad: Stack,
    /// What waits for the server's answer.
    asked: Vec<FlowId>,
    /// Packets of and for the one who does not keep to it.
    of_bad: Vec<Vec<u8>>,
    for_bad: Vec<Vec<u8>>,
    echoes: Vec<FlowId>,
    /// How often the other one's requests arrived.
    requests: usize,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            now,
            server: stack([10, 0, 0, 1], true, now),
            good: stack([10, 0, 0, 2], false, now),
            bad: stack([10, 0, 0, 3], false, now),
            asked: Vec::new(),
            of_bad: Vec::new(),
            for_bad: Vec::new(),
            echoes: Vec::new(),
            requests: 0,
        }
    }

    /// Carries what there is between the server and the good peer, and takes what is for the other.
    fn carry(&mut self) {
        let now = self.now;
        for _ in 0..8 {
            for end in [&mut self.server, &mut self.good, &mut self.bad] {
                end.handle_timeout(now, |_| Some(now));
            }
            self.serve();
            let mut packets = Packets::default();
            self.good.poll_transmit(now, &mut packets);
            for (_, mut packet) in packets.0 {
                self.server.handle_packet(now, GOOD, &mut packet);
            }
            let mut packets = Packets::default();
            assert!(
                !self.server.poll_transmit(now, &mut packets),
                "it never stops sending"
            );
            for (peer, mut packet) in packets.0 {
                if peer == GOOD {
                    self.good.handle_packet(now, Peer(0), &mut packet);
                } else if self.for_bad.len() < STEPS {
                    self.for_bad.push(packet);
                }
            }
            let mut packets = Packets::default();
            self.bad.poll_transmit(now, &mut packets);
            let room = STEPS.saturating_sub(self.of_bad.len());
            let packets = packets.0.into_iter().map(|(_, packet)| packet);
            self.of_bad.extend(packets.take(room));
        }
    }

    /// Answers what the good peer asks for, and sends back what it sends.
    fn serve(&mut self) {
        let now = self.now;
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Requested { flow, peer, .. } if peer == GOOD => {
                    self.server.accept(now, flow).expect("it waits");
                    self.echoes.push(flow);
                }
                Event::Requested { flow, .. } => {
                    self.requests += 1;
                    self.asked.push(flow);
                }
                _ => {}
            }
        }
        while self.server.poll_datagram().is_some() {}
        while self.bad.poll_event().is_some() || self.bad.poll_datagram().is_some() {}
        for flow in &self.echoes {
            let mut heard = Vec::new();
            while self.server.receive(*flow, &mut |held| {
                heard.extend_from_slice(held);
                held.len()
            }) > 0
            {}
            let mut sent = 0;
            while sent < heard.len() {
                sent += self.server.send(*flow, &mut |free| {
                    let count = free.len().min(heard.len() - sent);
                    free[..count].copy_from_slice(&heard[sent..sent + count]);
                    count
                });
            }
        }
        let counters = self.server.counters().carrier;
        assert!(counters.carriers <= 2 && counters.flows <= 16 && counters.half_open <= 4);
        assert_eq!(counters.panics, 0);
    }

    fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.carry();
    }

    fn reach(&mut self, mut packet: Vec<u8>) {
        self.server.handle_packet(self.now, BAD, &mut packet);
    }

    /// Hands over what waits of the bad peer's, or for it.
    fn hand_over(&mut self, back: bool, twice: bool, harm: impl Fn(&mut Vec<u8>)) {
        let queue = if back {
            &mut self.for_bad
        } else {
            &mut self.of_bad
        };
        for mut packet in std::mem::take(queue) {
            harm(&mut packet);
            for _ in 0..=u8::from(twice) {
                if back {
                    self.bad
                        .handle_packet(self.now, Peer(0), &mut packet.clone());
                } else {
                    self.reach(packet.clone());
                }
            }
        }
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
            self.pass(1);
            while let Some(event) = self.good.poll_event() {
                assert!(
                    !matches!(event, Event::Closed { .. } | Event::CarrierDown { .. }),
                    "{event:?}"
                );
            }
            self.good.receive(flow, &mut |held| {
                heard.extend_from_slice(held);
                held.len()
            });
            if heard == b"echo of this" {
                self.good.abort(flow);
                self.pass(1);
                while self.good.poll_event().is_some() {}
                self.echoes.clear();
                return;
            }
        }
        panic!("the other peer's carrier stands still: {heard:?}");
    }
}

/// Plays steps; gives how many requests of the bad peer came to the server.
pub(super) fn play(input: &Input) -> usize {
    let mut world = World::new();
    while !world.good.is_carried(Peer(0)) {
        world.pass(1);
    }
    world.converse();
    let mut flows: Vec<FlowId> = Vec::new();
    for step in input.steps.iter().take(STEPS) {
        let now = world.now;
        match step {
            Step::Datagram(bytes) => {
                let mut message = [40_000_u16, PORT, 8 + bytes.len() as u16, 0]
                    .map(u16::to_be_bytes)
                    .concat();
                message.extend_from_slice(bytes);
                let from = IpAddr::from([10, 0, 0, 3]);
                world.reach(wire::packet(from, SERVER, UDP, None, message));
            }
            Step::Pass {
                change,
                cut,
                twice,
                back,
            } => {
                world.hand_over(*back, *twice, |packet| {
                    if let Some((at, byte)) = change {
                        // Behind the headers of IP and UDP.
                        let length = packet.len().max(29) - 28;
                        if let Some(place) = packet.get_mut(28 + usize::from(*at) % length) {
                            *place ^= byte;
                        }
                    }
                    if let Some(cut) = cut {
                        packet.truncate(28 + usize::from(*cut) % 1_300);
                    }
                });
            }
            Step::Lose => {
                world.of_bad.clear();
                world.for_bad.clear();
            }
            Step::Open { name, early } => {
                let target = if *name {
                    let name = "x".into();
                    Target::Name { name, port: 9 }
                } else {
                    Target::Address(SocketAddr::new([192, 0, 2, 1].into(), 9))
                };
                flows.extend(world.bad.open_stream(now, Peer(0), &target, early).ok());
            }
            Step::OpenDatagrams => {
                flows.extend(world.bad.open_carried_datagrams(now, Peer(0)).ok());
            }
            Step::Send { flow, bytes } => {
                if let Some(flow) = choose(&flows, *flow) {
                    world.bad.send(*flow, &mut |free| {
                        let count = free.len().min(bytes.len());
                        free[..count].copy_from_slice(&bytes[..count]);
                        count
                    });
                    let remote = SocketAddr::new([192, 0, 2, 1].into(), 9);
                    // Of a connection's flow it is refused.
                    let _ = world.bad.send_datagram(now, *flow, remote, bytes);
                }
            }
            Step::End { flow, aborts } => {
                if let Some(flow) = choose(&flows, *flow) {
                    if *aborts {
                        world.bad.abort(*flow);
                    } else {
                        world.bad.shutdown(*flow);
                        world.bad.close_datagrams(*flow);
                    }
                }
            }
            Step::Restart => {
                world.bad = stack([10, 0, 0, 3], false, now);
                flows.clear();
            }
            Step::Answer(how) => {
                if let Some(flow) = world.asked.pop() {
                    match how % 3 {
                        // It may be over.
                        0 => drop(world.server.accept(now, flow)),
                        1 => world.server.reject(now, flow, Rejection::TimedOut),
                        _ => world.server.abort(flow),
                    }
                }
            }
            Step::Pause(units) => world.pass(u64::from(*units) * 20),
        }
        world.carry();
    }
    world.converse();
    world.requests
}
