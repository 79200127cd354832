//! What sending and receiving do to a peer's deadlines (`device/timers.go`).

use std::time::Instant;

use super::Peer;
use crate::entropy::Entropy;
use crate::time::Now;
use crate::timers::{AlarmClock, Timer};
use crate::times::Times;

impl Peer {
    /// A handshake message, a packet or a keepalive was sent.
    #[inline]
    pub(crate) fn sent(&mut self, clock: &mut AlarmClock, now: Instant, entropy: &mut Entropy) {
        self.timers.clear(Timer::Keepalive);
        self.passed(clock, now, entropy);
    }

    /// A packet was sent.
    #[inline]
    pub(crate) fn sent_packet(
        &mut self,
        clock: &mut AlarmClock,
        now: Instant,
        entropy: &mut Entropy,
    ) {
        self.sent(clock, now, entropy);
        self.unheard_since.get_or_insert(now);
        if !self.timers.is_set(Timer::Silence) {
            self.timers
                .set(clock, Timer::Silence, now + self.silence_timeout);
        }
    }

    /// An authenticated message was received. Since when packets had gone without an answer, if any had.
    #[inline]
    pub(crate) fn received(
        &mut self,
        clock: &mut AlarmClock,
        now: Instant,
        entropy: &mut Entropy,
    ) -> Option<Instant> {
        self.timers.clear(Timer::Silence);
        self.last_received = Some(now);
        self.window.received();
        self.passed(clock, now, entropy);
        self.unheard_since.take()
    }

    /// An authenticated message with content was received.
    #[inline]
    pub(crate) fn received_content(
        &mut self,
        clock: &mut AlarmClock,
        now: Instant,
        times: &Times,
        entropy: &mut Entropy,
    ) {
        self.last_content = Some(now);
        if !self.timers.is_set(Timer::Keepalive) {
            let at = now + times.keepalive(entropy);
            self.timers.set(clock, Timer::Keepalive, at);
        }
    }

    /// New keys were derived.
    pub(crate) fn keys_derived(&mut self, clock: &mut AlarmClock, now: Instant, times: &Times) {
        self.timers
            .set(clock, Timer::ZeroKeys, now + times.zero_keys());
    }

    /// A session came into use: nothing is left of the run that made it.
    pub(crate) fn handshake_completed(&mut self, clock: &mut AlarmClock, now: Now) {
        self.timers.clear(Timer::Retransmit);
        self.timers.clear(Timer::Deferred);
        self.initiations = 0;
        self.unanswered = 0;
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
    fn passed(&mut self, clock: &mut AlarmClock, now: Instant, entropy: &mut Entropy) {
        if let Some(interval) = self.persistent_keepalive {
            let at = now + interval.draw(entropy);
            self.timers.set(clock, Timer::PersistentKeepalive, at);
        }
    }
}
