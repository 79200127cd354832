//! Two ends on one wire, without sockets between them, and a clock that the test moves.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use awg_tunnel::{PeerConfig, PresharedKey, PrivateKey};
use mio::{Events, Poll, Waker};

use crate::command::Command;
use crate::event::Event;
use crate::flow::{FlowId, Outcome, Traffic};
use crate::flow_bounds::FlowBounds;
use crate::routes::Routes;
use crate::settings::EngineSettings;
use crate::shard::{Binding, Prepared, REPORTS, Shard, Socket, WAKER};
use crate::shared::Shared;
use crate::transport::Transport;
use crate::transport::memory::MemoryTransport;

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// How long a test waits for something that must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn key(end: u8) -> PrivateKey {
    PrivateKey::from_bytes([end + 1; 32])
}

pub(super) fn outer(end: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, end + 1], 51820))
}

pub(super) fn inner(end: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, end + 1])
}

pub(super) fn peer(end: u8, preshared_key: Option<[u8; 32]>) -> PeerConfig {
    PeerConfig {
        endpoint: Some(outer(end).into()),
        preshared_key: preshared_key.map(PresharedKey::from_bytes),
        allowed_ips: vec![inner(end).into()],
        ..PeerConfig::new(key(end).public_key())
    }
}

/// The end of number `end`; the client, number 0, stays connected.
pub(super) fn prepare(end: u8, peer: PeerConfig) -> Prepared {
    prepare_with(end, peer, |_| {})
}

pub(super) fn prepare_with(
    end: u8,
    peer: PeerConfig,
    change: impl FnOnce(&mut EngineSettings),
) -> Prepared {
    let mut settings = EngineSettings::new(key(end));
    settings.addresses = vec![inner(end)];
    settings.accept_flows = (end != 0).into();
    settings.stay_connected = end == 0;
    settings.peers = vec![peer.into()];
    change(&mut settings);
    Prepared::all(settings).unwrap().remove(0)
}

pub(super) fn start(prepared: Prepared, transport: impl Transport + 'static) -> Box<Shard> {
    let limits = &prepared.settings.limits;
    let shared = Arc::new(Shared::new(limits, Routes::new(1, &[])).unwrap());
    let poll = Poll::new().unwrap();
    // Kept by nobody: the tests take turns themselves.
    drop(Waker::new(poll.registry(), WAKER).unwrap());
    let binding = Binding {
        poll,
        sockets: vec![Socket {
            transport: Box::new(transport),
            obfuscation: 0,
        }],
        flow_bounds: FlowBounds::new(limits, None),
        notices: Vec::new(),
        waking: None,
    };
    let mut started = Box::new(Shard::new(prepared, binding, shared));
    started.carry_all_peers();
    started.connect_all_peers();
    started
}

/// Two shards on one wire, and when the client's initiations left.
pub(super) struct Ends {
    pub(super) shards: [Box<Shard>; 2],
    pub(super) initiations: Vec<Instant>,
}

pub(super) fn pair(client: Prepared, server: Prepared) -> Ends {
    let (left, right) = MemoryTransport::pair([outer(0), outer(1)], 0.0, [5; 32]);
    Ends {
        shards: [start(client, left), start(server, right)],
        initiations: Vec::new(),
    }
}

/// A turn of each.
pub(super) fn take_turns(shards: &mut [Box<Shard>]) {
    for shard in shards {
        let mut reports = Events::with_capacity(REPORTS);
        shard.poll.poll(&mut reports, Some(Duration::ZERO)).unwrap();
        for report in &reports {
            shard.handle_readiness(report);
        }
        // Nobody reports that a wire in memory has something.
        shard.wire.sockets.expect_datagrams_everywhere();
        shard.turn();
    }
}

impl Ends {
    /// A client and a server that know each other.
    pub(super) fn new() -> Self {
        pair(prepare(0, peer(1, None)), prepare(1, peer(0, None)))
    }

    /// Takes turns until `time` has passed on both clocks, when the shards ask for them and at no other moment.
    pub(super) fn run(&mut self, time: Duration) {
        let mut left = time;
        let mut turns = 0;
        loop {
            take_turns(&mut self.shards);
            self.note_initiations();
            let patience = self.shards.iter().filter_map(|shard| shard.patience());
            let step = if self.is_wire_empty() {
                patience.min().unwrap_or(Duration::MAX)
            } else {
                Duration::ZERO
            };
            if step.is_zero() {
                turns += 1;
                assert!(turns < 1000, "the loop spins");
                continue;
            }
            if left.is_zero() {
                return;
            }
            turns = 0;
            let step = step.min(left);
            left -= step;
            for shard in &mut self.shards {
                shard.now.instant += step;
                shard.now.unix += step;
            }
        }
    }

    /// Lets no time pass until `condition` holds, which waits for somebody outside: a socket of this machine.
    pub(super) fn run_until(&mut self, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(Instant::now() < deadline, "waited in vain");
            self.run(Duration::ZERO);
            std::thread::yield_now();
        }
    }

    /// Whether all that was sent has been received: the wire loses nothing.
    fn is_wire_empty(&self) -> bool {
        let [left, right] = self
            .shards
            .each_ref()
            .map(|shard| shard.wire.sockets.counters());
        left.sent == right.received && right.sent == left.received
    }

    fn note_initiations(&mut self) {
        let client = &self.shards[0];
        while (self.initiations.len() as u64) < client.tunnel.counters().initiations_sent {
            let now = client.now.instant;
            if let Some(last) = self.initiations.last() {
                assert!(now - *last >= 5 * SECOND, "{:?} apart", now - *last);
            }
            self.initiations.push(now);
        }
    }
}

/// Opens a connection for the application at the other end of `ours`, to a port of the other end.
pub(super) fn open(client: &mut Shard, ours: OwnedFd, port: u16) {
    let flow = client.shared.next_flow(0);
    client.handle_command(Command::Open {
        flow,
        destinations: vec![SocketAddr::new(inner(1), port).into()],
        application: ours,
        early: Vec::new(),
        replies: Box::default(),
        elsewhere: None,
    });
}

/// The flow that a peer has opened.
pub(super) fn incoming(server: &Shard) -> FlowId {
    let events = server.shared.events.take();
    let mut flows = events.iter().filter_map(|event| match event {
        Event::FlowIncoming { flow, .. } => Some(*flow),
        _ => None,
    });
    flows.next().unwrap()
}

/// How a flow ended, if one did.
pub(super) fn closed(shard: &Shard) -> Option<(Outcome, Traffic)> {
    let events = shard.shared.events.take();
    events.iter().find_map(|event| match event {
        Event::FlowClosed {
            outcome, traffic, ..
        } => Some((*outcome, *traffic)),
        _ => None,
    })
}
