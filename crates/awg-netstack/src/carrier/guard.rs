//! The guard against streams in pieces: an honest sender fills packets, and what it sends in small ones has no gaps for long. One
//! that leaves gap after gap would have QUIC sort without end and hold many times what its windows allow.
//!
//! Where there are many pieces, first what is in order is read; what is left then lies behind gaps, and is too much.

use std::time::Instant;

use bytes::Bytes;
use noq_proto::{Dir, Side, StreamId, VarInt};

use super::frames::{Foreign, Found, Frame};
use super::link::Link;
use super::request::Code;
use super::shared::Shared;
use super::streams::Rest;
use crate::event::{CarrierLoss, Closure};

/// What a datagram adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Burden {
    /// No more than may be.
    Borne,
    /// Too much on one flow.
    Flow(u32),
    /// On all together, or on streams that are no flows yet.
    All,
    /// A frame that has no place in a carrier.
    Foreign,
}

impl Link {
    /// Counts the pieces in a datagram of the connection.
    pub(super) fn weigh(&mut self, found: Found, shared: &mut Shared) -> Burden {
        let frames = std::mem::take(&mut self.frames);
        let mut burden = Burden::Borne;
        for frame in &frames {
            burden = self.count(frame, shared).unwrap_or(burden);
        }
        self.frames = frames;
        match found {
            Ok(()) => burden,
            Err(Foreign) => Burden::Foreign,
        }
    }

    /// Counts a piece; the burden if it is one.
    fn count(&mut self, frame: &Frame, shared: &mut Shared) -> Option<Burden> {
        let stream = StreamId::from(VarInt::from_u64(frame.stream).ok()?);
        if stream.initiator() != Side::Client || stream.dir() != Dir::Bi {
            // There is none.
            return None;
        }
        let bound = shared.windows.pieces;
        let most = shared.windows.all_pieces;
        let last = shared.flows.get(self.counted);
        let is_last = last.is_some_and(|flow| {
            (flow.link, flow.stream) == (self.place, stream) && flow.part_of.is_none()
        });
        if !is_last {
            let Some(number) = self.streams.get(&stream.index()) else {
                if stream.index() < self.accepted || self.call.is_some() {
                    // It is over.
                    return None;
                }
                self.strange += frame.into();
                return self.strange.exceeds(bound).then_some(Burden::All);
            };
            self.counted = *number;
        }
        let flow = shared.flows.get(self.counted)?;
        let before = flow.pieces.all().pieces;
        let load = flow.pieces.add(frame);
        self.pieces += load.pieces - before;
        if load.exceeds(bound) {
            return Some(Burden::Flow(self.counted));
        }
        (self.pieces > most).then_some(Burden::All)
    }

    /// Reads what can be read where there are too many pieces. `Err` if that does not help.
    pub(super) fn relieve(
        &mut self,
        now: Instant,
        burden: Burden,
        shared: &mut Shared,
    ) -> Result<(), CarrierLoss> {
        match burden {
            Burden::Borne => return Ok(()),
            Burden::Foreign => {
                // Unless it was a stateless reset.
                self.settle(now, shared)?;
                return Err(self.overburdened(now, shared));
            }
            Burden::Flow(_) | Burden::All => self.settle(now, shared)?,
        }
        if let Burden::Flow(number) = burden {
            self.gather(number, shared);
            let left = shared.flows.get(number).map(|flow| flow.pieces.all());
            if left.is_some_and(|left| left.exceeds(shared.windows.pieces.half())) {
                return Err(self.overburdened(now, shared));
            }
            return Ok(());
        }
        let most = shared.windows.all_pieces;
        if self.pieces > most {
            let flows: Vec<u32> = self.streams.values().copied().collect();
            for number in flows {
                self.gather(number, shared);
            }
            if self.pieces > most / 2 {
                return Err(self.overburdened(now, shared));
            }
        }
        Ok(())
    }

    /// Reads all of a stream that is in order, so that it lies in few pieces. A flow that nobody reads ends where that is too much.
    fn gather(&mut self, number: u32, shared: &mut Shared) {
        let room = (shared.windows.stream as usize).saturating_sub(self.gathered);
        let Some(held) = shared.flows.get(number).map(|flow| flow.held_bytes) else {
            return;
        };
        let rest = self.pull(number, held.saturating_add(room), shared);
        if let Rest::Reset(code) = rest {
            return self.reset_by_peer(number, code, shared);
        }
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        flow.merge();
        let gathered = flow.held_bytes.saturating_sub(held);
        flow.gathered += gathered;
        self.gathered += gathered;
        if rest == Rest::More {
            shared.counters.flows_fragmented += 1;
            self.break_off(number, Code::Aborted, Closure::Reset, shared);
        }
    }

    /// Says that this is too much.
    fn overburdened(&mut self, now: Instant, shared: &mut Shared) -> CarrierLoss {
        shared.counters.fragmented += 1;
        if let Some(connection) = self.connection() {
            connection.close(now, Code::Failed.into(), Bytes::new());
        }
        CarrierLoss::Failed
    }
}
