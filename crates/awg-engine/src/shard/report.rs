//! What is told of the loop: its own counters, snapshots of all layers, names of sessions, and records of protocol errors,
//! a bounded number of them.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use awg_tunnel::{PeerId, PeerStatus};
use rand::RngExt;
use rand::rngs::StdRng;

use super::usage::{Excess, Usage};
use super::{Shard, stack_counters};
use crate::event::{Event, Level, LogRecord};
use crate::relay::AssociationCounters;
use crate::snapshot::{PeerSnapshot, Snapshot};
use crate::transport::TransportCounters;

/// The least time between two looks for what was dropped.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The least time between two rounds of warnings: what causes them is in the hands of peers.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What the shard itself counts.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub(super) struct Counters {
            $($(#[$doc])* pub(super) $name: u64,)*
        }

        impl Counters {
            fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }
        }
    };
}

counters! {
    /// Connections that ended since their descriptor failed.
    relays_failed,
    /// Flows of peers refused since the engine drains.
    flows_refused_draining,
    /// Flows of peers refused since there were as many as there may be.
    flows_refused_full,
    /// Flows of a peer refused since it had its share.
    flows_refused_of_peer,
    /// Flows of a peer refused since it had as many as its own limit allows.
    flows_refused_limit,
    /// Flows of a peer refused since they came faster than its own limit allows.
    flows_refused_rate,
    /// Flows of a peer refused since its quota was spent.
    flows_refused_quota,
    /// Refused applications not waited for, since too many were.
    applications_hurried,
    /// Datagrams out of the tunnel that reached their socket, or are held for it.
    datagrams_delivered,
    /// Datagrams that the policy forbids.
    datagrams_forbidden,
    /// Datagrams from elsewhere than the application talks to.
    datagrams_foreign,
    /// Datagrams to a peer from addresses that it has not sent to.
    datagrams_unsolicited,
    /// Datagrams dropped since they exceeded a peer's bandwidth, or its quota.
    datagrams_over_limit,
    /// Datagrams dropped since a socket or what is held for it was full.
    datagrams_overflow,
    /// Datagrams that the system refused to send on.
    datagrams_unsendable,
    /// Datagrams of flows that had just ended.
    datagrams_without_flow,
    /// Calls to receive that the system failed.
    receive_failed,
    /// Handshakes begun since a peer that should have answered did not.
    handshakes_for_silence,
    /// Streams that stopped coming in, so that it was asked whether somebody is there.
    streams_asked_about,
}

impl Counters {
    /// A flow was refused by the limits of its peer.
    pub(super) fn count(&mut self, excess: Excess) {
        match excess {
            Excess::Flows => self.flows_refused_limit += 1,
            Excess::NewFlows => self.flows_refused_rate += 1,
            Excess::Quota => self.flows_refused_quota += 1,
        }
    }
}

/// Keeps the shard's counters, and tells of what was dropped or failed.
#[derive(Debug)]
pub(super) struct Reporter {
    pub(super) counters: Counters,
    pub(super) associations: AssociationCounters,
    rng: StdRng,
    /// When to look for drops again, and how many there were at the last look.
    next_look: Instant,
    seen_drops: u64,
    /// When to warn again, and how much there was to warn of the last time.
    next_warning: Instant,
    seen_warnings: u64,
    /// What each count was when it was told.
    told: HashMap<&'static str, u64>,
    failure: Option<io::Error>,
}

impl Reporter {
    pub(super) fn new(rng: StdRng, now: Instant) -> Self {
        Self {
            counters: Counters::default(),
            associations: AssociationCounters::default(),
            rng,
            next_look: now,
            seen_drops: 0,
            next_warning: now,
            seen_warnings: 0,
            told: HashMap::new(),
            failure: None,
        }
    }

    /// A name for a session: random, so that it tells nothing.
    pub(super) fn name_session(&mut self) -> String {
        format!("{:08x}", self.rng.random::<u32>())
    }

    pub(super) fn transport_failed(&mut self, error: io::Error) {
        self.counters.receive_failed += 1;
        self.failure = Some(error);
    }

    /// What rises with everything dropped that is worth a record.
    fn drops(&self, tunnel: &awg_tunnel::Counters) -> u64 {
        tunnel.datagrams_dropped() + self.counters.datagrams_forbidden
    }

    /// What rises with everything that is worth a warning.
    fn warnings(&self) -> u64 {
        let counters = &self.counters;
        counters.receive_failed + counters.flows_refused_full + counters.flows_refused_of_peer
    }

    /// When there will be records; `None` = nothing happened since the last ones.
    pub(super) fn next_timeout(&self, tunnel: &awg_tunnel::Counters) -> Option<Instant> {
        let look = (self.drops(tunnel) != self.seen_drops).then_some(self.next_look);
        let warning = (self.warnings() != self.seen_warnings).then_some(self.next_warning);
        look.into_iter().chain(warning).min()
    }

    /// What is to be told by now: drops once a second at most, warnings once a minute.
    fn records(&mut self, now: Instant, tunnel: &awg_tunnel::Counters) -> Vec<LogRecord> {
        let mut records = Vec::new();
        let (drops, warnings) = (self.drops(tunnel), self.warnings());
        if warnings != self.seen_warnings && self.next_warning <= now {
            self.seen_warnings = warnings;
            self.next_warning = now + WARNING_INTERVAL;
            if let Some(error) = self.failure.take() {
                records.push(LogRecord {
                    level: Level::Warning,
                    message: "receiving failed",
                    fields: vec![("error", error.to_string())],
                });
            }
            let refused = [
                ("too-many-flows", self.counters.flows_refused_full),
                (
                    "too-many-flows-of-one-peer",
                    self.counters.flows_refused_of_peer,
                ),
            ];
            self.tell(Level::Warning, "flows were refused", refused, &mut records);
        }
        if drops != self.seen_drops && self.next_look <= now {
            self.seen_drops = drops;
            self.next_look = now + LOOK_INTERVAL;
            let forbidden = ("forbidden_by_policy", self.counters.datagrams_forbidden);
            let dropped = tunnel
                .iter()
                .filter_map(|(name, count)| Some((name.strip_prefix("dropped_")?, count)))
                .chain([forbidden]);
            self.tell(
                Level::Debug,
                "datagrams were dropped",
                dropped,
                &mut records,
            );
        }
        records
    }

    /// A record for each of `counts`, by reason, that has risen since it was told.
    fn tell(
        &mut self,
        level: Level,
        message: &'static str,
        counts: impl IntoIterator<Item = (&'static str, u64)>,
        records: &mut Vec<LogRecord>,
    ) {
        for (reason, count) in counts {
            let told = self.told.insert(reason, count).unwrap_or(0);
            if count > told {
                records.push(LogRecord {
                    level,
                    message,
                    fields: vec![
                        ("reason", reason.replace('_', "-")),
                        ("count", (count - told).to_string()),
                    ],
                });
            }
        }
    }
}

impl Shard {
    /// Tells what was dropped or failed, and why, since the last time.
    pub(super) fn report(&mut self) {
        let now = self.now.instant;
        for record in self.reporter.records(now, self.tunnel.counters()) {
            self.shared.events.push(Event::Log(record));
        }
    }

    /// All layers' counters and the peers.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut counters: Vec<(String, u64)> = Vec::new();
        let mut add =
            |layer: &str, name: &str, value: u64| counters.push((format!("{layer}_{name}"), value));
        for (name, value) in self.tunnel.counters().iter() {
            add("tunnel", name, value);
        }
        let stack = self.stack.counters();
        for (name, value) in stack_counters::named(&stack) {
            add("stack", name, value);
        }
        for (name, value) in stack_counters::of_carriers(&stack.carrier) {
            add("carrier", name, value);
        }
        for (name, value) in self.reporter.counters.iter() {
            add("relay", name, value);
        }
        for (name, value) in self.reporter.associations.named() {
            add("relay", name, value);
        }
        for (name, value) in transport_counters(self.wire.sockets.counters()) {
            add("transport", name, value);
        }
        for (name, value) in self.crew.counters() {
            add("transport", name, value);
        }
        add("engine", "dropped_events", self.shared.events.dropped());
        Snapshot {
            counters,
            peers: self
                .peers
                .iter()
                .filter_map(|(peer, _)| Some((peer, self.tunnel.peer_status(peer)?)))
                .map(|(peer, status)| self.look_at_peer(peer, &status))
                .collect(),
            flows: self.flows.len(),
            local_address: self.wire.sockets.local_addresses().next(),
        }
    }

    fn look_at_peer(&self, peer: PeerId, status: &PeerStatus) -> PeerSnapshot {
        let usage = self.peers.usage(peer);
        let local = status.endpoint.map(|endpoint| endpoint.local);
        PeerSnapshot {
            public_key: status.public_key,
            endpoint: status.endpoint.map(|endpoint| endpoint.remote),
            local_port: local.and_then(|local| self.wire.sockets.port(local.socket)),
            obfuscation: local.map_or(0, |local| local.obfuscation),
            last_handshake: status
                .last_handshake
                .map(|at| self.now.unix.saturating_sub(at)),
            received_bytes: status.bytes_received,
            sent_bytes: status.bytes_sent,
            flows: self.flows.opened_by(peer),
            relayed_bytes: usage.map_or(0, Usage::relayed),
            turned_away: usage.map(Usage::turned_away).unwrap_or_default().named(),
        }
    }
}

/// Each counter with its name; the pattern lists all, so that none is forgotten.
fn transport_counters(counters: TransportCounters) -> [(&'static str, u64); 9] {
    let TransportCounters {
        receive_calls,
        received,
        received_bytes,
        truncated,
        send_calls,
        sent,
        sent_bytes,
        unsendable,
        segmentation,
    } = counters;
    [
        ("receive_calls", receive_calls),
        ("received", received),
        ("received_bytes", received_bytes),
        ("truncated", truncated),
        ("send_calls", send_calls),
        ("sent", sent),
        ("sent_bytes", sent_bytes),
        ("unsendable", unsendable),
        ("segmentation", u64::from(segmentation)),
    ]
}

#[cfg(test)]
mod tests;
