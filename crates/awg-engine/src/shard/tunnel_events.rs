//! What the tunnel says of peers and handshakes; and keeping sessions up where that is wanted.

use awg_tunnel::{Event as TunnelEvent, FailureCause, Role};

use super::Shard;
use crate::event::Event;

impl Shard {
    pub(super) fn handle_tunnel_events(&mut self) {
        while let Some(event) = self.tunnel.poll_event() {
            match event {
                TunnelEvent::SessionEstablished { peer, role, rekey } => {
                    if let Some(key) = self.peers.key(peer) {
                        self.shared.events.push(Event::HandshakeCompleted {
                            peer: key,
                            session: self.reporter.name_session(),
                            role: match role {
                                Role::Initiator => "initiator",
                                Role::Responder => "responder",
                            },
                            rekey,
                        });
                    }
                }
                TunnelEvent::SessionExpired { peer } => {
                    if let Some(key) = self.peers.key(peer) {
                        self.shared.events.push(Event::SessionEnded { peer: key });
                        self.connect_peer(peer);
                    }
                }
                TunnelEvent::HandshakeUnanswered { peer, .. } => {
                    self.handshake_failed(Some(peer), FailureCause::NoAnswer);
                }
                TunnelEvent::HandshakeFailed { peer, cause, .. } => {
                    self.handshake_failed(peer, cause);
                    // Only then the run of initiations is over; the other causes are signs of trouble on the way.
                    if let (Some(peer), FailureCause::NoAnswer) = (peer, cause) {
                        self.connect_peer(peer);
                    }
                }
                TunnelEvent::PeerRoamed { peer, to, .. } => {
                    if let Some(key) = self.peers.key(peer) {
                        self.shared.events.push(Event::PeerRoamed {
                            peer: key,
                            endpoint: to,
                        });
                    }
                }
            }
        }
    }

    fn handshake_failed(&self, peer: Option<awg_tunnel::PeerId>, cause: FailureCause) {
        self.shared.events.push(Event::HandshakeFailed {
            peer: peer.and_then(|peer| self.peers.key(peer)),
            cause: cause.name(),
            hint: cause.hint(),
        });
    }
}
