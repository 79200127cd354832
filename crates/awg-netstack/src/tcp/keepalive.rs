//! Whether the other end of an idle connection is still there (RFC 9293 section 3.8.4). Without that question a reset
//! that was lost, or an end that was killed, would leave a flow behind for as long as its peer is heard of.
//!
//! The question is a segment before the window, which every TCP answers with an acknowledgement, and one that knows
//! nothing of the connection with a reset. It carries no data, so it takes no memory at either end; an idle flow costs
//! one look of its timer per period, a busy one nothing.
//!
//! The same question is put to an end whose window is shut while data waits for it (RFC 9293 section 3.8.6.1): that the
//! window opened is told once, and that segment may be lost.

use std::time::{Duration, Instant};

use super::Tcp;
use super::bare::Bare;
use super::flow::{Asked, Flow, Stage};
use super::machine::Phase;
use crate::event::Closure;
use crate::limits::Limits;
use crate::packet::Flags;

/// Questions that go without an answer before the flow ends. With the default period that is longer than a whole peer
/// may be silent, so that a tunnel's outage ends no flow sooner.
const QUESTIONS: u8 = 9;
/// Part of the period after which an unanswered question is repeated.
const AGAIN: u32 = 4;
/// The first question after a window was shut comes so much after it; each later one when that time has doubled.
const SHUT_FIRST: Duration = Duration::from_secs(1);
/// The longest time between two of them.
const SHUT_LONGEST: Duration = Duration::from_mins(1);

impl Flow {
    /// When the flow's other end is to be asked, or the last question counts as not answered.
    pub(super) fn ask_at(&self, limits: &Limits) -> Option<Instant> {
        let Stage::Open(machine) = &self.stage else {
            return None;
        };
        // Both ends finished, or it is not established: other timers see to that.
        if !self.told.established || machine.phase() != Phase::Open {
            return None;
        }
        let last = self.asked.map_or(self.active, |asked| asked.at);
        if let Some(since) = machine.shut_out_since() {
            let waited = last.saturating_duration_since(since);
            return Some(last + waited.clamp(SHUT_FIRST, SHUT_LONGEST));
        }
        Some(match self.asked {
            None => self.active + limits.keepalive,
            Some(asked) => asked.at + again(limits),
        })
    }

    /// Whether data waits for the other end's window to open.
    fn is_shut_out(&self) -> bool {
        matches!(&self.stage, Stage::Open(machine) if machine.shut_out_since().is_some())
    }
}

fn again(limits: &Limits) -> Duration {
    limits.keepalive / AGAIN
}

impl Tcp {
    /// Asks the flow's other end whether it is there, if it is time to; ends a flow that was asked often enough.
    /// Whether it ended.
    pub(super) fn ask(&mut self, now: Instant, number: u32) -> bool {
        let Some(flow) = self.slots.get(number) else {
            return true;
        };
        if flow.ask_at(&self.limits).is_none_or(|at| at > now) {
            return false;
        }
        let shut_out = flow.is_shut_out();
        let times = flow.asked.map_or(0, |asked| asked.times);
        // Of a window that is shut it is asked often: that this goes without an answer ends nothing.
        if times == QUESTIONS && !shut_out {
            self.counters.keepalives_unanswered += 1;
            self.end(now, number, Closure::TimedOut);
            return true;
        }
        // One that finds no room was not asked, and says nothing about the other end: it is only tried again.
        let sent = self.question(number);
        if let Some(flow) = self.slots.get(number) {
            flow.asked = Some(Asked {
                times: times + u8::from(sent && !shut_out),
                at: now,
            });
        }
        false
    }

    /// Asks a flow's other end whether it is there. Whether the question leaves.
    pub(super) fn question(&mut self, number: u32) -> bool {
        let Some(flow) = self.slots.get(number) else {
            return false;
        };
        let Stage::Open(machine) = &flow.stage else {
            return false;
        };
        let question = Bare {
            from: flow.local,
            to: flow.remote,
            flags: Flags::ACK,
            sequence: machine.unacknowledged().wrapping_sub(1),
            acknowledgement: machine.sequences().1,
            window: machine.offered(),
        };
        let peer = flow.key.peer();
        let sent = self.push(peer, question.packet());
        self.counters.keepalives_sent += u64::from(sent);
        sent
    }
}
