//! What waits, given out one datagram at a time.

use awg_obfuscation::{MessageType, Obfuscation, TrailerWindow};

use super::Tunnel;
use super::outbox::Outgoing;
use crate::endpoint::{Endpoint, Local};
use crate::peer::PeerId;
use crate::time::Now;

impl Tunnel {
    /// Puts the next datagram in place of what `datagram` held, and says where it goes and from where;
    /// nothing when nothing waits.
    ///
    /// Signature and junk packets come before each initiation. One may be empty: it is sent as an empty datagram.
    pub fn poll_transmit(&mut self, now: Now, datagram: &mut Vec<u8>) -> Option<Endpoint> {
        let to = self.next_datagram(now, datagram)?;
        self.counters.datagrams_sent += 1;
        self.counters.bytes_sent += datagram.len() as u64;
        Some(to)
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) may have something. It may turn out to be nothing.
    #[inline]
    pub fn has_output(&self) -> bool {
        !self.outbox.is_empty()
    }

    fn next_datagram(&mut self, now: Now, datagram: &mut Vec<u8>) -> Option<Endpoint> {
        loop {
            match self.outbox.front_mut()? {
                Outgoing::Initiation { to, preamble, .. } => {
                    let to = *to;
                    let obfuscation: &Obfuscation = &self.framings.at(to.local).obfuscation;
                    let made = preamble.poll_datagram(
                        obfuscation,
                        &mut self.signature_counter,
                        now.unix,
                        self.entropy.rng(),
                        datagram,
                    );
                    if made.is_some() {
                        self.counters.preamble_sent += 1;
                        return Some(to);
                    }
                }
                Outgoing::Staged { peer } => {
                    let peer = *peer;
                    if let Some(to) = self.send_staged(now, peer, datagram) {
                        return Some(to);
                    }
                }
                _ => {}
            }
            if let Some(to) = self.send_first(now, datagram) {
                return Some(to);
            }
        }
    }

    /// Takes the first turn, and makes its datagram.
    fn send_first(&mut self, now: Now, datagram: &mut Vec<u8>) -> Option<Endpoint> {
        match self.outbox.pop()? {
            Outgoing::Initiation {
                peer, to, message, ..
            } => {
                let window = self.window(peer);
                self.pad(
                    to.local,
                    MessageType::Initiation,
                    &message.0,
                    window,
                    datagram,
                );
                self.counters.initiations_sent += 1;
                self.count_bytes(peer, datagram.len());
                Some(to)
            }
            Outgoing::Response { peer, to, message } => {
                let window = self.window(peer);
                self.pad(
                    to.local,
                    MessageType::Response,
                    &message.0,
                    window,
                    datagram,
                );
                self.counters.responses_sent += 1;
                self.count_bytes(peer, datagram.len());
                Some(to)
            }
            Outgoing::CookieReply { to, message } => {
                let window = TrailerWindow::default();
                self.pad(
                    to.local,
                    MessageType::CookieReply,
                    &message.0,
                    window,
                    datagram,
                );
                self.counters.cookie_replies_sent += 1;
                Some(to)
            }
            Outgoing::Keepalive { peer } => self.send_keepalive(now, peer, datagram),
            Outgoing::Staged { peer } => {
                if let Some(peer) = self.peers.get_mut(peer) {
                    peer.queued.staged = false;
                }
                None
            }
        }
    }

    fn pad(
        &mut self,
        local: Local,
        kind: MessageType,
        message: &[u8],
        window: TrailerWindow,
        datagram: &mut Vec<u8>,
    ) {
        let framing = self.framings.at(local);
        framing.pad(&mut self.entropy, kind, message, window, datagram);
    }

    fn window(&self, peer: PeerId) -> TrailerWindow {
        let peer = self.peers.get(peer);
        peer.map_or(TrailerWindow::default(), |peer| peer.window)
    }

    fn count_bytes(&mut self, peer: PeerId, bytes: usize) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.bytes_sent += bytes as u64;
        }
    }

    fn send_keepalive(&mut self, now: Now, id: PeerId, datagram: &mut Vec<u8>) -> Option<Endpoint> {
        let peer = self.peers.get_mut(id)?;
        peer.queued.keepalive = false;
        let to = peer.endpoint?;
        let keypair = peer
            .sessions
            .current_mut()
            .filter(|keypair| keypair.is_usable(now.instant))?;
        let framing = self.framings.at(to.local);
        framing.seal_keepalive(&mut self.entropy, keypair, peer.window, datagram);
        let wants_rekey =
            keypair.wants_rekey_on_send(now.instant, &framing.times, &mut self.entropy);
        peer.bytes_sent += datagram.len() as u64;
        peer.sent(&mut self.clock, now.instant, &mut self.entropy);
        self.counters.keepalives_sent += 1;
        if wants_rekey {
            self.initiate(now, id);
        }
        Some(to)
    }

    /// Sends the oldest staged packet by the session, if there are both.
    fn send_staged(&mut self, now: Now, id: PeerId, datagram: &mut Vec<u8>) -> Option<Endpoint> {
        let peer = self.peers.get_mut(id)?;
        let to = peer.endpoint?;
        if !peer.has_session(now.instant) {
            return None;
        }
        let packet = peer.staged.pop()?;
        self.staged_bytes -= packet.len();
        let framing = self.framings.at(to.local);
        let headroom = framing.headroom();
        datagram.clear();
        datagram.resize(framing.sealed_len(packet.len(), peer.window), 0);
        datagram[headroom..headroom + packet.len()].copy_from_slice(&packet);
        let len = framing.seal_packet(now, &mut self.entropy, peer, datagram, packet.len())?;
        datagram.truncate(len);
        let wants_rekey = peer.wants_rekey_on_send(now.instant, &framing.times, &mut self.entropy);
        peer.bytes_sent += len as u64;
        peer.sent_packet(&mut self.clock, now.instant, &mut self.entropy);
        self.counters.packets_sent += 1;
        if wants_rekey {
            self.initiate(now, id);
        }
        Some(to)
    }
}
