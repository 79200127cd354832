//! Where datagrams leave the tunnel: each to the socket of its flow, if its peer's limits and the policy let it.

use std::net::SocketAddr;
use std::time::Instant;

use awg_netstack::{Datagram, FlowId as StackFlow};
use awg_tunnel::PeerId;

use super::flows::{Flows, State};
use super::peers::Peers;
use super::report::Reporter;
use super::usage::Way;
use crate::policy::EgressPolicy;
use crate::refusal::Refusal;
use crate::relay::Delivery;

/// What a datagram has to pass.
pub(super) struct Exit<'a> {
    pub(super) now: Instant,
    pub(super) flows: &'a mut Flows,
    pub(super) policy: &'a EgressPolicy,
    pub(super) peers: &'a mut Peers,
    pub(super) reporter: &'a mut Reporter,
    /// Takes peers whose quota the datagram was the last of.
    pub(super) spent: &'a mut Vec<PeerId>,
}

/// A datagram that has to wait, or that somebody is to be told of.
#[derive(Debug)]
pub(super) struct Kept {
    /// Who is to be told that it went nowhere; nobody of one that a carrier brought.
    pub(super) peer: Option<PeerId>,
    pub(super) flow: StackFlow,
    source: SocketAddr,
    destination: SocketAddr,
    payload: Box<[u8]>,
}

impl Kept {
    pub(super) fn new(peer: Option<PeerId>, datagram: &Datagram<'_>) -> Self {
        Self {
            peer,
            flow: datagram.flow,
            source: datagram.source,
            destination: datagram.destination,
            payload: datagram.payload.into(),
        }
    }

    pub(super) fn datagram(&self) -> Datagram<'_> {
        Datagram {
            flow: self.flow,
            source: self.source,
            destination: self.destination,
            payload: &self.payload,
        }
    }
}

impl Exit<'_> {
    /// Whether a flow of the stack's was heard of.
    pub(super) fn knows(&self, flow: StackFlow) -> bool {
        self.flows.place_of_stack(flow).is_some()
    }

    /// Passes a datagram on to its flow's socket; gives why not, where whoever sent it is to be told.
    pub(super) fn deliver(&mut self, datagram: &Datagram<'_>) -> Option<Refusal> {
        let Datagram {
            source,
            destination,
            payload,
            ..
        } = *datagram;
        let counters = &mut self.reporter.counters;
        let place = self.flows.place_of_stack(datagram.flow);
        let entry = place.and_then(|place| self.flows.get_mut(place));
        let (Some(place), Some(entry)) = (place, entry) else {
            counters.datagrams_without_flow += 1;
            return None;
        };
        let relay = match &mut entry.state {
            State::Datagrams(relay) => relay,
            State::Association(association) => {
                let counters = &mut self.reporter.associations;
                association.deliver(self.now, source, payload, counters);
                return None;
            }
            _ => {
                counters.datagrams_without_flow += 1;
                return None;
            }
        };
        let opener = entry.opener;
        let usage = opener.and_then(|peer| self.peers.usage_mut(peer));
        if let Some(usage) = usage
            && !usage.admit_datagram(self.now, Way::FromPeer, payload.len())
        {
            counters.datagrams_over_limit += 1;
            return usage.is_spent().then_some(Refusal::Prohibited);
        }
        let policy = opener.and_then(|peer| self.peers.egress(peer));
        let policy = policy.unwrap_or(self.policy);
        match relay.deliver(source, destination, payload, policy) {
            delivery @ (Delivery::Done | Delivery::Held) => {
                counters.datagrams_delivered += 1;
                if delivery == Delivery::Done
                    && let Some(peer) = opener
                    && let Some(usage) = self.peers.usage_mut(peer)
                    && usage.note(Way::FromPeer, payload.len() as u64)
                {
                    self.spent.push(peer);
                }
            }
            Delivery::Forbidden => {
                counters.datagrams_forbidden += 1;
                return Some(Refusal::Prohibited);
            }
            Delivery::Unreachable(refusal) => {
                counters.datagrams_unsendable += 1;
                return Some(refusal);
            }
            Delivery::Foreign => counters.datagrams_foreign += 1,
            Delivery::Overflow => counters.datagrams_overflow += 1,
            Delivery::Unsendable => counters.datagrams_unsendable += 1,
            Delivery::Gone => {
                counters.datagrams_unsendable += 1;
                // Its next turn ends it.
                self.flows.make_ready(place);
            }
        }
        None
    }
}
