//! A [`PacketSink`] that keeps what it is given: for tests.

use crate::flow::Peer;
use crate::sink::PacketSink;

/// Packets in memory.
#[derive(Default)]
pub(crate) struct Packets {
    pub(crate) packets: Vec<(Peer, Vec<u8>)>,
    /// How many it takes in all.
    pub(crate) room: Option<usize>,
}

impl PacketSink for Packets {
    fn has_room(&self) -> bool {
        self.room.is_none_or(|room| self.packets.len() < room)
    }

    fn packet(&mut self, peer: Peer, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        // Whatever was in the buffer before must not show.
        let mut packet = vec![0xee; length];
        emit(&mut packet);
        self.packets.push((peer, packet));
    }
}
