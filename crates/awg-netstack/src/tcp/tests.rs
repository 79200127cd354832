//! How much memory a flow really has, as the kernel sees it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Tcp;
use super::flow::Flow;
use crate::event::Event;
use crate::flow::{FlowId, Peer};
use crate::limits::Limits;
use crate::memory::Packets;
use crate::packet::IpHeader;

const PEER: Peer = Peer(1);

/// Two ends, joined without loss or delay.
struct World {
    now: Instant,
    ends: [Tcp; 2],
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let end = |accept, seed| Tcp::new(Limits::default(), 1420, accept, [seed; 32], now);
        Self {
            now,
            ends: [end(false, 1), end(true, 2)],
        }
    }

    /// A flow from end 0 to end 1: its names.
    fn open(&mut self) -> [FlowId; 2] {
        let from = "10.0.0.2".parse().expect("an address");
        let to = SocketAddr::from(([192, 0, 2, 1], 80));
        let [client, server] = &mut self.ends;
        let ours = client.connect(self.now, PEER, from, to).expect("room");
        carry(self.now, client, server);
        let Some(Event::Incoming { flow, .. }) = server.poll_event() else {
            panic!("no flow came in");
        };
        server.accept(self.now, flow).expect("it waits");
        self.settle();
        [ours, flow]
    }

    /// Carries packets until there are none.
    fn settle(&mut self) {
        let [client, server] = &mut self.ends;
        while carry(self.now, client, server) + carry(self.now, server, client) > 0 {}
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        for end in &mut self.ends {
            end.handle_timeout(self.now, |_| panic!("nothing waits for an answer"));
        }
        self.settle();
    }

    fn send(&mut self, end: usize, flow: FlowId, bytes: usize) -> usize {
        let mut sent = 0;
        while sent < bytes {
            let written = self.ends[end].send(flow, &mut |free| {
                let count = free.len().min(bytes - sent);
                free[..count].fill(0x5a);
                count
            });
            if written == 0 {
                break;
            }
            sent += written;
        }
        self.settle();
        sent
    }

    fn take(&mut self, end: usize, flow: FlowId) -> usize {
        let mut taken = 0;
        loop {
            let count = self.ends[end].receive(flow, &mut |held| {
                assert!(held.iter().all(|byte| *byte == 0x5a), "a byte was lost");
                held.len()
            });
            if count == 0 {
                break;
            }
            taken += count;
        }
        self.settle();
        taken
    }

    /// Bytes of the flow's buffers that are in memory.
    fn resident(&mut self, end: usize, flow: FlowId) -> usize {
        let flow = self.ends[end].flow(flow).and_then(Flow::machine);
        flow.expect("a flow that lives").resident()
    }
}

/// Gives what one end sends to the other; how many packets.
fn carry(now: Instant, from: &mut Tcp, to: &mut Tcp) -> usize {
    let mut sink = Packets::default();
    from.poll_transmit(now, &mut sink);
    let count = sink.packets.len();
    for (peer, mut packet) in sink.packets {
        let ip = IpHeader::parse(&packet).expect("an IP packet");
        to.handle_packet(now, peer, &mut packet, &ip);
    }
    count
}

#[test]
fn a_flow_has_no_memory_before_it_moved_data_and_none_when_it_fell_idle() {
    let mut world = World::new();
    let flows = world.open();
    for end in [0, 1] {
        assert_eq!(world.resident(end, flows[end]), 0);
    }
    let mut moved = 0;
    while moved < 8_000_000 {
        world.now += Duration::from_millis(1);
        world.send(1, flows[1], 100_000);
        moved += world.take(0, flows[0]);
    }
    for end in [0, 1] {
        assert!(
            world.resident(end, flows[end]) > 0,
            "it was not looked at in time"
        );
    }
    world.pass(Limits::default().idle_memory + Duration::from_secs(1));
    world.pass(Limits::default().idle_memory);
    for end in [0, 1] {
        assert_eq!(world.resident(end, flows[end]), 0);
        assert_eq!(world.ends[end].counters().buffer_bytes, 0);
    }
    // It still works.
    assert_eq!(world.send(1, flows[1], 10_000), 10_000);
    assert_eq!(world.take(0, flows[0]), 10_000);
}

#[test]
fn what_waits_for_a_slow_reader_stays_whole_while_memory_is_given_back() {
    let mut world = World::new();
    let flows = world.open();
    // Everywhere in the ring, over its end too: an odd part stays unread each time.
    for round in 0..60 {
        assert_eq!(world.send(1, flows[1], 100_001), 100_001, "round {round}");
        world.pass(Limits::default().idle_memory + Duration::from_secs(1));
        world.pass(Limits::default().idle_memory);
        let page = 16_384;
        assert!(
            world.resident(0, flows[0]) <= 100_001 + 2 * page,
            "round {round}"
        );
        assert_eq!(world.take(0, flows[0]), 100_001, "round {round}");
    }
}

#[test]
fn a_reader_that_stops_bounds_what_both_ends_hold() {
    let mut world = World::new();
    let flows = world.open();
    let limit = Limits::default().buffer_bytes_per_flow;
    let mut sent = 0;
    loop {
        let more = world.send(1, flows[1], 1 << 20);
        if more == 0 {
            break;
        }
        sent += more;
        world.pass(Duration::from_millis(10));
    }
    assert!(sent <= 2 * limit, "{sent}");
    for end in [0, 1] {
        assert!(world.resident(end, flows[end]) <= limit);
    }
    assert!(world.ends[1].counters().send_buffer_full > 0);
    // Whatever time passes, nothing is lost and nothing grows.
    for _ in 0..20 {
        world.pass(Duration::from_secs(30));
    }
    let mut taken = 0;
    while taken < sent {
        let count = world.take(0, flows[0]);
        taken += count;
        if count == 0 {
            world.pass(Duration::from_secs(1));
        }
    }
    assert_eq!(taken, sent);
}
