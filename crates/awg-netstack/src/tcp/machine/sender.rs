//! What a flow has in flight, and what the acknowledgements tell of it ([`Sender`]): round trips (RFC 6298), loss (RFC 5681, RFC 6582, the tail loss probe of RFC 8985 section 7),
//! and how much may follow ([`Congestion`]).
//!
//! smoltcp keeps the bytes and makes the segments; when and how much is decided here, since its own timer waits a second at least and its own window grows by one segment for each
//! acknowledgement, of which we make few.

use std::time::{Duration, Instant};

use super::congestion::Congestion;

/// Nothing is taken for lost sooner: the other end may delay an acknowledgement, and the embedder's loop may be late.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(200);
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);
/// RFC 6298 section 2.1.
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);
/// RFC 5681 section 3.2.
const DUPLICATES: u32 = 3;
/// A peer that acknowledges nothing for so long is gone (RFC 9293 section 3.8.3 asks for at least 100 s).
const GIVE_UP: Duration = Duration::from_mins(3);

/// What to do about a hole in what the peer has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Repair {
    /// Nothing.
    None,
    /// Send the first unacknowledged segment again.
    First,
    /// Begin again from the first unacknowledged byte.
    All,
    /// The peer is gone.
    GiveUp,
}

/// A round trip under way: the acknowledgement of `end` ends it.
struct Round {
    end: u32,
    since: Instant,
    /// Bytes acknowledged when it began.
    delivered: u64,
    /// Whether the window was used.
    limited: bool,
}

/// One flow's sending side.
pub(super) struct Sender {
    /// The first unacknowledged sequence number, and the one after the last sent.
    first: u32,
    next: u32,
    delivered: u64,
    congestion: Congestion,
    smoothed: Option<(Duration, Duration)>,
    round: Option<Round>,
    duplicates: u32,
    /// Where recovery ends: what was sent when the loss was seen.
    recovery: Option<u32>,
    /// When something was last acknowledged, or sent into silence.
    progress: Instant,
    /// When the last one of these was, whatever the retries.
    waiting_since: Instant,
    /// Timeouts since then.
    attempts: u32,
}

impl Sender {
    pub(super) fn new(segment: u16, now: Instant) -> Self {
        Self {
            first: 0,
            next: 0,
            delivered: 0,
            congestion: Congestion::new(segment),
            smoothed: None,
            round: None,
            duplicates: 0,
            recovery: None,
            progress: now,
            waiting_since: now,
            attempts: 0,
        }
    }

    /// The handshake's own segment was sent, with this sequence number; or sent again.
    pub(super) fn on_sent_syn(&mut self, now: Instant, initial: u32) {
        if self.next == initial.wrapping_add(1) {
            self.round = None;
            return;
        }
        self.first = initial;
        self.next = initial.wrapping_add(1);
        (self.progress, self.waiting_since) = (now, now);
        self.round = Some(Round {
            end: self.next,
            since: now,
            delivered: 0,
            limited: false,
        });
    }

    pub(super) fn first(&self) -> u32 {
        self.first
    }

    pub(super) fn in_flight(&self) -> usize {
        self.next.wrapping_sub(self.first) as usize
    }

    /// Bytes that may be in flight; in recovery those that left the path make room for new ones.
    pub(super) fn window(&self, segment: u16) -> usize {
        let arrived = if self.recovery.is_some() {
            self.duplicates as usize * usize::from(segment)
        } else {
            0
        };
        self.congestion.window() + arrived
    }

    /// The segment from `start` to `end` was sent; `limited` if the window leaves no room for another.
    pub(super) fn on_sent(&mut self, now: Instant, start: u32, end: u32, limited: bool) {
        if is_after(end, self.next) {
            if self.first == self.next {
                (self.progress, self.waiting_since) = (now, now);
            }
            self.next = end;
            let delivered = self.delivered;
            self.round.get_or_insert(Round {
                end,
                since: now,
                delivered,
                limited,
            });
            if let Some(round) = &mut self.round {
                round.limited |= limited;
            }
        } else if let Some(round) = &self.round
            && !is_after(start, round.end)
        {
            // Karn: what was sent twice tells nothing of the round trip.
            self.round = None;
        }
    }

    /// An acknowledgement of everything before `acknowledged`, which lies in what was sent.
    pub(super) fn on_acknowledged(&mut self, now: Instant, acknowledged: u32) -> Repair {
        let in_flight = self.in_flight();
        let fresh = acknowledged.wrapping_sub(self.first) as usize;
        self.first = acknowledged;
        if is_after(acknowledged, self.next) {
            self.next = acknowledged;
        }
        self.delivered += fresh as u64;
        self.duplicates = 0;
        (self.progress, self.waiting_since) = (now, now);
        self.attempts = 0;
        self.measure(now, acknowledged);
        match self.recovery {
            Some(end) if is_after(end, acknowledged) => return Repair::First,
            Some(_) => self.recovery = None,
            None => {
                let rest = in_flight.saturating_sub(fresh);
                self.congestion.on_acknowledged(now, fresh, rest);
            }
        }
        Repair::None
    }

    /// The peer has something new, but not what follows [`first`](Self::first).
    pub(super) fn on_duplicate(&mut self) -> Repair {
        self.duplicates = self.duplicates.saturating_add(1);
        if self.duplicates == DUPLICATES && self.recovery.is_none() && self.in_flight() > 0 {
            self.congestion.on_loss(self.in_flight());
            self.recovery = Some(self.next);
            self.round = None;
            return Repair::First;
        }
        Repair::None
    }

    /// When [`on_timeout`](Self::on_timeout) is due, if something is in flight.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        (self.in_flight() > 0).then(|| self.progress + self.timeout())
    }

    /// Nothing was acknowledged for too long.
    pub(super) fn on_timeout(&mut self, now: Instant) -> Repair {
        if self.next_timeout().is_none_or(|at| at > now) {
            return Repair::None;
        }
        if now.saturating_duration_since(self.waiting_since) >= GIVE_UP {
            return Repair::GiveUp;
        }
        self.progress = now;
        self.attempts += 1;
        self.round = None;
        // The first time may be the tail of what was sent, of which no duplicate can tell: one segment asks.
        if self.attempts == 1 && self.recovery.is_none() {
            self.recovery = Some(self.next);
            return Repair::First;
        }
        self.congestion.on_timeout(self.in_flight());
        self.recovery = None;
        self.duplicates = 0;
        Repair::All
    }

    /// The peer's window is shut: nothing can be learned from its silence.
    pub(super) fn hold(&mut self, now: Instant) {
        (self.progress, self.waiting_since) = (now, now);
    }

    fn timeout(&self) -> Duration {
        let base = self.smoothed.map_or(FIRST_TIMEOUT, |(smoothed, variance)| {
            (smoothed * 2)
                .max(smoothed + variance * 4)
                .max(SHORTEST_TIMEOUT)
        });
        (base * 2_u32.saturating_pow(self.attempts.min(10))).min(LONGEST_TIMEOUT)
    }

    fn measure(&mut self, now: Instant, acknowledged: u32) {
        let Some(round) = &self.round else { return };
        if is_after(round.end, acknowledged) {
            return;
        }
        let sample = now.saturating_duration_since(round.since);
        let delivered = usize::try_from(self.delivered - round.delivered).unwrap_or(usize::MAX);
        self.congestion
            .on_round(now, sample, delivered, round.limited);
        self.round = None;
        self.smoothed = Some(match self.smoothed {
            None => (sample, sample / 2),
            Some((smoothed, variance)) => (
                (smoothed * 7 + sample) / 8,
                (variance * 3 + smoothed.abs_diff(sample)) / 4,
            ),
        });
    }
}

/// Whether sequence number `left` comes after `right` (RFC 9293 section 3.4).
pub(super) fn is_after(left: u32, right: u32) -> bool {
    left.wrapping_sub(right).cast_signed() > 0
}
