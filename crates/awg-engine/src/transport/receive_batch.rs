//! The buffers that a transport receives into: a fixed number of messages, each of one or more datagrams.
//!
//! Everything is allocated once. The datagrams are handed out in place and mutable, so that they are opened where they
//! arrived.

use std::net::SocketAddr;
use std::slice::ChunksMut;

/// Bytes of one message's buffer. The kernel coalesces (GRO) up to what one IP packet can hold.
pub(crate) const MESSAGE_SIZE: usize = 1 << 16;

/// What arrived in one buffer: datagrams of one sender, all of `stride` bytes but the last, which may be shorter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    pub(super) from: SocketAddr,
    pub(super) len: usize,
    pub(super) stride: usize,
}

/// Received datagrams and the memory that holds them; see the module.
pub struct ReceiveBatch {
    arena: Vec<u8>,
    messages: Vec<Message>,
    capacity: usize,
    is_last: bool,
}

impl ReceiveBatch {
    /// The number of messages that one call of the system fills. More make the batch outgrow the processor's cache.
    pub const DEFAULT_MESSAGES: usize = 16;

    /// Makes room for `messages` messages (at least one) of 64 KiB each; memory is committed as it is first used.
    pub fn new(messages: usize) -> Self {
        let capacity = messages.max(1);
        Self {
            arena: vec![0; capacity * MESSAGE_SIZE],
            messages: Vec::with_capacity(capacity),
            capacity,
            is_last: false,
        }
    }

    /// How many messages fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many messages are here.
    pub fn messages(&self) -> usize {
        self.messages.len()
    }

    /// How many datagrams are here.
    pub fn len(&self) -> usize {
        self.messages
            .iter()
            .map(|message| message.len.div_ceil(message.stride).max(1))
            .sum()
    }

    /// Whether nothing is here.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The datagrams in the order of arrival, each with its sender, to be opened in place.
    pub fn datagrams(&mut self) -> Datagrams<'_> {
        Datagrams {
            messages: self.messages.iter(),
            buffers: self.arena.chunks_mut(MESSAGE_SIZE),
            current: None,
        }
    }

    /// Whether nothing waited behind these when they were taken: readiness tells what came since. Without that, only asking does.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    pub(crate) fn clear(&mut self) {
        self.messages.clear();
        self.is_last = false;
    }

    /// Nothing waits behind what is here. Only `recvmmsg` knows.
    #[cfg(target_os = "linux")]
    pub(crate) fn end(&mut self) {
        self.is_last = true;
    }

    /// The buffers, one per message, for a transport to fill.
    pub(super) fn buffers(&mut self) -> ChunksMut<'_, u8> {
        self.arena.chunks_mut(MESSAGE_SIZE)
    }

    /// The next message's buffer.
    pub(crate) fn vacant(&mut self) -> Option<&mut [u8]> {
        self.arena.chunks_mut(MESSAGE_SIZE).nth(self.messages.len())
    }

    /// Records what the next buffer holds. A message of zero length keeps its place, so that the buffers stay in step.
    pub(crate) fn push(&mut self, from: SocketAddr, len: usize, stride: usize) {
        debug_assert!(self.messages.len() < self.capacity && len <= MESSAGE_SIZE);
        self.messages.push(Message {
            from,
            len: len.min(MESSAGE_SIZE),
            stride: stride.max(1),
        });
    }
}

impl std::fmt::Debug for ReceiveBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiveBatch")
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

/// Iterator over the datagrams of a [`ReceiveBatch`].
#[derive(Debug)]
pub struct Datagrams<'a> {
    messages: std::slice::Iter<'a, Message>,
    buffers: ChunksMut<'a, u8>,
    current: Option<(SocketAddr, ChunksMut<'a, u8>)>,
}

impl<'a> Iterator for Datagrams<'a> {
    type Item = (SocketAddr, &'a mut [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((from, segments)) = &mut self.current
                && let Some(segment) = segments.next()
            {
                return Some((*from, segment));
            }
            let message = self.messages.next()?;
            let buffer = self.buffers.next()?;
            let filled = buffer.get_mut(..message.len)?;
            if filled.is_empty() {
                self.current = None;
                return Some((message.from, filled));
            }
            self.current = Some((message.from, filled.chunks_mut(message.stride)));
        }
    }
}
