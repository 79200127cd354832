//! Who shares a link gets a share: streams of one peer, and peers.

mod wire;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use awg_netstack::{CarrierConfig, Event, FlowId, Limits, Peer, Stack, StackConfig, Target};
use wire::Packets;

const PORT: u16 = 51_443;
/// Bytes per second that the server's packets share.
const RATE: f64 = 3e6;
const DELAY: Duration = Duration::from_millis(20);
const QUEUE: Duration = Duration::from_millis(40);

/// When, in which order, from whom, to whom.
type Flight = (Instant, u64, usize, usize, Vec<u8>);

/// A server and two peers: end 0 is the server, and who calls itself 1 and 2 the others.
struct World {
    now: Instant,
    ends: Vec<Stack>,
    flights: BinaryHeap<Reverse<Flight>>,
    number: u64,
    busy_until: Instant,
    /// Transfers: the server's flow, whose it is, that peer's flow, and how much it got.
    transfers: Vec<(FlowId, usize, FlowId, usize)>,
    /// Of these, those that are not read.
    stalled: Vec<usize>,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let stack = |number: u8| {
            let limits = Limits {
                buffer_bytes_per_flow: 1 << 20,
                ..Limits::default()
            };
            let config = StackConfig {
                addresses: vec![[10, 0, 0, number + 1].into()],
                mtu: 1420,
                accept: (number == 0).into(),
                limits,
            };
            let mut stack = Stack::new(config, [number; 32], now);
            stack.set_carrier(CarrierConfig {
                listen: (number == 0).then_some(PORT),
                reset_key: [number; 32],
            });
            stack
        };
        let mut world = Self {
            now,
            ends: (0..3).map(stack).collect(),
            flights: BinaryHeap::new(),
            number: 0,
            busy_until: now,
            transfers: Vec::new(),
            stalled: Vec::new(),
        };
        for end in [1, 2] {
            let at = ([10, 0, 0, 1], PORT).into();
            world.ends[end].carry(now, Peer(0), Some(at));
            while !world.ends[end].is_carried(Peer(0)) {
                world.pass();
            }
        }
        world
    }

    /// Lets a millisecond pass.
    fn pass(&mut self) {
        let end = self.now + Duration::from_millis(1);
        loop {
            self.flush();
            let arrival = self.flights.peek().map(|Reverse(flight)| flight.0);
            let timers = self.ends.iter().filter_map(Stack::next_timeout);
            let Some(next) = timers.chain(arrival).min().filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            while let Some(Reverse(flight)) = self.flights.peek()
                && flight.0 <= self.now
            {
                let Some(Reverse((_, _, from, to, mut packet))) = self.flights.pop() else {
                    break;
                };
                self.ends[to].handle_packet(self.now, Peer(from as u32), &mut packet);
            }
            for end in &mut self.ends {
                end.handle_timeout(self.now, |_| Some(self.now));
            }
        }
        self.now = end;
    }

    fn flush(&mut self) {
        for from in 0..3 {
            loop {
                let mut sink = Packets::with_room(64);
                let more = self.ends[from].poll_transmit(self.now, &mut sink);
                for (to, packet) in sink.packets {
                    let mut at = self.now + DELAY;
                    if from == 0 {
                        self.busy_until = self.busy_until.max(self.now);
                        if self.busy_until - self.now > QUEUE {
                            continue;
                        }
                        self.busy_until += Duration::from_secs_f64(packet.len() as f64 / RATE);
                        at = self.busy_until + DELAY;
                    }
                    self.number += 1;
                    let to = to.0 as usize;
                    self.flights
                        .push(Reverse((at, self.number, from, to, packet)));
                }
                if !more {
                    break;
                }
            }
        }
    }

    /// Begins a transfer from the server to `peer`.
    fn begin(&mut self, peer: usize) {
        let target = Target::Address(([192, 0, 2, 1], 80).into());
        let flow = self.ends[peer]
            .open_stream(self.now, Peer(0), &target, b"")
            .expect("it is carried");
        let server = loop {
            match self.ends[0].poll_event() {
                Some(Event::Requested { flow, .. }) => break flow,
                Some(_) => {}
                None => self.pass(),
            }
        };
        self.ends[0].accept(self.now, server).expect("it waits");
        self.transfers.push((server, peer, flow, 0));
    }

    /// What each transfer moves within `millis`.
    fn moved(&mut self, millis: u32) -> Vec<usize> {
        let before: Vec<usize> = self.transfers.iter().map(|transfer| transfer.3).collect();
        for _ in 0..millis {
            for (number, (server, peer, flow, got)) in self.transfers.iter_mut().enumerate() {
                while self.ends[0].send(*server, &mut |free| free.len()) > 0 {}
                if self.stalled.contains(&number) {
                    continue;
                }
                loop {
                    let taken = self.ends[*peer].receive(*flow, &mut <[u8]>::len);
                    *got += taken;
                    if taken == 0 {
                        break;
                    }
                }
            }
            for end in &mut self.ends {
                while let Some(event) = end.poll_event() {
                    assert!(!matches!(event, Event::Closed { .. }), "{event:?}");
                }
            }
            self.pass();
        }
        let now = self.transfers.iter().map(|transfer| transfer.3);
        now.zip(before).map(|(now, before)| now - before).collect()
    }
}

fn assert_shared(moved: &[usize], millis: u32, least: f64, all: f64) {
    let whole = RATE * f64::from(millis) / 1_000.0;
    let sum: usize = moved.iter().sum();
    assert!(sum as f64 > all * whole, "{moved:?} of {whole}");
    let fair = sum as f64 / moved.len() as f64;
    for part in moved {
        assert!(*part as f64 > least * fair, "{moved:?}");
    }
}

#[test]
fn streams_of_one_peer_have_equal_shares_and_one_that_is_not_read_takes_none() {
    let mut world = World::new();
    for _ in 0..3 {
        world.begin(1);
    }
    world.moved(2_000);
    assert_shared(&world.moved(4_000), 4_000, 0.9, 0.85);
    world.stalled.push(1);
    world.moved(3_000);
    let moved = world.moved(4_000);
    assert_eq!(moved[1], 0);
    assert_shared(&[moved[0], moved[2]], 4_000, 0.9, 0.85);
}

#[test]
fn peers_have_equal_shares_however_many_streams_each_has() {
    let mut world = World::new();
    for peer in [1, 2, 2, 2] {
        world.begin(peer);
    }
    world.moved(4_000);
    let moved = world.moved(10_000);
    let of_peers = [moved[0], moved[1..].iter().sum()];
    assert_shared(&of_peers, 10_000, 0.7, 0.85);
    assert_shared(&moved[1..], 10_000, 0.9, 0.0);
}
