//! One connection, several destinations: which attempt begins when, and what failed attempts amount to.
//!
//! RFC 8305, section 5: attempts begin in order, each a fixed delay after the one before, or at once when all running
//! ones failed; the first to stand wins. Sans-I/O: it names destinations and takes results.

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use std::vec;

use awg_netstack::FlowId as StackFlow;

use crate::refusal::Refusal;

/// The attempts of one connection.
#[derive(Debug)]
pub(crate) struct Dial {
    untried: vec::IntoIter<SocketAddr>,
    running: Vec<Attempt>,
    stagger: Duration,
    next_attempt: Instant,
    expires: Instant,
    refusal: Refusal,
}

#[derive(Debug)]
struct Attempt {
    flow: StackFlow,
    destination: SocketAddr,
}

impl Dial {
    /// `patience`: how long all attempts together may take.
    pub(crate) fn new(
        now: Instant,
        destinations: Vec<SocketAddr>,
        stagger: Duration,
        patience: Duration,
    ) -> Self {
        Self {
            untried: destinations.into_iter(),
            running: Vec::new(),
            stagger,
            next_attempt: now,
            expires: now + patience,
            refusal: Refusal::Failed,
        }
    }

    /// The destination to try now, if it is time for one. Follow with [`started`](Self::started) or
    /// [`failed`](Self::failed).
    pub(crate) fn poll_attempt(&mut self, now: Instant) -> Option<SocketAddr> {
        if now < self.next_attempt || now >= self.expires {
            return None;
        }
        self.untried.next()
    }

    /// An attempt is under way.
    pub(crate) fn started(&mut self, now: Instant, flow: StackFlow, destination: SocketAddr) {
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
    pub(crate) fn won(&mut self, flow: StackFlow) -> Option<SocketAddr> {
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
        } else if self.running.is_empty() && self.untried.len() == 0 {
            Some(self.refusal)
        } else {
            None
        }
    }

    /// When to look again.
    pub(crate) fn next_timeout(&self) -> Instant {
        if self.untried.len() == 0 {
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
