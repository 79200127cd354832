//! The UDP sockets of a shard: which may have something, which one takes nothing more, and in whose turn.
//!
//! A turn takes one batch from a socket that has many datagrams, or a few from each of several, so that a busy port does not
//! keep the others waiting. All that is to be sent waits in one arena; where a socket's buffer is full, what waits for the others
//! waits too, as it does when they are peers of one socket: what the sockets share is the interface below them.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use awg_tunnel::Local;
use mio::event::Event as Readiness;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use crate::transport::{ReceiveBatch, SendBatch, SendProgress, Transport, TransportCounters};

/// How long a congested interface is left alone, which says nothing when it recovers.
const CONGESTION: Duration = Duration::from_millis(1);
/// How long after a failed receive the next one is tried.
pub(super) const RETRY: Duration = Duration::from_millis(100);

/// One socket, and the obfuscation that is spoken there.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) obfuscation: u16,
}

/// All of them; see the module.
#[derive(Debug)]
pub(super) struct Sockets {
    all: Vec<Socket>,
    /// Which of them may have something, each once, in the order of their turns.
    readable: VecDeque<u16>,
    is_readable: Vec<bool>,
    /// The socket that takes no more until it is writable again.
    blocked: Option<u16>,
    /// The interface takes no more until then.
    congested_until: Option<Instant>,
    /// When to receive again although nothing says that there is something: the last call failed.
    retry_at: Option<Instant>,
    /// Datagrams for sockets that are not there: an embedder's mistake.
    homeless: u64,
}

impl Sockets {
    pub(super) fn new(sockets: Vec<Socket>) -> Self {
        let count = sockets.len().min(1 + usize::from(u16::MAX));
        Self {
            all: sockets,
            readable: (0..count).map(|place| place as u16).collect(),
            is_readable: vec![true; count],
            blocked: None,
            congested_until: None,
            retry_at: None,
            homeless: 0,
        }
    }

    /// Whether what is sent finds room again in a socket that [`send`](Self::send) said takes no more.
    #[must_use = "that socket need not be watched for room any longer"]
    pub(super) fn handle_readiness(&mut self, place: u16, readiness: &Readiness) -> bool {
        if readiness.is_readable() || readiness.is_error() {
            self.expect_datagrams(place);
        }
        let has_room = readiness.is_writable() && self.blocked == Some(place);
        if has_room {
            self.blocked = None;
        }
        has_room
    }

    /// Has the loop told, at `token`, when a socket has something, or also when it takes something.
    ///
    /// Not always of both: a UDP socket becomes writable with each datagram that leaves the machine, and the loop would wake for it.
    ///
    /// # Errors
    /// The system does not watch it.
    pub(super) fn watch(
        &self,
        registry: &Registry,
        place: u16,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let socket = self.all.get(usize::from(place));
        match socket.and_then(|socket| socket.transport.descriptor()) {
            Some(descriptor) => registry.reregister(&mut SourceFd(&descriptor), token, interest),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Gives a socket its turn to receive, if it does not wait for one.
    fn expect_datagrams(&mut self, place: u16) {
        if let Some(readable @ false) = self.is_readable.get_mut(usize::from(place)) {
            *readable = true;
            self.readable.push_back(place);
        }
    }

    /// Gives every socket its turn to receive.
    pub(super) fn expect_datagrams_everywhere(&mut self) {
        for place in 0..self.is_readable.len() {
            self.expect_datagrams(place as u16);
        }
    }

    /// How many sockets may have something.
    pub(super) fn readable(&self) -> usize {
        self.readable.len()
    }

    /// Receives from the socket whose turn it is; says by which way what is in `batch` now came, or that nothing is there.
    ///
    /// # Errors
    /// The system failed, not for good in practice (out of memory). What waits is reported no second time, so a timer tries.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        batch: &mut ReceiveBatch,
    ) -> io::Result<Option<Local>> {
        let Some(place) = self.readable.pop_front() else {
            return Ok(None);
        };
        let Some(socket) = self.all.get_mut(usize::from(place)) else {
            return Ok(None);
        };
        let received = socket.transport.receive(batch);
        let arrived = matches!(received, Ok(1..));
        if arrived && !batch.is_last() {
            self.readable.push_back(place);
        } else {
            self.is_readable[usize::from(place)] = false;
        }
        if received.is_err() {
            self.retry_at = Some(now + RETRY);
        }
        received.map(|_| {
            arrived.then_some(Local {
                socket: place,
                obfuscation: socket.obfuscation,
            })
        })
    }

    /// Does what a timer was set for.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.expect_datagrams_everywhere();
        }
        if self.congested_until.is_some_and(|at| at <= now) {
            self.congested_until = None;
        }
    }

    /// When to try a congested interface, or a failed receive, again.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.congested_until.into_iter().chain(self.retry_at).min()
    }

    /// Whether anything can be sent at this moment.
    pub(super) fn may_send(&self) -> bool {
        self.blocked.is_none() && self.congested_until.is_none()
    }

    /// Sends what is in `batch`, each datagram by its socket, until one takes no more: it is to be [watched](Self::watch).
    #[must_use = "nothing else tells when it takes more"]
    pub(super) fn send(&mut self, now: Instant, batch: &mut SendBatch) -> Option<u16> {
        batch.gather();
        while let Some(place) = batch.socket() {
            let Some(socket) = self.all.get_mut(usize::from(place)) else {
                self.homeless += batch.give_up_run() as u64;
                continue;
            };
            match socket.transport.send(batch) {
                SendProgress::Complete => {}
                SendProgress::Blocked => {
                    self.blocked = Some(place);
                    return Some(place);
                }
                SendProgress::Congested => {
                    self.leave_alone(now);
                    return None;
                }
            }
        }
        None
    }

    /// Sends nothing for a moment, since nothing will tell when there is room.
    pub(super) fn leave_alone(&mut self, now: Instant) {
        self.blocked = None;
        self.congested_until = Some(now + CONGESTION);
    }

    /// Where each is bound.
    pub(super) fn local_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let sockets = self.all.iter();
        sockets.map(|socket| socket.transport.local_address())
    }

    /// The port of one.
    pub(super) fn port(&self, place: u16) -> Option<u16> {
        let socket = self.all.get(usize::from(place))?;
        Some(socket.transport.local_address().port())
    }

    /// What all of them moved and dropped. Segmentation is in use where all use it.
    pub(super) fn counters(&self) -> TransportCounters {
        let sockets = self.all.iter();
        let mut each = sockets.map(|socket| socket.transport.counters());
        let first = each.next().unwrap_or_default();
        let mut sum = each.fold(first, |sum, one| sum + one);
        sum.unsendable += self.homeless;
        sum
    }
}

#[cfg(test)]
mod tests;
