//! Transports: what carries the tunnel's datagrams under the tunnel.
//!
//! A [`Transport`] moves batches of datagrams and knows nothing of what is in them. It never blocks and never waits:
//! the loop asks its [`descriptor`](Transport::descriptor) when to come back. There is one real transport, [`udp`],
//! in two kinds that can talk to each other; the tests have a fake, `memory`, without sockets.

#[cfg(test)]
pub(crate) mod memory;
mod receive_batch;
mod send_batch;
pub mod udp;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;

pub(crate) use receive_batch::MESSAGE_SIZE;
pub use receive_batch::{Datagrams, ReceiveBatch};
pub use send_batch::{Group, Groups, SendBatch};

/// The largest payload of one UDP datagram that IPv4 and IPv6 both carry.
pub const LARGEST_DATAGRAM: usize = awg_obfuscation::LARGEST_DATAGRAM as usize;

/// Moves batches of datagrams; see the module.
pub trait Transport: Send + fmt::Debug {
    /// Takes what has arrived, up to the size of `batch`, whose former content is forgotten.
    ///
    /// Returns how many datagrams arrived; 0 = nothing is waiting, come back when the descriptor is readable. Under
    /// edge-triggered readiness call it until it returns 0 or the batch [is the last](ReceiveBatch::is_last). Reports of earlier
    /// datagrams that could not be delivered are not errors and are passed over.
    ///
    /// # Errors
    /// The system failed, for want of memory say. Nothing is known of what waits; it may work again in a moment.
    fn receive(&mut self, batch: &mut ReceiveBatch) -> io::Result<usize>;

    /// Sends the run at the front of `batch`, in order: what leaves by one socket, which is this one. What could not be sent yet
    /// stays in it, for the next call; what can never be sent (no route, too large, forbidden) is dropped and counted in [`TransportCounters::unsendable`].
    fn send(&mut self, batch: &mut SendBatch) -> SendProgress;

    /// The address that the transport is bound to; with a wildcard address the port is the part that says something.
    fn local_address(&self) -> SocketAddr;

    /// What to register for readiness; `None` for a transport without sockets.
    fn descriptor(&self) -> Option<RawFd>;

    /// What was moved and what was dropped since the start.
    fn counters(&self) -> TransportCounters;
}

/// How far a [`Transport::send`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SendProgress {
    /// The run is sent.
    Complete,
    /// The socket's buffer is full: call again when the descriptor is writable.
    Blocked,
    /// A queue below the socket is full, and no readiness will tell when it is not: call again in about a millisecond.
    Congested,
}

/// What a transport moved and what it dropped since its start. Bytes are of UDP payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransportCounters {
    /// Calls of the system that received something.
    pub receive_calls: u64,
    /// Datagrams received.
    pub received: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Datagrams cut by the system because they were larger than a buffer; dropped.
    pub truncated: u64,
    /// Calls of the system that sent something.
    pub send_calls: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Datagrams that the system refused for good (no route, too large, forbidden); dropped.
    pub unsendable: u64,
    /// Whether segmentation by the kernel or the card (GSO) is in use at this moment.
    pub segmentation: bool,
}

impl std::ops::Add for TransportCounters {
    type Output = Self;

    /// What two transports did together; segmentation is in use where both use it.
    fn add(self, other: Self) -> Self {
        Self {
            receive_calls: self.receive_calls + other.receive_calls,
            received: self.received + other.received,
            received_bytes: self.received_bytes + other.received_bytes,
            truncated: self.truncated + other.truncated,
            send_calls: self.send_calls + other.send_calls,
            sent: self.sent + other.sent,
            sent_bytes: self.sent_bytes + other.sent_bytes,
            unsendable: self.unsendable + other.unsendable,
            segmentation: self.segmentation && other.segmentation,
        }
    }
}
