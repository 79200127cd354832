//! What flows send: first what is the carrier's own, then what is the embedder's, as far as the windows go.

use bytes::{Buf, Bytes};
use noq_proto::{StreamId, WriteError};

use super::credit::BULK;
use super::flows::{Flow, Stage};
use super::link::Link;
use super::shared::Shared;
use crate::event::Event;

/// A flow that sent nothing for more seconds may be sending little again.
const PAUSE: u32 = 1;

impl Link {
    /// Something came of a peer's flow: it waits no longer.
    pub(super) fn leave_half_open(&mut self, number: u32, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        if std::mem::take(&mut flow.half_open) {
            shared.deadlines.disarm(number);
            self.uncount_half_open(shared);
        }
    }

    /// One flow less is half open.
    pub(super) fn uncount_half_open(&mut self, shared: &mut Shared) {
        self.half_open = self.half_open.saturating_sub(1);
        shared.half_open = shared.half_open.saturating_sub(1);
    }

    /// Sends what goes before the embedder's bytes. Whether all of it went.
    pub(super) fn flush(&mut self, number: u32, shared: &mut Shared) -> bool {
        shared
            .flows
            .get(number)
            .is_some_and(|flow| self.flush_flow(flow))
    }

    /// The same of a flow that may be in no table.
    pub(super) fn flush_flow(&mut self, flow: &mut Flow) -> bool {
        if !flow.first.is_empty() {
            let bytes = std::mem::take(&mut flow.first);
            flow.first = self.write(flow, bytes);
            if !flow.first.is_empty() {
                return false;
            }
        }
        if flow.shutdown
            && let Some(connection) = self.connection()
        {
            // A stream that the peer stopped has ended otherwise.
            let _ = connection.send_stream(flow.stream).finish();
        }
        true
    }

    /// Sends bytes; those that found no room come back.
    pub(super) fn write(&mut self, flow: &mut Flow, mut bytes: Bytes) -> Bytes {
        let Some(wire) = &mut self.wire else {
            return bytes;
        };
        let connection = &mut wire.connection;
        let second = self.backlog.second;
        let window = self.credit.send_window(flow.sent > BULK);
        connection.set_send_window(window);
        // Asked once more after a part went: only then it is known who waits for room.
        while !bytes.is_empty() {
            let admitted = self.grant.part_for(flow, bytes.len());
            if admitted == 0 {
                break;
            }
            let mut part = bytes.slice(..admitted);
            let mut chunks = std::slice::from_mut(&mut part);
            match connection
                .send_stream(flow.stream)
                .write_chunks(&mut chunks)
            {
                Ok(count) => {
                    bytes.advance(count);
                    flow.sent = flow.sent.saturating_add(count as u64);
                    flow.sent_at = second;
                    let volume = flow.volume.add(second, count);
                    self.company.note(flow.stream.index(), second, volume);
                    self.grant.spend(count);
                    self.turn += 1;
                    flow.turn = self.turn;
                }
                Err(WriteError::Blocked) => break,
                // Nobody hears it; that the flow is over is told by its own event.
                Err(_) => bytes = Bytes::new(),
            }
        }
        connection.set_send_window(self.credit.send_window(true));
        bytes
    }

    /// Queues bytes of the embedder.
    pub(super) fn send(&mut self, number: u32, bytes: Bytes, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        if self.backlog.second > flow.sent_at.saturating_add(PAUSE) {
            flow.sent = 0;
        }
        self.note_sent(flow, bytes.len());
        flow.first = self.write(flow, bytes);
    }

    /// There is room again on these streams, which QUIC names beginning with the one that had most of late. The others come first.
    pub(super) fn are_writable(&mut self, streams: Vec<StreamId>, shared: &mut Shared) {
        let mut streams: Vec<(u64, StreamId)> = streams
            .into_iter()
            .filter_map(|stream| {
                let index = stream.index();
                let flow = match self.streams.get(&index) {
                    Some(number) => shared.flows.get(*number)?,
                    None => self.lingering.get(index)?,
                };
                flow.starved = false;
                Some((flow.turn, stream))
            })
            .collect();
        streams.sort_unstable();
        for (_, stream) in streams {
            self.writable(stream, shared);
        }
    }

    /// There is room on a stream again.
    fn writable(&mut self, stream: StreamId, shared: &mut Shared) {
        let Some(&number) = self.streams.get(&stream.index()) else {
            return self.flush_lingering(stream.index());
        };
        if !self.flush(number, shared) {
            return;
        }
        let name = shared.flows.name(number);
        let (Some(flow), Some(name)) = (shared.flows.get(number), name) else {
            return;
        };
        if flow.blocked && !flow.told.writable && flow.stage != Stage::Datagrams {
            flow.blocked = false;
            flow.told.writable = true;
            shared.events.push_back(Event::Writable { flow: name });
        }
    }

    /// All that was sent on a stream arrived, its end too.
    pub(super) fn acknowledged(&mut self, stream: StreamId, shared: &mut Shared) {
        let Some(&number) = self.streams.get(&stream.index()) else {
            return self.lingering.forget(stream.index());
        };
        if let Some(flow) = shared.flows.get(number) {
            flow.acknowledged = true;
        }
        self.end_if_over(number, shared);
    }
}
