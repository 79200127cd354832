//! What is told of the loop: its own counters, snapshots of all layers, names of sessions, and records of protocol errors,
//! a bounded number of them.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use awg_tunnel::PeerStatus;
use rand::RngExt;
use rand::rngs::StdRng;

use super::{Shard, stack_counters};
use crate::event::{Event, Level, LogRecord};
use crate::snapshot::{PeerSnapshot, Snapshot};

/// The least time between two looks for protocol errors.
const INTERVAL: Duration = Duration::from_secs(1);

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
    /// Datagrams received that were no packet for us: handshakes, junk, forgeries.
    unopened,
    /// Datagrams out of the tunnel that reached their socket, or are held for it.
    datagrams_delivered,
    /// Datagrams that the policy forbids.
    datagrams_forbidden,
    /// Datagrams from elsewhere than the application talks to.
    datagrams_foreign,
    /// Datagrams dropped since a socket or what is held for it was full.
    datagrams_overflow,
    /// Datagrams that the system refused to send on.
    datagrams_unsendable,
    /// Datagrams of flows that had just ended.
    datagrams_without_flow,
    /// Calls to receive that the system failed.
    receive_failed,
}

/// Keeps the shard's counters and tells of protocol errors.
#[derive(Debug)]
pub(super) struct Reporter {
    pub(super) counters: Counters,
    rng: StdRng,
    last: Instant,
    told: HashMap<&'static str, u64>,
    told_signs: u64,
    failure: Option<io::Error>,
}

impl Reporter {
    pub(super) fn new(rng: StdRng, now: Instant) -> Self {
        Self {
            counters: Counters::default(),
            rng,
            last: now,
            told: HashMap::new(),
            told_signs: 0,
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

    /// What rises with everything that may be worth a record.
    fn signs(&self) -> u64 {
        self.counters.unopened + self.counters.datagrams_forbidden + self.counters.receive_failed
    }

    /// When to look for protocol errors; `None` = there is no sign of any.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        (self.signs() != self.told_signs).then(|| self.last + INTERVAL)
    }
}

impl Shard {
    /// Tells what was dropped and why since the last time, once a second at most.
    pub(super) fn report(&mut self) {
        let due = self
            .reporter
            .next_timeout()
            .is_some_and(|at| at <= self.now.instant);
        if !due {
            return;
        }
        self.reporter.last = self.now.instant;
        self.reporter.told_signs = self.reporter.signs();
        if let Some(error) = self.reporter.failure.take() {
            self.log(
                Level::Warning,
                "receiving failed",
                vec![("error", error.to_string())],
            );
        }
        let forbidden = (
            "forbidden_by_policy",
            self.reporter.counters.datagrams_forbidden,
        );
        let drops = self
            .tunnel
            .counters()
            .iter()
            .filter_map(|(name, count)| Some((name.strip_prefix("dropped_")?, count)));
        let news: Vec<(&'static str, u64)> = drops
            .chain([forbidden])
            .filter_map(|(name, count)| {
                let told = self.reporter.told.insert(name, count).unwrap_or(0);
                (count > told).then(|| (name, count - told))
            })
            .collect();
        for (name, count) in news {
            let fields = vec![
                ("reason", name.replace('_', "-")),
                ("count", count.to_string()),
            ];
            self.log(Level::Debug, "datagrams were dropped", fields);
        }
    }

    fn log(&self, level: Level, message: &'static str, fields: Vec<(&'static str, String)>) {
        self.shared.events.push(Event::Log(LogRecord {
            level,
            message,
            fields,
        }));
    }

    /// All layers' counters and the peers.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut counters: Vec<(String, u64)> = Vec::new();
        let mut add =
            |layer: &str, name: &str, value: u64| counters.push((format!("{layer}_{name}"), value));
        for (name, value) in self.tunnel.counters().iter() {
            add("tunnel", name, value);
        }
        for (name, value) in stack_counters::named(&self.stack.counters()) {
            add("stack", name, value);
        }
        for (name, value) in self.reporter.counters.iter() {
            add("relay", name, value);
        }
        let transport = self.wire.transport().counters();
        for (name, value) in [
            ("receive_calls", transport.receive_calls),
            ("received", transport.received),
            ("received_bytes", transport.received_bytes),
            ("truncated", transport.truncated),
            ("send_calls", transport.send_calls),
            ("sent", transport.sent),
            ("sent_bytes", transport.sent_bytes),
            ("unsendable", transport.unsendable),
            ("segmentation", u64::from(transport.segmentation)),
        ] {
            add("transport", name, value);
        }
        add("engine", "dropped_events", self.shared.events.dropped());
        Snapshot {
            counters,
            peers: self
                .peers
                .iter()
                .filter_map(|(peer, _)| self.tunnel.peer_status(peer))
                .map(|status| self.look_at_peer(&status))
                .collect(),
            flows: self.flows.len(),
            local_address: Some(self.wire.transport().local_address()),
        }
    }

    fn look_at_peer(&self, status: &PeerStatus) -> PeerSnapshot {
        PeerSnapshot {
            public_key: status.public_key,
            endpoint: status.endpoint,
            last_handshake: status
                .last_handshake
                .map(|at| self.now.unix.saturating_sub(at)),
            received_bytes: status.bytes_received,
            sent_bytes: status.bytes_sent,
        }
    }
}
