//! A client and a server with a path between them that takes time and can be harmed in every way, and a clock that goes from one
//! event to the next. Applications and targets are pairs of sockets that hand over at once what is written: this machine's own clock
//! decides nothing.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use awg_netstack::Target;

use super::ends::{SECOND, inner, outer, peer, prepare_with, start, take_turns};
use crate::command::{Command, Replies};
use crate::event::{Event, Level};
use crate::flow::FlowId;
use crate::refusal::Refusal;
use crate::settings::{Carrier, EngineSettings};
use crate::shard::{Prepared, Shard};
use crate::transport::memory::MemoryTransport;

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

/// Where the server takes carried connections, of clients that know of it.
const CARRIER_PORT: u16 = 51_443;

/// A datagram on its way.
struct Flight {
    to: usize,
    from: SocketAddr,
    datagram: Vec<u8>,
}

/// What the path does to a datagram, by the end that it is for.
pub(super) type Verdict = fn(to: usize, datagram: &[u8]) -> bool;

/// See the module.
pub(super) struct World {
    pub(super) shards: [Box<Shard>; 2],
    taps: [MemoryTransport; 2],
    wire: BTreeMap<(Instant, u64), Flight>,
    sequence: u64,
    /// One way.
    pub(super) delay: Duration,
    /// Nothing is carried.
    pub(super) cut: bool,
    /// What passes.
    pub(super) passes: Verdict,
    /// Where the server sees the client.
    pub(super) client_at: SocketAddr,
    /// Whether the server takes flows, or leaves them waiting.
    pub(super) accepts: bool,
    /// The targets' own ends of the connections that the server made.
    pub(super) targets: Vec<UnixStream>,
    pub(super) initiations: Vec<Instant>,
    /// What the client's and the server's engines told.
    pub(super) told: [Vec<Event>; 2],
    /// How often the client's loop was woken by its own timers.
    pub(super) wakes: usize,
    configure: [fn(&mut EngineSettings); 2],
}

fn prepared(end: usize, configure: fn(&mut EngineSettings)) -> Prepared {
    let (us, them) = (end as u8, 1 - end as u8);
    prepare_with(us, peer(them, None), |settings| {
        if end == 0 {
            let peer = &mut settings.peers[0];
            peer.config.allowed_ips = vec!["0.0.0.0/0".parse().unwrap()];
        } else {
            settings.peers[0].config.endpoint = None;
            settings.carrier_port = Some(CARRIER_PORT);
        }
        configure(settings);
    })
}

/// The server is known to be ours.
pub(super) fn ours(settings: &mut EngineSettings) {
    settings.server_addresses = vec![inner(1)];
}

/// The server has a carrier, on which connections are to ride.
pub(super) fn carried(settings: &mut EngineSettings) {
    settings.carrier = Carrier::Quic;
    settings.peers[0].carrier_address = Some(SocketAddr::new(inner(1), CARRIER_PORT));
}

/// Nothing is known of the server.
pub(super) fn foreign(_: &mut EngineSettings) {}

pub(super) fn passes_all(_: usize, _: &[u8]) -> bool {
    true
}

impl World {
    /// `round_trip`: of the path.
    pub(super) fn new(round_trip: Duration, client: fn(&mut EngineSettings)) -> Self {
        Self::with(round_trip, [client, foreign])
    }

    pub(super) fn with(round_trip: Duration, configure: [fn(&mut EngineSettings); 2]) -> Self {
        let (client, client_tap) = MemoryTransport::pair([outer(0), outer(1)], 0.0, [5; 32]);
        let (server, server_tap) = MemoryTransport::pair([outer(1), outer(0)], 0.0, [6; 32]);
        let mut shards = [
            start(prepared(0, configure[0]), client),
            start(prepared(1, configure[1]), server),
        ];
        shards[1].now = shards[0].now;
        let mut world = Self {
            shards,
            taps: [client_tap, server_tap],
            wire: BTreeMap::new(),
            sequence: 0,
            delay: round_trip / 2,
            cut: false,
            passes: passes_all,
            client_at: outer(0),
            accepts: true,
            targets: Vec::new(),
            initiations: Vec::new(),
            told: [Vec::new(), Vec::new()],
            wakes: 0,
            configure,
        };
        world.run(2 * SECOND);
        world
    }

    pub(super) fn now(&self) -> Instant {
        self.shards[0].now.instant
    }

    /// The server's process ends, and the next one knows nothing of the first one's sessions and flows.
    pub(super) fn restart_server(&mut self) {
        let (server, tap) = MemoryTransport::pair([outer(1), outer(0)], 0.0, [7; 32]);
        let mut restarted = start(prepared(1, self.configure[1]), server);
        restarted.now = self.shards[1].now;
        self.shards[1] = restarted;
        self.taps[1] = tap;
        self.targets.clear();
        self.settle();
    }

    /// Another one takes its place.
    pub(super) fn replace_server(&mut self, configure: fn(&mut EngineSettings)) {
        self.configure[1] = configure;
        self.restart_server();
    }

    /// The server refuses what waits for it.
    pub(super) fn refuse_all(&mut self, reason: Refusal) {
        let mut refused = Vec::new();
        self.told[1].retain(|event| match event {
            Event::FlowIncoming { flow, .. } => {
                refused.push(*flow);
                false
            }
            _ => true,
        });
        for flow in refused {
            self.shards[1].handle_command(Command::Reject { flow, reason });
        }
    }

    /// An application's connection to a target behind the server.
    pub(super) fn open(&mut self, port: u16) -> UnixStream {
        self.open_with(port, b"")
    }

    /// The same, of one that has said something already.
    pub(super) fn open_with(&mut self, port: u16, early: &[u8]) -> UnixStream {
        self.open_target(SocketAddr::from(([203, 0, 113, 7], port)).into(), early)
    }

    pub(super) fn open_target(&mut self, target: Target, early: &[u8]) -> UnixStream {
        let (theirs, ours) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let client = &mut self.shards[0];
        let flow = client.shared.next_flow(0);
        let replies = Replies {
            succeeded: b"+".to_vec(),
            failed: b"-".to_vec(),
            host_unreachable: b"h".to_vec(),
            timed_out: b"t".to_vec(),
            ..Replies::default()
        };
        client.handle_command(Command::Open {
            flow,
            destinations: vec![target],
            application: ours.into(),
            early: early.to_vec(),
            replies: Box::new(replies),
            elsewhere: None,
        });
        theirs
    }

    /// A connection that stands, and its target's end.
    pub(super) fn connect(&mut self, port: u16) -> (UnixStream, UnixStream) {
        let application = self.open(port);
        self.until(2 * SECOND, |_| heard(&application, b'+'));
        (application, self.targets.pop().expect("a target"))
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now() + time;
        self.settle();
        while self.step(end) {}
    }

    /// Lets time pass until something holds; says how long that took. At most so long.
    pub(super) fn until(
        &mut self,
        most: Duration,
        mut holds: impl FnMut(&mut Self) -> bool,
    ) -> Duration {
        let begin = self.now();
        self.settle();
        while !holds(self) {
            // What that has written or read is to be noticed before time passes.
            self.settle();
            assert!(self.step(begin + most), "not within {most:?}");
        }
        self.now() - begin
    }

    /// When the next thing happens.
    fn due(&self) -> Option<Instant> {
        let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
        let timers = self.shards.iter().filter_map(|shard| shard.patience());
        timers.map(|wait| self.now() + wait).chain(arrival).min()
    }

    /// Goes on to the next thing that happens; `false` where that is later than `end`.
    fn step(&mut self, end: Instant) -> bool {
        let now = self.now();
        let Some(next) = self.due().filter(|next| *next <= end) else {
            self.advance(end - now);
            return false;
        };
        let patience = self.shards[0].patience();
        if patience.is_some_and(|wait| now + wait <= next) {
            self.wakes += 1;
        }
        self.advance(next - now);
        self.settle();
        true
    }

    fn advance(&mut self, time: Duration) {
        for shard in &mut self.shards {
            shard.now.instant += time;
            shard.now.unix += time;
        }
    }

    /// Takes turns until there is nothing to do at this moment.
    fn settle(&mut self) {
        for _ in 0..2000 {
            self.deliver();
            take_turns(&mut self.shards);
            self.collect();
            self.note();
            let now = self.now();
            let arrives = self
                .wire
                .first_key_value()
                .is_some_and(|((at, _), _)| *at <= now);
            let busy = self
                .shards
                .iter()
                .any(|shard| shard.patience() == Some(Duration::ZERO));
            if !arrives && !busy {
                return;
            }
        }
        panic!("the loop spins");
    }

    /// Puts what the shards sent on its way.
    fn collect(&mut self) {
        let now = self.now();
        let seen = self.shards[1].peers.iter().next();
        let seen = seen.and_then(|(peer, _)| self.shards[1].tunnel.peer_status(peer));
        let reachable = seen.and_then(|status| status.endpoint);
        for from in 0..2 {
            for datagram in self.taps[from].take() {
                let to = 1 - from;
                // A NAT that has forgotten the client, or given it another port, drops what comes to the old one.
                let there = to == 1 || reachable.is_some_and(|at| at.remote == self.client_at);
                if self.cut || !there || !(self.passes)(to, &datagram) {
                    continue;
                }
                self.sequence += 1;
                let from = if to == 1 { self.client_at } else { outer(1) };
                let flight = Flight { to, from, datagram };
                self.wire.insert((now + self.delay, self.sequence), flight);
            }
        }
    }

    fn deliver(&mut self) {
        let now = self.now();
        while let Some(entry) = self.wire.first_entry()
            && entry.key().0 <= now
        {
            let Flight { to, from, datagram } = entry.remove();
            if from == outer(1) || from == self.client_at {
                self.taps[to].give(from, datagram);
            }
        }
    }

    fn note(&mut self) {
        for (end, told) in self.told.iter_mut().enumerate() {
            told.extend(self.shards[end].shared.events.take());
        }
        let mut incoming: Vec<FlowId> = Vec::new();
        self.told[1].retain(|event| match event {
            Event::FlowIncoming { flow, .. } if self.accepts => {
                incoming.push(*flow);
                false
            }
            _ => true,
        });
        for flow in incoming {
            let (theirs, ours) = UnixStream::pair().unwrap();
            theirs.set_nonblocking(true).unwrap();
            self.targets.push(theirs);
            self.shards[1].attach(flow, ours.into());
        }
        let client = &self.shards[0];
        while (self.initiations.len() as u64) < client.tunnel.counters().initiations_sent {
            let now = client.now.instant;
            if let Some(last) = self.initiations.last() {
                assert!(now - *last >= 5 * SECOND, "{:?} apart", now - *last);
            }
            self.initiations.push(now);
        }
    }

    /// What an end's log says at the level of a warning.
    pub(super) fn warnings(&self, end: usize) -> Vec<&'static str> {
        let records = self.told[end].iter().filter_map(|event| match event {
            Event::Log(record) if record.level == Level::Warning => Some(record.message),
            _ => None,
        });
        records.collect()
    }

    pub(super) fn counter(&self, end: usize, name: &str) -> u64 {
        let snapshot = self.shards[end].snapshot();
        let found = snapshot.counters.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no counter {name}")).1
    }
}

/// Whether a byte waits in an application's socket; it is taken.
pub(super) fn heard(mut application: &UnixStream, byte: u8) -> bool {
    let mut read = [0];
    match application.read(&mut read) {
        Ok(1) => {
            assert_eq!(read, [byte]);
            true
        }
        Ok(_) => panic!("the connection ended"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            false
        }
    }
}

/// Bytes that go one way, of a pattern that shows a byte that is lost or doubled.
pub(super) struct Stream {
    pub(super) length: usize,
    pub(super) sent: usize,
    pub(super) received: usize,
}

impl Stream {
    pub(super) fn of(length: usize) -> Self {
        Self {
            length,
            sent: 0,
            received: 0,
        }
    }

    fn byte(place: usize) -> u8 {
        (place.wrapping_mul(0x9e37_79b9) >> 13) as u8
    }

    /// Moves what can be moved now. Whether all has arrived.
    pub(super) fn pump(&mut self, mut from: impl Write, mut to: impl Read) -> bool {
        while self.sent < self.length {
            let end = self.length.min(self.sent + 16 * 1024);
            let chunk: Vec<u8> = (self.sent..end).map(Self::byte).collect();
            match from.write(&chunk) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        let mut buffer = [0; 16 * 1024];
        loop {
            match to.read(&mut buffer) {
                Ok(0) => panic!("the stream ended"),
                Ok(length) => {
                    for byte in &buffer[..length] {
                        assert_eq!(*byte, Self::byte(self.received));
                        self.received += 1;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        self.received == self.length
    }
}
