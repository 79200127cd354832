//! SOCKS5 UDP associations: their beginning, turns and end. What becomes of a datagram is the association's own business.

use std::net::{IpAddr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use mio::{Interest, Token};

use super::flows::{Place, State};
use super::peers::in_stack;
use super::{CONTROLS, DATAGRAMS_PER_RELAY, Far, Shard};
use crate::event::Event;
use crate::flow::{FlowId, Outcome, Traffic};
use crate::refusal::Refusal;
use crate::relay::{Association, Client, Pumped, Ways};

impl Shard {
    pub(super) fn open_association(
        &mut self,
        number: FlowId,
        control: OwnedFd,
        datagrams: OwnedFd,
        client: Client,
    ) {
        if !self.shared.admit_association(self.flow_bounds.associations) {
            self.reporter.associations.refused_full += 1;
            return self.say_refused(number, Refusal::Failed, Traffic::default());
        }
        let (control, datagrams) = (TcpStream::from(control), UdpSocket::from(datagrams));
        let place = self.flows.next_place();
        let (connection, socket) = (control.as_raw_fd(), datagrams.as_raw_fd());
        let watched = control
            .set_nonblocking(true)
            .and_then(|()| datagrams.set_nonblocking(true))
            .and_then(|()| {
                let token = Token(CONTROLS + place);
                self.watch_for(connection, token, Interest::READABLE)
            })
            .and_then(|()| self.watch_for(socket, Token(place), Interest::READABLE));
        if watched.is_err() {
            self.unwatch(connection);
            self.shared.release_association();
            return self.say_refused(number, Refusal::Failed, Traffic::default());
        }
        let idle = self.limits.association_idle;
        let association = Association::new(self.now.instant, control, datagrams, client, idle);
        let state = State::Association(Box::new(association));
        self.flows.insert(number, None, state);
        self.schedule_association(place);
        self.flows.make_ready(place);
    }

    fn association_mut(&mut self, place: Place) -> Option<&mut Association> {
        match &mut self.flows.get_mut(place)?.state {
            State::Association(association) => Some(association),
            _ => None,
        }
    }

    fn schedule_association(&mut self, place: Place) {
        let Some(at) = self
            .association_mut(place)
            .map(|association| association.next_timeout())
        else {
            return;
        };
        self.flows.set_deadline(place, Some(at));
    }

    /// The connection of the association at `place` has something to read.
    pub(super) fn handle_control_readiness(&mut self, place: Place) {
        if let Some(association) = self.association_mut(place) {
            association.handle_control();
            self.flows.make_ready(place);
        }
    }

    /// Gives the association at `place` its turn.
    pub(super) fn run_association(&mut self, place: Place) -> Pumped {
        let mut buffer = std::mem::take(&mut self.datagram);
        let pumped = self.with_ways(place, |association, ways| {
            association.pump(ways, &mut buffer, DATAGRAMS_PER_RELAY)
        });
        self.datagram = buffer;
        pumped.unwrap_or(Pumped::Waiting)
    }

    /// The embedder has looked a name up.
    pub(super) fn name_found(&mut self, number: FlowId, name: &str, addresses: &[IpAddr]) {
        let Some(place) = self.flows.place_of(number) else {
            return;
        };
        let reachable = addresses.iter().map(IpAddr::to_canonical).find(|address| {
            let mut own = self.own_addresses.iter();
            own.any(|own| own.is_ipv4() == address.is_ipv4())
                && self.tunnel.route(*address).is_some()
        });
        self.with_ways(place, |association, ways| {
            association.handle_name(ways, name, reachable);
        });
    }

    /// Lets the association at `place` send, and sees to what it then wants.
    fn with_ways<T>(
        &mut self,
        place: Place,
        act: impl FnOnce(&mut Association, &mut Ways<'_>) -> T,
    ) -> Option<T> {
        let entry = self.flows.get_mut(place)?;
        let State::Association(association) = &mut entry.state else {
            return None;
        };
        let tunnel = &self.tunnel;
        let mut ways = Ways {
            now: self.now.instant,
            stack: &mut self.stack,
            policy: &self.policy,
            route: &|address| tunnel.route(address).map(in_stack),
            carrier: self.carriers.mode,
            counters: &mut self.reporter.associations,
        };
        let done = act(association, &mut ways);
        let (flow, wanted) = (entry.number, association.take_wanted());
        for lane in association.take_opened() {
            self.flows.bind(lane, place);
        }
        if !wanted.is_empty() {
            self.schedule_association(place);
        }
        for name in wanted {
            let name = name.into_string();
            self.shared.events.push(Event::NameWanted { flow, name });
        }
        Some(done)
    }

    /// Something of the association at `place` is due.
    pub(super) fn expire_association(&mut self, place: Place) {
        let now = self.now.instant;
        let entry = self.flows.get_mut(place).map(|entry| &mut entry.state);
        let Some(State::Association(association)) = entry else {
            return;
        };
        if association.handle_timeout(now, &mut self.reporter.associations) {
            self.end(place, Outcome::Expired, "idle");
        } else {
            self.schedule_association(place);
        }
    }

    /// Gives up what an association that is no longer in the table has open.
    pub(super) fn end_association(&mut self, association: &Association) {
        self.shared.release_association();
        for lane in association.lanes() {
            self.give_up(lane, Far::GiveUp);
        }
        for descriptor in association.descriptors() {
            self.unwatch(descriptor);
        }
    }
}
