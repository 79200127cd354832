//! Where packets go that leave the stack.

use crate::flow::Peer;

/// Takes the packets that leave: the embedder points it at its datagram buffers, so that a packet is written where it
/// will be sealed.
pub trait PacketSink {
    /// Whether one more packet of the stack's MTU fits. The stack stops asking for room at the first `false`.
    fn has_room(&self) -> bool;

    /// Takes one packet of exactly `length` bytes for `peer`: calls `emit` once with a buffer of that length, whose
    /// content is arbitrary.
    fn packet(&mut self, peer: Peer, length: usize, emit: &mut dyn FnMut(&mut [u8]));
}
