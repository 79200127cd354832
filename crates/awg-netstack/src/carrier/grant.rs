//! What the other end takes of all flows together ([`Grant`]; RFC 9000 section 4.1). Bulk transfers leave the last of it to flows
//! that send little: where it is not read there, questions and answers still pass, and show that there is need of room.

use std::collections::VecDeque;

use noq_proto::StreamId;

use super::credit::{BULK, RESERVE};
use super::flows::Flow;

/// Of what the other end takes at first, bulk transfers leave no more than this part.
const PART: u64 = 64;

/// See the module.
#[derive(Default)]
pub(super) struct Grant {
    /// Bytes that it takes since the beginning, once it is known.
    most: Option<u64>,
    sent: u64,
    reserve: u64,
    /// Streams whose flows wait for more.
    waiting: VecDeque<StreamId>,
}

impl Grant {
    /// At the beginning the other end takes so much.
    pub(super) fn begin(&mut self, most: u64) {
        self.most = Some(most.max(self.most.unwrap_or_default()));
        self.reserve = RESERVE.min(most / PART);
    }

    /// Now it takes so much.
    pub(super) fn raise(&mut self, most: u64) {
        self.most = self.most.map(|before| most.max(before));
    }

    /// Bytes of a flow were sent.
    pub(super) fn spend(&mut self, count: usize) {
        self.sent = self.sent.saturating_add(count as u64);
    }

    /// What is left of it.
    fn left(&self) -> u64 {
        self.most
            .map_or(u64::MAX, |most| most.saturating_sub(self.sent))
    }

    /// Whether that is more than the reserve.
    pub(super) fn has_room(&self) -> bool {
        self.left() > self.reserve
    }

    /// Whether it is so much.
    pub(super) fn takes(&self, bytes: usize) -> bool {
        self.left() >= bytes as u64
    }

    /// How many of so many bytes a flow may send now. If none, it is remembered, once.
    pub(super) fn part_for(&mut self, flow: &mut Flow, bytes: usize) -> usize {
        if flow.sent <= BULK {
            return bytes;
        }
        let most = self.left().saturating_sub(self.reserve);
        if most == 0 && !std::mem::replace(&mut flow.starved, true) {
            self.waiting.push_back(flow.stream);
        }
        bytes.min(usize::try_from(most).unwrap_or(usize::MAX))
    }

    /// The stream of the flow that has waited for the longest, if there is room for it.
    pub(super) fn wake(&mut self) -> Option<StreamId> {
        if self.has_room() {
            self.waiting.pop_front()
        } else {
            None
        }
    }
}
