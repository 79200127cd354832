//! What the network stack says of flows.

use awg_netstack::{Closure, Event, FlowId as StackFlow, Kind, Target};

use super::Shard;
use super::flows::State;
use super::incoming::Announcement;
use super::peers::in_tunnel;
use crate::flow::Outcome;
use crate::refusal::Refusal;

impl Shard {
    /// Hears what the stack has to say; whether that was anything.
    pub(super) fn handle_stack_events(&mut self) -> bool {
        let mut heard = false;
        while let Some(event) = self.stack.poll_event() {
            heard = true;
            match event {
                Event::Incoming {
                    flow,
                    peer,
                    source,
                    destination,
                    ..
                } => self.announce(Announcement {
                    flow,
                    peer,
                    source,
                    destination: Target::Address(destination),
                }),
                Event::Requested {
                    flow,
                    peer,
                    source,
                    target,
                } => self.announce(Announcement {
                    flow,
                    peer,
                    source,
                    destination: target,
                }),
                Event::CarrierUp { peer } => self.carrier_up(in_tunnel(peer)),
                Event::CarrierDown { peer, why } => self.carrier_down(in_tunnel(peer), why),
                Event::CarrierFull { peer, held } => self.carrier_full(in_tunnel(peer), held),
                Event::CarrierRoom { peer } => self.carrier_has_room(in_tunnel(peer)),
                Event::Unread { peer, flows, bytes } => {
                    self.unread_ended(in_tunnel(peer), flows, bytes);
                }
                Event::Established { flow } => self.established(flow),
                Event::Refused { flow, why } => self.refused(flow, why.into()),
                Event::Readable { flow } | Event::Writable { flow } => {
                    if let Some(place) = self.flows.place_of_stack(flow) {
                        self.flows.make_ready(place);
                    }
                }
                Event::Finished { flow } => self.finished(flow),
                Event::Closed { flow, how } => self.closed(flow, how),
            }
        }
        heard
    }

    fn established(&mut self, flow: StackFlow) {
        let Some(place) = self.flows.place_of_stack(flow) else {
            return;
        };
        match self.flows.get_mut(place).map(|entry| &entry.state) {
            Some(State::Dialling(_)) => self.attempt_established(place, flow),
            _ => self.flows.make_ready(place),
        }
    }

    pub(super) fn refused(&mut self, flow: StackFlow, refusal: Refusal) {
        let Some(place) = self.flows.place_of_stack(flow) else {
            return;
        };
        match self.flows.get_mut(place).map(|entry| &entry.state) {
            Some(State::Dialling(_)) => self.attempt_refused(place, flow, refusal),
            // An application's datagrams meet nobody: it learns that at once, not by waiting in vain.
            Some(State::Datagrams(relay)) if relay.serves_application() => {
                if relay.traffic().received == 0 {
                    self.refuse(place, refusal);
                } else {
                    self.end(place, Outcome::Reset, "the far end is no longer there");
                }
            }
            // A peer's datagrams go to many: one that met nobody says nothing of the others.
            _ => {}
        }
    }

    fn finished(&mut self, flow: StackFlow) {
        let Some(place) = self.flows.place_of_stack(flow) else {
            return;
        };
        if let Some(State::Connection(relay)) =
            self.flows.get_mut(place).map(|entry| &mut entry.state)
        {
            relay.handle_far_end();
            self.flows.make_ready(place);
        }
    }

    fn closed(&mut self, flow: StackFlow, how: Closure) {
        let Some(place) = self.flows.place_of_stack(flow) else {
            return;
        };
        if let Some(State::Dialling(_)) = self.flows.get_mut(place).map(|entry| &entry.state) {
            // An attempt that ended without being refused first.
            return self.attempt_ended(place, flow, how);
        }
        if let Some(State::Association(association)) =
            self.flows.get_mut(place).map(|entry| &mut entry.state)
        {
            association.forget_lane(flow);
            return self.flows.unbind(flow);
        }
        let (outcome, reason) = match (how, flow.kind()) {
            (Closure::Orderly, _) => (Outcome::Orderly, "done"),
            (Closure::Reset | Closure::Aborted | Closure::Refused, _) => {
                (Outcome::Reset, "the far end reset the connection")
            }
            (Closure::TimedOut, _) => (Outcome::TimedOut, "the far end fell silent"),
            (Closure::Expired, Kind::Udp) => (Outcome::Expired, "idle"),
            (Closure::Expired, Kind::Tcp) => (Outcome::Expired, "nothing happened for too long"),
            (Closure::PeerGone, _) => (Outcome::PeerGone, "the peer is gone"),
        };
        self.end_by_stack(place, outcome, reason);
    }
}
