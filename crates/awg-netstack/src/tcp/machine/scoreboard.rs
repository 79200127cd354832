//! What the peer has beyond the first byte that it lacks ([`Scoreboard`]), as its selective acknowledgements tell (RFC
//! 2018, RFC 6675 section 3).

use super::sequence::is_after;

/// Ranges that are kept; a peer that reports more has its later ones ignored, and gets some bytes twice.
const RANGES: usize = 128;

/// Ranges of sequence numbers, in order, apart from each other.
#[derive(Default)]
pub(super) struct Scoreboard {
    ranges: Vec<(u32, u32)>,
    bytes: usize,
}

impl Scoreboard {
    /// The peer has `start..end`.
    pub(super) fn add(&mut self, start: u32, end: u32) {
        let before = self
            .ranges
            .partition_point(|(_, other)| is_after(start, *other));
        let after = self
            .ranges
            .partition_point(|(other, _)| !is_after(*other, end));
        if before >= after {
            if self.ranges.len() < RANGES {
                self.ranges.insert(before, (start, end));
                self.bytes += end.wrapping_sub(start) as usize;
            }
            return;
        }
        let (mut start, mut end) = (start, end);
        for (other_start, other_end) in self.ranges.drain(before..after) {
            self.bytes -= other_end.wrapping_sub(other_start) as usize;
            if is_after(start, other_start) {
                start = other_start;
            }
            if is_after(other_end, end) {
                end = other_end;
            }
        }
        self.bytes += end.wrapping_sub(start) as usize;
        self.ranges.insert(before, (start, end));
    }

    /// Everything before `first` was acknowledged.
    pub(super) fn advance(&mut self, first: u32) {
        let gone = self
            .ranges
            .partition_point(|(_, end)| !is_after(*end, first));
        for (start, end) in self.ranges.drain(..gone) {
            self.bytes -= end.wrapping_sub(start) as usize;
        }
        if let Some((start, _)) = self.ranges.first_mut()
            && is_after(first, *start)
        {
            self.bytes -= first.wrapping_sub(*start) as usize;
            *start = first;
        }
    }

    pub(super) fn clear(&mut self) {
        self.ranges.clear();
        self.bytes = 0;
    }

    /// Bytes that the peer has out of order.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The end of the last range.
    pub(super) fn highest(&self) -> Option<u32> {
        self.ranges.last().map(|(_, end)| *end)
    }

    /// Whether the peer has all of `start..end`.
    pub(super) fn has(&self, start: u32, end: u32) -> bool {
        let after = self
            .ranges
            .partition_point(|(other, _)| !is_after(*other, start));
        after
            .checked_sub(1)
            .and_then(|index| self.ranges.get(index))
            .is_some_and(|(_, other)| !is_after(end, *other))
    }

    /// Whether the peer lacks any of `start..end`.
    pub(super) fn has_hole(&self, start: u32, end: u32) -> bool {
        is_after(end, start) && !self.has(start, end)
    }

    /// The sequence number up to which `budget` bytes from `first` on may be on their way, not counting what the peer
    /// has.
    pub(super) fn edge(&self, first: u32, budget: usize) -> u32 {
        let mut position = first;
        let mut budget = u32::try_from(budget).unwrap_or(u32::MAX);
        for (start, end) in &self.ranges {
            let gap = start.wrapping_sub(position);
            if gap >= budget {
                break;
            }
            budget -= gap;
            position = *end;
        }
        position.wrapping_add(budget)
    }
}

#[cfg(test)]
mod tests;
