//! What leaves, and when to look again.

use std::time::Instant;

use super::flow::Stage;
use super::machine::{Outlet, Phase};
use super::{Tcp, Unreachable};
use crate::event::Clogged;
use crate::flow::Peer;
use crate::packet;
use crate::sink::PacketSink;

/// Packets that one flow sends before the next one has its turn: about what one batch of the transport takes.
const QUANTUM: usize = 48;

impl Tcp {
    /// Gives packets to `sink` until there are no more (`false`) or it is full (`true`).
    pub(crate) fn poll_transmit(&mut self, now: Instant, sink: &mut dyn PacketSink) -> bool {
        while let Some((peer, packet)) = self.waiting.front() {
            if !sink.has_room() {
                return true;
            }
            sink.packet(*peer, packet.len(), &mut |buffer| {
                for (to, from) in buffer.iter_mut().zip(packet) {
                    *to = *from;
                }
            });
            self.waiting.pop_front();
        }
        while let Some(number) = self.dirty.pop_front() {
            let Some(flow) = self.slots.get(number) else {
                continue;
            };
            let Stage::Open(machine) = &mut flow.stage else {
                flow.queued = false;
                continue;
            };
            self.counters.flow_polls += 1;
            let mut outlet = Sealing {
                sink: &mut *sink,
                peer: flow.key.peer(),
            };
            let more = machine.poll_transmit(&mut self.link, now, QUANTUM, &mut outlet);
            if more {
                if !sink.has_room() {
                    self.dirty.push_front(number);
                    return true;
                }
                self.dirty.push_back(number);
                continue;
            }
            flow.queued = false;
            self.rest(now, number);
        }
        false
    }

    /// A flow has sent all it may: sees whether it is over, and when it is due again.
    fn rest(&mut self, now: Instant, number: u32) {
        self.settle(now, number, false);
        if self.end_if_over(now, number) {
            return;
        }
        let Some(flow) = self.slots.get(number) else {
            return;
        };
        let Stage::Open(machine) = &mut flow.stage else {
            return;
        };
        if machine.release(now, false) {
            self.counters.memory_returned += 1;
        }
        let idle_at = flow.active + self.limits.idle_memory;
        let idle_memory = (machine.touched() > 0 && idle_at > now).then_some(idle_at);
        let timer = match machine.phase() {
            Phase::TimeWait | Phase::Closed => None,
            _ => machine.next_timeout(&mut self.link, now),
        };
        let ask_at = flow.ask_at(&self.limits);
        flow.due = [
            flow.answer_by,
            idle_memory,
            timer,
            ask_at,
            flow.linger_until,
        ]
        .into_iter()
        .flatten()
        .min();
        if let Some(due) = flow.due {
            self.deadlines.arm(number, due);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Does what is due; [`poll_transmit`](Self::poll_transmit) may have something afterwards. `unreachable` is told of
    /// SYNs that nobody took in time.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        mut unreachable: impl FnMut(Unreachable),
    ) {
        while let Some(number) = self.deadlines.fire(now) {
            self.counters.timer_polls += 1;
            let Some(flow) = self.slots.get(number) else {
                continue;
            };
            let Some(due) = flow.due else { continue };
            if due > now {
                self.deadlines.arm(number, due);
                continue;
            }
            flow.due = None;
            if flow.answer_by.is_some_and(|at| at <= now) {
                if let Some(expired) = self.expire(now, number) {
                    unreachable(expired);
                }
                continue;
            }
            if flow.linger_until.is_some_and(|at| at <= now) {
                self.stop_lingering(now, number);
                continue;
            }
            if self.ask(now, number) {
                continue;
            }
            let Some(flow) = self.slots.get(number) else {
                continue;
            };
            let Stage::Open(machine) = &mut flow.stage else {
                continue;
            };
            if let Some(since) = machine.handle_timeout(&mut self.link, now) {
                self.clogged = Some(Clogged {
                    peer: flow.key.peer(),
                    remote: flow.remote.ip(),
                    since,
                });
            }
            let idle = now.saturating_duration_since(flow.active) >= self.limits.idle_memory;
            if idle && machine.release(now, true) {
                self.counters.memory_returned += 1;
            }
            self.mark(number);
        }
    }
}

/// Fills in the checksums of what leaves.
struct Sealing<'a> {
    sink: &'a mut dyn PacketSink,
    peer: Peer,
}

impl Outlet for Sealing<'_> {
    fn has_room(&self) -> bool {
        self.sink.has_room()
    }

    fn packet(&mut self, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        self.sink.packet(self.peer, length, &mut |buffer| {
            emit(buffer);
            packet::seal(buffer);
        });
    }
}
