//! What peers open: said to the embedder, held until it attaches a socket or refuses, then relayed.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;

use awg_netstack::{Datagram, FlowId as StackFlow, Kind, Peer, Rejection, Target};
use awg_tunnel::PeerId;
use socket2::SockRef;

use super::flows::{Place, State};
use super::peers::{in_stack, in_tunnel};
use super::usage::Way;
use super::{Far, Shard};
use crate::event::Event;
use crate::flow::FlowId;
use crate::refusal::Refusal;
use crate::relay::{Channel, DatagramRelay, Opener, StreamRelay, Undelivered, reset};

/// What the stack says of a flow that a peer opens.
#[derive(Clone, Debug)]
pub(super) struct Announcement {
    pub(super) flow: StackFlow,
    pub(super) peer: Peer,
    pub(super) source: SocketAddr,
    pub(super) destination: Target,
}

impl Shard {
    /// Tells the embedder of a new flow, or turns it away.
    pub(super) fn announce(&mut self, announcement: Announcement) {
        let Announcement {
            flow,
            peer,
            source,
            destination,
        } = announcement;
        let Some(key) = self.peers.key(in_tunnel(peer)) else {
            return self.turn_away(flow, Rejection::Refused);
        };
        if self.shared.draining.load(Ordering::Relaxed) {
            self.reporter.counters.flows_refused_draining += 1;
            return self.turn_away(flow, Rejection::Full);
        }
        let peers = self.peers.len() + self.crew.peers_elsewhere();
        let share = self.flow_bounds.of_one_peer(peers);
        if self.flows.opened_by(in_tunnel(peer)) >= share {
            self.reporter.counters.flows_refused_of_peer += 1;
            return self.turn_away(flow, Rejection::Full);
        }
        if let Err(excess) = self.admit_flow(in_tunnel(peer)) {
            self.reporter.counters.count(excess);
            return self.turn_away(flow, Rejection::Prohibited);
        }
        if !self.shared.events.admit() {
            self.reporter.counters.flows_refused_full += 1;
            return self.turn_away(flow, Rejection::Full);
        }
        let number = self.shared.next_flow(self.crew.number());
        let own = match destination {
            Target::Address(address) if self.own_addresses.contains(&address.ip()) => Some(address),
            _ => None,
        };
        let state = match flow.kind() {
            Kind::Tcp => State::Announced {
                flow,
                destination: destination.clone(),
            },
            Kind::Udp => {
                let channel = own.map_or(Channel::World, |own| Channel::Service { own });
                State::Datagrams(Box::new(DatagramRelay::new(flow, channel)))
            }
        };
        let place = self.flows.insert(number, Some(in_tunnel(peer)), state);
        self.flows.bind(flow, place);
        if flow.kind() == Kind::Tcp {
            self.flows
                .set_deadline(place, Some(self.now.instant + self.limits.dial));
        }
        self.shared.events.push(Event::FlowIncoming {
            flow: number,
            kind: flow.kind(),
            peer: key,
            source,
            destination,
            to_self: own.is_some(),
        });
    }

    fn turn_away(&mut self, flow: StackFlow, why: Rejection) {
        match flow.kind() {
            Kind::Tcp => self.stack.reject(self.now.instant, flow, why),
            Kind::Udp => {
                // The datagram that began it is answered when its turn comes.
                self.wire.turn_away(flow, why);
                self.stack.close_datagrams(flow);
            }
        }
    }

    /// The embedder gives a flow its outer side. Where the flow does not wait for one (any more) the socket is closed.
    pub(super) fn attach(&mut self, number: FlowId, socket: OwnedFd) {
        let Some(place) = self.flows.place_of(number) else {
            return;
        };
        let Some(entry) = self.flows.get_mut(place) else {
            return;
        };
        match &mut entry.state {
            State::Announced { flow, destination } => {
                let (flow, destination) = (*flow, destination.clone());
                let target = TcpStream::from(socket);
                let watched = target
                    .set_nonblocking(true)
                    .and_then(|()| self.watch(target.as_raw_fd(), place));
                if watched.is_err() {
                    return self.refuse(place, Refusal::Failed);
                }
                if let Some(entry) = self.flows.get_mut(place) {
                    entry.state = State::Connecting {
                        flow,
                        destination,
                        target,
                    };
                }
                self.check_target(place);
            }
            State::Datagrams(relay) if relay.descriptor().is_none() => {
                let peer = entry.opener;
                let policy = peer.and_then(|peer| self.peers.egress(peer));
                let attached = relay.attach(socket, policy.unwrap_or(&self.policy));
                let descriptor = relay.descriptor();
                let carried = relay.traffic().sent;
                if let Some(peer) = peer
                    && let Some(usage) = self.peers.usage_mut(peer)
                    && usage.note(Way::FromPeer, carried)
                {
                    self.spent.push(peer);
                }
                let (flow, watched) = (
                    relay.flow(),
                    attached.and_then(|undelivered| {
                        descriptor
                            .map_or(Ok(()), |descriptor| self.watch(descriptor, place))
                            .map(|()| undelivered)
                    }),
                );
                match watched {
                    Ok(undelivered) => {
                        self.flows.make_ready(place);
                        self.answer_undelivered(flow, peer, &undelivered);
                    }
                    Err(_) => self.refuse(place, Refusal::Failed),
                }
            }
            _ => {}
        }
    }

    /// Tells a peer of datagrams that cannot leave by the socket that they waited for.
    fn answer_undelivered(
        &mut self,
        flow: StackFlow,
        peer: Option<PeerId>,
        undelivered: &[Undelivered],
    ) {
        for datagram in undelivered {
            self.reporter.counters.datagrams_unsendable += 1;
            if let Some(peer) = peer.filter(|_| !flow.is_carried()) {
                let why = datagram.why.into();
                let datagram = Datagram {
                    flow,
                    source: datagram.source,
                    destination: datagram.destination,
                    payload: &datagram.payload,
                };
                let now = self.now.instant;
                self.stack
                    .refuse_datagram(now, in_stack(peer), &datagram, why);
            }
        }
    }

    /// Looks how far the connection to a flow's target has come.
    pub(super) fn check_target(&mut self, place: Place) {
        let Some(State::Connecting { target, .. }) =
            self.flows.get_mut(place).map(|entry| &entry.state)
        else {
            return;
        };
        // The way to ask that every system has: the pending error first, then whether there is somebody.
        match target.take_error() {
            Ok(None) => {}
            Ok(Some(error)) | Err(error) => return self.refuse(place, Refusal::from(&error)),
        }
        match SockRef::from(target).peer_addr() {
            Ok(_) => self.accept(place),
            Err(error) if error.kind() == ErrorKind::NotConnected => {}
            Err(error) => self.refuse(place, Refusal::from(&error)),
        }
    }

    fn accept(&mut self, place: Place) {
        let Some((flow, destination, target)) = self.flows.take_connecting(place) else {
            return;
        };
        if self.stack.accept(self.now.instant, flow).is_err() {
            // The peer gave up meanwhile, or there is no memory for the connection.
            self.unwatch(target.as_raw_fd());
            reset(target);
            return self.refuse(place, Refusal::Failed);
        }
        let relay = StreamRelay::new(flow, target, Opener::Tunnel, Vec::new(), Vec::new());
        self.begin_relay(place, relay, destination);
    }

    /// Refuses a flow that has no connected side, as truthfully as the protocol can.
    pub(super) fn refuse(&mut self, place: Place, refusal: Refusal) {
        let Some(entry) = self.flows.remove(place) else {
            return;
        };
        let traffic = entry.state.traffic();
        match entry.state {
            State::Announced { flow, .. } => self.refuse_in_stack(flow, refusal, Far::GiveUp),
            State::Connecting { flow, target, .. } => {
                self.unwatch(target.as_raw_fd());
                drop(target);
                self.refuse_in_stack(flow, refusal, Far::GiveUp);
            }
            State::Datagrams(relay) => {
                if let Some(descriptor) = relay.descriptor() {
                    self.unwatch(descriptor);
                }
                if let (Some(peer), Some((source, destination, payload))) =
                    (entry.opener, relay.held_in_vain())
                    && !relay.flow().is_carried()
                {
                    let datagram = Datagram {
                        flow: relay.flow(),
                        source,
                        destination,
                        payload,
                    };
                    let now = self.now.instant;
                    self.stack
                        .refuse_datagram(now, in_stack(peer), &datagram, refusal.into());
                }
                self.give_up(relay.flow(), Far::GiveUp);
            }
            State::Dialling(_)
            | State::Connection(_)
            | State::Association(_)
            | State::Leaving { .. } => {
                debug_assert!(false, "only what waits for its outer side is refused");
            }
        }
        self.say_refused(entry.number, refusal, traffic);
    }

    /// Refuses a flow that the stack holds, unless it is gone from there.
    pub(super) fn refuse_in_stack(&mut self, flow: StackFlow, refusal: Refusal, far: Far) {
        self.flows.unbind(flow);
        if far == Far::Gone {
            return;
        }
        self.stack.reject(self.now.instant, flow, refusal.into());
    }

    /// A flow has waited for its outer side for as long as it may.
    pub(super) fn expire_incoming(&mut self, place: Place) {
        self.refuse(place, Refusal::TimedOut);
    }
}
