//! Deadlines: a few per peer, and one alarm clock for all peers.
//!
//! A packet only writes its peer's deadlines; the clock is touched where a deadline comes before the one it is set to. When it
//! rings, the peer's deadlines are looked at, and it is set to the earliest of those left.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::peer::PeerId;

/// What a peer waits for (`device/timers.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// An initiation was not answered.
    Retransmit,
    /// An initiation that came too soon after the last handshake message may be sent.
    Deferred,
    /// Data was received and nothing was sent.
    Keepalive,
    /// Data was sent and nothing was received.
    Silence,
    /// Nothing was sent or received.
    PersistentKeepalive,
    /// The port was kept for long enough.
    Hop,
    /// The current session may no longer be used.
    Expiry,
    /// No new keys were made: what is left of the old ones is overwritten.
    ZeroKeys,
}

impl Timer {
    pub(crate) const ALL: [Self; 8] = [
        Self::Retransmit,
        Self::Deferred,
        Self::Keepalive,
        Self::Silence,
        Self::PersistentKeepalive,
        Self::Hop,
        Self::Expiry,
        Self::ZeroKeys,
    ];
}

/// The deadlines of one peer.
pub(crate) struct PeerTimers {
    peer: PeerId,
    deadlines: [Option<Instant>; Timer::ALL.len()],
    /// When the clock is set to ring for this peer: not after the earliest deadline.
    rings: Option<Instant>,
}

impl PeerTimers {
    pub(crate) fn new(peer: PeerId) -> Self {
        Self {
            peer,
            deadlines: [None; Timer::ALL.len()],
            rings: None,
        }
    }

    #[inline]
    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.deadlines[timer as usize].is_some()
    }

    /// Sets or moves a deadline.
    #[inline]
    pub(crate) fn set(&mut self, clock: &mut AlarmClock, timer: Timer, at: Instant) {
        self.deadlines[timer as usize] = Some(at);
        if self.rings.is_none_or(|rings| at < rings) {
            self.ring_at(clock, at);
        }
    }

    /// Takes a deadline away. The clock may ring for nothing, once.
    #[inline]
    pub(crate) fn clear(&mut self, timer: Timer) {
        self.deadlines[timer as usize] = None;
    }

    /// Takes a deadline that has come.
    pub(crate) fn take_due(&mut self, timer: Timer, now: Instant) -> bool {
        let deadline = &mut self.deadlines[timer as usize];
        deadline.take_if(|deadline| *deadline <= now).is_some()
    }

    /// The clock rang for this peer and was not set again.
    pub(crate) fn rang(&mut self) {
        self.rings = None;
    }

    /// Sets the clock to the earliest deadline.
    pub(crate) fn wind(&mut self, clock: &mut AlarmClock) {
        if let Some(earliest) = self.deadlines.iter().flatten().min()
            && self.rings.is_none_or(|rings| *earliest < rings)
        {
            self.ring_at(clock, *earliest);
        }
    }

    /// Takes the peer off the clock.
    pub(crate) fn stop(&mut self, clock: &mut AlarmClock) {
        if let Some(rings) = self.rings.take() {
            clock.0.remove(&(rings, self.peer));
        }
        self.deadlines = [None; Timer::ALL.len()];
    }

    #[cold]
    fn ring_at(&mut self, clock: &mut AlarmClock, at: Instant) {
        if let Some(rings) = self.rings.replace(at) {
            clock.0.remove(&(rings, self.peer));
        }
        clock.0.insert((at, self.peer));
    }
}

/// At most one entry per peer, in order of time.
#[derive(Default)]
pub(crate) struct AlarmClock(BTreeSet<(Instant, PeerId)>);

impl AlarmClock {
    /// When it rings next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// A peer for whom it rings by now.
    pub(crate) fn ring(&mut self, now: Instant) -> Option<PeerId> {
        self.0.first().filter(|(at, _)| *at <= now)?;
        self.0.pop_first().map(|(_, peer)| peer)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
