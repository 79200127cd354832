//! What the links of all peers share ([`Shared`]): the flows, what is to be told of them, and the bounds.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use rand::rngs::StdRng;

use super::arrivals::{Arrivals, Arrived};
use super::chunks::Chunks;
use super::counters::CarrierCounters;
use super::flows::Flows;
use super::settings::{DATAGRAM_BUFFER, Windows};
use crate::deadlines::Deadlines;
use crate::event::Event;
use crate::flow::Peer;
use crate::limits::Limits;

/// Packets that wait to leave beside those of connections.
const REPLIES: usize = 256;

/// A UDP datagram of no connection, or the last of one.
pub(super) struct Reply {
    pub(super) peer: Peer,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) payload: Vec<u8>,
}

/// See the module.
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) windows: Windows,
    /// The addresses of this end of the tunnel.
    pub(super) own: Box<[IpAddr]>,
    pub(super) flows: Flows,
    /// When to look at a flow.
    pub(super) deadlines: Deadlines,
    /// Flows that wait for the embedder.
    pub(super) half_open: usize,
    pub(super) events: VecDeque<Event>,
    pub(super) arrived: Arrivals,
    pub(super) replies: VecDeque<Reply>,
    pub(super) counters: CarrierCounters,
    pub(super) rng: StdRng,
    /// Memory of what is sent.
    pub(super) chunks: Chunks,
}

impl Shared {
    pub(super) fn new(limits: &Limits, own: &[IpAddr], rng: StdRng) -> Self {
        Self {
            limits: limits.clone(),
            windows: Windows::new(limits),
            own: own.into(),
            flows: Flows::default(),
            deadlines: Deadlines::default(),
            half_open: 0,
            events: VecDeque::new(),
            arrived: Arrivals::new(DATAGRAM_BUFFER.min(limits.datagram_bytes)),
            replies: VecDeque::new(),
            counters: CarrierCounters::default(),
            rng,
            chunks: Chunks::default(),
        }
    }

    /// Queues a datagram that arrived by a link.
    pub(super) fn arrive(&mut self, link: u32, arrived: Arrived) {
        self.counters.datagrams_received += 1;
        self.counters.datagram_queue_full += self.arrived.push(link, arrived);
    }

    /// How many more packets can be queued that are not a connection's.
    pub(super) fn room_for_replies(&self) -> usize {
        REPLIES - self.replies.len()
    }

    /// Queues a packet that is not a connection's, or its last.
    pub(super) fn reply(&mut self, reply: Reply) {
        if self.replies.len() < REPLIES {
            self.replies.push_back(reply);
        }
    }
}
