//! Shards without sockets: two over a wire in memory, with a clock that the test moves.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use awg_obfuscation::Parameters;
use awg_tunnel::{
    Limits as TunnelLimits, PeerConfig, PresharedKey, PrivateKey, Tunnel, TunnelConfig,
};
use mio::{Poll, Waker};

use super::flows::State;
use super::prepared::capped_buffers;
use super::{Binding, Prepared, Shard, WAKER, peers};
use crate::command::Command;
use crate::event::{Event, Level};
use crate::flow::{FlowId, Outcome, Traffic};
use crate::flow_bounds::FlowBounds;
use crate::refusal::Refusal;
use crate::settings::EngineSettings;
use crate::shared::Shared;
use crate::transport::memory::MemoryTransport;
use crate::transport::udp::SocketBuffers;

const SECOND: Duration = Duration::from_secs(1);

fn key(end: u8) -> PrivateKey {
    PrivateKey::from_bytes([end + 1; 32])
}

fn outer(end: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, end + 1], 51820))
}

fn inner(end: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, end + 1])
}

fn peer(end: u8, preshared_key: Option<[u8; 32]>) -> PeerConfig {
    PeerConfig {
        endpoint: Some(outer(end)),
        preshared_key: preshared_key.map(PresharedKey::from_bytes),
        allowed_ips: vec![inner(end).into()],
        ..PeerConfig::new(key(end).public_key())
    }
}

/// The end of number `end`; the client, number 0, stays connected.
fn prepare(end: u8, peer: PeerConfig) -> Prepared {
    prepare_with(end, peer, |_| {})
}

fn prepare_with(end: u8, peer: PeerConfig, change: impl FnOnce(&mut EngineSettings)) -> Prepared {
    let mut settings = EngineSettings::new(key(end));
    settings.addresses = vec![inner(end)];
    settings.accept_flows = end != 0;
    settings.stay_connected = end == 0;
    settings.peers = vec![peer];
    change(&mut settings);
    Prepared::new(settings).unwrap()
}

fn start(prepared: Prepared, transport: MemoryTransport) -> Box<Shard> {
    let limits = &prepared.settings.limits;
    let shared = Arc::new(Shared::new(limits).unwrap());
    let poll = Poll::new().unwrap();
    // Kept by nobody: the tests take turns themselves.
    drop(Waker::new(poll.registry(), WAKER).unwrap());
    let binding = Binding {
        poll,
        transport: Box::new(transport),
        flow_bounds: FlowBounds::new(limits, None),
        notices: Vec::new(),
    };
    let mut started = Box::new(Shard::new(prepared, binding, shared));
    started.connect_all_peers();
    started
}

/// Two shards on one wire, and when the client's initiations left.
struct Ends {
    shards: [Box<Shard>; 2],
    initiations: Vec<Instant>,
}

fn pair(client: Prepared, server: Prepared) -> Ends {
    let (left, right) = MemoryTransport::pair([outer(0), outer(1)], 0.0, [5; 32]);
    Ends {
        shards: [start(client, left), start(server, right)],
        initiations: Vec::new(),
    }
}

impl Ends {
    /// Takes turns until `time` has passed on both clocks, when the shards ask for them and at no other moment.
    fn run(&mut self, time: Duration) {
        let mut left = time;
        let mut turns = 0;
        loop {
            for shard in &mut self.shards {
                // Nobody reports that a wire in memory has something.
                shard.wire.expect_datagrams();
                shard.turn();
            }
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

    /// Whether all that was sent has been received: the wire loses nothing.
    fn is_wire_empty(&self) -> bool {
        let [left, right] = self
            .shards
            .each_ref()
            .map(|shard| shard.wire.transport().counters());
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

fn sessions(shard: &Shard) -> usize {
    let events = shard.shared.events.take();
    let completed = |event: &&Event| matches!(event, Event::HandshakeCompleted { .. });
    events.iter().filter(completed).count()
}

/// Opens a connection for the application at the other end of `ours`, to a port of the other end.
fn open(client: &mut Shard, ours: OwnedFd, port: u16) {
    let flow = client.shared.next_flow();
    let destinations = vec![SocketAddr::new(inner(1), port)];
    client.open(flow, destinations, ours, Vec::new(), Box::default());
}

fn push(shard: &Shard, command: Command) {
    let pushed = shard.shared.commands.push((), |()| command);
    pushed.map_err(|(error, ())| error).unwrap();
}

fn keeps_trying(client: Prepared) {
    let mut ends = pair(client, prepare(1, peer(0, None)));
    // Longer than four runs of twenty initiations.
    ends.run(450 * SECOND);
    let [client, server] = &mut ends.shards;
    assert_eq!(sessions(client), 0);
    let counters = *client.tunnel.counters();
    assert!(counters.handshakes_failed >= 4, "{counters:?}");
    assert_eq!(counters.dropped_response_forged, counters.initiations_sent);
    // Never slower than one in six seconds.
    assert!(
        (75..=90).contains(&counters.initiations_sent),
        "{counters:?}"
    );
    // Once the keys are the same it connects by itself.
    server.set_peers(vec![peer(0, Some([9; 32]))]);
    ends.run(6 * SECOND);
    assert_eq!(sessions(&ends.shards[0]), 1);
}

#[test]
fn a_client_goes_on_after_runs_that_failed_for_another_reason_than_silence() {
    keeps_trying(prepare(0, peer(1, Some([9; 32]))));
}

#[test]
fn a_client_goes_on_although_no_event_of_the_tunnel_finds_room() {
    let mut client = prepare(0, peer(1, Some([9; 32])));
    let mut config = TunnelConfig::new(key(0), Parameters::default(), client.settings.mtu);
    config.limits = TunnelLimits {
        events: 0,
        ..config.limits
    };
    client.tunnel = Tunnel::new(config, [6; 32], client.now).unwrap();
    client.peers = peers::Peers::default();
    peers::add(
        &mut client.tunnel,
        client.now,
        &mut client.peers,
        &peer(1, Some([9; 32])),
    )
    .unwrap();
    let mut ends = pair(client, prepare(1, peer(0, None)));
    ends.run(450 * SECOND);
    assert!(ends.shards[0].tunnel.counters().handshakes_failed >= 4);
    ends.shards[1].set_peers(vec![peer(0, Some([9; 32]))]);
    ends.run(6 * SECOND);
    assert_eq!(ends.shards[0].tunnel.counters().sessions_established, 1);
}

#[test]
fn a_client_whose_server_is_gone_and_comes_back_has_a_session_again() {
    let mut ends = pair(prepare(0, peer(1, None)), prepare(1, peer(0, None)));
    ends.run(SECOND);
    assert_eq!(sessions(&ends.shards[0]), 1);
    ends.shards[1].set_peers(Vec::new());
    ends.run(600 * SECOND);
    assert_eq!(sessions(&ends.shards[0]), 0);
    ends.shards[1].set_peers(vec![peer(0, None)]);
    ends.run(6 * SECOND);
    assert_eq!(sessions(&ends.shards[0]), 1);
}

#[test]
fn a_session_that_expired_is_followed_by_the_next_one_at_once() {
    let mut ends = pair(prepare(0, peer(1, None)), prepare(1, peer(0, None)));
    let start = ends.shards[0].now.instant;
    ends.run(200 * SECOND);
    assert_eq!(sessions(&ends.shards[0]), 2);
    // The life of keys that nothing was sent by.
    assert_eq!(ends.initiations, [start, start + 180 * SECOND]);
}

#[test]
fn a_flow_without_a_session_asks_for_one_at_once() {
    let client = prepare_with(0, peer(1, None), |settings| settings.stay_connected = false);
    let mut ends = pair(client, prepare(1, peer(0, None)));
    ends.run(SECOND);
    assert_eq!(ends.initiations, []);
    let (_application, ours) = UnixStream::pair().unwrap();
    let opened = ends.shards[0].now.instant;
    open(&mut ends.shards[0], ours.into(), 80);
    ends.run(Duration::ZERO);
    assert_eq!(ends.initiations, [opened]);
    assert_eq!(sessions(&ends.shards[0]), 1);
    // The packet that waited for the session has come through it.
    let incoming = |event: &Event| matches!(event, Event::FlowIncoming { .. });
    assert!(ends.shards[1].shared.events.take().iter().any(incoming));
}

#[test]
fn stopping_resets_more_flows_than_one_turn_sends() {
    const FLOWS: u16 = 3000;
    crate::descriptors::raise_descriptor_limit().unwrap();
    let mut ends = pair(prepare(0, peer(1, None)), prepare(1, peer(0, None)));
    ends.run(SECOND);
    let (_application, ours) = UnixStream::pair().unwrap();
    for port in 1..=FLOWS {
        open(&mut ends.shards[0], ours.try_clone().unwrap().into(), port);
    }
    ends.run(Duration::ZERO);
    let client = &mut ends.shards[0];
    let sent = client.wire.transport().counters().sent;
    client.end_all_flows();
    assert_eq!(
        client.wire.transport().counters().sent - sent,
        u64::from(FLOWS)
    );
}

#[test]
fn what_an_end_opens_itself_is_bounded_by_all_flows_alone() {
    let client = prepare_with(0, peer(1, None), |settings| {
        settings.limits.flows_per_peer = 1;
    });
    let mut ends = pair(client, prepare(1, peer(0, None)));
    let (_application, ours) = UnixStream::pair().unwrap();
    for port in 1..=3 {
        open(&mut ends.shards[0], ours.try_clone().unwrap().into(), port);
    }
    ends.run(Duration::ZERO);
    let incoming = |event: &&Event| matches!(event, Event::FlowIncoming { .. });
    let events = ends.shards[1].shared.events.take();
    assert_eq!(events.iter().filter(incoming).count(), 3);
}

#[test]
fn an_error_about_datagrams_that_were_answered_ends_their_flow_with_its_traffic() {
    for answered in [false, true] {
        let mut ends = pair(prepare(0, peer(1, None)), prepare(1, peer(0, None)));
        let (theirs, ours) = UnixDatagram::pair().unwrap();
        let client = &mut ends.shards[0];
        let flow = client.shared.next_flow();
        let remote = SocketAddr::new(IpAddr::from([10, 0, 0, 2]), 9);
        client.open_datagrams(flow, remote, ours.into());
        theirs.send(b"a question").unwrap();
        let place = client.flows.place_of(flow).unwrap();
        client.flows.make_ready(place);
        ends.run(Duration::ZERO);
        let server = &mut ends.shards[1];
        let number = server
            .shared
            .events
            .take()
            .iter()
            .find_map(|event| match event {
                Event::FlowIncoming { flow, .. } => Some(*flow),
                _ => None,
            })
            .unwrap();
        if answered {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let service = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(service.local_addr().unwrap()).unwrap();
            service.connect(socket.local_addr().unwrap()).unwrap();
            service.send(b"an answer").unwrap();
            server.attach(number, socket.into());
            ends.run(Duration::ZERO);
        }
        let stack_flow = match &ends.shards[0].flows.get_mut(place).unwrap().state {
            State::Datagrams(relay) => relay.flow(),
            _ => panic!("a flow of datagrams"),
        };
        ends.shards[0].refused(stack_flow, Refusal::Refused);
        let closed = ends.shards[0]
            .shared
            .events
            .take()
            .into_iter()
            .find_map(|event| match event {
                Event::FlowClosed {
                    outcome, traffic, ..
                } => Some((outcome, traffic)),
                _ => None,
            })
            .unwrap();
        let (outcome, received) = if answered {
            (Outcome::Reset, 9)
        } else {
            (Outcome::Refused, 0)
        };
        let traffic = Traffic { sent: 10, received };
        assert_eq!(closed, (outcome, traffic));
    }
}

#[test]
fn many_commands_leave_packets_their_turn_and_are_all_carried_out() {
    let [mut shard, _] = pair(prepare(0, peer(1, None)), prepare(1, peer(0, None))).shards;
    shard.turn();
    shard.shared.commands.open();
    for _ in 0..600 {
        push(&shard, Command::Close { flow: FlowId(7) });
    }
    let (answer, answered) = sync_channel(1);
    push(&shard, Command::Snapshot { answer });
    for _ in 0..2 {
        shard.turn();
        assert!(answered.try_recv().is_err());
        assert_eq!(shard.patience(), Some(Duration::ZERO));
    }
    shard.turn();
    assert!(answered.try_recv().is_ok());
}

#[test]
fn a_flow_whose_command_a_defect_overtook_has_its_last_event() {
    let [mut shard, _] = pair(prepare(0, peer(1, None)), prepare(1, peer(0, None))).shards;
    shard.shared.commands.open();
    let (_application, ours) = UnixDatagram::pair().unwrap();
    push(&shard, Command::Panic);
    push(
        &shard,
        Command::OpenDatagrams {
            flow: FlowId(7),
            destination: SocketAddr::new(inner(1), 9),
            application: ours.into(),
        },
    );
    catch_unwind(AssertUnwindSafe(|| shard.turn())).unwrap_err();
    shard.end_all_flows();
    let ended = |event: &Event| {
        matches!(
            event,
            Event::FlowClosed {
                flow: FlowId(7),
                ..
            }
        )
    };
    assert!(shard.shared.events.take().iter().any(ended));
}

#[test]
fn a_refused_peer_is_named_by_its_place_and_no_key_is_in_a_record() {
    let mut ends = pair(prepare(0, peer(1, None)), prepare(1, peer(0, None)));
    let own = key(1).public_key();
    ends.shards[1].set_peers(vec![peer(0, None), PeerConfig::new(own)]);
    let events = ends.shards[1].shared.events.take();
    let record = events.iter().find_map(|event| match event {
        Event::Log(record) if record.message == "a peer was refused" => Some(record),
        _ => None,
    });
    let record = record.expect("a record");
    assert_eq!(record.level, Level::Error);
    assert!(record.fields.contains(&("peer", "peers[1]".to_owned())));
    assert!(!format!("{record:?}").contains(&own.to_string()));
}

#[test]
fn refused_applications_are_waited_for_in_bounded_number_and_time() {
    const MOST: usize = 1024;
    crate::descriptors::raise_descriptor_limit().unwrap();
    let [mut shard, _] = pair(prepare(0, peer(1, None)), prepare(1, peer(0, None))).shards;
    let (_theirs, ours) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let leave = |shard: &mut Shard| {
        let application: OwnedFd = ours.try_clone().unwrap().into();
        shard.leave(application.into());
    };
    for number in 1..=MOST {
        leave(&mut shard);
        assert_eq!(shard.flows.unnamed(), number);
    }
    assert_eq!(shard.snapshot().flows, 0, "their flows have ended");
    leave(&mut shard);
    assert_eq!(shard.flows.unnamed(), MOST);
    assert_eq!(shard.reporter.counters.applications_hurried, 1);
    shard.now.instant += 2 * SECOND;
    shard.turn();
    assert_eq!(shard.flows.unnamed(), 0);
}

#[test]
fn capped_buffers_are_warned_of() {
    let buffers = |receive, send| SocketBuffers {
        wanted: 4000,
        receive,
        send,
    };
    assert_eq!(capped_buffers(buffers(4000, 4000)), None);
    for capped in [buffers(200, 4000), buffers(4000, 200)] {
        let record = capped_buffers(capped).expect("a record");
        assert_eq!(record.level, Level::Warning);
        assert!(record.fields.contains(&("wanted", "4000".to_owned())));
        assert!(
            record
                .fields
                .contains(&("receive", capped.receive.to_string()))
        );
    }
}
