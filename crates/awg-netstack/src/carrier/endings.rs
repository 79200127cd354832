//! How flows end: in order once both ways did, or by the word of either end, or with their connection.

use std::time::Instant;

use bytes::Bytes;
use noq_proto::{StreamId, VarInt};

use super::flows::{Flow, Stage};
use super::link::Link;
use super::request::{Code, refusal};
use super::shared::Shared;
use crate::event::{Closure, Event};

impl Link {
    /// The peer wants no more of a stream: its flow failed there. What it sent before that may still be on its way.
    pub(super) fn stopped(
        &mut self,
        now: Instant,
        stream: StreamId,
        code: VarInt,
        shared: &mut Shared,
    ) {
        let Some(&number) = self.streams.get(&stream.index()) else {
            return self.give_up_lingering(stream.index());
        };
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        match flow.stage {
            Stage::Asking | Stage::Open => {
                let is_open = flow.stage == Stage::Open;
                flow.failed_there = true;
                // Nothing more is taken of the embedder.
                flow.shutdown = true;
                flow.first = Bytes::new();
                if let Some(connection) = self.connection() {
                    // It may be over already.
                    let _ = connection.send_stream(stream).reset(code);
                }
                if is_open {
                    shared.deadlines.arm(number, now + shared.limits.linger);
                    self.end_if_over(number, shared);
                }
            }
            _ => self.reset_by_peer(number, code, shared),
        }
    }

    /// The peer ended a flow before its time.
    pub(super) fn reset_by_peer(&mut self, number: u32, code: VarInt, shared: &mut Shared) {
        let name = shared.flows.name(number);
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        let stream = flow.stream;
        let how = match (flow.stage, name) {
            (Stage::Asking, Some(flow)) => {
                let why = refusal(code);
                shared.events.push_back(Event::Refused { flow, why });
                Closure::Refused
            }
            (Stage::Source | Stage::Datagrams, _) if code == Code::Done.into() => Closure::Orderly,
            (Stage::Source | Stage::Datagrams, _) if code == Code::TimedOut.into() => {
                Closure::Expired
            }
            _ => Closure::Reset,
        };
        self.turn_away(stream, Code::Aborted);
        self.end(number, how, shared);
    }

    /// Ends a flow of ours that did not come to be.
    pub(super) fn refuse(&mut self, number: u32, code: Code, shared: &mut Shared) {
        if let Some(flow) = shared.flows.name(number) {
            let why = refusal(code.into());
            shared.events.push_back(Event::Refused { flow, why });
        }
        self.break_off(number, code, Closure::Refused, shared);
    }

    /// Ends a flow and tells the peer why.
    pub(super) fn break_off(&mut self, number: u32, code: Code, how: Closure, shared: &mut Shared) {
        if let Some(stream) = shared.flows.get(number).map(|flow| flow.stream) {
            self.turn_away(stream, code);
            self.end(number, how, shared);
        }
    }

    /// Resets both ways of a stream.
    pub(super) fn turn_away(&mut self, stream: StreamId, code: Code) {
        if let Some(connection) = self.connection() {
            // It may be over already.
            let _ = connection.send_stream(stream).reset(code.into());
        }
        self.stop(stream, code);
    }

    pub(super) fn end_if_over(&mut self, number: u32, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        let is_read = flow.stage == Stage::Open && flow.ended && flow.held.is_empty();
        if is_read && flow.failed_there {
            self.end(number, Closure::Reset, shared);
        } else if is_read && flow.acknowledged {
            self.end(number, Closure::Orderly, shared);
        }
    }

    /// Removes a flow.
    pub(super) fn end(&mut self, number: u32, how: Closure, shared: &mut Shared) {
        self.take_out(number, how, shared);
    }

    /// Removes a flow; what it was.
    pub(super) fn take_out(
        &mut self,
        number: u32,
        how: Closure,
        shared: &mut Shared,
    ) -> Option<Box<Flow>> {
        self.stick(number, false, shared);
        let name = shared.flows.name(number);
        let flow = shared.flows.end(number)?;
        shared.deadlines.disarm(number);
        self.partial = self.partial.saturating_sub(flow.partial.len());
        let index = flow.stream.index();
        match flow.part_of {
            Some(_) => self.parts.remove(&(index, flow.own)),
            None => self.streams.remove(&index),
        };
        self.note_read(flow.backlog(), 0);
        self.pieces -= flow.pieces.all().pieces;
        self.gathered -= flow.gathered;
        if flow.half_open {
            self.uncount_half_open(shared);
        }
        if flow.stage == Stage::Source {
            for part in self.parts_of(index).collect::<Vec<_>>() {
                self.end(part, how, shared);
            }
        }
        if let Some(flow) = name {
            shared.events.push_back(Event::Closed { flow, how });
        }
        Some(flow)
    }

    /// Ends all flows, since their connection is over. None of those that waited for an answer was refused.
    pub(super) fn end_all(&mut self, shared: &mut Shared, how: Closure) {
        let mut numbers: Vec<u32> = self.streams.values().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            self.end(number, how, shared);
        }
        self.streams.clear();
        self.lingering.clear();
    }
}
