//! How flows end: in order once both ways did, or by the word of either end, or with their connection.

use noq_proto::{StreamId, VarInt};

use super::flows::Stage;
use super::link::Link;
use super::request::{Code, refusal};
use super::shared::Shared;
use crate::event::{Closure, Event};

impl Link {
    /// The peer wants no more of a stream: its flow failed there.
    pub(super) fn stopped(&mut self, stream: StreamId, code: VarInt, shared: &mut Shared) {
        let Some(&number) = self.streams.get(&stream.index()) else {
            return;
        };
        self.reset_by_peer(number, code, shared);
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
        let is_over = shared.flows.get(number).is_some_and(|flow| {
            flow.stage == Stage::Open && flow.ended && flow.acknowledged && flow.held.is_empty()
        });
        if is_over {
            self.end(number, Closure::Orderly, shared);
        }
    }

    /// Removes a flow.
    pub(super) fn end(&mut self, number: u32, how: Closure, shared: &mut Shared) {
        self.stick(number, false, shared);
        let name = shared.flows.name(number);
        let Some(flow) = shared.flows.end(number) else {
            return;
        };
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
    }

    /// Ends all flows, since their connection is over. None of those that waited for an answer was refused.
    pub(super) fn end_all(&mut self, shared: &mut Shared, how: Closure) {
        let mut numbers: Vec<u32> = self.streams.values().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            self.end(number, how, shared);
        }
        self.streams.clear();
    }
}
