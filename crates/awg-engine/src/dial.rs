//! One connection, several destinations: which attempt begins when, and what failed attempts amount to.
//!
//! RFC 8305, section 5: attempts begin in order, each a fixed delay after the one before, or at once when all running
//! ones failed; the first to stand wins. Sans-I/O: it names destinations and takes results.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use awg_netstack::FlowId as StackFlow;

use crate::refusal::Refusal;

/// The attempts of one connection, to destinations of whatever kind.
#[derive(Debug)]
pub(crate) struct Dial<D> {
    untried: VecDeque<D>,
    running: Vec<Attempt<D>>,
    stagger: Duration,
    next_attempt: Instant,
    expires: Instant,
    /// When it would expire if [`allow`](Self::allow) were never called.
    patience_ends: Instant,
    refusal: Refusal,
}

#[derive(Debug)]
struct Attempt<D> {
    flow: StackFlow,
    destination: D,
}

impl<D> Dial<D> {
    /// `patience`: how long all attempts together may take.
    pub(crate) fn new(
        now: Instant,
        destinations: Vec<D>,
        stagger: Duration,
        patience: Duration,
    ) -> Self {
        Self {
            untried: destinations.into(),
            running: Vec::new(),
            stagger,
            next_attempt: now,
            expires: now + patience,
            patience_ends: now + patience,
            refusal: Refusal::Failed,
        }
    }

    /// All attempts together may take so much longer than was said at first; to say it again changes nothing.
    pub(crate) fn allow(&mut self, longer: Duration) {
        self.expires = self.patience_ends + longer;
    }

    /// How much time is left.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        self.expires.saturating_duration_since(now)
    }

    /// These take the place of what was to be tried, and of what is known of it. They have so much of the time that is left.
    pub(crate) fn turn_to(&mut self, now: Instant, destinations: Vec<D>, patience: Duration) {
        self.untried = destinations.into();
        self.next_attempt = now;
        self.expires = self.expires.min(now + patience);
        self.patience_ends = self.patience_ends.min(self.expires);
        self.refusal = Refusal::Failed;
    }

    /// The destination to try now, if it is time for one. Follow with [`started`](Self::started),
    /// [`failed`](Self::failed) or [`held`](Self::held).
    pub(crate) fn poll_attempt(&mut self, now: Instant) -> Option<D> {
        if now < self.next_attempt || now >= self.expires {
            return None;
        }
        self.untried.pop_front()
    }

    /// An attempt cannot begin until [`go_on`](Self::go_on) says so; `refusal` is what that amounts to where it never does.
    pub(crate) fn held(&mut self, destination: D, refusal: Refusal) {
        self.note(refusal);
        self.untried.push_front(destination);
        self.next_attempt = self.expires;
    }

    /// What was held may begin.
    pub(crate) fn go_on(&mut self, now: Instant) {
        self.next_attempt = self.next_attempt.min(now);
    }

    /// An attempt was lost on its way, and is to be made again. Whether it was one of these.
    pub(crate) fn lost(&mut self, now: Instant, flow: StackFlow) -> bool {
        let Some(place) = self.running.iter().position(|attempt| attempt.flow == flow) else {
            return false;
        };
        let lost = self.running.swap_remove(place);
        self.untried.push_front(lost.destination);
        self.next_attempt = now;
        true
    }

    /// An attempt is under way.
    pub(crate) fn started(&mut self, now: Instant, flow: StackFlow, destination: D) {
        self.running.push(Attempt { flow, destination });
        self.next_attempt = now + self.stagger;
    }

    /// An attempt could not even begin.
    pub(crate) fn failed(&mut self, now: Instant, refusal: Refusal) {
        self.note(refusal);
        self.next_attempt = now;
    }

    /// An attempt was refused; the next one need not wait.
    pub(crate) fn refused(&mut self, now: Instant, flow: StackFlow, refusal: Refusal) {
        self.running.retain(|attempt| attempt.flow != flow);
        self.failed(now, refusal);
    }

    /// An attempt stands: gives where it leads. The others are left in [`running`](Self::running), to be given up.
    pub(crate) fn won(&mut self, flow: StackFlow) -> Option<D> {
        let place = self
            .running
            .iter()
            .position(|attempt| attempt.flow == flow)?;
        Some(self.running.swap_remove(place).destination)
    }

    /// The attempts under way.
    pub(crate) fn running(&self) -> impl Iterator<Item = StackFlow> {
        self.running.iter().map(|attempt| attempt.flow)
    }

    /// What the whole amounts to, once nothing is left to hope for.
    pub(crate) fn verdict(&self, now: Instant) -> Option<Refusal> {
        if now >= self.expires {
            let silence = if self.refusal.weight() < Refusal::TimedOut.weight() {
                Refusal::TimedOut
            } else {
                self.refusal
            };
            Some(silence)
        } else if self.running.is_empty() && self.untried.is_empty() {
            Some(self.refusal)
        } else {
            None
        }
    }

    /// When to look again.
    pub(crate) fn next_timeout(&self) -> Instant {
        if self.untried.is_empty() {
            self.expires
        } else {
            self.next_attempt.min(self.expires)
        }
    }

    /// What was tried elsewhere, or an attempt of these, amounts to this.
    pub(crate) fn note(&mut self, refusal: Refusal) {
        if refusal.weight() > self.refusal.weight() {
            self.refusal = refusal;
        }
    }
}

#[cfg(test)]
mod tests;
