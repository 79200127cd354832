//! Transport messages received (`RoutineSequentialReceiver` in `device/receive.go`).

use std::time::Duration;

use super::Tunnel;
use super::framing::Framing;
use super::receive::{Inbound, Reason};
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::message::transport;
use crate::packet::{self, NotIp};
use crate::peer::PeerId;
use crate::session::{Refusal, Role, Slot};
use crate::time::Now;

/// Packets that had no answer of any kind for so long were lost, or wait for somebody further away.
const UNHEARD: Duration = Duration::from_millis(200);

impl Tunnel {
    /// Opens a transport message in place; `size` is the whole datagram's.
    #[inline]
    pub(super) fn handle_transport<'d>(
        &mut self,
        now: Now,
        from: Endpoint,
        size: usize,
        message: &'d mut [u8],
    ) -> Result<Option<Inbound<'d>>, Reason> {
        const UNKNOWN: Reason = |counters| &mut counters.dropped_unknown_session;
        let (index, counter, sealed) = transport::split(message).ok_or(UNKNOWN)?;
        let id = self.indices.find(index).ok_or(UNKNOWN)?;
        let peer = self.peers.get_mut(id).ok_or(UNKNOWN)?;
        let (slot, keypair) = peer.sessions.find_mut(index).ok_or(UNKNOWN)?;
        let content = keypair
            .open(now.instant, counter, sealed)
            .map_err(|refusal| -> Reason {
                match refusal {
                    Refusal::Expired => |counters| &mut counters.dropped_session_expired,
                    Refusal::CounterLimit => |counters| &mut counters.dropped_counter_limit,
                    Refusal::Replayed => |counters| &mut counters.dropped_replayed,
                    Refusal::Forged => |counters| &mut counters.dropped_forged,
                }
            })?;

        peer.bytes_received += size as u64;
        let Framing {
            obfuscation, times, ..
        } = self.framings.at(from.local);
        let is_keepalive = match content.first() {
            None => true,
            Some(first) => *first == 0 && obfuscation.pads_keepalives(),
        };
        let unheard_since = peer.received(&mut self.clock, now.instant, &mut self.entropy);
        if !is_keepalive {
            peer.received_content(&mut self.clock, now.instant, times, &mut self.entropy);
        }
        let renew = !peer.renewed_on_receive
            && peer.sessions.current().is_some_and(|keypair| {
                keypair.wants_rekey_on_receive(now.instant, times, &mut self.entropy)
            });
        if let Some(event) = peer.roam(now.instant, from) {
            self.events.push(event, &mut self.counters.dropped_events);
        }
        if slot == Slot::Next {
            self.confirm(now, id);
        } else if let Some(since) = unheard_since
            && now.instant.saturating_duration_since(since) >= UNHEARD
        {
            self.emit(Event::HeardAgain { peer: id });
        }
        if renew {
            self.renew_on_receive(now, id);
        }
        if is_keepalive {
            self.counters.keepalives_received += 1;
            return Ok(None);
        }

        let (source, length) = packet::source_and_length(content).map_err(|reason| -> Reason {
            match reason {
                NotIp::Version => |counters| &mut counters.dropped_not_ip,
                NotIp::Length => |counters| &mut counters.dropped_packet_length,
            }
        })?;
        if length > self.framings.at(from.local).mtu {
            return Err(|counters| &mut counters.dropped_received_above_mtu);
        }
        if self.allowed_ips.find(source) != Some(id) {
            return Err(|counters| &mut counters.dropped_source_not_allowed);
        }
        let packet = content
            .get_mut(..length)
            .ok_or::<Reason>(|counters| &mut counters.dropped_packet_length)?;
        self.counters.packets_received += 1;
        Ok(Some(Inbound { peer: id, packet }))
    }

    /// The initiator used the session that we made as responder.
    #[cold]
    fn confirm(&mut self, now: Now, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        let rekey = peer.has_session(now.instant);
        if let Some(ended) = peer.sessions.confirm() {
            self.indices.free(ended);
        }
        peer.handshake_completed(&mut self.clock, now);
        self.counters.sessions_established += 1;
        self.emit(Event::SessionEstablished {
            peer: id,
            role: Role::Responder,
            rekey,
        });
        self.stay_at_port(now, id);
        self.queue_staged(id);
    }

    #[cold]
    fn renew_on_receive(&mut self, now: Now, id: PeerId) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.renewed_on_receive = true;
            self.initiate(now, id);
        }
    }
}
