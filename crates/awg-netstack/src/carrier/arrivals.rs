//! UDP datagrams that arrived on carried flows and wait for the embedder ([`Arrivals`]): of each link so many bytes and no more, and
//! in turn, so that what one peer sends costs no other's.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::flow::FlowId;

/// Datagrams of a link that room is kept for while it has none.
const KEPT: usize = 64;

/// A UDP datagram that arrived on a flow.
pub(super) struct Arrived {
    pub(super) flow: FlowId,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: Bytes,
}

impl Arrived {
    /// Bytes that keeping it takes.
    fn cost(&self) -> usize {
        self.payload.len() + size_of::<Self>()
    }
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Arrived>,
    bytes: usize,
}

impl Queue {
    fn pop(&mut self) -> Option<Arrived> {
        let arrived = self.waiting.pop_front()?;
        self.bytes -= arrived.cost();
        Some(arrived)
    }
}

/// See the module.
pub(super) struct Arrivals {
    /// By the link's place.
    queues: Vec<Queue>,
    /// The links of which something waits, each once.
    turns: VecDeque<u32>,
    /// Bytes that may wait of one link.
    bound: usize,
}

impl Arrivals {
    /// None, and no more than `bound` bytes of one link.
    pub(super) fn new(bound: usize) -> Self {
        Self {
            queues: Vec::new(),
            turns: VecDeque::new(),
            bound,
        }
    }

    /// Queues a datagram of a link; how many older ones of the same link are dropped for it.
    pub(super) fn push(&mut self, link: u32, arrived: Arrived) -> u64 {
        let place = link as usize;
        if self.queues.len() <= place {
            self.queues.resize_with(place + 1, Queue::default);
        }
        let Some(queue) = self.queues.get_mut(place) else {
            return 0;
        };
        if queue.waiting.is_empty() {
            self.turns.push_back(link);
        }
        let mut dropped = 0;
        while queue.bytes + arrived.cost() > self.bound && queue.pop().is_some() {
            dropped += 1;
        }
        queue.bytes += arrived.cost();
        queue.waiting.push_back(arrived);
        dropped
    }

    /// The oldest of the link whose turn it is.
    pub(super) fn pop(&mut self) -> Option<Arrived> {
        let link = self.turns.pop_front()?;
        let queue = self.queues.get_mut(link as usize)?;
        let arrived = queue.pop();
        if queue.waiting.is_empty() {
            queue.waiting.shrink_to(KEPT);
        } else {
            self.turns.push_back(link);
        }
        arrived
    }
}

#[cfg(test)]
mod tests;
