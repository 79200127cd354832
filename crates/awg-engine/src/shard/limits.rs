//! What follows from the limits of peers: turns of a length that they allow, connections that wait and are woken, and the end
//! of what a spent quota has left.

use awg_tunnel::PeerId;

use super::flows::{Place, State};
use super::usage::{Excess, Way};
use super::{BYTES_PER_RELAY, DATAGRAMS_PER_RELAY, Shard};
use crate::event::Event;
use crate::flow::Outcome;
use crate::relay::{Budget, Pumped, Turn};

impl Shard {
    /// Whether a peer may open one more flow.
    pub(super) fn admit_flow(&mut self, peer: PeerId) -> Result<(), Excess> {
        let (now, flows) = (self.now.instant, self.flows.opened_by(peer));
        self.peers
            .usage_mut(peer)
            .map_or(Ok(()), |usage| usage.admit_flow(now, flows))
    }

    /// Gives the connection at `place` its turn: as much as any has, or as its peer's limits leave.
    pub(super) fn run_connection(&mut self, place: Place) -> Pumped {
        let now = self.now.instant;
        let Some(entry) = self.flows.get_mut(place) else {
            return Pumped::Waiting;
        };
        let State::Connection(relay) = &mut entry.state else {
            return Pumped::Waiting;
        };
        let opener = entry.opener;
        let Some((peer, usage)) = opener.and_then(|peer| Some((peer, self.peers.usage_mut(peer)?)))
        else {
            return relay.pump(&mut self.stack, Budget::both(BYTES_PER_RELAY));
        };
        let budget = Budget {
            to_socket: usage.allowance(now, Way::FromPeer, &mut entry.turn, BYTES_PER_RELAY),
            from_socket: usage.allowance(now, Way::ToPeer, &mut entry.turn, BYTES_PER_RELAY),
        };
        let before = relay.traffic();
        let pumped = relay.pump(&mut self.stack, budget);
        let after = relay.traffic();
        let last_sent = usage.note(Way::FromPeer, after.sent - before.sent);
        let last_received = usage.note(Way::ToPeer, after.received - before.received);
        if last_sent || last_received {
            self.spent.push(peer);
        }
        if pumped != Pumped::Unfinished {
            return pumped;
        }
        let unfinished = relay.unfinished();
        let ways = [
            (Way::FromPeer, unfinished.to_socket, budget.to_socket),
            (Way::ToPeer, unfinished.from_socket, budget.from_socket),
        ];
        let mut again = false;
        let mut parked = false;
        for (way, unfinished, budget) in ways {
            if unfinished {
                let waits = budget < BYTES_PER_RELAY && usage.park(way, place, &mut entry.turn);
                parked |= waits;
                again |= !waits;
            }
        }
        if parked {
            self.peers.throttle(peer);
        }
        if again {
            Pumped::Unfinished
        } else {
            Pumped::Waiting
        }
    }

    /// Gives the flow of datagrams at `place` its turn.
    pub(super) fn run_datagrams(&mut self, place: Place) -> Pumped {
        let now = self.now.instant;
        let Some(entry) = self.flows.get_mut(place) else {
            return Pumped::Waiting;
        };
        let State::Datagrams(relay) = &mut entry.state else {
            return Pumped::Waiting;
        };
        let mut usage = entry.opener.and_then(|peer| self.peers.usage_mut(peer));
        let (mut over_limit, mut last) = (0, false);
        let pumped = relay.pump(Turn {
            now,
            stack: &mut self.stack,
            buffer: &mut self.datagram,
            budget: DATAGRAMS_PER_RELAY,
            admit: &mut |bytes| {
                let Some(usage) = &mut usage else {
                    return true;
                };
                let admitted = usage.admit_datagram(now, Way::ToPeer, bytes);
                if admitted {
                    last |= usage.note(Way::ToPeer, bytes as u64);
                } else {
                    over_limit += 1;
                }
                admitted
            },
            unsolicited: &mut self.reporter.counters.datagrams_unsolicited,
        });
        self.reporter.counters.datagrams_over_limit += over_limit;
        if last && let Some(peer) = entry.opener {
            self.spent.push(peer);
        }
        pumped
    }

    /// Wakes connections for which there is bandwidth again.
    pub(super) fn wake_throttled(&mut self) {
        let now = self.now.instant;
        if self.peers.next_timeout().is_none_or(|at| at > now) {
            return;
        }
        for peer in self.peers.throttled() {
            for way in Way::BOTH {
                let Some(usage) = self.peers.usage_mut(peer) else {
                    continue;
                };
                let (woken, given) = usage.wake(now, way);
                for place in woken {
                    if let Some(entry) = self.flows.get_mut(place) {
                        entry.turn.wake(way, given);
                        self.flows.make_ready(place);
                    }
                }
            }
        }
    }

    /// Ends the flows of peers that have spent their quota in this turn.
    pub(super) fn end_all_spent(&mut self) {
        while let Some(peer) = self.spent.pop() {
            self.end_spent(peer);
        }
    }

    /// A peer has spent its quota.
    pub(super) fn end_spent(&mut self, peer: PeerId) {
        let Some(key) = self.peers.key(peer) else {
            return;
        };
        self.shared.events.push(Event::QuotaSpent { peer: key });
        for place in self.flows.of_peer(peer) {
            self.end(place, Outcome::Quota, "the peer has spent its quota");
        }
    }
}
