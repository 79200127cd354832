//! A stack with small limits, its clock, and what must hold after each step.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use awg_netstack::{Counters, Event, FragmentLimits, Limits, PacketSink, Peer, Stack, StackConfig};

use crate::wire::{self, Segment};

pub(super) const MTU: u16 = 1280;
/// The stack's own addresses.
pub(super) const OWN: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)),
    IpAddr::V6(std::net::Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)),
];
/// Packets that one step may make a stack send: each flow all that it holds, in segments of 48 bytes, the smallest there are; and
/// what else waits.
const OUTPUT: usize = 8 * (1 << 16) / 48 + 256;
/// Deadlines in an hour: that of each flow's timers, and room for every one of them to run early.
const WAKES: usize = 20_000;

fn limits() -> Limits {
    Limits {
        flows: 8,
        flows_per_peer: 6,
        half_open: 4,
        half_open_per_peer: 3,
        buffer_bytes_per_flow: 1 << 16,
        time_wait_flows: 4,
        errors_per_second: 50,
        waiting_packets: 8,
        datagram_bytes: 1 << 13,
        fragments: FragmentLimits {
            packets_per_peer: 4,
            bytes_per_peer: 1 << 14,
            bytes: 3 << 13,
            ..FragmentLimits::default()
        },
        ..Limits::default()
    }
}

/// Packets that left, with room for so many more.
#[derive(Default)]
struct Packets {
    packets: Vec<Vec<u8>>,
    room: usize,
}

impl PacketSink for Packets {
    fn has_room(&self) -> bool {
        self.packets.len() < self.room
    }

    fn packet(&mut self, _: Peer, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        // Whatever was in the buffer before must not show.
        let mut packet = vec![0xee; length];
        emit(&mut packet);
        self.packets.push(packet);
    }
}

/// A stack, and the time.
pub(super) struct Host {
    pub(super) stack: Stack,
    pub(super) now: Instant,
}

impl Host {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let config = StackConfig {
            addresses: OWN.to_vec(),
            mtu: MTU,
            accept: true.into(),
            limits: limits(),
        };
        Self {
            stack: Stack::new(config, [7; 32], now),
            now,
        }
    }

    /// The packets that are to leave, each looked at; what they are comes back where it is a segment.
    pub(super) fn sent(&mut self) -> Vec<(Vec<u8>, Option<Segment>)> {
        let mut sink = Packets::default();
        loop {
            sink.room = sink.packets.len() + 16;
            if !self.stack.poll_transmit(self.now, &mut sink) {
                break;
            }
            assert!(sink.packets.len() <= OUTPUT, "it never stops sending");
        }
        let looked_at = |packet: Vec<u8>| {
            let segment = wire::inspect(&packet, MTU);
            (packet, segment)
        };
        sink.packets.into_iter().map(looked_at).collect()
    }

    /// The next event.
    pub(super) fn event(&mut self) -> Option<Event> {
        self.stack.poll_event()
    }

    /// Goes to the next deadline before `end`; `false` where there is none left.
    pub(super) fn wake(&mut self, end: Instant, heard: Option<Instant>) -> bool {
        let next = self.stack.next_timeout();
        let Some(next) = next.filter(|next| *next <= end) else {
            self.now = self.now.max(end);
            return false;
        };
        self.now = self.now.max(next);
        self.stack.handle_timeout(self.now, |_| heard);
        true
    }

    /// What the counters say of tables and buffers against their bounds.
    pub(super) fn bounded(&self) -> Counters {
        let limits = limits();
        let counters = self.stack.counters();
        let tcp = counters.tcp;
        assert!(tcp.flows <= limits.flows as u64);
        assert!(tcp.half_open <= limits.half_open as u64);
        assert!(tcp.time_wait <= limits.time_wait_flows as u64);
        assert!(tcp.buffer_bytes <= 2 * (limits.flows * limits.buffer_bytes_per_flow) as u64);
        assert!(counters.datagrams.flows <= limits.flows as u64);
        counters
    }

    /// Lets an hour pass in which nobody is heard of; `step` after each deadline. Nothing may be left.
    pub(super) fn outlive(&mut self, mut step: impl FnMut(&mut Self)) {
        let (last, end) = (self.now, self.now + Duration::from_hours(1));
        let mut wakes = 0;
        while self.wake(end, Some(last)) {
            step(self);
            wakes += 1;
            assert!(wakes <= WAKES, "it does not rest");
        }
        let left = self.bounded();
        // Ended flows are forgotten when the next segment comes.
        assert_eq!((left.tcp.flows, left.tcp.half_open), (0, 0));
        assert_eq!((left.datagrams.flows, left.tcp.buffer_bytes), (0, 0));
    }
}
