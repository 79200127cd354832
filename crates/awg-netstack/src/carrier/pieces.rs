//! How many pieces of streams wait behind gaps ([`Pieces`]). QUIC keeps each piece that arrives out of order by itself, and sorts
//! and copies all of a stream's when small ones keep much memory alive; how many there may be, only its windows say, in bytes. An
//! honest sender's pieces are packets. So what arrives is counted as pieces too, by reading its packets before QUIC does.

use std::collections::VecDeque;
use std::ops::{AddAssign, SubAssign};

use super::frames::Frame;

/// Pieces are counted off in groups of so many, of which so many may be small.
const GROUP: Load = Load {
    pieces: 1 << 10,
    small: 1 << 6,
};

/// Of one stream, this many may be small: what a hundred streams of questions have on the way at a thousand packets per second.
const SMALL: u32 = 1 << 10;

/// Beside what fills windows with full packets, this many.
const SPARE: u64 = 16 << 10;

/// The least that an honest sender of much has in a packet.
const FULL: u64 = 1_000;

/// A number of pieces.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Load {
    pub(super) pieces: u32,
    /// Of these, those that share their packet with more than one and a half times as many other bytes: QUIC sorts for them.
    pub(super) small: u32,
}

impl Load {
    /// What may be there for a window of so many bytes: twice as much as full packets are.
    pub(super) fn of_window(window: u64) -> Self {
        let pieces = (2 * window / FULL).saturating_add(SPARE);
        Self {
            pieces: u32::try_from(pieces).unwrap_or(u32::MAX),
            small: SMALL,
        }
    }

    /// Half as much.
    pub(super) fn half(self) -> Self {
        Self {
            pieces: self.pieces / 2,
            small: self.small / 2,
        }
    }

    /// Whether it is more in any respect.
    pub(super) fn exceeds(self, bound: Self) -> bool {
        self.pieces > bound.pieces || self.small > bound.small
    }
}

impl From<&Frame> for Load {
    fn from(frame: &Frame) -> Self {
        let is_small = 2 * frame.packet > 5 * frame.length;
        Self {
            pieces: 1,
            small: u32::from(is_small),
        }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Self) {
        self.pieces = self.pieces.saturating_add(other.pieces);
        self.small = self.small.saturating_add(other.small);
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, other: Self) {
        self.pieces = self.pieces.saturating_sub(other.pieces);
        self.small = self.small.saturating_sub(other.small);
    }
}

/// The pieces of one stream that arrived and may not have been read: at least as many as QUIC keeps.
#[derive(Default)]
pub(super) struct Pieces {
    /// The end of the furthest.
    highest: u64,
    /// Those that were counted last.
    last: Load,
    /// Those before, in groups, each with what was `highest` then: once the stream was read so far, all of them were.
    groups: VecDeque<(u64, Load)>,
    /// All of them.
    all: Load,
}

impl Pieces {
    /// Counts a piece; how many there are then.
    pub(super) fn add(&mut self, frame: &Frame) -> Load {
        let load = Load::from(frame);
        self.highest = self.highest.max(frame.end);
        self.all += load;
        self.last += load;
        if self.last.exceeds(GROUP) {
            self.groups.push_back((self.highest, self.last));
            self.last = Load::default();
        }
        self.all
    }

    /// The stream was read so far.
    pub(super) fn read_to(&mut self, offset: u64) {
        if offset >= self.highest {
            self.groups.clear();
            self.last = Load::default();
            self.all = Load::default();
            return;
        }
        while let Some((end, load)) = self.groups.front().copied()
            && end <= offset
        {
            self.groups.pop_front();
            self.all -= load;
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Load {
        self.all
    }
}
