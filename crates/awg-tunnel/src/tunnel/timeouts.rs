//! Deadlines that have come (`device/timers.go`).

use super::Tunnel;
use crate::event::{Event, FailureCause};
use crate::peer::PeerId;
use crate::time::Now;
use crate::timers::Timer;

/// Initiations without an answer before this is told.
const UNANSWERED_INITIATIONS: u32 = 3;

impl Tunnel {
    /// Does what is due. Costs nothing while nothing is.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(id) = self.clock.ring(now.instant) {
            let Some(peer) = self.peers.get_mut(id) else {
                continue;
            };
            peer.timers.rang();
            for timer in Timer::ALL {
                let due = self
                    .peers
                    .get_mut(id)
                    .is_some_and(|peer| peer.timers.take_due(timer, now.instant));
                if due {
                    self.handle_timer(now, id, timer);
                }
            }
            if let Some(peer) = self.peers.get_mut(id) {
                peer.timers.wind(&mut self.clock);
            }
        }
    }

    fn handle_timer(&mut self, now: Now, id: PeerId, timer: Timer) {
        match timer {
            Timer::Retransmit => self.handle_retransmit(now, id),
            Timer::Deferred => self.send_initiation(now, id),
            Timer::Keepalive => self.keepalive(now, id),
            Timer::Silence => self.initiate(now, id),
            Timer::PersistentKeepalive => self.handle_persistent_keepalive(now, id),
            Timer::Hop => self.handle_hop(now, id),
            Timer::Expiry => self.handle_expiry(now, id),
            Timer::ZeroKeys => self.zero_keys(id),
        }
    }

    fn handle_retransmit(&mut self, now: Now, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        peer.unanswered = peer.unanswered.saturating_add(1);
        let (initiations, most, tries) = (peer.initiations, peer.most_initiations, peer.unanswered);
        let (suspected, persistent) = (peer.suspicion.is_some(), peer.persistent);
        self.emit(Event::InitiationUnanswered { peer: id, tries });
        if initiations < most || persistent {
            // Where something came that told a cause, it was told then.
            if initiations == UNANSWERED_INITIATIONS && !suspected {
                self.emit(Event::HandshakeUnanswered {
                    peer: id,
                    initiations,
                });
            }
            self.send_initiation(now, id);
            return;
        }
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        peer.initiations = 0;
        peer.timers.clear(Timer::Keepalive);
        // What is left of the exchange goes with the other keys, or, if there are none, in its own time.
        if !peer.timers.is_set(Timer::ZeroKeys) {
            let at = now.instant + self.framings.times_of(peer).zero_keys();
            peer.timers.set(&mut self.clock, Timer::ZeroKeys, at);
        }
        let cause = peer.suspicion.take().unwrap_or(FailureCause::NoAnswer);
        self.counters.handshakes_failed += 1;
        self.emit_failure(now, Some(id), None, cause);
        self.emit(Event::InitiationsGivenUp { peer: id });
        self.flush_staged(id);
    }

    fn handle_persistent_keepalive(&mut self, now: Now, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        if let Some(interval) = peer.persistent_keepalive {
            let at = now.instant + interval.draw(&mut self.entropy);
            peer.timers
                .set(&mut self.clock, Timer::PersistentKeepalive, at);
            self.keepalive(now, id);
        }
    }

    /// Takes another port; the keepalive lets the other end follow.
    fn handle_hop(&mut self, now: Now, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        if peer.has_session(now.instant) {
            peer.hop(&mut self.entropy);
            self.keepalive(now, id);
            self.stay_at_port(now, id);
        }
    }

    /// Sets the time until the next hop, if one is to come and none is set: sessions that follow each other do not put it off.
    pub(super) fn stay_at_port(&mut self, now: Now, id: PeerId) {
        if let Some(peer) = self.peers.get_mut(id)
            && !peer.timers.is_set(Timer::Hop)
            && let Some(stay) = peer.draw_stay(&mut self.entropy)
        {
            let at = now.instant + stay;
            peer.timers.set(&mut self.clock, Timer::Hop, at);
        }
    }

    fn handle_expiry(&mut self, now: Now, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        if peer.sessions.current().is_some() && !peer.has_session(now.instant) {
            self.emit(Event::SessionExpired { peer: id });
        }
    }

    /// Overwrites all that is left of a peer's keys.
    fn zero_keys(&mut self, id: PeerId) {
        if let Some(peer) = self.peers.get_mut(id) {
            for index in peer.sessions.clear() {
                self.indices.free(index);
            }
            if let Some(pending) = peer.pending.take() {
                self.indices.free(pending.local_index());
            }
        }
        self.flush_staged(id);
    }
}
