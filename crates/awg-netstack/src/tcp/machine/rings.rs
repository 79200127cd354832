//! The memory of a connection's two buffers ([`Rings`]): given back while the connection rests, and as it goes.

use std::io;
use std::time::{Duration, Instant};

use super::TcpMachine;
use super::ring::Ring;

/// Pages are given back at most so often while a flow is busy, and only this many at once.
const RELEASE_EVERY: Duration = Duration::from_secs(1);
const RELEASE_FROM: usize = 256 * 1024;
/// Rings smaller than this are reused as they are.
const KEEP: usize = 64 * 1024;

/// The two buffers' memory, reused between connections.
pub(crate) struct Rings {
    pub(super) receive: Ring,
    pub(super) send: Ring,
}

impl Rings {
    pub(crate) fn new(capacity: usize) -> io::Result<Self> {
        Ok(Self {
            receive: Ring::new(capacity)?,
            send: Ring::new(capacity)?,
        })
    }

    /// How large buffers of at least `capacity` bytes are: whole pages.
    pub(crate) fn round(capacity: usize) -> usize {
        Ring::round(capacity)
    }

    /// Bytes that may be in memory.
    pub(crate) fn touched(&self) -> usize {
        self.receive.touched() + self.send.touched()
    }

    /// The bytes of each: what was asked for, [rounded](Self::round).
    pub(crate) fn size(&self) -> usize {
        self.receive.capacity()
    }

    /// Makes them ready for another connection: little is kept, much is given back.
    pub(crate) fn recycle(&mut self) {
        for ring in [&mut self.receive, &mut self.send] {
            if ring.touched() > KEEP {
                ring.release_except(0, 0);
            }
        }
    }
}

impl TcpMachine {
    /// Bytes that may be in memory.
    pub(crate) fn touched(&self) -> usize {
        self.rings.as_ref().map_or(0, Rings::touched)
    }

    /// Gives back what is not in use, if that is much and was not done just now, or if the flow is `idle`. Returns
    /// whether it did.
    pub(crate) fn release(&mut self, now: Instant, idle: bool) -> bool {
        let touched = self.touched();
        let socket = self.socket();
        let (queued, held) = (socket.send_queue(), socket.recv_queue());
        let scattered = self.received_to.wrapping_sub(self.expected());
        let scattered = if scattered.cast_signed() > 0 {
            scattered as usize
        } else {
            0
        };
        let spare = touched.saturating_sub(queued + held + scattered);
        let due = now.saturating_duration_since(self.released) >= RELEASE_EVERY;
        if spare == 0 || !(idle || (due && spare >= RELEASE_FROM)) {
            return false;
        }
        self.released = now;
        let (read_at, write_at) = (self.read_at, self.write_at);
        if let Some(Rings { receive, send }) = &mut self.rings {
            receive.release_except(read_at, held + scattered);
            send.release_except(write_at + send.capacity() - queued, queued);
        }
        true
    }

    /// The memory, for the next connection.
    pub(crate) fn into_rings(mut self) -> Option<Rings> {
        self.sockets.remove(self.handle);
        self.rings.take()
    }

    /// Bytes of buffers in memory, as the kernel has it.
    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn resident(&self) -> usize {
        self.rings
            .as_ref()
            .map_or(0, |rings| rings.receive.resident() + rings.send.resident())
    }
}
