//! What an embedder asks for that sees a peer come and go.

use std::net::IpAddr;
use std::time::Instant;

use super::Stack;
use crate::event::Clogged;
use crate::flow::Peer;

impl Stack {
    /// A peer is back that was gone for a while: what it has left unacknowledged for too long is sent again with the next
    /// [`poll_transmit`](Self::poll_transmit), without waiting for timers that have backed off. With `is_lost`,
    /// where all that was sent is known to be, it does so however often, and of flows that have nothing on its way the other
    /// ends are asked whether they are there: one that has forgotten a flow resets it. So is that of the carrier to the peer, which
    /// is tried at once if it is down.
    pub fn resume(&mut self, now: Instant, peer: Peer, is_lost: bool) {
        self.inner.tcp.resume(now, peer, is_lost);
        self.inner.carriers.resume(now, peer, is_lost);
    }

    /// Asks the other end of the carrier to the peer whether it knows it: one that was restarted resets it. As
    /// [`resume`](Self::resume) with `is_lost` does, and without a flow of TCP being asked.
    pub fn ask_carrier(&mut self, now: Instant, peer: Peer) {
        self.inner.carriers.resume(now, peer, true);
    }

    /// Asks the other end of the TCP flow through `peer` that was heard of last whether it is there. Whether there is one.
    pub fn ask(&mut self, peer: Peer) -> bool {
        self.inner.tcp.ask_latest(peer)
    }

    /// Sends `to` an echo request through `peer`, which only shows whether something comes back. Whether it will leave.
    pub fn ping(&mut self, peer: Peer, to: IpAddr) -> bool {
        let to = to.to_canonical();
        let Some(from) = self.inner.source(None, to) else {
            return false;
        };
        self.inner.icmp.ping(peer, from, to)
    }

    /// A TCP flow that can send nothing large although it tries: told once each time. Whether that is the path's doing shows what
    /// else is heard of the peer meanwhile.
    pub fn take_clogged(&mut self) -> Option<Clogged> {
        self.inner.tcp.take_clogged()
    }
}
