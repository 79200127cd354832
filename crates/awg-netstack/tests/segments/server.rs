//! A server to whom segments are handed one by one.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use awg_netstack::{Accept, Event, FlowId, Limits, Peer, Stack, StackConfig, TcpCounters};

use super::{SYN, Segment};
use crate::wire::Packets;

pub const PEER: Peer = Peer(1);
pub const OTHER: Peer = Peer(2);
/// Client and target of each family.
pub const ENDS: [[&str; 2]; 2] = [
    ["10.0.0.2:5000", "192.0.2.1:80"],
    ["[fd00::2]:5000", "[2001:db8::1]:80"],
];

/// A server, and whoever writes to it.
pub struct World {
    pub now: Instant,
    pub stack: Stack,
}

impl World {
    pub fn new(limits: Limits) -> Self {
        Self::taking(Accept::Everything, limits)
    }

    pub fn taking(accept: Accept, limits: Limits) -> Self {
        let now = Instant::now();
        let config = StackConfig {
            addresses: ["10.0.0.1", "fd00::1"]
                .map(|text| text.parse().expect("an address"))
                .to_vec(),
            mtu: 1420,
            accept,
            limits,
        };
        Self {
            now,
            stack: Stack::new(config, [1; 32], now),
        }
    }

    /// Hands a segment in; the segments that answer it.
    pub fn give(&mut self, peer: Peer, segment: &Segment) -> Vec<Segment> {
        let mut packet = segment.packet();
        self.stack.handle_packet(self.now, peer, &mut packet);
        self.sent(peer)
    }

    /// What the stack sends, all of it to `peer`.
    pub fn sent(&mut self, peer: Peer) -> Vec<Segment> {
        let mut sink = Packets::default();
        assert!(!self.stack.poll_transmit(self.now, &mut sink));
        sink.packets
            .iter()
            .filter_map(|(to, packet)| {
                assert_eq!(*to, peer);
                Segment::read(packet)
            })
            .collect()
    }

    pub fn pass(&mut self, time: Duration) {
        self.now += time;
        self.stack.handle_timeout(self.now, |_| Some(self.now));
    }

    pub fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.stack.poll_event()).collect()
    }

    /// The one flow that comes in now.
    pub fn incoming(&mut self) -> FlowId {
        match self.events()[..] {
            [Event::Incoming { flow, .. }] => flow,
            ref other => panic!("{other:?}"),
        }
    }

    /// A flow that `client` asks for with sequence number 1000 and that is taken; the first sequence number of its data.
    pub fn accepted(&mut self, client: &str, target: &str) -> (FlowId, u32) {
        self.give(PEER, &Segment::new(client, target, SYN, 1000));
        let flow = self.incoming();
        self.stack.accept(self.now, flow).expect("a waiting flow");
        let answer = self.sent(PEER).pop().expect("a SYN-ACK");
        (flow, answer.sequence.wrapping_add(1))
    }

    pub fn counters(&self) -> TcpCounters {
        self.stack.counters().tcp
    }
}

pub fn at(text: &str) -> SocketAddr {
    text.parse().expect("a socket address")
}
