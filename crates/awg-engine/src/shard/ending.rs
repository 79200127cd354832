//! How flows end: whatever the state, the stack's flow is given up, the descriptor closed as it must be, and the last event
//! said, once.

use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Duration;

use awg_netstack::{FlowId as StackFlow, Kind};

use super::Shard;
use super::flows::{Place, State};
use crate::event::Event;
use crate::flow::{FlowId, Outcome, Traffic};
use crate::refusal::Refusal;
use crate::relay::{Pumped, discard, reset};

/// How long a refused application may take to read its reply and hang up.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);
/// How long what a failed descriptor had may wait for room in the stack: as long as the stack may then take for it.
const LINGER: Duration = Duration::from_mins(1);
/// How many refused applications may be reading their replies at once.
const MOST_LEAVING: usize = 1024;
/// How often resets are sent in bulk when the engine stops: enough for more flows than there may be.
const FAREWELLS: usize = 1024;

impl Shard {
    /// Ends a flow now, in whatever state: the peer's side and the descriptor's side are reset.
    pub(super) fn end(&mut self, place: Place, outcome: Outcome, reason: &'static str) {
        self.finish(place, outcome, reason, Far::GiveUp);
    }

    /// Ends a flow that the stack has already ended.
    pub(super) fn end_by_stack(&mut self, place: Place, outcome: Outcome, reason: &'static str) {
        self.finish(place, outcome, reason, Far::Gone);
    }

    /// Has a flow whose descriptor failed wait no longer than it may for room for what that had.
    pub(super) fn fail_soon(&mut self, place: Place) {
        if self.flows.deadline(place).is_none() {
            let by = self.now.instant + LINGER;
            self.flows.set_deadline(place, Some(by));
        }
    }

    /// Ends a flow whose descriptor failed: the peer's side is reset behind what is on its way there.
    pub(super) fn fail(&mut self, place: Place, reason: &'static str) {
        self.reporter.counters.relays_failed += 1;
        let outcome = match self.flows.get_mut(place).map(|entry| &entry.state) {
            // Datagrams have no reset: whoever had the socket has closed it.
            Some(State::Datagrams(_) | State::Association(_)) => Outcome::Closed,
            _ => Outcome::Reset,
        };
        self.finish(place, outcome, reason, Far::Linger);
    }

    fn finish(&mut self, place: Place, outcome: Outcome, reason: &'static str, far: Far) {
        let Some(entry) = self.flows.remove(place) else {
            return;
        };
        if let Some(usage) = entry.opener.and_then(|peer| self.peers.usage_mut(peer)) {
            usage.leave(entry.turn);
        }
        self.trimming.handle_end(self.now.instant);
        let traffic = entry.state.traffic();
        match entry.state {
            State::Dialling(dialling) => {
                for flow in dialling.dial.running() {
                    self.give_up(flow, Far::GiveUp);
                }
                self.unwatch(dialling.application.as_raw_fd());
                reset(dialling.application);
            }
            State::Announced { flow, .. } => self.refuse_in_stack(flow, Refusal::Refused, far),
            State::Connecting { flow, target, .. } => {
                self.refuse_in_stack(flow, Refusal::Refused, far);
                self.unwatch(target.as_raw_fd());
                reset(target);
            }
            State::Connection(relay) => {
                self.give_up(relay.flow(), far);
                self.unwatch(relay.descriptor());
                if outcome == Outcome::Orderly {
                    relay.close();
                } else {
                    relay.reset();
                }
            }
            State::Datagrams(relay) => {
                self.give_up(relay.flow(), far);
                if let Some(descriptor) = relay.descriptor() {
                    self.unwatch(descriptor);
                }
            }
            State::Association(association) => self.end_association(&association),
            State::Leaving { application } => {
                self.unwatch(application.as_raw_fd());
                return;
            }
        }
        self.say_closed(entry.number, outcome, traffic, reason);
    }

    pub(super) fn say_closed(
        &self,
        flow: FlowId,
        outcome: Outcome,
        traffic: Traffic,
        reason: &'static str,
    ) {
        self.shared.events.push(Event::FlowClosed {
            flow,
            outcome,
            traffic,
            reason,
        });
    }

    /// `traffic` is what was sent in vain.
    pub(super) fn say_refused(&self, flow: FlowId, reason: Refusal, traffic: Traffic) {
        self.shared.events.push(Event::FlowRefused { flow, reason });
        self.say_closed(
            flow,
            Outcome::Refused,
            traffic,
            "the connection was refused",
        );
    }

    pub(super) fn give_up(&mut self, flow: StackFlow, far: Far) {
        self.flows.unbind(flow);
        match (far, flow.kind()) {
            (Far::Gone, _) => {}
            (_, Kind::Udp) => self.stack.close_datagrams(flow),
            (Far::GiveUp, Kind::Tcp) => self.stack.abort(flow),
            (Far::Linger, Kind::Tcp) => self.stack.linger(self.now.instant, flow),
        }
    }

    /// Leaves an application that has got its last reply until it hangs up, so that the reply is not overtaken by a reset
    /// for bytes that nobody read.
    pub(super) fn leave(&mut self, application: TcpStream) {
        if self.flows.unnamed() >= MOST_LEAVING / self.crew.count() {
            // It is closed at once: whoever sent more than was read may miss the reply.
            self.reporter.counters.applications_hurried += 1;
            return;
        }
        let _ = application.shutdown(std::net::Shutdown::Write);
        let descriptor = application.as_raw_fd();
        let place = self.flows.insert_unnamed(State::Leaving { application });
        self.flows
            .set_deadline(place, Some(self.now.instant + LEAVE_WITHIN));
        if self.watch(descriptor, place).is_err() {
            return self.forget(place);
        }
        self.discard_last_words(place);
    }

    /// Reads what a leaving application still says.
    pub(super) fn discard_last_words(&mut self, place: Place) {
        let Some(State::Leaving { application }) =
            self.flows.get_mut(place).map(|entry| &entry.state)
        else {
            return;
        };
        match discard(application) {
            Pumped::Waiting => {}
            Pumped::Unfinished => self.flows.make_ready(place),
            Pumped::Ended(_) | Pumped::Failing | Pumped::Failed(_) => self.forget(place),
        }
    }

    /// Drops what is left of a flow that has ended.
    pub(super) fn forget(&mut self, place: Place) {
        self.finish(place, Outcome::Closed, "", Far::Gone);
    }

    /// Ends every flow since the engine stops, and sends the resets that can still be sent.
    pub(crate) fn end_all_flows(&mut self) {
        // A defect may have struck in the middle of a turn's commands.
        for command in std::mem::take(&mut self.commands) {
            if let Some(flow) = command.opens() {
                self.say_closed(
                    flow,
                    Outcome::Stopped,
                    Traffic::default(),
                    "the engine stopped",
                );
            }
        }
        for place in self.flows.places() {
            self.end(place, Outcome::Stopped, "the engine stopped");
        }
        for _ in 0..FAREWELLS {
            // What is told of single flows waits behind what else is on its way.
            let more = self.stack.close_carriers(self.now.instant);
            self.transmit();
            if !more && !self.wire.has_more_to_send() {
                break;
            }
        }
    }
}

/// Whether the stack still has the flow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Far {
    /// It has, and is to reset it.
    GiveUp,
    /// It has, and is to reset it behind what it was given to send.
    Linger,
    /// It ended it itself.
    Gone,
}
