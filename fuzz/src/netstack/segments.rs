//! TCP segments in hostile sequences: each alone is well formed, and its numbers lie near those that the stack expects.
//!
//! Claimed: whatever overlap, order and flags segments have, the bytes that come out are those that the sequence numbers
//! stand for, and the bytes that leave are the application's; every flow begins and ends once; tables and buffers stay
//! within their limits; an hour later nothing is left.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use arbitrary::Arbitrary;
use awg_netstack::{Peer, Rejection};

use super::application::{Application, ours, theirs};
use super::host::{Host, OWN};
use crate::input::{self, choose};
use crate::memory;
use crate::wire::{self, ICMP, ICMPV6, TCP};

const SYN: u8 = 2;
const ACK: u8 = 16;

/// What a stack of these limits may hold, beside flows' buffers, which it tells of, and packets that wait to be looked at.
const MEMORY: usize = 3 << 20;
/// Steps of one run: what comes after is ignored.
const STEPS: usize = 96;

#[derive(Debug, Arbitrary)]
pub(super) struct Input<'a> {
    /// Whether the application accepts and reads at once.
    pub(super) eager: bool,
    pub(super) steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
pub(super) enum Step<'a> {
    Segment(Segment<'a>),
    /// An ICMP error about what the stack sent last on a wire: type by place, code, MTU, and where its number lies.
    Error {
        wire: u8,
        kind: u8,
        code: u8,
        mtu: u16,
        sequence: Near,
    },
    Accept(u8),
    Reject(u8, u8),
    Send(u8, u16),
    Take(u8, u16),
    Shutdown(u8),
    Abort(u8),
    Connect {
        ipv6: bool,
    },
    Milliseconds(u8),
    Seconds(u8),
    Wake,
    ForgetPeer(bool),
}

#[derive(Debug, Arbitrary)]
pub(super) struct Segment<'a> {
    pub(super) wire: u8,
    pub(super) flags: u8,
    pub(super) sequence: Near,
    pub(super) acknowledgement: Near,
    pub(super) window: u16,
    pub(super) length: u16,
    pub(super) options: Options<'a>,
}

/// A number near the one that would be right.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(super) enum Near {
    Exact,
    By(i8),
    Far(i16),
    Anywhere(u32),
}

impl Near {
    fn of(self, right: u32) -> u32 {
        match self {
            Self::Exact => right,
            Self::By(by) => right.wrapping_add_signed(by.into()),
            Self::Far(by) => right.wrapping_add_signed(i32::from(by) * 64),
            Self::Anywhere(number) => number,
        }
    }
}

#[derive(Debug, Arbitrary)]
pub(super) enum Options<'a> {
    None,
    /// Largest segment, window scale and SACK, as a SYN has them.
    Usual {
        largest: u16,
        scale: u8,
    },
    /// Ranges behind what was acknowledged: where each begins, and its length.
    Selective([(Near, u16); 3]),
    Bytes(&'a [u8]),
}

impl Options<'_> {
    fn bytes(&self, sent: u32) -> Vec<u8> {
        let mut bytes = match *self {
            Options::None => Vec::new(),
            Options::Usual { largest, scale } => {
                let [high, low] = largest.to_be_bytes();
                vec![2, 4, high, low, 3, 3, scale, 4, 2]
            }
            Options::Selective(ranges) => {
                let mut bytes = vec![1, 1, 5, 26];
                for (begin, length) in ranges {
                    let begin = begin.of(sent);
                    bytes.extend(begin.to_be_bytes());
                    bytes.extend(begin.wrapping_add(length.into()).to_be_bytes());
                }
                bytes
            }
            Options::Bytes(bytes) => bytes[..bytes.len().min(40)].to_vec(),
        };
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }
}

/// A pair of ends, and what the stack said on it.
struct Wire {
    peer: Peer,
    remote: SocketAddr,
    stack: SocketAddr,
    /// The stack's first sequence number.
    start: Option<u32>,
    /// The sequence number after all that the stack sent.
    sent: u32,
    /// What the stack acknowledged last.
    expected: u32,
    last: Option<Vec<u8>>,
}

impl Wire {
    fn new(peer: Peer, remote: SocketAddr, stack: SocketAddr) -> Self {
        Self {
            peer,
            remote,
            stack,
            start: None,
            sent: 0,
            expected: 0xffff_ff00,
            last: None,
        }
    }
}

struct Run {
    host: Host,
    application: Application,
    wires: Vec<Wire>,
}

/// Plays the segments that `data` describes to a stack.
///
/// # Panics
/// Where the stack does what it must not.
pub fn segments(data: &[u8]) {
    if let Some(input) = input::read::<Input>(data) {
        memory::within(MEMORY + data.len() * 16, || {
            play(&input);
        });
    }
}

/// Plays a sequence; gives how many bytes the application got.
pub(super) fn play(input: &Input) -> usize {
    let target = |ipv6: bool| -> IpAddr {
        if ipv6 {
            [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()
        } else {
            [192, 0, 2, 1].into()
        }
    };
    let wires = (0..6).map(|number: u16| {
        let ipv6 = number % 3 == 2;
        let remote: IpAddr = if ipv6 {
            [0xfd00, 0, 0, 0, 0, 0, 0, 2].into()
        } else {
            [10, 0, 0, 2].into()
        };
        let peer = Peer(u32::from(number / 4));
        Wire::new(
            peer,
            (remote, 1000 + number).into(),
            (target(ipv6), 80).into(),
        )
    });
    let mut run = Run {
        host: Host::new(),
        application: Application {
            eager: input.eager,
            ..Application::default()
        },
        wires: wires.collect(),
    };
    for step in input.steps.iter().take(STEPS) {
        run.step(step, &target);
        run.look(None);
        run.host.bounded();
    }
    let Run {
        mut host,
        mut application,
        ..
    } = run;
    host.outlive(|host| {
        application.listen(host, None);
        host.sent();
        // A flow may end with its last packet.
        application.listen(host, None);
    });
    assert!(application.flows.is_empty(), "a flow's end was not told");
    application.taken
}

impl Run {
    fn step(&mut self, step: &Step, target: &dyn Fn(bool) -> IpAddr) {
        let now = self.host.now;
        let flow = |number| self.application.any(number);
        match *step {
            Step::Segment(ref segment) => self.segment(segment),
            Step::Error {
                wire,
                kind,
                code,
                mtu,
                sequence,
            } => self.error(wire, kind, code, mtu, sequence),
            Step::Accept(number) => {
                if let Some(flow) = flow(number) {
                    self.application.accept(&mut self.host, flow);
                }
            }
            Step::Reject(number, why) => {
                const REASONS: [Rejection; 5] = [
                    Rejection::Refused,
                    Rejection::NetworkUnreachable,
                    Rejection::HostUnreachable,
                    Rejection::Prohibited,
                    Rejection::TimedOut,
                ];
                if let (Some(flow), Some(why)) = (flow(number), choose(&REASONS, why)) {
                    self.host.stack.reject(now, flow, *why);
                }
            }
            Step::Send(number, length) => {
                if let Some(flow) = flow(number) {
                    self.application.send(&mut self.host, flow, length.into());
                }
            }
            Step::Take(number, most) => {
                if let Some(flow) = flow(number) {
                    self.application.take(&mut self.host, flow, most.into());
                }
            }
            Step::Shutdown(number) => {
                if let Some(flow) = flow(number) {
                    self.host.stack.shutdown(flow);
                }
            }
            Step::Abort(number) => {
                if let Some(flow) = flow(number) {
                    self.host.stack.abort(flow);
                }
            }
            Step::Connect { ipv6 } => {
                let to = SocketAddr::new(target(ipv6), 443);
                if let Ok(flow) = self.host.stack.connect(now, Peer(0), None, to) {
                    self.application.opened(flow);
                }
            }
            Step::Milliseconds(time) => self.wait(Duration::from_millis(time.into())),
            Step::Seconds(time) => self.wait(Duration::from_secs(time.into())),
            Step::Wake => {
                if let Some(next) = self.host.stack.next_timeout() {
                    self.wait(next.saturating_duration_since(now));
                }
            }
            Step::ForgetPeer(which) => self.host.stack.forget_peer(now, Peer(which.into())),
        }
    }

    fn wait(&mut self, time: Duration) {
        let end = self.host.now + time;
        let mut wakes = 0;
        while self.host.wake(end, Some(end)) {
            self.look(None);
            wakes += 1;
            assert!(wakes < 4096, "it wakes too often");
        }
    }

    fn segment(&mut self, segment: &Segment) {
        let Some(number) = usize::from(segment.wire).checked_rem(self.wires.len()) else {
            return;
        };
        let wire = &self.wires[number];
        let sequence = segment.sequence.of(wire.expected);
        let acknowledgement = segment.acknowledgement.of(wire.sent);
        let options = segment.options.bytes(wire.sent);
        let mut message = Vec::new();
        message.extend(wire.remote.port().to_be_bytes());
        message.extend(wire.stack.port().to_be_bytes());
        message.extend(sequence.to_be_bytes());
        message.extend(acknowledgement.to_be_bytes());
        message.push((((20 + options.len()) / 4) << 4) as u8);
        message.push(segment.flags);
        message.extend(segment.window.to_be_bytes());
        message.extend([0; 4]);
        message.extend(options);
        let syn = segment.flags & SYN != 0;
        let first = sequence.wrapping_add(syn.into());
        message
            .extend((0..u32::from(segment.length % 1400)).map(|at| theirs(first.wrapping_add(at))));
        let mut packet = wire::packet(wire.remote.ip(), wire.stack.ip(), TCP, None, message);
        let datagram = self
            .host
            .stack
            .handle_packet(self.host.now, wire.peer, &mut packet);
        assert_eq!(datagram, None);
        self.look(syn.then_some(sequence));
    }

    fn error(&mut self, wire: u8, kind: u8, code: u8, mtu: u16, sequence: Near) {
        let Some(number) = usize::from(wire).checked_rem(self.wires.len()) else {
            return;
        };
        let wire = &self.wires[number];
        let Some(mut quoted) = wire.last.clone() else {
            return;
        };
        let ipv6 = wire.stack.is_ipv6();
        let at = if ipv6 { 44 } else { 24 };
        let sequence = sequence.of(wire.sent);
        quoted[at..at + 4].copy_from_slice(&sequence.to_be_bytes());
        quoted.truncate(600);
        let kinds: &[u8] = if ipv6 { &[1, 2, 3, 4] } else { &[3, 11, 12] };
        let kind = choose(kinds, kind).copied().unwrap_or(3);
        let [high, low] = mtu.to_be_bytes();
        let mut message = vec![kind, code, 0, 0, 0, 0, high, low];
        message.extend(quoted);
        let protocol = if ipv6 { ICMPV6 } else { ICMP };
        let own = OWN[usize::from(ipv6)];
        let mut packet = wire::packet(wire.remote.ip(), own, protocol, None, message);
        self.host
            .stack
            .handle_packet(self.host.now, wire.peer, &mut packet);
    }

    /// Takes events and packets; `start` is the sequence number of a SYN that came just now.
    fn look(&mut self, start: Option<u32>) {
        self.application.listen(&mut self.host, start);
        for (packet, segment) in self.host.sent() {
            if let Some(segment) = segment {
                self.heard(packet, &segment);
            }
        }
        self.application.listen(&mut self.host, start);
    }

    /// Holds a segment of the stack's against what the application sent.
    fn heard(&mut self, packet: Vec<u8>, segment: &wire::Segment) {
        let found = self
            .wires
            .iter_mut()
            .find(|wire| wire.remote == segment.destination && wire.stack == segment.source);
        let wire = if let Some(wire) = found {
            wire
        } else {
            // The stack opened this one. The oldest of its kind makes room.
            if self.wires.len() > 8 {
                self.wires.remove(6);
            }
            let wire = Wire::new(Peer(0), segment.destination, segment.source);
            self.wires.push(wire);
            let Some(wire) = self.wires.last_mut() else {
                return;
            };
            wire
        };
        if segment.flags & SYN != 0 {
            wire.start = Some(segment.sequence);
        }
        if segment.flags & ACK != 0 {
            wire.expected = segment.acknowledgement;
        }
        let controls = u32::from(segment.flags & SYN != 0) + u32::from(segment.flags & 1 != 0);
        wire.sent = segment
            .sequence
            .wrapping_add(segment.data.len() as u32)
            .wrapping_add(controls);
        // A question whether the other end is there may have one byte, of no meaning.
        if segment.data.len() > 1
            && let Some(start) = wire.start
        {
            let place = segment.sequence.wrapping_sub(start).wrapping_sub(1);
            for (at, byte) in (0..).zip(&segment.data) {
                assert_eq!(*byte, ours(place.wrapping_add(at)), "a wrong byte leaves");
            }
        }
        wire.last = Some(packet);
    }
}
