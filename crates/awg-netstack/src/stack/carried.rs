//! The carrier's part of the face: where it is, which peers are reached by it, and the flows that are opened on it. Everything
//! else of a carried flow is done as with any other.

use std::net::SocketAddr;
use std::time::Instant;

use super::{Datagram, Stack};
use crate::carrier::CarrierConfig;
use crate::error::ConnectError;
use crate::flow::{FlowId, Peer, Target};

impl Stack {
    /// Sets the carrier up. Before the first packet; without it there is none.
    pub fn set_carrier(&mut self, config: CarrierConfig) {
        self.inner.carriers.configure(config);
    }

    /// Keeps a carrier to this address of the peer from now on, or, with `None`, none.
    /// [`Event::CarrierUp`](crate::Event::CarrierUp) follows when there is one, and whenever it comes back.
    ///
    /// Nothing happens where the stack's MTU leaves no room for a QUIC datagram of 1,200 bytes, or the stack has no
    /// address of the family.
    pub fn carry(&mut self, now: Instant, peer: Peer, at: Option<SocketAddr>) {
        let inner = &mut self.inner;
        let ends = at.and_then(|at| {
            let at = SocketAddr::new(at.ip().to_canonical(), at.port());
            inner.source(None, at.ip()).map(|from| (from, at))
        });
        inner.carriers.carry(now, peer, ends);
    }

    /// Closes carriers since the stack is about to be dropped: their other ends hear it with the next
    /// [`poll_transmit`](Self::poll_transmit), however full the path is. `true` if there are more of them: call it again after that.
    pub fn close_carriers(&mut self, now: Instant) -> bool {
        self.inner.carriers.close_some(now)
    }

    /// Whether the carrier to the peer is up: its handshake is done, and it is not known to be dead.
    pub fn is_carried(&self, peer: Peer) -> bool {
        self.inner.carriers.is_up(peer)
    }

    /// Whether there is no room for connections on the carrier to the peer, and has not been for more than a moment:
    /// [`open_stream`](Self::open_stream) would open none. Whoever asks it nevertheless has need of room, so that flows which nobody
    /// reads may be ended.
    pub fn is_carrier_full(&self, peer: Peer) -> bool {
        self.inner.carriers.is_full(peer)
    }

    /// Opens a connection on the peer's carrier. The request leaves with the next
    /// [`poll_transmit`](Self::poll_transmit), and `early`, what the application sent already, right behind it: at most
    /// [`EARLY`](crate::EARLY) bytes, all of which are taken. [`Event::Established`](crate::Event::Established) or
    /// [`Event::Refused`](crate::Event::Refused) follows, as for TCP.
    ///
    /// # Errors
    /// [`ConnectError`]: no flow was opened.
    pub fn open_stream(
        &mut self,
        now: Instant,
        peer: Peer,
        target: &Target,
        early: &[u8],
    ) -> Result<FlowId, ConnectError> {
        self.inner.carriers.open_stream(now, peer, target, early)
    }

    /// Opens a UDP flow on the peer's carrier. It can talk to whatever address, of either family;
    /// what comes back is told by [`poll_datagram`](Self::poll_datagram).
    ///
    /// # Errors
    /// [`ConnectError`]: no flow was opened.
    pub fn open_carried_datagrams(
        &mut self,
        now: Instant,
        peer: Peer,
    ) -> Result<FlowId, ConnectError> {
        self.inner.carriers.open_datagrams(now, peer)
    }

    /// A datagram that arrived on a carried flow. To be called after each batch of packets until there is none: one packet
    /// may hold several. If it is the first of an incoming flow, [`Event::Incoming`](crate::Event::Incoming) is in the queue
    /// of events already.
    ///
    /// On an incoming flow `source` is the carrier's end at the peer, and `destination` where the datagram wants to go; on one
    /// that we opened `source` is where it came from, and `destination` our end of the carrier.
    pub fn poll_datagram(&mut self) -> Option<Datagram<'_>> {
        self.inner.carriers.poll_datagram()
    }
}
