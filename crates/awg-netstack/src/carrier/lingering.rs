//! Flows that failed at this end while what they had sent was on its way ([`Lingering`]). Whoever waits for it gets that first, and
//! the failure behind it: a reset at once would take back what QUIC has not brought there yet.
//!
//! QUIC has no end that says both. So the other end is told first, by a `STOP_SENDING`, and says by its `RESET_STREAM` (RFC 9000
//! section 3.5) that it knows; only then the stream is finished, and that is never taken for an end in order. Where the other end
//! has finished its own direction it can say no such thing: there the reset waits for as long as the rest mostly takes.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use noq_proto::{Dir, Side, StreamId, VarInt};

use super::flows::Flow;
use super::frames::Frame;
use super::link::Link;
use super::request::Code;
use super::shared::Shared;
use crate::event::Closure;

/// How long the reset waits where nothing can tell when all arrived: several round trips of most paths.
const BLIND: Duration = Duration::from_secs(1);

/// By the index of their stream.
#[derive(Default)]
pub(super) struct Lingering {
    flows: HashMap<u64, (Box<Flow>, Instant)>,
    /// Until when each may take.
    due: BTreeSet<(Instant, u64)>,
}

impl Lingering {
    pub(super) fn len(&self) -> usize {
        self.flows.len()
    }

    fn insert(&mut self, index: u64, flow: Box<Flow>, until: Instant) {
        self.flows.insert(index, (flow, until));
        self.due.insert((until, index));
    }

    fn remove(&mut self, index: u64) -> Option<(Box<Flow>, Instant)> {
        let (flow, until) = self.flows.remove(&index)?;
        self.due.remove(&(until, index));
        Some((flow, until))
    }

    pub(super) fn get(&mut self, index: u64) -> Option<&mut Flow> {
        self.flows.get_mut(&index).map(|(flow, _)| flow.as_mut())
    }

    /// All that a flow had sent arrived.
    pub(super) fn forget(&mut self, index: u64) {
        self.remove(index);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }
}

impl Link {
    /// Streams that a flow has or had.
    pub(super) fn all_streams(&self) -> usize {
        self.streams.len() + self.lingering.len()
    }

    /// Ends an open flow that failed at this end, behind what it had sent.
    pub(super) fn linger(&mut self, now: Instant, number: u32, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        let stream = flow.stream;
        let has_sent = !flow.failed_there && !flow.acknowledged;
        if has_sent {
            self.stop(stream, Code::Aborted);
        }
        if !has_sent {
            return self.break_off(number, Code::Aborted, Closure::Aborted, shared);
        }
        let time = if self.is_awaited(stream) {
            shared.limits.linger
        } else {
            BLIND
        };
        let Some(mut flow) = self.take_out(number, Closure::Aborted, shared) else {
            return;
        };
        flow.held = VecDeque::new();
        self.lingering.insert(stream.index(), flow, now + time);
    }

    /// Whether the other end has yet to end its direction of a stream: where it has, it is not told that the stream was stopped.
    fn is_awaited(&mut self, stream: StreamId) -> bool {
        self.connection()
            .is_some_and(|connection| connection.recv_stream(stream).bytes_read().is_ok())
    }

    /// Takes what a datagram says of lingering flows: that the other end knows, or that it does not and never will.
    pub(super) fn hear_lingering(&mut self, now: Instant) {
        if self.lingering.flows.is_empty() {
            return;
        }
        for reset in std::mem::take(&mut self.resets) {
            if let Some(index) = index(reset.stream)
                && let Some(flow) = self.lingering.get(index)
            {
                flow.shutdown = true;
                self.flush_lingering(index);
            }
        }
        let last = |frame: &Frame| index(frame.stream).filter(|_| frame.is_last);
        let finished: Vec<u64> = self.frames.iter().filter_map(last).collect();
        for index in finished {
            if let Some((flow, until)) = self.lingering.remove(index) {
                self.lingering.insert(index, flow, until.min(now + BLIND));
            }
        }
    }

    /// Sends what a lingering flow has left.
    pub(super) fn flush_lingering(&mut self, index: u64) {
        if let Some((mut flow, until)) = self.lingering.remove(index) {
            self.flush_flow(&mut flow);
            self.lingering.insert(index, flow, until);
        }
    }

    /// Resets what lingers: nobody waits for it, or it took too long.
    pub(super) fn give_up_lingering(&mut self, index: u64) {
        if let Some((flow, _)) = self.lingering.remove(index) {
            self.turn_away(flow.stream, Code::Aborted);
        }
    }

    /// Gives up what took too long.
    pub(super) fn expire_lingering(&mut self, now: Instant) {
        while let Some(&(at, index)) = self.lingering.due.first()
            && at <= now
        {
            self.give_up_lingering(index);
        }
    }
}

/// The index of a stream that flows are on.
fn index(stream: u64) -> Option<u64> {
    let stream = StreamId::from(VarInt::from_u64(stream).ok()?);
    (stream.initiator() == Side::Client && stream.dir() == Dir::Bi).then(|| stream.index())
}
