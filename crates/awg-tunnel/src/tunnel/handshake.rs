//! Initiations made and answered, responses and cookie replies taken (`device/noise-protocol.go`, `device/cookie.go`).

use awg_obfuscation::MessageType;

use super::Tunnel;
use super::framing::Framing;
use super::outbox::Outgoing;
use super::receive::Rejection;
use crate::endpoint::Endpoint;
use crate::event::{Event, FailureCause};
use crate::keys::PublicKey;
use crate::limits::INITIATION_INTERVAL;
use crate::message::{CookieReply, Initiation, Response};
use crate::noise::Responder;
use crate::peer::{PeerId, Pending};
use crate::session::{Keypair, Role};
use crate::tai64n::Timestamp;
use crate::time::Now;
use crate::timers::Timer;

/// Responses that are not taken up, in a row, before this is told.
const UNCONFIRMED_RESPONSES: u32 = 3;

impl Tunnel {
    /// Starts a run of initiations, if none is under way. If the last handshake message is too recent, the run starts when it is not.
    pub(super) fn initiate(&mut self, now: Now, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        if peer.initiations > 0 || peer.endpoint.is_none() {
            return;
        }
        self.send_initiation(now, id);
    }

    /// Sends the next initiation of a run, or puts it off until it is not too soon after the last handshake message.
    pub(super) fn send_initiation(&mut self, now: Now, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        let Some(Endpoint { local, .. }) = peer.endpoint else {
            return;
        };
        let Framing {
            obfuscation, times, ..
        } = self.framings.at(local);
        let least = times.between_initiations();
        if let Some(last) = peer.last_handshake_sent
            && now.instant.saturating_duration_since(last) < least
        {
            peer.timers
                .set(&mut self.clock, Timer::Deferred, last + least);
            return;
        }
        peer.hop(&mut self.entropy);
        let Some(to) = peer.endpoint else {
            return;
        };
        if let Some(pending) = peer.pending.take() {
            self.indices.free(pending.local_index());
        }
        peer.sent_timestamp = Timestamp::after(peer.sent_timestamp, now.unix);
        let local_index = self
            .indices
            .allocate(&mut self.entropy, self.share.as_ref(), id);
        let type_word = obfuscation.type_word(MessageType::Initiation, self.entropy.rng());
        let begun = Pending::begin(
            &self.identity,
            &peer.public_key,
            &peer.preshared_key,
            self.entropy.ephemeral(),
            peer.sent_timestamp,
            type_word,
            local_index,
        );
        let Ok((pending, mut message)) = begun else {
            // The peer's key was checked when it was added.
            self.indices.free(local_index);
            return;
        };
        peer.cookies.authenticate(now.instant, &mut message.0);
        peer.pending = Some(pending);
        peer.last_handshake_sent = Some(now.instant);
        peer.initiated = Some(now.instant);
        if peer.initiations == 0 {
            peer.most_initiations = times.initiations(&mut self.entropy);
        }
        peer.initiations += 1;
        peer.silence_timeout = times.silence(&mut self.entropy);
        peer.timers.clear(Timer::Deferred);
        let repeated = if peer.persistent {
            times.hurried_retransmission(&mut self.entropy)
        } else {
            times.retransmission(&mut self.entropy)
        };
        peer.timers
            .set(&mut self.clock, Timer::Retransmit, now.instant + repeated);
        peer.sent(&mut self.clock, now.instant, &mut self.entropy);
        let preamble = obfuscation.preamble();
        self.outbox.push(
            Outgoing::Initiation {
                peer: id,
                to,
                preamble,
                message,
            },
            &mut self.counters.dropped_outbox_full,
        );
    }

    /// A message without content: sent by the session, or by the one that is made for it.
    pub(super) fn keepalive(&mut self, now: Now, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        if peer.has_session(now.instant) {
            if peer.staged.is_empty() && !peer.queued.keepalive {
                peer.queued.keepalive = true;
                self.outbox.push_turn(Outgoing::Keepalive { peer: id });
            }
        } else {
            self.initiate(now, id);
        }
    }

    /// Gives the staged packets their turn.
    pub(super) fn queue_staged(&mut self, id: PeerId) {
        if let Some(peer) = self.peers.get_mut(id)
            && !peer.staged.is_empty()
            && !peer.queued.staged
        {
            peer.queued.staged = true;
            self.outbox.push_turn(Outgoing::Staged { peer: id });
        }
    }

    /// Opens an initiation as far as it takes to know who sends it, if it is to be answered by this tunnel.
    fn open_initiation(
        &mut self,
        now: Now,
        from: Endpoint,
        message: &Initiation,
    ) -> Result<(Responder, PublicKey, Timestamp), Rejection> {
        if !self.checker.check_mac1(&message.0) {
            return Err(Rejection::NotThis(|counters| &mut counters.dropped_mac1));
        }
        // First of all: a copy is no load, and does not even learn that there is some.
        if self.seen.contains(message.mac1()) {
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_initiation_replayed
            }));
        }
        // What was handed over was admitted where it arrived.
        if !self.handed_over && self.gauge.count(now.instant) {
            self.admit(now, from, &message.0, message.sender())?;
        }
        let ephemeral = self.entropy.ephemeral();
        let Ok((responder, key, timestamp)) =
            Responder::read(&self.identity, ephemeral, message.noise())
        else {
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_initiation_forged
            }));
        };
        if let Some(share) = self.elsewhere.get(&key)
            && !self.handed_over
        {
            // A copy of it is known here from now on; the original is new where it is handed to.
            self.seen.insert(message.mac1());
            return Err(Rejection::Elsewhere(*share));
        }
        Ok((responder, key, timestamp))
    }

    /// Answers an initiation.
    pub(super) fn handle_initiation(
        &mut self,
        now: Now,
        from: Endpoint,
        message: &Initiation,
    ) -> Result<(), Rejection> {
        let (responder, key, timestamp) = self.open_initiation(now, from, message)?;
        let known = self.by_key.get(&key).copied();
        let Some((id, peer)) = known.and_then(|id| Some((id, self.peers.get_mut(id)?))) else {
            self.emit_failure(now, None, Some(from.remote), FailureCause::UnknownPeer);
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_unknown_peer
            }));
        };
        if timestamp <= peer.last_timestamp {
            // However often it is repeated, it makes no load after this.
            self.seen.insert(message.mac1());
            self.emit_failure(now, Some(id), Some(from.remote), FailureCause::OldTimestamp);
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_old_timestamp
            }));
        }
        if peer
            .last_initiation
            .is_some_and(|last| now.instant.saturating_duration_since(last) <= INITIATION_INTERVAL)
        {
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_initiation_flood
            }));
        }
        let Ok((noise, keys)) = responder.respond(&peer.preshared_key) else {
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_initiation_forged
            }));
        };
        self.seen.insert(message.mac1());
        self.counters.initiations_received += 1;
        peer.last_timestamp = timestamp;
        peer.last_initiation = Some(now.instant);
        peer.last_handshake_received = Some(now.instant);
        peer.last_handshake_sent = Some(now.instant);
        let Framing {
            obfuscation, times, ..
        } = self.framings.at(from.local);
        peer.silence_timeout = times.silence(&mut self.entropy);
        peer.bytes_received += message.0.len() as u64;
        let roamed = peer.roam(now.instant, from);

        let local_index = self
            .indices
            .allocate(&mut self.entropy, self.share.as_ref(), id);
        let type_word = obfuscation.type_word(MessageType::Response, self.entropy.rng());
        let mut response = Response::new(type_word, local_index, message.sender(), &noise);
        peer.cookies.authenticate(now.instant, &mut response.0);
        let keypair = Keypair::new(
            &keys,
            Role::Responder,
            now.instant,
            times,
            local_index,
            message.sender(),
        );
        for ended in peer.sessions.begin(Box::new(keypair)) {
            self.indices.free(ended);
        }
        // What waited is sent by the session, once it stands.
        let _ = peer.received(&mut self.clock, now.instant, &mut self.entropy);
        peer.keys_derived(&mut self.clock, now.instant, times);
        peer.sent(&mut self.clock, now.instant, &mut self.entropy);
        peer.unconfirmed_responses += 1;
        let unconfirmed = peer.unconfirmed_responses > UNCONFIRMED_RESPONSES;
        self.outbox.push(
            Outgoing::Response {
                peer: id,
                to: from,
                message: response,
            },
            &mut self.counters.dropped_outbox_full,
        );
        self.emit(Event::InitiationAccepted {
            peer: id,
            timestamp: timestamp.0,
        });
        if let Some(event) = roamed {
            self.emit(event);
        }
        if unconfirmed {
            self.emit_failure(now, Some(id), Some(from.remote), FailureCause::NotConfirmed);
        }
        Ok(())
    }

    /// Takes the response to our initiation.
    pub(super) fn handle_response(
        &mut self,
        now: Now,
        from: Endpoint,
        message: &Response,
    ) -> Result<(), Rejection> {
        if !self.checker.check_mac1(&message.0) {
            return Err(Rejection::NotThis(|counters| &mut counters.dropped_mac1));
        }
        let receiver = message.receiver();
        if let Some(share) = self.index_elsewhere(receiver) {
            return Err(Rejection::Elsewhere(share));
        }
        let waits = self.indices.find(receiver).filter(|id| {
            self.peers
                .get(*id)
                .and_then(|peer| peer.pending.as_ref())
                .is_some_and(|pending| pending.local_index() == receiver)
        });
        let Some(id) = waits else {
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_response_unexpected
            }));
        };
        if self.gauge.is_loaded(now.instant) {
            self.admit(now, from, &message.0, message.sender())?;
        }
        let Some(peer) = self.peers.get_mut(id) else {
            return Ok(());
        };
        let Some(pending) = peer.pending.as_mut() else {
            return Ok(());
        };
        let finished = pending.finish(
            &self.identity,
            &peer.public_key,
            &peer.preshared_key,
            message,
        );
        let Ok(keys) = finished else {
            peer.suspicion = Some(FailureCause::WrongPresharedKey);
            self.emit_failure(
                now,
                Some(id),
                Some(from.remote),
                FailureCause::WrongPresharedKey,
            );
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_response_forged
            }));
        };
        peer.pending = None;
        peer.last_handshake_received = Some(now.instant);
        peer.round_trip = peer
            .initiated
            .map(|sent| now.instant.saturating_duration_since(sent));
        peer.bytes_received += message.0.len() as u64;
        let roamed = peer.roam(now.instant, from);
        let rekey = peer.has_session(now.instant);
        let times = &self.framings.at(from.local).times;
        let keypair = Keypair::new(
            &keys,
            Role::Initiator,
            now.instant,
            times,
            receiver,
            message.sender(),
        );
        for ended in peer.sessions.begin(Box::new(keypair)) {
            self.indices.free(ended);
        }
        // What waited is sent by the session, once it stands.
        let _ = peer.received(&mut self.clock, now.instant, &mut self.entropy);
        peer.keys_derived(&mut self.clock, now.instant, times);
        peer.handshake_completed(&mut self.clock, now);
        self.counters.responses_received += 1;
        self.counters.sessions_established += 1;
        if let Some(event) = roamed {
            self.emit(event);
        }
        self.emit(Event::SessionEstablished {
            peer: id,
            role: Role::Initiator,
            rekey,
        });
        self.stay_at_port(now, id);
        // The responder may not send until it hears from us by this session.
        self.keepalive(now, id);
        self.queue_staged(id);
        Ok(())
    }

    /// Takes the cookie out of a cookie reply.
    pub(super) fn handle_cookie_reply(
        &mut self,
        now: Now,
        message: &CookieReply,
    ) -> Result<(), Rejection> {
        let Some(id) = self.indices.find(message.receiver()) else {
            return Err(Rejection::NotThis(|counters| {
                &mut counters.dropped_cookie_unexpected
            }));
        };
        let accepted = self
            .peers
            .get_mut(id)
            .is_some_and(|peer| peer.cookies.accept(now.instant, message));
        if !accepted {
            return Err(Rejection::NotThis(|counters| {
                &mut counters.dropped_cookie_forged
            }));
        }
        self.counters.cookie_replies_received += 1;
        Ok(())
    }

    /// Under load: lets a handshake message in that has a cookie, at its address's rate; answers one without, unless that is turned
    /// off.
    fn admit(
        &mut self,
        now: Now,
        from: Endpoint,
        message: &[u8],
        sender: u32,
    ) -> Result<(), Rejection> {
        if self.checker.check_mac2(now.instant, message, from.remote) {
            if self.sources.take(now.instant, from.remote.ip()) {
                return Ok(());
            }
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_rate_limited
            }));
        }
        let obfuscation = &self.framings.at(from.local).obfuscation;
        if obfuscation.parameters().disable_cookies {
            return Err(Rejection::Dropped(|counters| {
                &mut counters.dropped_without_cookie
            }));
        }
        let type_word = obfuscation.type_word(MessageType::CookieReply, self.entropy.rng());
        let reply = self.checker.reply(
            now.instant,
            &mut self.entropy,
            type_word,
            sender,
            message,
            from.remote,
        );
        if let Some(message) = reply {
            self.outbox.push(
                Outgoing::CookieReply { to: from, message },
                &mut self.counters.dropped_outbox_full,
            );
        }
        Err(Rejection::Dropped(|counters| {
            &mut counters.dropped_without_cookie
        }))
    }
}
