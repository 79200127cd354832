//! What waits to be polled: finished handshake messages, and peers whose turn it is to send a keepalive or staged packets.

use std::collections::VecDeque;

use awg_obfuscation::Preamble;

use crate::endpoint::Endpoint;
use crate::message::{CookieReply, Initiation, Response};
use crate::peer::PeerId;

/// In order of their making.
pub(super) struct Outbox {
    items: VecDeque<Outgoing>,
    capacity: usize,
}

/// One turn in the queue.
pub(super) enum Outgoing {
    /// An initiation, after what precedes it.
    Initiation {
        peer: PeerId,
        to: Endpoint,
        preamble: Preamble,
        message: Initiation,
    },
    /// A response.
    Response {
        peer: PeerId,
        to: Endpoint,
        message: Response,
    },
    /// A cookie reply: to nobody in particular.
    CookieReply { to: Endpoint, message: CookieReply },
    /// A keepalive, sealed when its turn comes. At most one per peer.
    Keepalive { peer: PeerId },
    /// The staged packets of a peer, as many turns as there are packets. At most one per peer.
    Staged { peer: PeerId },
}

impl Outbox {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            items: VecDeque::new(),
            capacity,
        }
    }

    /// Queues a handshake message; where there is no room it is dropped and counted.
    pub(super) fn push(&mut self, item: Outgoing, dropped: &mut u64) {
        if self.items.len() < self.capacity {
            self.items.push_back(item);
        } else {
            *dropped += 1;
        }
    }

    /// Queues a peer's turn, of which there are at most two for each peer.
    pub(super) fn push_turn(&mut self, item: Outgoing) {
        self.items.push_back(item);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The first in the queue.
    pub(super) fn front_mut(&mut self) -> Option<&mut Outgoing> {
        self.items.front_mut()
    }

    /// Takes the first in the queue.
    pub(super) fn pop(&mut self) -> Option<Outgoing> {
        self.items.pop_front()
    }
}
