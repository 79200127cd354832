//! How many pieces of streams wait behind gaps ([`Pieces`]). QUIC keeps each piece that arrives out of order by itself, and sorts
//! and copies all of a stream's when small ones keep much memory alive; how many there may be, only its windows say, in bytes. An
//! honest sender's pieces are packets. So what arrives is counted as pieces too, by reading its packets before QUIC does.

use std::collections::VecDeque;
use std::ops::{AddAssign, SubAssign};

use super::frames::Frame;

/// Pieces are counted off in groups of so many, of which so many may be small.
const GROUP: Load = Load {
    pieces: 1 << 8,
    small: 1 << 6,
    bytes: u64::MAX,
};

/// Of one stream, this many may be small: what twenty thousand messages per second leave behind a gap that is there for long.
const SMALL: u32 = 8 << 10;

/// Bytes that QUIC keeps in vain before it sorts a stream's pieces, or one and a half times as many as it keeps for use.
const VAIN: u64 = 32 << 10;

/// Beside what fills windows with full packets, this many.
const SPARE: u64 = 16 << 10;

/// The least that an honest sender of much has in a packet.
const FULL: u64 = 1_000;

/// Where pieces have fewer bytes in the mean, it pays to put them together, after so many small ones.
const FINE: u64 = 512;
const STEP: u32 = 1 << 10;

/// A number of pieces.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Load {
    pub(super) pieces: u32,
    /// Of these, those that share their packet with more than one and a half times as many other bytes: QUIC sorts for them.
    pub(super) small: u32,
    /// And their bytes.
    pub(super) bytes: u64,
}

impl Load {
    /// What may be there for a window of so many bytes: twice as much as full packets are.
    pub(super) fn of_window(window: u64) -> Self {
        let pieces = (2 * window / FULL).saturating_add(SPARE);
        Self {
            pieces: u32::try_from(pieces).unwrap_or(u32::MAX),
            small: SMALL,
            bytes: u64::MAX,
        }
    }

    /// Whether most of them are far from filling a packet.
    fn is_fine(self) -> bool {
        self.bytes < FINE * u64::from(self.pieces)
    }

    /// Whether it is more in any respect.
    pub(super) fn exceeds(self, bound: Self) -> bool {
        self.pieces > bound.pieces || self.small > bound.small
    }
}

/// Whether so many bytes share their packet with more than one and a half times as many others.
fn is_small(packet: u64, bytes: u64) -> bool {
    2 * packet > 5 * bytes
}

impl From<&Frame> for Load {
    fn from(frame: &Frame) -> Self {
        Self {
            pieces: 1,
            small: u32::from(is_small(frame.packet, frame.length)),
            bytes: frame.length,
        }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Self) {
        self.pieces = self.pieces.saturating_add(other.pieces);
        self.small = self.small.saturating_add(other.small);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, other: Self) {
        self.pieces = self.pieces.saturating_sub(other.pieces);
        self.small = self.small.saturating_sub(other.small);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

/// Pieces that came one after the other.
struct Group {
    /// What was the furthest then.
    end: u64,
    load: Load,
    /// Their bytes beyond the end of the group before.
    new: u64,
}

/// The pieces of one stream that arrived and may not have been read: at least as many as QUIC keeps.
#[derive(Default)]
pub(super) struct Pieces {
    /// The end of the furthest.
    highest: u64,
    /// Those that were counted last.
    last: Load,
    /// Those before: once the stream was read to the end of a group, all of that were.
    groups: VecDeque<Group>,
    /// All of them.
    all: Load,
    /// Of their bytes, those that came beyond all others.
    new: u64,
    /// Of these, those in the last group that is not full.
    last_new: u64,
    /// Where the first group begins.
    begin: u64,
    /// Small ones that were left when those in order were put together.
    merged: u32,
    /// How far that was.
    read: u64,
}

impl Pieces {
    /// Counts a piece; how many pieces QUIC sorts for it, in the mean.
    pub(super) fn add(&mut self, frame: &Frame) -> u64 {
        let load = Load::from(frame);
        let new = frame.end.saturating_sub(self.highest).min(frame.length);
        self.highest = self.highest.max(frame.end);
        self.all += load;
        self.last += load;
        self.new += new;
        self.last_new += new;
        if self.last.exceeds(GROUP) {
            self.groups.push_back(Group {
                end: self.highest,
                load: std::mem::take(&mut self.last),
                new: std::mem::take(&mut self.last_new),
            });
        }
        // What is there already, or fills a gap, may be no use to QUIC.
        if is_small(frame.packet, new) {
            u64::from(self.all.pieces) * frame.packet / VAIN.max(self.unread() * 3 / 2)
        } else {
            0
        }
    }

    /// Bytes that QUIC keeps, no two of which are the same: at least so many.
    fn unread(&self) -> u64 {
        self.new
            .saturating_sub(self.read.saturating_sub(self.begin))
    }

    /// The stream was read so far.
    pub(super) fn read_to(&mut self, offset: u64) {
        self.read = offset;
        if offset >= self.highest {
            *self = Self {
                highest: self.highest,
                begin: self.highest,
                read: offset,
                groups: std::mem::take(&mut self.groups),
                ..Self::default()
            };
            self.groups.clear();
            return;
        }
        while let Some(end) = self.groups.front().map(|group| group.end)
            && end <= offset
            && let Some(group) = self.groups.pop_front()
        {
            self.all -= group.load;
            self.new -= group.new;
            self.begin = group.end;
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Load {
        self.all
    }

    /// Whether those in order are better put together.
    pub(super) fn wants_merging(&self) -> bool {
        self.all.small > self.merged.saturating_add(STEP) && self.all.is_fine()
    }

    /// They were.
    pub(super) fn were_merged(&mut self) {
        self.merged = self.all.small;
    }
}

#[cfg(test)]
mod tests;
