//! What applications open: attempts towards the destinations, the one reply, then the relay; and flows of datagrams.

use std::io::Write;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use awg_netstack::{FlowId as StackFlow, Target};

use super::carrier::{ANSWER_LATER, Attempt};
use super::flows::{Dialling, Place, State};
use super::peers::in_stack;
use super::{Far, Shard};
use crate::command::Elsewhere;
use crate::dial::Dial;
use crate::event::Event;
use crate::flow::{FlowId, Outcome, Traffic};
use crate::refusal::Refusal;
use crate::relay::{Channel, DatagramRelay, Opener, StreamRelay, reset};
use crate::settings::Limits;

impl Shard {
    /// The attempts to reach the first of `destinations` that accepts.
    pub(super) fn dial(
        &self,
        destinations: Vec<Target>,
        elsewhere: Option<&Elsewhere>,
    ) -> Dial<Target> {
        let Limits { stagger, dial, .. } = self.limits;
        let patience = elsewhere.map_or(dial, |rest| rest.patience);
        let mut dial = Dial::new(self.now.instant, destinations, stagger, patience);
        if let Some(rest) = elsewhere {
            dial.note(rest.refusal);
        }
        dial
    }

    pub(super) fn open(&mut self, number: FlowId, dialling: Dialling) {
        let application = &dialling.application;
        // It fails on a socket pair, which has nothing to delay.
        let _ = application.set_nodelay(true);
        let place = self.flows.next_place();
        let watched = application
            .set_nonblocking(true)
            .and_then(|()| self.watch(application.as_raw_fd(), place));
        if watched.is_err() {
            self.say_closed(
                number,
                Outcome::HungUp,
                Traffic::default(),
                "the application's socket cannot be used",
            );
            return;
        }
        let state = State::Dialling(Box::new(dialling));
        self.flows.insert(number, None, state);
        self.proceed_dialling(place);
    }

    /// Begins the attempts that are due, and ends the dial where nothing is left to hope for.
    pub(super) fn proceed_dialling(&mut self, place: Place) {
        let now = self.now.instant;
        loop {
            let Some(dial) = self.dial_mut(place) else {
                return;
            };
            let Some(destination) = dial.poll_attempt(now) else {
                break;
            };
            let attempt = self.begin_attempt(place, &destination);
            if let Attempt::Begun(flow) = attempt {
                self.flows.bind(flow, place);
            }
            let Some(dial) = self.dial_mut(place) else {
                return;
            };
            match attempt {
                Attempt::Begun(flow) => {
                    if flow.is_carried() {
                        dial.allow(ANSWER_LATER);
                    }
                    dial.started(now, flow, destination);
                }
                Attempt::Failed(refusal) => dial.failed(now, refusal),
                Attempt::Held(refusal) => dial.held(destination, refusal),
            }
        }
        let asks = self.ask_for_answer(place);
        let Some(dial) = self.dial_mut(place) else {
            return;
        };
        if let Some(refusal) = dial.verdict(now) {
            self.refuse_application(place, refusal);
        } else {
            let at = dial.next_timeout();
            self.flows
                .set_deadline(place, asks.into_iter().chain([at]).min());
        }
    }

    pub(super) fn dial_mut(&mut self, place: Place) -> Option<&mut Dial<Target>> {
        match &mut self.flows.get_mut(place)?.state {
            State::Dialling(dialling) => Some(&mut dialling.dial),
            _ => None,
        }
    }

    /// Begins an attempt of the stack's own TCP.
    pub(super) fn begin_by_packets(&mut self, destination: SocketAddr) -> Attempt {
        let begun = self
            .tunnel
            .route(destination.ip())
            .ok_or(Refusal::NetworkUnreachable)
            .and_then(|peer| {
                self.stack
                    .connect(self.now.instant, in_stack(peer), None, destination)
                    .map_err(Refusal::from)
            });
        match begun {
            Ok(flow) => Attempt::Begun(flow),
            Err(refusal) => Attempt::Failed(refusal),
        }
    }

    /// One attempt was refused.
    pub(super) fn attempt_refused(&mut self, place: Place, flow: StackFlow, refusal: Refusal) {
        let now = self.now.instant;
        self.flows.unbind(flow);
        if let Some(dial) = self.dial_mut(place) {
            dial.refused(now, flow, refusal);
            self.proceed_dialling(place);
        }
    }

    /// One attempt stands: the others are given up, the application gets its reply, and the relay begins.
    pub(super) fn attempt_established(&mut self, place: Place, flow: StackFlow) {
        let Some(destination) = self.dial_mut(place).and_then(|dial| dial.won(flow)) else {
            return;
        };
        let Some(dialling) = self.flows.take_dialling(place, flow, destination.clone()) else {
            return;
        };
        let ahead = dialling.ahead(flow);
        let Dialling {
            application,
            early,
            replies,
            dial,
            ..
        } = *dialling;
        for loser in dial.running() {
            self.give_up(loser, Far::GiveUp);
        }
        let mut relay =
            StreamRelay::new(flow, application, Opener::Socket, early, replies.succeeded);
        relay.skip_early(ahead);
        self.begin_relay(place, relay, destination);
    }

    /// Puts a relay where the flow waited for its connection.
    pub(super) fn begin_relay(&mut self, place: Place, relay: StreamRelay, destination: Target) {
        let Some(entry) = self.flows.get_mut(place) else {
            return;
        };
        entry.state = State::Connection(relay);
        let flow = entry.number;
        self.flows.set_deadline(place, None);
        self.flows.make_ready(place);
        self.shared
            .events
            .push(Event::FlowConnected { flow, destination });
    }

    /// No attempt stands: the application gets the reply for it, and goes.
    pub(super) fn refuse_application(&mut self, place: Place, refusal: Refusal) {
        let Some(entry) = self.flows.remove(place) else {
            return;
        };
        let State::Dialling(dialling) = entry.state else {
            return;
        };
        for flow in dialling.dial.running() {
            self.give_up(flow, Far::GiveUp);
        }
        self.unwatch(dialling.application.as_raw_fd());
        let Some(dialling) = self.pass_on(entry.number, *dialling, refusal) else {
            return;
        };
        let Dialling {
            application,
            replies,
            ..
        } = dialling;
        let reply = replies.into_refusal(refusal);
        // A reply is a few bytes: a socket that has no room for them is one that nobody reads.
        if reply.is_empty() || (&application).write_all(&reply).is_err() {
            reset(application);
        } else {
            self.leave(application);
        }
        self.say_refused(entry.number, refusal, Traffic::default());
    }

    /// Looks whether an application that waits for its connection is still there; `closed`: the system says that nothing
    /// can be written to it any more.
    ///
    /// Its end of stream does not say that it hung up: it may have said all that it has to say and wait for the answer, or
    /// only want to listen. Whoever closed a TCP socket looks the same until something is written, so the dial goes on, for
    /// as long as dials may, and the reset that the reply meets ends the flow.
    pub(super) fn check_application(&mut self, place: Place, closed: bool) {
        let Some(State::Dialling(dialling)) = self.flows.get_mut(place).map(|entry| &entry.state)
        else {
            return;
        };
        let failed = match dialling.application.peek(&mut [0]) {
            Ok(_) => false,
            Err(error) => !matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::Interrupted
            ),
        };
        if closed || failed {
            self.end(
                place,
                Outcome::HungUp,
                "the application hung up before its connection stood",
            );
        }
    }

    pub(super) fn open_datagrams(
        &mut self,
        number: FlowId,
        destination: SocketAddr,
        application: OwnedFd,
    ) {
        let opened = self
            .tunnel
            .route(destination.ip())
            .ok_or(Refusal::NetworkUnreachable)
            .and_then(|peer| {
                self.stack
                    .open_datagrams(self.now.instant, in_stack(peer), None, destination.ip())
                    .map_err(Refusal::from)
            });
        let flow = match opened {
            Ok(flow) => flow,
            Err(refusal) => return self.say_refused(number, refusal, Traffic::default()),
        };
        let channel = Channel::Application {
            remote: destination,
        };
        let mut relay = Box::new(DatagramRelay::new(flow, channel));
        let place = self.flows.next_place();
        let attached = relay.attach(application, &self.policy).and_then(|_| {
            relay
                .descriptor()
                .map_or(Ok(()), |descriptor| self.watch(descriptor, place))
        });
        if attached.is_err() {
            self.stack.close_datagrams(flow);
            return self.say_refused(number, Refusal::Failed, Traffic::default());
        }
        self.flows.insert(number, None, State::Datagrams(relay));
        self.flows.bind(flow, place);
        self.flows.make_ready(place);
    }
}
