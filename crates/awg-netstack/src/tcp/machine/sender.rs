//! What a flow has in flight, and what the acknowledgements tell of it ([`Sender`]): round trips ([`rounds`], RFC 6298), loss (RFC
//! 6675, RFC 6582 where the peer has no SACK, and a probe in place of RFC 8985's for the tail), and how much may follow
//! ([`Congestion`]).
//!
//! smoltcp keeps the bytes and makes the segments. When and how much is decided here, and which of the segments that it
//! repeats really leave: it knows only the first hole, its timer waits a second at least, and its window grows by one
//! segment for each acknowledgement, of which we make few.

mod resumption;
mod rounds;

use std::time::{Duration, Instant};

use super::congestion::Congestion;
use super::scoreboard::Scoreboard;
use super::sequence::{is_after, later};
use rounds::{Heard, Moved, Rounds};

/// Nothing is taken for lost sooner: the other end may delay an acknowledgement, and the embedder's loop may be late.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(200);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(15);
/// RFC 6298 section 2.1.
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);
/// RFC 6675 section 2: later segments that arrived before one that did not is taken for lost.
const DUPLICATES: u32 = 3;
/// Segments that a repair begins with, and that it may have saved up.
const ALLOWANCE: usize = 10;
const MOST_ALLOWANCE: usize = 64;
/// A peer that acknowledges nothing for so long is gone (RFC 9293 section 3.8.3 asks for at least 100 s).
const GIVE_UP: Duration = Duration::from_mins(3);

/// What to do about what the peer lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Repair {
    /// Nothing.
    None,
    /// Send the first unacknowledged segment again.
    First,
    /// Walk through everything unacknowledged again; [`Sender::on_sending`] says what of it leaves.
    Walk,
    /// The peer is gone.
    GiveUp,
}

/// A repair under way. Of what was sent before, `done..lost` is sent again, except for what the peer has.
struct Recovery {
    /// What had been sent when the loss was seen: once all of it arrived, the repair is over.
    end: u32,
    done: u32,
    lost: u32,
    /// `done` and `next` at some moment: if the peer has something sent after that, but lacks something sent again
    /// before, that was lost as well.
    check: Option<(u32, u32)>,
    /// What of that was sent a third time, and its end.
    again: Option<(u32, u32)>,
    /// Whether a timeout began it.
    timeout: bool,
    /// Bytes that may be sent again now: as many as arrive, so that a repair does not flood the queue that just
    /// overflowed (RFC 6937).
    allowance: usize,
}

/// One flow's sending side.
pub(super) struct Sender {
    segment: u16,
    /// The first unacknowledged sequence number, and the one after the last sent.
    first: u32,
    next: u32,
    /// How far the walk through what was sent has come: the same as `next`, once it is over.
    position: u32,
    scoreboard: Scoreboard,
    /// Whether the peer sends selective acknowledgements.
    selective: bool,
    /// Bytes acknowledged, and bytes sent again.
    acknowledged: u64,
    repeated: u64,
    congestion: Congestion,
    smoothed: Option<(Duration, Duration)>,
    rounds: Rounds,
    duplicates: u32,
    recovery: Option<Recovery>,
    /// What had been sent when the first segment was sent again on suspicion.
    probe: Option<u32>,
    /// When something was last acknowledged, or tried.
    progress: Instant,
    /// When something was last acknowledged, or sent into silence.
    waiting_since: Instant,
    /// Timeouts since then, or since the peer was back.
    attempts: u32,
    /// Timeouts since then, whatever else was heard of the peer.
    misses: u32,
    /// When the peer was last back, and how often that was without an acknowledgement.
    resumed: Option<Instant>,
    resumptions: u32,
}

impl Sender {
    pub(super) fn new(segment: u16, now: Instant) -> Self {
        Self {
            segment,
            first: 0,
            next: 0,
            position: 0,
            scoreboard: Scoreboard::default(),
            selective: false,
            acknowledged: 0,
            repeated: 0,
            congestion: Congestion::new(segment),
            smoothed: None,
            rounds: Rounds::default(),
            duplicates: 0,
            recovery: None,
            probe: None,
            progress: now,
            waiting_since: now,
            attempts: 0,
            misses: 0,
            resumed: None,
            resumptions: 0,
        }
    }

    /// Segments are this long at most from now on.
    pub(super) fn limit_segment(&mut self, segment: u16) {
        self.segment = self.segment.min(segment);
    }

    pub(super) fn segment(&self) -> u16 {
        self.segment
    }

    /// The handshake's own segment was sent, or sent again.
    pub(super) fn on_sent_syn(&mut self, now: Instant, initial: u32) {
        if self.next == initial.wrapping_add(1) {
            self.rounds.forget();
            return;
        }
        self.first = initial;
        self.next = initial.wrapping_add(1);
        self.position = self.next;
        (self.progress, self.waiting_since) = (now, now);
        self.rounds.on_sent(now, self.next, false, self.moved());
    }

    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// The sequence number after all that was sent.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// The shortest round trip of late, if data was acknowledged.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.congestion.round_trip()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.next.wrapping_sub(self.first) as usize
    }

    /// Bytes from [`first`](Self::first) on that may have been sent.
    pub(super) fn window(&self) -> usize {
        let budget = self.congestion.window().max(usize::from(self.segment));
        let arrived = if !self.selective && self.recovery.is_some() {
            // Without SACK each duplicate stands for one segment (RFC 5681 section 3.2).
            self.duplicates as usize * usize::from(self.segment)
        } else {
            0
        };
        self.scoreboard
            .edge(self.first, budget + arrived)
            .wrapping_sub(self.first) as usize
    }

    /// The same, without a part of a segment at its end: smoltcp would send that too, and then such parts for ever (RFC
    /// 9293 section 3.8.6.2.1).
    pub(super) fn whole_window(&self) -> usize {
        let (window, in_flight) = (self.window(), self.in_flight());
        match window.checked_sub(in_flight) {
            Some(room) if in_flight > 0 => window - room % usize::from(self.segment),
            _ => window,
        }
    }

    /// The segment from `start` to `end` is about to leave; `limited` if the window leaves no room for another,
    /// `walking` during a repair's walk. Whether it shall: the peer may have it, or it may still be on its way.
    pub(super) fn on_sending(
        &mut self,
        now: Instant,
        start: u32,
        end: u32,
        limited: bool,
        walking: bool,
    ) -> bool {
        self.position = later(self.position, end);
        if is_after(end, self.next) {
            if self.first == self.next {
                (self.progress, self.waiting_since) = (now, now);
            }
            self.next = end;
            self.rounds.on_sent(now, end, limited, self.moved());
            return true;
        }
        if self.scoreboard.has(start, end) {
            return false;
        }
        if let Some(recovery) = &mut self.recovery {
            match &mut recovery.again {
                Some((done, to)) if is_after(*to, start) => {
                    if !is_after(end, *done) {
                        return false;
                    }
                    *done = end;
                }
                again => {
                    *again = None;
                    if !is_after(end, recovery.done) || !is_after(recovery.lost, start) {
                        return false;
                    }
                    recovery.done = end;
                }
            }
            let length = end.wrapping_sub(start) as usize;
            recovery.allowance = recovery.allowance.saturating_sub(length);
        } else if walking {
            // The repair is over, the walk is not: this is on its way.
            return false;
        }
        self.repeated += u64::from(end.wrapping_sub(start));
        self.rounds.on_repeated(start, end);
        true
    }

    /// Whether a repair has to wait for the next segment of the peer.
    pub(super) fn must_wait(&self) -> bool {
        self.recovery
            .as_ref()
            .is_some_and(|recovery| recovery.allowance == 0)
    }

    /// A segment of the peer arrived, with which `delivered` more bytes are known to have arrived there.
    pub(super) fn on_segment(&mut self, delivered: u64) {
        let segment = usize::from(self.segment);
        if let Some(recovery) = &mut self.recovery {
            let fresh = usize::try_from(delivered)
                .unwrap_or(usize::MAX)
                .saturating_add(segment);
            recovery.allowance = recovery
                .allowance
                .saturating_add(fresh)
                .min(segment * MOST_ALLOWANCE);
        }
    }

    /// The peer has `start..end` beyond what it acknowledges. Whether that is news.
    pub(super) fn on_selective(&mut self, start: u32, end: u32) -> bool {
        let sane = is_after(end, start) && is_after(start, self.first) && !is_after(end, self.next);
        if !sane || self.scoreboard.has(start, end) {
            return false;
        }
        self.selective = true;
        self.scoreboard.add(start, end);
        true
    }

    /// An acknowledgement of everything before `acknowledged`, which lies in what was sent.
    pub(super) fn on_acknowledged(&mut self, now: Instant, acknowledged: u32) -> Repair {
        let fresh = acknowledged.wrapping_sub(self.first) as usize;
        self.first = acknowledged;
        self.next = later(self.next, acknowledged);
        self.position = later(self.position, acknowledged);
        self.scoreboard.advance(acknowledged);
        self.acknowledged += fresh as u64;
        self.duplicates = 0;
        (self.progress, self.waiting_since) = (now, now);
        (self.attempts, self.misses, self.resumptions) = (0, 0, 0);
        self.measure(now);
        let probe = self.probe.take().filter(|end| is_after(*end, acknowledged));
        if self
            .recovery
            .as_ref()
            .is_some_and(|recovery| !is_after(recovery.end, acknowledged))
        {
            self.recovery = None;
        }
        if let Some(recovery) = &mut self.recovery {
            recovery.done = later(recovery.done, acknowledged);
            if recovery.timeout {
                self.congestion.on_acknowledged(fresh, self.in_flight());
            } else if !self.selective {
                // Without SACK the next hole is where this acknowledgement ends (RFC 6582 section 3.2).
                recovery.done = acknowledged;
                recovery.lost = later(recovery.lost, acknowledged.wrapping_add(1));
                return Repair::First;
            }
            return self.look();
        }
        self.congestion.on_acknowledged(fresh, self.in_flight());
        if let Some(end) = probe
            && fresh <= usize::from(self.segment)
        {
            // Only the segment that was sent again was lacking so far, and nothing after it was reported: the rest is
            // lost too.
            self.recover(end, end, false);
            return Repair::Walk;
        }
        self.look()
    }

    /// The peer has something new, but not what follows [`first`](Self::first).
    pub(super) fn on_duplicate(&mut self, now: Instant) -> Repair {
        self.duplicates = self.duplicates.saturating_add(1);
        self.progress = now;
        self.measure(now);
        if !self.selective && self.duplicates == DUPLICATES && self.recovery.is_none() {
            self.recover(self.next, self.first.wrapping_add(1), false);
            self.position = self.next;
            return Repair::First;
        }
        self.look()
    }

    /// Looks for holes that are to be repaired.
    fn look(&mut self) -> Repair {
        let Some(highest) = self.scoreboard.highest() else {
            return Repair::None;
        };
        let reordered = DUPLICATES * u32::from(self.segment);
        let Some(recovery) = &mut self.recovery else {
            if highest.wrapping_sub(self.first) <= reordered && self.duplicates < DUPLICATES {
                return Repair::None;
            }
            self.recover(self.next, highest, false);
            return Repair::Walk;
        };
        recovery.lost = later(recovery.lost, highest);
        if let Some((done, next)) = recovery.check
            && is_after(highest, next.wrapping_add(reordered))
        {
            recovery.check = None;
            if self.scoreboard.has_hole(self.first, done) {
                recovery.again = Some((self.first, done));
                self.position = self.first;
                return Repair::Walk;
            }
        }
        if recovery.check.is_none()
            && recovery.again.is_none()
            && is_after(recovery.done, self.first)
        {
            recovery.check = Some((recovery.done, self.next));
        }
        let done = later(recovery.done, self.first);
        // The last few may only be late.
        let sure = recovery.lost.wrapping_sub(reordered);
        // What the walk has still before it, it will come to by itself.
        let passed = if is_after(sure, self.position) {
            self.position
        } else {
            sure
        };
        if self.scoreboard.has_hole(done, passed) {
            self.position = self.first;
            return Repair::Walk;
        }
        Repair::None
    }

    fn recover(&mut self, end: u32, lost: u32, timeout: bool) {
        self.recovery = Some(Recovery {
            end,
            done: self.first,
            lost,
            check: None,
            again: None,
            timeout,
            allowance: usize::from(self.segment) * ALLOWANCE,
        });
        self.probe = None;
        self.position = self.first;
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
        self.misses += 1;
        self.rounds.forget();
        // The first time may be the tail of what was sent, of which no later segment can tell: one segment asks.
        if self.attempts == 1 && self.recovery.is_none() && self.scoreboard.bytes() == 0 {
            self.probe = Some(self.next);
            return Repair::First;
        }
        if self.attempts > 2 {
            // The peer may have thrown away what it said it has (RFC 2018 section 8).
            self.scoreboard.clear();
        }
        self.congestion.on_timeout(self.in_flight());
        self.duplicates = 0;
        self.recover(self.next, self.next, true);
        Repair::Walk
    }

    /// The peer's window is shut: nothing can be learned from its silence.
    pub(super) fn hold(&mut self, now: Instant) {
        (self.progress, self.waiting_since) = (now, now);
        (self.attempts, self.misses) = (0, 0);
    }

    /// How long an answer may take at least before it is missed; of a connection that has measured nothing yet too.
    fn patience(&self) -> Duration {
        let Some((smoothed, variance)) = self.smoothed else {
            return SHORTEST_TIMEOUT;
        };
        (smoothed * 2)
            .max(smoothed + variance * 4)
            .max(SHORTEST_TIMEOUT)
    }

    fn timeout(&self) -> Duration {
        let base = self.smoothed.map_or(FIRST_TIMEOUT, |_| self.patience());
        (base * 2_u32.saturating_pow(self.attempts.min(10))).min(LONGEST_TIMEOUT)
    }

    /// Bytes that arrived at the peer, in order or not.
    pub(super) fn delivered(&self) -> u64 {
        self.acknowledged + self.scoreboard.bytes() as u64
    }

    fn moved(&self) -> Moved {
        Moved {
            delivered: self.delivered(),
            repeated: self.repeated,
        }
    }

    fn measure(&mut self, now: Instant) {
        let (first, scoreboard) = (self.first, &self.scoreboard);
        let has = |end: u32| !is_after(end, first) || scoreboard.has(end.wrapping_sub(1), end);
        let sample = match self.rounds.on_heard(now, has, self.moved()) {
            Heard::Nothing => return,
            Heard::More(rate) => return self.congestion.on_more(rate),
            Heard::Round(sample) => sample,
        };
        self.congestion.on_round(now, &sample, self.in_flight());
        let round_trip = sample.round_trip;
        self.smoothed = Some(match self.smoothed {
            None => (round_trip, round_trip / 2),
            Some((smoothed, variance)) => (
                (smoothed * 7 + round_trip) / 8,
                (variance * 3 + smoothed.abs_diff(round_trip)) / 4,
            ),
        });
    }
}
