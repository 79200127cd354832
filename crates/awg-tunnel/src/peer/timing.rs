//! What sending and receiving do to a peer's deadlines (`device/timers.go`).

use std::time::Instant;

use super::Peer;
use crate::limits::{KEEPALIVE_TIMEOUT, SILENCE_TIMEOUT, ZERO_KEYS_AFTER};
use crate::time::Now;
use crate::timers::{AlarmClock, Timer};

impl Peer {
    /// A handshake message, a packet or a keepalive was sent.
    #[inline]
    pub(crate) fn sent(&mut self, clock: &mut AlarmClock, now: Instant) {
        self.timers.clear(Timer::Keepalive);
        self.passed(clock, now);
    }

    /// A packet was sent.
    #[inline]
    pub(crate) fn sent_packet(&mut self, clock: &mut AlarmClock, now: Instant) {
        self.sent(clock, now);
        if !self.timers.is_set(Timer::Silence) {
            let at = now + SILENCE_TIMEOUT + self.silence_jitter;
            self.timers.set(clock, Timer::Silence, at);
        }
    }

    /// An authenticated message was received.
    #[inline]
    pub(crate) fn received(&mut self, clock: &mut AlarmClock, now: Instant) {
        self.timers.clear(Timer::Silence);
        self.last_received = Some(now);
        self.passed(clock, now);
    }

    /// An authenticated message with content was received.
    #[inline]
    pub(crate) fn received_content(&mut self, clock: &mut AlarmClock, now: Instant) {
        if !self.timers.is_set(Timer::Keepalive) {
            self.timers
                .set(clock, Timer::Keepalive, now + KEEPALIVE_TIMEOUT);
        }
    }

    /// New keys were derived.
    pub(crate) fn keys_derived(&mut self, clock: &mut AlarmClock, now: Instant) {
        self.timers
            .set(clock, Timer::ZeroKeys, now + ZERO_KEYS_AFTER);
    }

    /// A session came into use: nothing is left of the run that made it.
    pub(crate) fn handshake_completed(&mut self, clock: &mut AlarmClock, now: Now) {
        self.timers.clear(Timer::Retransmit);
        self.timers.clear(Timer::Deferred);
        self.initiations = 0;
        self.suspicion = None;
        self.unconfirmed_responses = 0;
        self.renewed_on_receive = false;
        self.last_handshake = Some(now.unix);
        if let Some(keypair) = self.sessions.current() {
            let expires = keypair.expires();
            self.timers.set(clock, Timer::Expiry, expires);
        }
    }

    #[inline]
    fn passed(&mut self, clock: &mut AlarmClock, now: Instant) {
        if let Some(interval) = self.persistent_keepalive {
            self.timers
                .set(clock, Timer::PersistentKeepalive, now + interval);
        }
    }
}
