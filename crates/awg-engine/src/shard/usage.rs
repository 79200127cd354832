//! What one peer uses of what its limits allow: flows, bytes each way, its quota; and which of its connections wait for
//! tokens. Time is an argument; the flows themselves are the shard's.
//!
//! Each way has a bucket of its own, of the same rate. A connection that finds it empty is parked; once there is a worthwhile
//! amount again, those parked for longest share it, and whoever wants more waits behind the others: so each gets as much as
//! the next one, however eager it is, and nothing is looked at between. Datagrams cannot wait: they take tokens in advance, up to
//! another burst, before connections get any again, and are dropped beyond.

use std::collections::BTreeMap;
use std::time::Instant;

use super::flows::Place;
use crate::terms::PeerLimits;
use crate::token_bucket::TokenBucket;

/// Seconds of a rate that may come at once.
const BURST_SECONDS: f64 = 0.25;
/// A burst at least, in bytes: a few datagrams of any size.
const LEAST_BURST: f64 = 64.0 * 1024.0;
/// How often in a second it is worth waking connections, and what is worth it in bytes at least and at most.
const WORTH_PER_SECOND: u64 = 100;
const LEAST_WORTH: u64 = 1500;
const MOST_WORTH: u64 = 64 * 1024;
/// Seconds of new flows that may come at once.
const NEW_FLOWS_SECONDS: f64 = 2.0;

/// A direction, seen from the tunnel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// What the peer sends, towards targets.
    FromPeer,
    /// What comes back for it.
    ToPeer,
}

impl Way {
    pub(super) const BOTH: [Self; 2] = [Self::FromPeer, Self::ToPeer];
}

/// Why a flow of a peer is turned away by the limits of that peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Excess {
    /// It has as many as it may.
    Flows,
    /// They come too fast.
    NewFlows,
    /// Its quota is spent.
    Quota,
}

/// What was turned away of one peer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct TurnedAway {
    pub(super) flows: u64,
    pub(super) new_flows: u64,
    pub(super) quota: u64,
    /// Datagrams.
    pub(super) bandwidth: u64,
}

impl TurnedAway {
    pub(super) fn named(&self) -> [(&'static str, u64); 4] {
        [
            ("flows", self.flows),
            ("new-flows", self.new_flows),
            ("quota", self.quota),
            ("bandwidth", self.bandwidth),
        ]
    }
}

/// A bucket, and the connections that wait for it to fill, in their order.
#[derive(Debug)]
struct Lane {
    bucket: TokenBucket,
    /// Tokens that are worth waking somebody for.
    worth: u64,
    parked: BTreeMap<u64, Place>,
}

/// Where a connection waits, and what it was given when it was woken, each way.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Turn {
    ticket: [Option<u64>; 2],
    given: [Option<u64>; 2],
}

/// See the module.
#[derive(Debug)]
pub(super) struct Usage {
    limits: PeerLimits,
    new_flows: Option<TokenBucket>,
    /// Boxed: most peers have no limit of bandwidth.
    lanes: Option<Box<[Lane; 2]>>,
    next_ticket: u64,
    /// What is left of the quota.
    left: Option<u64>,
    relayed: u64,
    turned_away: TurnedAway,
}

impl Usage {
    pub(super) fn new(now: Instant, limits: PeerLimits) -> Self {
        let mut usage = Self {
            limits: PeerLimits::default(),
            new_flows: None,
            lanes: None,
            next_ticket: 0,
            left: None,
            relayed: 0,
            turned_away: TurnedAway::default(),
        };
        usage.change(now, limits);
        usage
    }

    /// Other limits hold from now on; the quota begins anew. Gives those that need no longer wait.
    pub(super) fn change(&mut self, now: Instant, limits: PeerLimits) -> Vec<Place> {
        self.left = limits.quota_bytes;
        self.new_flows = limits.new_flows_per_second.map(|rate| {
            let burst = (rate * NEW_FLOWS_SECONDS).max(1.0);
            changed(self.new_flows, now, rate, burst)
        });
        let former = self.lanes.take();
        let mut released = Vec::new();
        if let Some(rate) = limits.bytes_per_second {
            let worth = (rate / WORTH_PER_SECOND).clamp(LEAST_WORTH, MOST_WORTH);
            let rate = rate.max(1) as f64;
            let burst = (rate * BURST_SECONDS).max(LEAST_BURST);
            self.lanes = Some(Box::new(match former {
                Some(lanes) => lanes.map(|lane| Lane {
                    bucket: changed(Some(lane.bucket), now, rate, burst),
                    worth,
                    ..lane
                }),
                None => [(); 2].map(|()| Lane {
                    bucket: TokenBucket::new(now, rate, burst),
                    worth,
                    parked: BTreeMap::new(),
                }),
            }));
        } else if let Some(lanes) = former {
            for lane in *lanes {
                released.extend(lane.parked.into_values());
            }
        }
        self.limits = limits;
        released
    }

    /// Whether a flow may begin beside the `flows` that there are.
    pub(super) fn admit_flow(&mut self, now: Instant, flows: usize) -> Result<(), Excess> {
        if self.is_spent() {
            self.turned_away.quota += 1;
            return Err(Excess::Quota);
        }
        if self.limits.flows.is_some_and(|most| flows >= most) {
            self.turned_away.flows += 1;
            return Err(Excess::Flows);
        }
        if let Some(bucket) = &mut self.new_flows
            && !bucket.take(now, 1)
        {
            self.turned_away.new_flows += 1;
            return Err(Excess::NewFlows);
        }
        Ok(())
    }

    /// Whether a datagram may pass; if not it is counted.
    pub(super) fn admit_datagram(&mut self, now: Instant, way: Way, bytes: usize) -> bool {
        if self.is_spent() {
            self.turned_away.quota += 1;
            return false;
        }
        let admitted = match &mut self.lanes {
            Some(lanes) => lanes[way as usize].bucket.lends(now, bytes as u64),
            None => true,
        };
        self.turned_away.bandwidth += u64::from(!admitted);
        admitted
    }

    /// How many bytes a connection may carry in this turn, `most` at most.
    pub(super) fn allowance(
        &mut self,
        now: Instant,
        way: Way,
        turn: &mut Turn,
        most: usize,
    ) -> usize {
        let most = self.left.map_or(most as u64, |left| left.min(most as u64));
        let Some(lanes) = &mut self.lanes else {
            return most as usize;
        };
        let lane = &mut lanes[way as usize];
        let available = lane.bucket.available(now).min(most);
        let allowed = match turn.given[way as usize].take() {
            Some(given) => available.min(given),
            // Whoever waits comes first.
            None if !lane.parked.is_empty() => 0,
            None => available,
        };
        allowed as usize
    }

    /// So many bytes were carried. Whether that was the last of the quota.
    pub(super) fn note(&mut self, way: Way, bytes: u64) -> bool {
        self.relayed += bytes;
        if let Some(lanes) = &mut self.lanes {
            lanes[way as usize].bucket.spend(bytes);
        }
        let Some(left) = &mut self.left else {
            return false;
        };
        let before = *left;
        *left = left.saturating_sub(bytes);
        before > 0 && *left == 0
    }

    /// Has the connection at `place` wait until there are tokens for it. Without a limit of bandwidth nothing waits.
    pub(super) fn park(&mut self, way: Way, place: Place, turn: &mut Turn) -> bool {
        let Some(lanes) = &mut self.lanes else {
            return false;
        };
        let ticket = &mut turn.ticket[way as usize];
        if ticket.is_none() {
            *ticket = Some(self.next_ticket);
            lanes[way as usize].parked.insert(self.next_ticket, place);
            self.next_ticket += 1;
        }
        true
    }

    /// The connection that has this turn is gone.
    pub(super) fn leave(&mut self, turn: Turn) {
        for (lane, ticket) in self
            .lanes
            .iter_mut()
            .flat_map(|lanes| lanes.iter_mut())
            .zip(turn.ticket)
        {
            if let Some(ticket) = ticket {
                lane.parked.remove(&ticket);
            }
        }
    }

    /// When connections that wait may go on.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let lanes = self.lanes.iter().flat_map(|lanes| lanes.iter());
        lanes
            .filter(|lane| !lane.parked.is_empty())
            .map(|lane| lane.bucket.ready_at(lane.worth))
            .min()
    }

    /// Those that may go on in one way, with what each is given; the longest parked first.
    pub(super) fn wake(&mut self, now: Instant, way: Way) -> (Vec<Place>, u64) {
        let Some(lanes) = &mut self.lanes else {
            return (Vec::new(), 0);
        };
        let lane = &mut lanes[way as usize];
        let available = lane.bucket.available(now);
        if lane.parked.is_empty() || lane.bucket.ready_at(lane.worth) > now {
            return (Vec::new(), 0);
        }
        let most = (available / LEAST_WORTH).max(1);
        let count = (lane.parked.len() as u64).min(most);
        let woken = (0..count)
            .map_while(|_| lane.parked.pop_first())
            .map(|(_, place)| place)
            .collect();
        (woken, available / count)
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == Some(0)
    }

    /// Bytes carried since the peer is known, both ways.
    pub(super) fn relayed(&self) -> u64 {
        self.relayed
    }

    pub(super) fn turned_away(&self) -> TurnedAway {
        self.turned_away
    }
}

impl Turn {
    /// It was woken, and given so much.
    pub(super) fn wake(&mut self, way: Way, given: u64) {
        self.ticket[way as usize] = None;
        self.given[way as usize] = Some(given);
    }

    /// Nothing is waited for any more.
    pub(super) fn release(&mut self) {
        *self = Self::default();
    }
}

fn changed(former: Option<TokenBucket>, now: Instant, rate: f64, burst: f64) -> TokenBucket {
    let Some(mut bucket) = former else {
        return TokenBucket::new(now, rate, burst);
    };
    bucket.change(now, rate, burst);
    bucket
}

#[cfg(test)]
mod tests;
