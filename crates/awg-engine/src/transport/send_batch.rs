//! The arena that datagrams are written into, one behind the other, until a transport sends them.
//!
//! Everything is allocated once. Because neighbours touch, a row of datagrams of one destination and one size is one
//! slice of memory, which the kernel can cut into datagrams by itself (GSO); [`Groups`] finds those.
//!
//! Datagrams of several sockets share the arena. A transport sends the run at the front that leaves by one socket;
//! [`gather`](SendBatch::gather) makes those runs long. Of what leaves by one socket the order is kept.

use std::net::SocketAddr;
use std::ops::Range;

use awg_tunnel::Endpoint;

use super::LARGEST_DATAGRAM;

#[derive(Debug, Clone, Copy)]
struct Entry {
    to: Endpoint,
    start: usize,
    len: usize,
}

/// Datagrams to send and the memory that holds them; see the module.
pub struct SendBatch {
    arena: Vec<u8>,
    used: usize,
    entries: Vec<Entry>,
    /// Entries before this one are sent.
    sent: usize,
    /// Whether they leave by more than one socket.
    mixed: bool,
    capacity: usize,
}

impl SendBatch {
    /// Datagrams that a batch of the default size holds.
    pub const DEFAULT_DATAGRAMS: usize = 256;
    /// Room for datagrams that [`new`](Self::new) is given as a rule, bytes: the other end opens one such batch while the next
    /// one is sealed. With eight times as much each waits for the other, and a transfer is slower by a third.
    pub const DEFAULT_BYTES: usize = 32 * 1024;

    /// Makes room for `datagrams` datagrams of `bytes` bytes together (at least one datagram of the largest size).
    pub fn new(datagrams: usize, bytes: usize) -> Self {
        let capacity = datagrams.max(1);
        Self {
            arena: vec![0; bytes.max(LARGEST_DATAGRAM)],
            used: 0,
            entries: Vec::with_capacity(capacity),
            sent: 0,
            mixed: false,
            capacity,
        }
    }

    /// Whether a datagram of `max_len` bytes fits. If not, send first.
    pub fn has_room(&self, max_len: usize) -> bool {
        self.entries.len() < self.capacity && max_len <= self.arena.len() - self.used
    }

    /// The `max_len` bytes behind the last datagram, to write the next one into; `None` if there is no room. What is
    /// written counts only after [`commit`](Self::commit). The bytes hold remains of earlier datagrams.
    pub fn reserve(&mut self, max_len: usize) -> Option<&mut [u8]> {
        if !self.has_room(max_len) {
            return None;
        }
        self.arena.get_mut(self.used..self.used + max_len)
    }

    /// Makes the first `len` bytes of what was last reserved a datagram for `to`.
    ///
    /// # Panics
    /// If `len` bytes were not reserved: a mistake of the caller.
    pub fn commit(&mut self, len: usize, to: impl Into<Endpoint>) {
        assert!(
            self.has_room(len),
            "commit of {len} bytes that were not reserved"
        );
        let to = to.into();
        let last = self.entries.last();
        self.mixed |= last.is_some_and(|last| last.to.local.socket != to.local.socket);
        self.entries.push(Entry {
            to,
            start: self.used,
            len,
        });
        self.used += len;
    }

    /// Copies a datagram in; `false` if there is no room for it.
    pub fn push(&mut self, datagram: &[u8], to: impl Into<Endpoint>) -> bool {
        let Some(room) = self.reserve(datagram.len()) else {
            return false;
        };
        room.copy_from_slice(datagram);
        self.commit(datagram.len(), to);
        true
    }

    /// How many datagrams wait to be sent.
    pub fn len(&self) -> usize {
        self.entries.len() - self.sent
    }

    /// Whether none waits to be sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all that waits.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.sent = 0;
        self.used = 0;
        self.mixed = false;
    }

    /// The socket of the run at the front; `None` if nothing waits.
    pub fn socket(&self) -> Option<u16> {
        let first = self.entries.get(self.sent)?;
        Some(first.to.local.socket)
    }

    /// Puts together what leaves by one socket. Free where there is one.
    pub fn gather(&mut self) {
        if self.mixed
            && let Some(waiting) = self.entries.get_mut(self.sent..)
        {
            waiting.sort_by_key(|entry| entry.to.local.socket);
            self.mixed = false;
        }
    }

    /// Drops the run at the front; says how many they were.
    pub(crate) fn give_up_run(&mut self) -> usize {
        let datagrams = self.groups(usize::MAX).map(|group| group.datagrams).sum();
        self.advance(datagrams);
        datagrams
    }

    /// The run at the front, in groups of at most `max_segments` datagrams.
    pub fn groups(&self, max_segments: usize) -> Groups<'_> {
        Groups {
            batch: self,
            next: self.sent,
            socket: self.socket(),
            max_segments: max_segments.max(1),
        }
    }

    /// Notes that the first `datagrams` of what waits are sent, or given up. When none is left the memory is free again.
    pub(crate) fn advance(&mut self, datagrams: usize) {
        self.sent = (self.sent + datagrams).min(self.entries.len());
        if self.sent == self.entries.len() {
            self.clear();
        }
    }
}

impl std::fmt::Debug for SendBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendBatch")
            .field("waiting", &self.len())
            .field("bytes", &self.used)
            .finish_non_exhaustive()
    }
}

/// A row of datagrams that can go in one call with GSO: one destination, one size, the last one possibly shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'a> {
    /// Where they go.
    pub to: SocketAddr,
    /// Their bytes, one behind the other.
    pub bytes: &'a [u8],
    /// The size of each but the last.
    pub segment: usize,
    /// How many they are; at least 1.
    pub datagrams: usize,
}

/// Iterator over the [`Group`]s of a [`SendBatch`].
#[derive(Debug)]
pub struct Groups<'a> {
    batch: &'a SendBatch,
    next: usize,
    socket: Option<u16>,
    max_segments: usize,
}

impl<'a> Iterator for Groups<'a> {
    type Item = Group<'a>;

    fn next(&mut self) -> Option<Group<'a>> {
        let waiting = self.batch.entries.get(self.next..)?;
        let (first, rest) = waiting.split_first()?;
        if self.socket != Some(first.to.local.socket) {
            return None;
        }
        let mut range = Range {
            start: first.start,
            end: first.start + first.len,
        };
        let mut datagrams = 1;
        for entry in rest.iter().take(self.max_segments - 1) {
            let fits = entry.to == first.to
                && entry.start == range.end
                && (1..=first.len).contains(&entry.len)
                && range.len() + entry.len <= LARGEST_DATAGRAM;
            if !fits {
                break;
            }
            range.end += entry.len;
            datagrams += 1;
            // Only the last datagram of a group may be shorter.
            if entry.len < first.len {
                break;
            }
        }
        self.next += datagrams;
        let bytes = self.batch.arena.get(range)?;
        Some(Group {
            to: first.to.remote,
            bytes,
            segment: first.len,
            datagrams,
        })
    }
}
