//! The guard against streams in pieces: an honest sender fills packets, and what it sends in small ones has no gaps for long. One
//! that leaves gap after gap would have QUIC sort without end and hold many times what its windows allow.
//!
//! Where there are many pieces, first what is in order is read. Flows that have too many even then, or where all together have, those
//! with the most, are broken off by themselves; what nobody reads goes before what waits behind gaps. So may the sorting be too much,
//! which is counted by the pieces that are looked at: a flow that makes more of it is broken off, and has to have new pieces brought
//! before another one costs as much. That holds pieces and sorting to their bounds whoever the peer is, and an honest one, with
//! however many flows that nobody reads, keeps its carrier. Only a frame that has no place in one ends it.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::frames::{Foreign, Found, Frame};
use super::link::Link;
use super::owner::Owner;
use super::pieces::Load;
use super::request::Code;
use super::shared::Shared;
use super::streams::Rest;
use crate::event::{CarrierLoss, Closure};

/// A peer whose carrier ended for this gets none for so long.
pub(super) const BARRED: Duration = Duration::from_secs(10);

/// Pieces that QUIC may look at for one peer in a second, sorting: a tenth of a microsecond each.
const SORTED: u64 = 3_000_000;

/// Of streams that are no flows yet, so many are counted together.
const STRANGE: Load = Load {
    pieces: 128,
    small: 64,
    bytes: u64::MAX,
};

/// What a peer has cost of late.
pub(super) struct Sorting {
    pieces: u64,
    since: Instant,
}

impl Sorting {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            pieces: 0,
            since: now,
        }
    }

    /// Whether so many more are too many.
    fn is_exceeded(&mut self, now: Instant, more: u64) -> bool {
        self.pieces = self.pieces.saturating_add(more);
        if self.pieces <= SORTED {
            return false;
        }
        let passed = now.saturating_duration_since(self.since).as_micros();
        let allowed = u64::try_from(passed)
            .unwrap_or(u64::MAX)
            .saturating_mul(SORTED / 1_000_000);
        self.pieces = self.pieces.saturating_sub(allowed);
        self.since = now;
        self.pieces > SORTED
    }
}

/// What a datagram adds, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Burden {
    /// No more than may be.
    Borne,
    /// Too many pieces, or too much to sort: of the flows that were [`burdened`](Link::burdened), of all together, or of streams that
    /// are no flows yet.
    Pieces,
    /// A frame that has no place in a carrier.
    Foreign,
}

impl Link {
    /// Counts the pieces in a datagram of the connection, and how far they bring their streams; the worst of what they add.
    pub(super) fn weigh(&mut self, now: Instant, found: Found, shared: &mut Shared) -> Burden {
        let frames = std::mem::take(&mut self.frames);
        self.burdened.clear();
        let mut burden = match found {
            Ok(()) => Burden::Borne,
            Err(Foreign) => Burden::Foreign,
        };
        for frame in &frames {
            let added = match self.owner(frame, shared) {
                Some(Owner::Flow(number)) => {
                    self.note_arrival(number, frame, shared);
                    self.count(now, number, frame, shared)
                }
                Some(Owner::Stranger(stream)) => {
                    self.note_stranger(stream, frame, shared);
                    self.strange += frame.into();
                    self.strange.exceeds(STRANGE).then_some(Burden::Pieces)
                }
                None => None,
            };
            burden = burden.max(added.unwrap_or(Burden::Borne));
        }
        self.frames = frames;
        burden
    }

    /// Counts a piece of a flow; the burden if it is one.
    fn count(
        &mut self,
        now: Instant,
        number: u32,
        frame: &Frame,
        shared: &mut Shared,
    ) -> Option<Burden> {
        let bound = shared.windows.pieces;
        let most = shared.windows.all_pieces;
        let flow = shared.flows.get(number)?;
        let before = flow.pieces.all().pieces;
        let sorted = flow.pieces.add(frame);
        self.pieces += flow.pieces.all().pieces - before;
        if sorted > 0 && self.sorting.is_exceeded(now, sorted) {
            flow.costs = true;
        }
        if flow.costs || flow.pieces.wants_merging() || flow.pieces.all().exceeds(bound) {
            if self.burdened.last() != Some(&number) {
                self.burdened.push(number);
            }
            return Some(Burden::Pieces);
        }
        (self.pieces > most).then_some(Burden::Pieces)
    }

    /// Reads what can be read where there are too many pieces, and breaks off flows where that does not help. `Err` if the
    /// connection is to end.
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
            Burden::Pieces => self.settle(now, shared)?,
        }
        self.burdened.sort_unstable();
        self.burdened.dedup();
        while let Some(number) = self.burdened.pop() {
            self.relieve_flow(number, shared);
        }
        self.relieve_all(shared);
        Ok(())
    }

    /// Reads what can be read of a flow that has too many pieces, and breaks it off if that does not help.
    fn relieve_flow(&mut self, number: u32, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        let costs = std::mem::take(&mut flow.costs);
        let before = flow.pieces.all().pieces;
        self.gather(number, shared);
        let bound = shared.windows.pieces;
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        let left = flow.pieces.all();
        if left.exceeds(bound) || costs && left.pieces > before / 2 {
            self.break_flow(number, shared);
        }
    }

    /// Reads what can be read of all flows, if they have too many pieces together, and breaks off those with the most if they still
    /// have.
    fn relieve_all(&mut self, shared: &mut Shared) {
        let most = shared.windows.all_pieces;
        if self.pieces <= most {
            return;
        }
        let flows: Vec<u32> = self.streams.values().copied().collect();
        let mut heavy = Vec::new();
        for number in flows {
            self.gather(number, shared);
            if let Some(flow) = shared.flows.get(number) {
                let pieces = flow.pieces.all().pieces;
                if pieces > 0 {
                    // What nobody took goes before what waits behind gaps.
                    heavy.push((!flow.held.is_empty(), pieces, number));
                }
            }
        }
        heavy.sort_unstable();
        // With the last of them the last pieces go.
        while self.pieces > most / 2
            && let Some((.., number)) = heavy.pop()
        {
            self.break_flow(number, shared);
        }
    }

    /// Ends a flow that is too much.
    fn break_flow(&mut self, number: u32, shared: &mut Shared) {
        shared.counters.flows_fragmented += 1;
        self.break_off(number, Code::Aborted, Closure::Reset, shared);
    }

    /// Reads what of a stream is in order, as far as there is room for it, and puts it together.
    fn gather(&mut self, number: u32, shared: &mut Shared) {
        let room = (shared.windows.stream as usize).saturating_sub(self.gathered);
        let Some(held) = shared.flows.get(number).map(|flow| flow.held_bytes) else {
            return;
        };
        if let Rest::Reset(code) = self.pull(number, held.saturating_add(room), shared) {
            return self.reset_by_peer(number, code, shared);
        }
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        flow.merge();
        flow.pieces.were_merged();
        let gathered = flow.held_bytes.saturating_sub(held);
        flow.gathered += gathered;
        self.gathered += gathered;
    }

    /// Says that this has no place here.
    fn overburdened(&mut self, now: Instant, shared: &mut Shared) -> CarrierLoss {
        shared.counters.fragmented += 1;
        self.is_barred = true;
        if let Some(connection) = self.connection() {
            connection.close(now, Code::Failed.into(), Bytes::new());
        }
        CarrierLoss::Failed
    }
}

#[cfg(test)]
mod tests;
