//! Packets to peers: sealed in place where there is a session, staged where there is none.

use super::Tunnel;
use crate::endpoint::{Endpoint, Local};
use crate::peer::PeerId;
use crate::time::Now;

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// The slice holds a datagram.
    Sealed {
        /// Where it goes, and from where.
        to: Endpoint,
        /// Its bytes, from the start of the slice.
        len: usize,
    },
    /// A copy waits for the session that is being made; `poll_transmit` will give it out.
    Staged,
    /// It was dropped and counted.
    Dropped(SendDrop),
}

/// Why a packet is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendDrop {
    /// There is no such peer.
    NoPeer,
    /// It is not known where the peer is.
    NoEndpoint,
    /// The packet is above the MTU.
    AboveMtu,
    /// The slice is shorter than `sealed_len`.
    SliceTooShort,
    /// Too many bytes wait for sessions.
    StagedFull,
}

impl Tunnel {
    /// Seals the packet of `content_len` bytes that lies at `headroom(peer)` in `datagram`, which is at least
    /// `sealed_len(peer, content_len)` long. Allocates nothing where there is a session.
    ///
    /// Whether the packet's destination is the peer's is the caller's to know, from [`route`](Self::route). A sealed packet may
    /// overtake staged ones that were not polled yet.
    pub fn seal(
        &mut self,
        now: Now,
        peer: PeerId,
        datagram: &mut [u8],
        content_len: usize,
    ) -> Seal {
        let id = peer;
        let Some(peer) = self.peers.get_mut(id) else {
            self.counters.dropped_no_peer += 1;
            return Seal::Dropped(SendDrop::NoPeer);
        };
        let local = peer.endpoint.map_or(Local::default(), |to| to.local);
        let framing = self.framings.at(local);
        if content_len > framing.mtu {
            self.counters.dropped_sent_above_mtu += 1;
            return Seal::Dropped(SendDrop::AboveMtu);
        }
        if datagram.len() < framing.sealed_len(content_len, peer.window) {
            self.counters.dropped_slice_too_short += 1;
            return Seal::Dropped(SendDrop::SliceTooShort);
        }
        let Some(to) = peer.endpoint else {
            self.counters.dropped_no_endpoint += 1;
            return Seal::Dropped(SendDrop::NoEndpoint);
        };
        if !peer.has_session(now.instant) {
            let headroom = framing.headroom();
            return self.stage(now, id, &datagram[headroom..headroom + content_len]);
        }
        let sealed = framing.seal_packet(now, &mut self.entropy, peer, datagram, content_len);
        let Some(len) = sealed else {
            self.counters.dropped_slice_too_short += 1;
            return Seal::Dropped(SendDrop::SliceTooShort);
        };
        let wants_rekey = peer.wants_rekey_on_send(now.instant, &framing.times, &mut self.entropy);
        peer.bytes_sent += len as u64;
        peer.sent_packet(&mut self.clock, now.instant, &mut self.entropy);
        self.counters.packets_sent += 1;
        self.counters.datagrams_sent += 1;
        self.counters.bytes_sent += len as u64;
        if wants_rekey {
            self.initiate(now, id);
        }
        Seal::Sealed { to, len }
    }

    /// Starts a handshake with a peer if there is no session and none is under way.
    pub fn connect(&mut self, now: Now, peer: PeerId) {
        let without = self
            .peers
            .get(peer)
            .is_some_and(|peer| !peer.has_session(now.instant));
        if without {
            self.initiate(now, peer);
        }
    }

    /// Starts a handshake with a peer although there may be a session, unless one is under way: for an owner that knows better than
    /// the protocol's own timers that the other end has fallen silent.
    pub fn renew(&mut self, now: Now, peer: PeerId) {
        self.initiate(now, peer);
    }

    /// Sends a peer a message without content, which shows it where we are; where there is no session one is made first.
    pub fn show(&mut self, now: Now, peer: PeerId) {
        self.keepalive(now, peer);
    }

    /// Whether a run of initiations to this peer goes on past its end, as long as it is not answered. What waits for the session
    /// then goes on waiting, too.
    pub fn persist(&mut self, peer: PeerId, persistent: bool) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.persistent = persistent;
        }
    }

    /// Starts a handshake with a peer although there may be a session: the way to it may have changed, or it may have lost its
    /// own. Where there is a session, a keepalive shows the other end at once where we are now. If the last handshake message is
    /// too recent, the initiation is sent when it is not.
    pub fn handshake(&mut self, now: Now, peer: PeerId) {
        let id = peer;
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        if peer.has_session(now.instant) {
            self.keepalive(now, id);
        }
        self.send_initiation(now, id);
    }

    /// Keeps a copy until there is a session, and asks for one.
    #[cold]
    fn stage(&mut self, now: Now, id: PeerId, packet: &[u8]) -> Seal {
        let Some(peer) = self.peers.get_mut(id) else {
            return Seal::Dropped(SendDrop::NoPeer);
        };
        while peer.staged.len() >= self.limits.staged_packets.max(1)
            || self.staged_bytes + packet.len() > self.limits.staged_bytes
        {
            self.counters.dropped_staged_full += 1;
            let Some(oldest) = peer.staged.pop() else {
                return Seal::Dropped(SendDrop::StagedFull);
            };
            self.staged_bytes -= oldest.len();
        }
        peer.staged.push(packet);
        self.staged_bytes += packet.len();
        self.initiate(now, id);
        Seal::Staged
    }

    /// Drops a peer's staged packets.
    pub(super) fn flush_staged(&mut self, id: PeerId) {
        if let Some(peer) = self.peers.get_mut(id) {
            self.staged_bytes -= peer.staged.bytes();
            self.counters.dropped_staged_flushed += peer.staged.clear() as u64;
        }
    }
}
