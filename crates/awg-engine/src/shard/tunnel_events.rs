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
                    self.resume_after_handshake(peer);
                }
                TunnelEvent::HeardAgain { peer } => self.resume(peer, false),
                TunnelEvent::InitiationAccepted { peer, timestamp } => {
                    if let Some(key) = self.peers.key(peer) {
                        self.shared.events.push(Event::InitiationAccepted {
                            peer: key,
                            timestamp,
                        });
                    }
                }
                TunnelEvent::SessionExpired { peer } => {
                    if let Some(key) = self.peers.key(peer) {
                        self.shared.events.push(Event::SessionEnded { peer: key });
                        self.connect_peer(peer);
                    }
                }
                TunnelEvent::InitiationUnanswered { peer, tries } => {
                    if let Some(key) = self.peers.key(peer) {
                        self.shared
                            .events
                            .push(Event::HandshakeUnanswered { peer: key, tries });
                    }
                }
                TunnelEvent::HandshakeUnanswered { peer, .. } => {
                    self.handshake_failed(Some(peer), FailureCause::NoAnswer);
                }
                TunnelEvent::HandshakeFailed { peer, cause, .. } => {
                    self.handshake_failed(peer, cause);
                }
                // The tunnel keeps the time between two initiations, also between runs.
                TunnelEvent::InitiationsGivenUp { peer } => self.connect_peer(peer),
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
        // An end of a run or of a session may be among those that found no room: look at all peers then.
        let missed = self.tunnel.counters().dropped_events;
        if missed != self.missed_events {
            self.missed_events = missed;
            self.connect_all_peers();
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
