//! Memory for packets that arrive ([`Arena`]): QUIC keeps parts of them until they are read, each by itself, so each has memory
//! of its own; which is used again once nothing of it is kept.

use bytes::BytesMut;

/// Packets whose memory is looked at again: more than one batch of the other end's, and no more than the caches hold.
const PACKETS: usize = 64;

/// Gives out buffers in turn.
pub(super) struct Arena {
    buffers: Vec<BytesMut>,
    next: usize,
    size: usize,
}

impl Arena {
    /// Of buffers of `size` bytes; none is made before it is needed.
    pub(super) fn new(size: usize) -> Self {
        Self {
            buffers: Vec::new(),
            next: 0,
            size,
        }
    }

    /// A buffer with a copy of `packet`, and room for some more.
    ///
    /// A small packet has memory of its own size: what is kept of it counts by that, and not by what a full one takes.
    pub(super) fn keep(&mut self, packet: &[u8]) -> BytesMut {
        if packet.len() < self.size / 2 {
            return BytesMut::from(packet);
        }
        if self.buffers.len() < PACKETS {
            self.buffers.push(BytesMut::new());
        }
        self.next = (self.next + 1) % self.buffers.len();
        let Some(buffer) = self.buffers.get_mut(self.next) else {
            return BytesMut::from(packet);
        };
        // Takes back what was given out, if nobody has it any more; else there is a new one.
        buffer.reserve(self.size.max(packet.len()));
        buffer.extend_from_slice(packet);
        buffer.split()
    }
}
