//! What only the machine itself can tell: the memory that a connection holds, as the kernel counts it.

#![cfg(target_os = "linux")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Ends, Link, Outlet, Rings, TcpMachine};
use crate::packet::{IpHeader, Segment, seal};

const CAPACITY: usize = 4 << 20;

struct Wire(Vec<Vec<u8>>);

impl Outlet for Wire {
    fn has_room(&self) -> bool {
        true
    }

    fn packet(&mut self, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        let mut packet = vec![0; length];
        emit(&mut packet);
        seal(&mut packet);
        self.0.push(packet);
    }
}

/// A connection's two ends, and a link without delay between them.
struct Pair {
    now: Instant,
    links: [Link; 2],
    machines: [TcpMachine; 2],
}

fn ends() -> [SocketAddr; 2] {
    ["10.0.0.2:40000", "192.0.2.1:80"].map(|end| end.parse().expect("an address"))
}

fn segment(packet: &[u8]) -> Segment {
    let ip = IpHeader::parse(packet).expect("an IP packet");
    Segment::parse(packet, &ip).expect("a segment")
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let [local, remote] = ends();
        let rings = || Rings::new(CAPACITY).expect("address space");
        let mut links = [1, 2].map(|seed| Link::new(1420, seed, now));
        let mut client = TcpMachine::connect(&mut links[0], rings(), Ends { local, remote }, now)
            .expect("a pair");
        let mut wire = Wire(Vec::new());
        client.poll_transmit(&mut links[0], now, 1, &mut wire);
        let mut syn = wire.0.pop().expect("a SYN");
        let first = segment(&syn);
        let ends = Ends {
            local: remote,
            remote: local,
        };
        let server =
            TcpMachine::accept(&mut links[1], rings(), ends, &mut syn, &first, now).expect("a SYN");
        let mut pair = Self {
            now,
            links,
            machines: [client, server],
        };
        pair.settle();
        pair
    }

    /// Carries segments until neither end has any.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for end in [1, 0] {
                let mut wire = Wire(Vec::new());
                self.machines[end].poll_transmit(&mut self.links[end], self.now, 64, &mut wire);
                for mut packet in wire.0 {
                    moved = true;
                    let segment = segment(&packet);
                    let mut replies = Vec::new();
                    let other = 1 - end;
                    self.machines[other].handle_segment(
                        &mut self.links[other],
                        self.now,
                        &mut packet,
                        &segment,
                        &mut replies,
                    );
                }
            }
            if !moved {
                // A delayed acknowledgement.
                self.now += Duration::from_millis(10);
                let mut wire = Wire(Vec::new());
                self.machines[0].poll_transmit(&mut self.links[0], self.now, 64, &mut wire);
                for mut packet in wire.0 {
                    let segment = segment(&packet);
                    self.machines[1].handle_segment(
                        &mut self.links[1],
                        self.now,
                        &mut packet,
                        &segment,
                        &mut Vec::new(),
                    );
                }
                return;
            }
        }
    }

    /// Sends `bytes` from the server, of which the client reads all but `unread`.
    fn download(&mut self, bytes: usize, unread: usize) {
        let mut left = bytes;
        while left > 0 {
            left -= self.machines[1].send(&mut |free| {
                let count = free.len().min(left);
                free[..count].fill(7);
                count
            });
            self.settle();
            let keep = if left == 0 { unread } else { 0 };
            while self.machines[0].receivable() > keep {
                let most = self.machines[0].receivable() - keep;
                self.machines[0].receive(&mut |held| {
                    assert!(held.iter().all(|byte| *byte == 7));
                    held.len().min(most)
                });
            }
        }
        self.settle();
    }
}

#[test]
fn a_connection_without_data_holds_no_memory() {
    let pair = Pair::new();
    assert!(pair.machines.iter().all(|machine| machine.resident() == 0));
}

#[test]
fn a_window_that_was_offered_fits_the_buffer_whoever_offered_it() {
    let mut pair = Pair::new();
    let fits = |machine: &TcpMachine| {
        // What RFC 7323 section 2.3 needs for this capacity.
        let offered = usize::from(machine.offered()) << 7;
        offered > 0 && offered <= CAPACITY
    };
    // One end has sent nothing but its SYN.
    assert!(pair.machines.iter().all(fits));
    pair.download(1_000_000, 0);
    assert!(pair.machines.iter().all(fits));
}

#[test]
fn memory_is_returned_when_idle_and_the_connection_lives_on() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.download(1_000_000, 0);
        assert!(pair.machines.iter().all(|machine| machine.resident() > 0));
        for machine in &mut pair.machines {
            assert!(machine.release(pair.now, true));
            assert_eq!((machine.resident(), machine.touched()), (0, 0));
        }
    }
}

#[test]
fn bytes_that_wait_survive_the_return_of_the_rest() {
    let mut pair = Pair::new();
    // Around the end of the ring, too.
    for bytes in [3_000_000, 1_190_000, 2_500_000] {
        pair.download(bytes, 20_000);
        assert!(pair.machines[0].release(pair.now, true));
        assert_eq!(pair.machines[0].receivable(), 20_000);
        assert!(
            pair.machines[0].resident() <= 32 * 1024,
            "{}",
            pair.machines[0].resident()
        );
        let mut read = 0;
        while pair.machines[0].receivable() > 0 {
            read += pair.machines[0].receive(&mut |held| {
                assert!(held.iter().all(|byte| *byte == 7));
                held.len()
            });
        }
        assert_eq!(read, 20_000);
    }
}

#[test]
fn a_busy_connection_returns_what_it_walked_past() {
    let mut pair = Pair::new();
    pair.download(3_000_000, 0);
    let walked = pair.machines[0].resident();
    assert!(walked > 1_000_000, "{walked}");
    pair.now += Duration::from_secs(1);
    assert!(pair.machines[0].release(pair.now, false));
    assert_eq!(pair.machines[0].resident(), 0);
    // Not at every packet.
    pair.download(500_000, 0);
    assert!(!pair.machines[0].release(pair.now, false));
}
