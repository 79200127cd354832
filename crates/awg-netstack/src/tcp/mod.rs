//! The TCP flows ([`Tcp`]): finding the flow of a segment, opening and ending flows, and who has something to send.
//! What happens inside a connection is [`machine`]'s.
//!
//! Floors: [`machine`] and its neighbours ([`ends`], [`ports`], [`time_wait`], [`bare`], [`peers`], [`buffers`]) know
//! nothing of flows; [`flow`] and [`slots`] hold them; this module moves them, [`half_open`] and [`keepalive`] before they
//! begin and while they are idle, [`resumption`] after their peer was gone for a while.
//!
//! A packet costs the same however many flows are idle: its flow is found by hash, only flows in `dirty` are asked for
//! packets, and timers are looked at when they fire.

mod bare;
mod buffers;
mod commands;
mod ends;
mod flow;
mod half_open;
mod keepalive;
mod machine;
mod peers;
mod ports;
mod resumption;
mod slots;
mod time_wait;
mod transmit;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::allowance::Allowances;
use crate::counters::TcpCounters;
use crate::deadlines::Deadlines;
use crate::event::{Clogged, Closure, Event, Refusal, Rejection};
use crate::flow::{FlowId, Peer};
use crate::limits::Limits;
use crate::packet::{Flags, IpHeader, Segment};
use buffers::Buffers;
use ends::Key;
use flow::{Flow, Stage};
use machine::{Ends, Link, Phase, TcpMachine};
use peers::Peers;
use slots::Slots;
use time_wait::{Rest, TimeWait};

/// A held SYN that nobody took: an ICMP error is to say so.
pub(crate) struct Unreachable {
    pub(crate) peer: Peer,
    pub(crate) why: Rejection,
    /// The SYN.
    pub(crate) packet: Vec<u8>,
}

/// A segment of no flow, with all that is known of it.
struct Stray<'p> {
    key: Key,
    ends: Ends,
    ip: &'p IpHeader,
    packet: &'p [u8],
    segment: &'p Segment,
}

/// All TCP flows.
pub(crate) struct Tcp {
    limits: Limits,
    accept: bool,
    link: Link,
    slots: Slots,
    by_key: HashMap<Key, u32>,
    /// The last flow found: segments come in runs.
    last: Option<(Key, u32)>,
    half_open: usize,
    time_wait: TimeWait,
    peers: Peers,
    deadlines: Deadlines,
    /// Flows that may have something to send, each once.
    dirty: VecDeque<u32>,
    /// A flow that could send nothing large, not yet told of.
    clogged: Option<Clogged>,
    events: VecDeque<Event>,
    buffers: Buffers,
    rng: StdRng,
    /// Small packets on their way out, each whole.
    waiting: VecDeque<(Peer, Vec<u8>)>,
    /// Answers to strays.
    allowances: Allowances,
    bytes: usize,
    counters: TcpCounters,
}

impl Tcp {
    pub(crate) fn new(
        limits: Limits,
        mtu: u16,
        accept: bool,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let mut rng = StdRng::from_seed(seed);
        Self {
            accept,
            link: Link::new(mtu, rng.random(), now),
            slots: Slots::default(),
            by_key: HashMap::new(),
            last: None,
            half_open: 0,
            time_wait: TimeWait::new(limits.time_wait_flows, limits.time_wait, now),
            peers: Peers::default(),
            deadlines: Deadlines::default(),
            dirty: VecDeque::new(),
            clogged: None,
            events: VecDeque::new(),
            buffers: Buffers::new(limits.buffer_bytes_per_flow),
            rng,
            waiting: VecDeque::new(),
            allowances: Allowances::new(limits.errors_per_second, now),
            bytes: 0,
            counters: TcpCounters::default(),
            limits,
        }
    }

    /// Takes a TCP segment: `packet` is whole, `ip` its header.
    pub(crate) fn handle_packet(
        &mut self,
        now: Instant,
        peer: Peer,
        packet: &mut [u8],
        ip: &IpHeader,
    ) {
        let Some(segment) = Segment::parse(packet, ip) else {
            self.counters.malformed += 1;
            return;
        };
        let local = SocketAddr::new(ip.destination, segment.destination_port);
        let remote = SocketAddr::new(ip.source, segment.source_port);
        let key = Key::new(peer, local, remote);
        if let Some(number) = self.find(&key) {
            self.handle_segment(now, number, packet, &segment);
            return;
        }
        let stray = Stray {
            key,
            ends: Ends { local, remote },
            ip,
            packet,
            segment: &segment,
        };
        self.handle_stray(now, &stray);
    }

    fn find(&mut self, key: &Key) -> Option<u32> {
        if let Some((last, number)) = &self.last
            && last == key
        {
            return Some(*number);
        }
        let number = *self.by_key.get(key)?;
        self.last = Some((*key, number));
        Some(number)
    }

    fn handle_segment(&mut self, now: Instant, number: u32, packet: &mut [u8], segment: &Segment) {
        let Some(flow) = self.slots.get(number) else {
            return;
        };
        flow.active = now;
        flow.asked = None;
        let peer = flow.key.peer();
        let Stage::Open(machine) = &mut flow.stage else {
            self.handle_half_open(now, number, packet, segment);
            return;
        };
        let mut replies = Vec::new();
        machine.handle_segment(&mut self.link, now, packet, segment, &mut replies);
        if flow.lingers && !machine.has_unacknowledged() {
            flow.reset();
        }
        for reply in replies {
            self.push_sealed(peer, reply);
        }
        self.mark(number);
        self.settle(now, number, segment.length > 0);
    }

    /// A segment of no flow: a new one, a late one, or one to reset.
    fn handle_stray(&mut self, now: Instant, stray: &Stray<'_>) {
        let &Stray {
            key, ip, segment, ..
        } = stray;
        let opens = segment.flags.has(Flags::SYN)
            && !segment.flags.any(Flags::ACK | Flags::RST | Flags::FIN);
        if let Some(rest) = self.time_wait.find(now, &key) {
            let newer = segment.sequence.wrapping_sub(rest.expected).cast_signed() > 0;
            if segment.flags.has(Flags::RST) {
                // Its flow is over already (RFC 1337: what rests here is not cut short).
                self.counters.stray += 1;
                return;
            }
            if !(opens && self.accept && newer) {
                // A repeated FIN wants its acknowledgement; to an older SYN it is the answer that makes its sender try
                // anew (RFC 9293 section 3.10.7.4). Of what failed no byte may seem to have arrived.
                self.counters.stray += 1;
                if !rest.orderly {
                    self.reset(now, stray);
                } else if segment.sequence_end() != segment.sequence
                    && self.may_answer(now, key.peer())
                {
                    let answer = bare::acknowledge(ip, segment, rest.next, rest.expected);
                    self.push(key.peer(), answer);
                }
                return;
            }
            self.time_wait.forget(&key);
        }
        if opens && self.accept {
            self.hold(now, stray);
            return;
        }
        self.counters.stray += 1;
        if !segment.flags.has(Flags::RST) {
            self.reset(now, stray);
        }
    }

    fn reset(&mut self, now: Instant, stray: &Stray<'_>) {
        let peer = stray.key.peer();
        if self.may_answer(now, peer) {
            self.counters.resets_sent += 1;
            self.push(peer, bare::reset(stray.ip, stray.segment));
        }
    }

    /// An ICMP error quotes a segment of ours.
    pub(crate) fn handle_refusal(
        &mut self,
        now: Instant,
        peer: Peer,
        local: SocketAddr,
        remote: SocketAddr,
        sequence: u32,
        why: Refusal,
    ) -> bool {
        match self.find_in_flight(Key::new(peer, local, remote), sequence) {
            // Once a connection is open an error only says that a packet was lost (RFC 5461).
            Some((number, machine)) if machine.phase() == Phase::Connecting => {
                self.refuse(now, number, why);
                true
            }
            _ => false,
        }
    }

    /// A router says that a packet of ours is too large (RFC 1191, RFC 8201).
    pub(crate) fn handle_too_big(
        &mut self,
        now: Instant,
        peer: Peer,
        local: SocketAddr,
        remote: SocketAddr,
        sequence: u32,
        mtu: u16,
    ) -> bool {
        let Some(number) = self
            .find_in_flight(Key::new(peer, local, remote), sequence)
            .map(|(number, _)| number)
        else {
            return false;
        };
        if let Some(machine) = self.slots.get(number).and_then(Flow::machine)
            && machine.lower_mtu(&mut self.link, now, mtu)
        {
            self.counters.mtu_lowered += 1;
        }
        self.mark(number);
        true
    }

    /// The connection of which `sequence` is in flight: only errors about such bytes are believed (RFC 5927 section 4).
    fn find_in_flight(&mut self, key: Key, sequence: u32) -> Option<(u32, &mut TcpMachine)> {
        let number = self.find(&key)?;
        let machine = self.slots.get(number)?.machine()?;
        machine.has_in_flight(sequence).then_some((number, machine))
    }

    /// Ends a flow of ours that did not come to be.
    fn refuse(&mut self, now: Instant, number: u32, why: Refusal) {
        let flow = self.slots.name(number);
        self.events.push_back(Event::Refused { flow, why });
        self.end(now, number, Closure::Refused);
    }

    /// Tells the embedder what became of a flow; `arrived` is whether data came just now.
    fn settle(&mut self, now: Instant, number: u32, arrived: bool) {
        let name = self.slots.name(number);
        let Some(flow) = self.slots.get(number) else {
            return;
        };
        let Stage::Open(machine) = &mut flow.stage else {
            return;
        };
        let told = &mut flow.told;
        self.counters.fast_retransmits += std::mem::take(&mut machine.fast_retransmits);
        self.counters.retransmission_timeouts += std::mem::take(&mut machine.walks);
        if machine.was_reset() {
            if flow.ours && !told.established {
                self.refuse(now, number, Refusal::Reset);
                return;
            }
            // What came before may still be read, as of any socket.
            if machine.receivable() == 0 || !told.established {
                self.end(now, number, Closure::Reset);
                return;
            }
            flow.linger_until.get_or_insert(now + self.limits.linger);
        }
        let phase = machine.phase();
        let opened = !told.established && phase == Phase::Open;
        if opened {
            told.established = true;
            flow.answer_by = None;
            self.events.push_back(Event::Established { flow: name });
            if flow.shutdown {
                machine.shutdown();
            }
        }
        // What came before the handshake was complete is told of once it is.
        if (arrived || opened) && told.established && !told.readable && machine.receivable() > 0 {
            told.readable = true;
            self.events.push_back(Event::Readable { flow: name });
        }
        if !told.finished && machine.is_finished() {
            told.finished = true;
            self.events.push_back(Event::Finished { flow: name });
        }
        if !told.writable && machine.take_writable() {
            told.writable = true;
            self.events.push_back(Event::Writable { flow: name });
        }
        let bytes = machine.touched();
        self.bytes = self.bytes + bytes - flow.bytes;
        flow.bytes = bytes;
    }

    /// A flow has lingered for too long.
    fn stop_lingering(&mut self, now: Instant, number: u32) {
        let Some(flow) = self.slots.get(number) else {
            return;
        };
        flow.linger_until = None;
        if flow.lingers {
            flow.reset();
            self.mark(number);
        } else {
            self.end(now, number, Closure::Reset);
        }
    }

    /// Ends flows of which nothing is left to send or to read.
    fn end_if_over(&mut self, now: Instant, number: u32) -> bool {
        let Some(flow) = self.slots.get(number) else {
            return true;
        };
        let Stage::Open(machine) = &flow.stage else {
            return false;
        };
        let how = match machine.phase() {
            _ if flow.aborted => Closure::Aborted,
            // Until it is read.
            _ if machine.was_reset() => return false,
            _ if machine.is_dead() => Closure::TimedOut,
            Phase::TimeWait | Phase::Closed if machine.receivable() == 0 => Closure::Orderly,
            _ => return false,
        };
        self.end(now, number, how);
        true
    }

    /// Removes a flow. Its slot is free once the embedder took the event.
    fn end(&mut self, now: Instant, number: u32, how: Closure) {
        let name = self.slots.name(number);
        let Some(flow) = self.slots.end(number) else {
            return;
        };
        self.by_key.remove(&flow.key);
        self.deadlines.disarm(number);
        self.last = None;
        self.bytes -= flow.bytes;
        let peer = flow.key.peer();
        let share = self.peers.share(now, peer);
        share.flows.remove(&number);
        match flow.stage {
            Stage::HalfOpen(_) => {
                share.half_open = share.half_open.saturating_sub(1);
                self.half_open -= 1;
            }
            Stage::Open(machine) => {
                // Ports of ours rest however the flow ended: the other end may be the one that waits.
                let waits = machine.phase() == Phase::TimeWait;
                if waits || (flow.ours && flow.told.established) {
                    let (next, expected) = machine.sequences();
                    let rest = Rest {
                        next,
                        expected,
                        orderly: waits || how == Closure::Orderly,
                    };
                    if self.time_wait.bury(now, flow.key, rest) {
                        self.counters.time_wait_full += 1;
                    }
                }
                self.buffers.give_back(peer, *machine);
            }
        }
        self.peers.settle(peer);
        self.events.push_back(Event::Closed { flow: name, how });
    }

    /// All flows of a peer end, without a word to it.
    pub(crate) fn forget_peer(&mut self, now: Instant, peer: Peer) {
        for number in self.peers.flows(peer) {
            self.end(now, number, Closure::PeerGone);
        }
        self.buffers.forget(peer);
    }

    /// What happened, oldest first.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        loop {
            let event = self.events.pop_front()?;
            match event {
                Event::Closed { flow, .. } => self.slots.free(flow),
                Event::Readable { flow } => match self.slots.find(flow) {
                    Some((_, flow)) => flow.told.readable = false,
                    None => continue,
                },
                Event::Writable { flow } => match self.slots.find(flow) {
                    Some((_, flow)) => flow.told.writable = false,
                    None => continue,
                },
                _ => {}
            }
            return Some(event);
        }
    }

    pub(crate) fn counters(&self) -> TcpCounters {
        TcpCounters {
            flows: self.by_key.len() as u64,
            half_open: self.half_open as u64,
            time_wait: self.time_wait.len() as u64,
            buffer_bytes: self.bytes as u64,
            ..self.counters
        }
    }

    /// The flow will be asked for packets.
    fn mark(&mut self, number: u32) {
        if let Some(flow) = self.slots.get(number)
            && !flow.queued
            && matches!(flow.stage, Stage::Open(_))
        {
            flow.queued = true;
            self.dirty.push_back(number);
        }
    }

    fn may_answer(&mut self, now: Instant, peer: Peer) -> bool {
        let may = self.allowances.take(now, peer);
        self.counters.answers_suppressed += u64::from(!may);
        may
    }

    /// Queues a packet of smoltcp's, whose checksums are still to be filled in.
    fn push_sealed(&mut self, peer: Peer, mut packet: Vec<u8>) {
        crate::packet::seal(&mut packet);
        self.push(peer, packet);
    }

    /// Whether there was room for the packet; it is dropped and counted where there was none.
    fn push(&mut self, peer: Peer, packet: Vec<u8>) -> bool {
        let room = self.waiting.len() < self.limits.waiting_packets;
        if room {
            self.waiting.push_back((peer, packet));
        } else {
            self.counters.waiting_full += 1;
        }
        room
    }

    /// The peers that have flows, and since when.
    pub(crate) fn peers(&self) -> impl Iterator<Item = (Peer, Instant)> {
        self.peers.iter()
    }

    /// Whether `name` is a flow that is not over.
    fn flow(&mut self, name: FlowId) -> Option<&mut Flow> {
        self.slots.find(name).map(|(_, flow)| flow)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
