//! Flows that a peer opens, until the embedder answers: the SYN is kept as it came, so that nothing is promised before
//! the target has agreed.

use std::time::Instant;

use super::ends::Key;
use super::flow::{Flow, HeldSyn, Stage};
use super::machine::{Ends, Phase, TcpMachine};
use super::{Stray, Tcp, Unreachable, bare};
use crate::error::AcceptError;
use crate::event::{Closure, Event, Rejection};
use crate::flow::{FlowId, Kind};
use crate::packet::{Flags, IpHeader, Segment};

impl Tcp {
    /// Keeps a SYN that opens a new flow, and tells the embedder.
    pub(super) fn hold(&mut self, now: Instant, stray: &Stray<'_>) {
        let &Stray { key, ref ends, .. } = stray;
        if !self.has_place(now, key) {
            return;
        }
        let (half_open, half_open_per_peer) =
            (self.limits.half_open, self.limits.half_open_per_peer);
        let share = self.peers.share(now, key.peer());
        if self.half_open >= half_open || share.half_open >= half_open_per_peer {
            self.counters.half_open_full += 1;
            self.peers.settle(key.peer());
            return;
        }
        let Some(held) = HeldSyn::copy(stray.packet, stray.segment, self.link.full_mtu()) else {
            self.counters.syns_too_long += 1;
            self.peers.settle(key.peer());
            return;
        };
        share.half_open += 1;
        self.half_open += 1;
        let answer_by = now + self.limits.accept_within;
        let flow = Flow::new(key, ends, Stage::HalfOpen(held), now, answer_by);
        let (number, name) = self.slots.insert(flow);
        self.by_key.insert(key, number);
        self.peers.share(now, key.peer()).flows.insert(number);
        self.deadlines.arm(number, answer_by);
        self.events.push_back(Event::Incoming {
            flow: name,
            peer: key.peer(),
            kind: Kind::Tcp,
            source: ends.remote,
            destination: ends.local,
        });
    }

    /// Whether the tables have a place for one more flow.
    pub(super) fn has_place(&mut self, now: Instant, key: Key) -> bool {
        let (flows, per_peer) = (self.limits.flows, self.limits.flows_per_peer);
        let share = self.peers.share(now, key.peer()).flows.len();
        let place = self.slots.used() < flows && share < per_peer;
        if !place {
            self.counters.flows_full += 1;
        }
        self.peers.settle(key.peer());
        place
    }

    /// A segment of a flow whose SYN is held.
    pub(super) fn handle_half_open(
        &mut self,
        now: Instant,
        number: u32,
        packet: &[u8],
        segment: &Segment,
    ) {
        let Some(Flow {
            stage: Stage::HalfOpen(held),
            ..
        }) = self.slots.get(number)
        else {
            return;
        };
        if segment.flags.has(Flags::RST) {
            // Only its sender knows where it is (RFC 5961 section 3.2).
            let next = held.segment.sequence.wrapping_add(1);
            if segment.sequence == next || segment.sequence == held.segment.sequence {
                self.end(now, number, Closure::Reset);
            }
        } else if segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK) {
            self.counters.repeated_syns += 1;
            if segment.sequence != held.segment.sequence {
                // The peer gave the first one up and began anew from the same port: the answer goes to the later one.
                match HeldSyn::copy(packet, segment, self.link.full_mtu()) {
                    Some(later) => *held = later,
                    None => self.counters.syns_too_long += 1,
                }
            }
        }
    }

    /// The embedder takes a flow: the answer to its SYN leaves.
    pub(crate) fn accept(&mut self, now: Instant, name: FlowId) -> Result<(), AcceptError> {
        let (number, flow) = self.slots.find(name).ok_or(AcceptError::Gone)?;
        let Stage::HalfOpen(held) = &mut flow.stage else {
            return Err(AcceptError::AlreadyOpen);
        };
        let peer = flow.key.peer();
        let rings = self.buffers.take(peer).map_err(AcceptError::Memory)?;
        let ends = Ends {
            local: flow.local,
            remote: flow.remote,
        };
        let HeldSyn { packet, segment } = held;
        let machine = TcpMachine::accept(&mut self.link, rings, ends, packet, segment, now);
        let Some(machine) = machine else {
            self.end(now, number, Closure::Refused);
            return Err(AcceptError::Malformed);
        };
        flow.stage = Stage::Open(Box::new(machine));
        flow.active = now;
        // The peer's part of the handshake takes its time too.
        flow.answer_by = Some(now + self.limits.connect_within);
        let share = self.peers.share(now, peer);
        share.half_open = share.half_open.saturating_sub(1);
        self.half_open -= 1;
        self.mark(number);
        Ok(())
    }

    /// The embedder turns a flow away, and says why: by a reset, or by the ICMP error that this gives back.
    pub(crate) fn reject(
        &mut self,
        now: Instant,
        name: FlowId,
        why: Rejection,
    ) -> Option<Unreachable> {
        let (number, flow) = self.slots.find(name)?;
        let Stage::HalfOpen(held) = &mut flow.stage else {
            return None;
        };
        let peer = flow.key.peer();
        let packet = std::mem::take(&mut held.packet);
        let mut unreachable = None;
        if matches!(why, Rejection::Refused | Rejection::Full) {
            if let Some(ip) = IpHeader::parse(&packet) {
                let answer = bare::reset(&ip, &held.segment);
                self.push(peer, answer);
            }
        } else {
            unreachable = Some(Unreachable { peer, why, packet });
        }
        self.end(now, number, Closure::Refused);
        unreachable
    }

    /// What became of a flow that has to be answered by now.
    pub(super) fn expire(&mut self, now: Instant, number: u32) -> Option<Unreachable> {
        let name = self.slots.name(number);
        let flow = self.slots.get(number)?;
        match &mut flow.stage {
            Stage::HalfOpen(held) => {
                let packet = std::mem::take(&mut held.packet);
                let peer = flow.key.peer();
                self.counters.half_open_expired += 1;
                self.end(now, number, Closure::Expired);
                return Some(Unreachable {
                    peer,
                    why: Rejection::TimedOut,
                    packet,
                });
            }
            Stage::Open(machine) if machine.phase() == Phase::Connecting => {
                self.events.push_back(Event::Refused {
                    flow: name,
                    why: crate::event::Refusal::TimedOut,
                });
                self.end(now, number, Closure::Refused);
            }
            Stage::Open(_) => self.end(now, number, Closure::TimedOut),
        }
        None
    }
}
