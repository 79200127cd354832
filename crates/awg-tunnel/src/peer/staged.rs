//! Packets that wait for a session.

use std::collections::VecDeque;

/// Packets in order, at most so many; their bytes are counted for a bound over all peers.
#[derive(Default)]
pub(crate) struct Staged {
    packets: VecDeque<Box<[u8]>>,
    bytes: usize,
}

impl Staged {
    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.packets.len()
    }

    /// The packets' bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a packet at the end.
    pub(crate) fn push(&mut self, packet: &[u8]) {
        self.bytes += packet.len();
        self.packets.push_back(packet.into());
    }

    /// Takes the oldest.
    pub(crate) fn pop(&mut self) -> Option<Box<[u8]>> {
        let packet = self.packets.pop_front()?;
        self.bytes -= packet.len();
        Some(packet)
    }

    /// Drops all; says how many.
    pub(crate) fn clear(&mut self) -> usize {
        let dropped = self.packets.len();
        *self = Self::default();
        dropped
    }
}
