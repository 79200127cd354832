//! What is due at carriers and on their flows.

use std::time::{Duration, Instant};

use super::Carriers;
use super::call::Call;
use super::flows::Stage;
use super::link::Link;
use super::request::Code;
use super::shared::Shared;
use crate::event::{CarrierLoss, Closure};
use crate::flow::Peer;

/// A peer that was not heard of for so long has no session: nobody is asked.
const GONE: Duration = Duration::from_mins(3);

impl Carriers {
    /// Does what is due.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        last_heard: &mut impl FnMut(Peer) -> Option<Instant>,
    ) {
        self.now = now;
        while let Some(number) = self.shared.deadlines.fire(now) {
            let link = self.shared.flows.get(number).map(|flow| flow.link);
            if let Some(place) = link {
                self.with(place, |link, shared| {
                    link.handle_deadline(now, number, shared);
                });
                self.stir(place);
            }
        }
        // Each once: what is due again at once is due with the next call.
        let mut due = Vec::new();
        while let Some(place) = self.timers.fire(now) {
            due.push(place);
        }
        for place in due {
            let Some(link) = self.links.get(place) else {
                continue;
            };
            let heard = last_heard(link.peer);
            self.handle_link_timeout(now, place, heard);
            self.arm(place);
        }
    }

    fn handle_link_timeout(&mut self, now: Instant, place: u32, heard: Option<Instant>) {
        let Some(link) = self.links.get(place) else {
            return;
        };
        if let Some(call) = link.call
            && call.is_due(now)
        {
            if heard.is_some_and(|heard| now < heard + GONE) {
                return self.call(now, place);
            }
            self.with(place, |link, _| {
                if let Some(call) = &mut link.call {
                    call.put_off(now);
                }
            });
            return;
        }
        if link.call.is_some() && Call::is_unanswered(now, link) {
            return self.lose(now, place, CarrierLoss::TimedOut);
        }
        match self.with(place, |link, shared| {
            link.hear_coming(now, shared);
            link.make_room(now, shared);
            link.expire_lingering(now);
            link.handle_timeout(now, heard)
        }) {
            Some(Err(why)) => self.lose(now, place, why),
            _ => self.hear(place),
        }
    }
}

impl Link {
    /// A flow may have waited for too long.
    fn handle_deadline(&mut self, now: Instant, number: u32, shared: &mut Shared) {
        match shared.flows.get(number).map(|flow| flow.stage) {
            Some(Stage::Asking) => self.refuse(number, Code::TimedOut, shared),
            Some(Stage::Requesting | Stage::Waiting | Stage::Source) => {
                shared.counters.half_open_expired += 1;
                self.break_off(number, Code::TimedOut, Closure::Expired, shared);
            }
            Some(Stage::Datagrams) => self.expire_datagrams(now, number, shared),
            // It failed at the other end, and what that had sent is still not read.
            Some(Stage::Open) => self.break_off(number, Code::Aborted, Closure::Reset, shared),
            None => {}
        }
    }
}
