//! Whose a frame of a stream is ([`Owner`]).

use noq_proto::{Dir, Side, StreamId, VarInt};

use super::frames::Frame;
use super::link::Link;
use super::shared::Shared;

/// See the module.
pub(super) enum Owner {
    /// The flow of this number.
    Flow(u32),
    /// A stream that is no flow yet.
    Stranger(StreamId),
}

impl Link {
    /// Whose a frame is; `None` if its stream is over, or can be none of a flow's.
    pub(super) fn owner(&mut self, frame: &Frame, shared: &mut Shared) -> Option<Owner> {
        let stream = StreamId::from(VarInt::from_u64(frame.stream).ok()?);
        if !carries_flows(stream) {
            return None;
        }
        // Frames come many of one stream.
        let is_last = shared.flows.get(self.last).is_some_and(|flow| {
            (flow.link, flow.stream) == (self.place, stream) && flow.part_of.is_none()
        });
        if !is_last {
            let Some(number) = self.streams.get(&stream.index()) else {
                return (!self.is_over(stream)).then_some(Owner::Stranger(stream));
            };
            self.last = *number;
        }
        Some(Owner::Flow(self.last))
    }

    /// Whether a stream of flows has none any more.
    pub(super) fn is_over(&self, stream: StreamId) -> bool {
        carries_flows(stream)
            && !self.streams.contains_key(&stream.index())
            && (stream.index() < self.accepted || self.call.is_some())
    }
}

/// Whether flows are on such streams: the client opens them, and both ends send.
fn carries_flows(stream: StreamId) -> bool {
    stream.initiator() == Side::Client && stream.dir() == Dir::Bi
}
