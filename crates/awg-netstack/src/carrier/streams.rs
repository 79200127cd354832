//! Flows on streams: opened by either end, read and written, ended.

use std::time::Instant;

use bytes::Bytes;
use noq_proto::{Connection, Dir, ReadError, ReadableError, StreamId, VarInt};

use super::chunks::CHUNK;
use super::flows::{Flow, Stage};
use super::link::Link;
use super::request::{Code, OPEN, Request};
use super::shared::Shared;
use crate::error::ConnectError;
use crate::event::{Closure, Event};
use crate::flow::FlowId;

/// A request is shorter than this.
const REQUEST: usize = 512;

/// What is left to be read of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// There may be more now.
    More,
    /// What was read is all so far.
    Later,
    /// There will be no more.
    End,
    /// The peer reset it.
    Reset(VarInt),
}

impl Link {
    /// Opens a flow: a stream with the request on it, and `early` behind that.
    pub(super) fn open(
        &mut self,
        now: Instant,
        place: u32,
        request: &Request,
        early: &[u8],
        shared: &mut Shared,
    ) -> Result<FlowId, ConnectError> {
        if !self.up || self.call.is_none() {
            return Err(ConnectError::NotCarried);
        }
        let mut first = Vec::new();
        if !request.write(&mut first) {
            return Err(ConnectError::Unaddressable);
        }
        if shared.flows.used() >= shared.limits.flows
            || self.all_streams() >= shared.limits.flows_per_peer
        {
            shared.counters.flows_full += 1;
            return Err(ConnectError::TooManyFlows);
        }
        if matches!(request, Request::Connection(_))
            && !self.admits(first.len() + early.len(), &shared.windows)
        {
            shared.counters.flows_full += 1;
            return Err(ConnectError::CarrierFull);
        }
        let (stage, deadline) = match request {
            Request::Connection(_) => (Stage::Asking, shared.limits.connect_within),
            Request::Datagrams => (Stage::Datagrams, shared.limits.datagram_idle),
        };
        let own = self.own;
        let Some(connection) = self.connection() else {
            return Err(ConnectError::NotCarried);
        };
        let Some(stream) = connection.streams().open(Dir::Bi) else {
            shared.counters.flows_full += 1;
            return Err(ConnectError::TooManyFlows);
        };
        first.extend_from_slice(early);
        let mut flow = Flow::new(place, stream, stage, own, now);
        flow.first = Bytes::from(first);
        self.note_flow(&mut flow);
        flow.asked_at = Some(flow.taken_at);
        let number = shared.flows.insert(flow);
        self.streams.insert(stream.index(), number);
        shared.deadlines.arm(number, now + deadline);
        let name = shared.flows.christen(number);
        self.flush(number, shared);
        name.ok_or(ConnectError::TooManyFlows)
    }

    /// Takes the streams that the peer opened.
    pub(super) fn accept_streams(&mut self, now: Instant, shared: &mut Shared) {
        while let Some(stream) = self
            .connection()
            .and_then(|connection| connection.streams().accept(Dir::Bi))
        {
            self.accepted = self.accepted.max(stream.index() + 1);
            if self.flow_of(now, stream, shared).is_some() {
                self.readable(now, stream, shared);
            }
        }
    }

    /// The flow of a stream of the peer's, a new one unless there is one; `None` if there is no room.
    pub(super) fn flow_of(
        &mut self,
        now: Instant,
        stream: StreamId,
        shared: &mut Shared,
    ) -> Option<u32> {
        if let Some(number) = self.streams.get(&stream.index()) {
            return Some(*number);
        }
        if self.call.is_some() {
            // Who calls begins all flows.
            return None;
        }
        let limits = &shared.limits;
        if shared.flows.used() >= limits.flows
            || self.all_streams() >= limits.flows_per_peer
            || shared.half_open >= limits.half_open
            || self.half_open >= limits.half_open_per_peer
        {
            shared.counters.flows_full += 1;
            self.turn_away(stream, Code::Full);
            return None;
        }
        let by = now + limits.accept_within;
        let mut flow = Flow::new(self.place, stream, Stage::Requesting, self.remote, now);
        flow.half_open = true;
        self.note_flow(&mut flow);
        self.want_room();
        let number = shared.flows.insert(flow);
        self.streams.insert(stream.index(), number);
        shared.half_open += 1;
        self.half_open += 1;
        shared.deadlines.arm(number, by);
        Some(number)
    }

    /// Something arrived on a stream.
    pub(super) fn readable(&mut self, now: Instant, stream: StreamId, shared: &mut Shared) {
        let Some(&number) = self.streams.get(&stream.index()) else {
            return;
        };
        let reset = self
            .connection()
            .and_then(|connection| connection.recv_stream(stream).received_reset().ok()?);
        if let Some(code) = reset {
            self.reset_by_peer(number, code, shared);
            return;
        }
        let Some(stage) = shared.flows.get(number).map(|flow| flow.stage) else {
            return;
        };
        match stage {
            Stage::Requesting => self.read_request(now, number, shared),
            Stage::Waiting => self.stick(number, true, shared),
            Stage::Asking => self.read_answer(now, number, shared),
            Stage::Open => self.tell_readable(number, shared),
            Stage::Source | Stage::Datagrams => self.read_framed(now, number, shared),
        }
    }

    /// Reads from a stream until the flow holds `most` bytes.
    pub(super) fn pull(&mut self, number: u32, most: usize, shared: &mut Shared) -> Rest {
        let Some(flow) = shared.flows.get(number) else {
            return Rest::End;
        };
        if flow.ended {
            return Rest::End;
        }
        let Some(connection) = self.connection() else {
            return Rest::Later;
        };
        let backlog = flow.backlog();
        let rest = pull(connection, flow, most);
        let left = flow.backlog();
        let before = flow.pieces.all().pieces;
        flow.pieces.read_to(flow.read);
        self.pieces -= before - flow.pieces.all().pieces;
        self.note_read(backlog, left);
        rest
    }

    fn read_request(&mut self, now: Instant, number: u32, shared: &mut Shared) {
        let rest = self.pull(number, REQUEST, shared);
        if let Rest::Reset(code) = rest {
            return self.reset_by_peer(number, code, shared);
        }
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        let request = {
            let mut bytes = [0; REQUEST];
            let length = peek(flow, &mut bytes);
            Request::parse(bytes.get(..length).unwrap_or_default())
        };
        match request {
            Ok(Some((request, length))) => {
                flow.release(length);
                flow.requested = true;
                match request {
                    Request::Connection(target) => {
                        flow.stage = Stage::Waiting;
                        let source = flow.source;
                        let Some(flow) = shared.flows.christen(number) else {
                            return;
                        };
                        shared.events.push_back(Event::Requested {
                            flow,
                            peer: self.peer,
                            source,
                            target,
                        });
                        self.stick(number, true, shared);
                    }
                    Request::Datagrams => {
                        flow.stage = Stage::Source;
                        self.read_framed(now, number, shared);
                    }
                }
            }
            Ok(None) if rest != Rest::End => {}
            Ok(None) | Err(_) => {
                shared.counters.bad_requests += 1;
                self.break_off(number, Code::Malformed, Closure::Refused, shared);
            }
        }
    }

    fn read_answer(&mut self, now: Instant, number: u32, shared: &mut Shared) {
        let rest = self.pull(number, CHUNK, shared);
        if let Rest::Reset(code) = rest {
            return self.reset_by_peer(number, code, shared);
        }
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        let mut answer = [0];
        if peek(flow, &mut answer) == 0 {
            if rest == Rest::End {
                self.refuse(number, Code::Failed, shared);
            }
            return;
        }
        if answer != [OPEN] {
            self.refuse(number, Code::Failed, shared);
            return;
        }
        flow.release(1);
        flow.stage = Stage::Open;
        shared.deadlines.disarm(number);
        if flow.failed_there {
            shared.deadlines.arm(number, now + shared.limits.linger);
        }
        if let Some(flow) = shared.flows.name(number) {
            shared.events.push_back(Event::Established { flow });
        }
        self.tell_readable(number, shared);
        self.end_if_over(number, shared);
    }

    /// Tells the embedder that there are bytes, or that there will be none.
    fn tell_readable(&mut self, number: u32, shared: &mut Shared) {
        let is_empty = shared
            .flows
            .get(number)
            .is_some_and(|flow| flow.held.is_empty());
        if is_empty && let Rest::Reset(code) = self.pull(number, CHUNK, shared) {
            self.reset_by_peer(number, code, shared);
            return;
        }
        let name = shared.flows.name(number);
        let (Some(flow), Some(name)) = (shared.flows.get(number), name) else {
            return;
        };
        let holds = !flow.held.is_empty();
        if holds && !flow.told.readable {
            flow.told.readable = true;
            shared.events.push_back(Event::Readable { flow: name });
        }
        if flow.ended && !flow.failed_there && !flow.told.finished {
            flow.told.finished = true;
            shared.events.push_back(Event::Finished { flow: name });
        }
        self.stick(number, holds, shared);
        self.end_if_over(number, shared);
    }

    /// Notes whether a flow holds bytes that nobody took.
    pub(super) fn stick(&mut self, number: u32, is_stuck: bool, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        match (flow.unread, is_stuck) {
            (false, true) => self.credit.stuck += 1,
            (true, false) => self.credit.stuck = self.credit.stuck.saturating_sub(1),
            _ => {}
        }
        flow.unread = is_stuck;
    }

    /// After bytes of a flow were taken: more come from the stream, and its end with them.
    pub(super) fn taken(&mut self, number: u32, count: usize, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        flow.release(count);
        (flow.taken_at, flow.asked_at) = (self.backlog.second, None);
        if flow.held.is_empty() {
            self.gathered -= std::mem::take(&mut flow.gathered);
            // What is there already is the embedder's next look; what comes later is told.
            if let Rest::Reset(code) = self.pull(number, CHUNK, shared) {
                return self.reset_by_peer(number, code, shared);
            }
        }
        let name = shared.flows.name(number);
        let (Some(flow), Some(name)) = (shared.flows.get(number), name) else {
            return;
        };
        let holds = !flow.held.is_empty();
        if flow.ended && !flow.failed_there && !flow.told.finished {
            flow.told.finished = true;
            shared.events.push_back(Event::Finished { flow: name });
        }
        self.stick(number, holds, shared);
        self.end_if_over(number, shared);
    }

    /// The embedder takes a flow.
    pub(super) fn accept(&mut self, number: u32, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        flow.stage = Stage::Open;
        flow.first = Bytes::from_static(&[OPEN]);
        self.leave_half_open(number, shared);
        if let Some(flow) = shared.flows.name(number) {
            shared.events.push_back(Event::Established { flow });
        }
        self.flush(number, shared);
        self.tell_readable(number, shared);
    }
}

/// Reads from a stream until the flow holds `most` bytes.
fn pull(connection: &mut Connection, flow: &mut Flow, most: usize) -> Rest {
    let mut stream = connection.recv_stream(flow.stream);
    let mut chunks = match stream.read(true) {
        Ok(chunks) => chunks,
        Err(ReadableError::ClosedStream | ReadableError::IllegalOrderedRead) => return Rest::Later,
    };
    let rest = loop {
        if flow.held_bytes >= most {
            break Rest::More;
        }
        match chunks.next(usize::MAX) {
            Ok(Some(chunk)) => flow.hold(chunk.bytes),
            Ok(None) => {
                flow.ended = true;
                break Rest::End;
            }
            Err(ReadError::Blocked) => break Rest::Later,
            Err(ReadError::Reset(code)) => break Rest::Reset(code),
        }
    };
    // That credit is to be sent shows when the connection is asked what it has to send.
    let _ = chunks.finalize();
    rest
}

/// Copies the first bytes that a flow holds; how many.
fn peek(flow: &Flow, into: &mut [u8]) -> usize {
    let mut count = 0;
    for (to, from) in into.iter_mut().zip(flow.held.iter().flatten()) {
        *to = *from;
        count += 1;
    }
    count
}
