//! The life of engines: many flows, draining, changing peers, stopping in the middle of everything.

mod pair;

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use awg_engine::{CommandError, Event, FlowId, Outcome, Refusal, StartError};
use awg_tunnel::PeerConfig;
use pair::target::{Target, echo_target};
use pair::{
    Options, Pair, dial_everything, pattern, read_all, read_exactly, tcp_pair, through_the_tunnel,
};

#[test]
fn many_connections_at_once_each_get_their_own_bytes() {
    const CONNECTIONS: usize = 300;
    let pair = Pair::new();
    let echo = echo_target();
    let (stop, stopped) = channel();
    let dialler = dial_everything(Arc::clone(&pair.server.engine), stopped);
    let mut applications: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let early = (number as u32).to_be_bytes();
            pair.open(&[through_the_tunnel(echo.port())], &early)
        })
        .collect();
    for (number, (_, application)) in applications.iter_mut().enumerate() {
        let mut expected = b"ok".to_vec();
        expected.extend((number as u32).to_be_bytes());
        assert_eq!(read_exactly(application, 6), expected);
    }
    for (flow, application) in applications {
        drop(application);
        assert_eq!(pair.client.wait_closed(flow).0, Outcome::Orderly);
    }
    pair.server
        .wait_until("the server's flows to end", |server| {
            server.engine.snapshot().unwrap().flows == 0
        });
    drop(stop);
    let events = dialler.join().unwrap();
    let closed = events.iter().filter(|event| event.ends_flow()).count();
    assert_eq!(closed, CONNECTIONS);
}

#[test]
fn stopping_under_load_ends_and_says_the_end_of_every_flow() {
    const CONNECTIONS: usize = 8;
    let pair = Pair::new();
    let echo = echo_target();
    let (stop, stopped) = channel();
    let dialler = dial_everything(Arc::clone(&pair.server.engine), stopped);
    let data = pattern(1 << 20);
    let mut flows = HashSet::new();
    let mut loads = Vec::new();
    for _ in 0..CONNECTIONS {
        let (flow, mut application) = pair.open(&[through_the_tunnel(echo.port())], b"");
        assert_eq!(read_exactly(&mut application, 2), b"ok");
        flows.insert(flow);
        let data = data.clone();
        let mut writer = application.try_clone().unwrap();
        loads.push(thread::spawn(
            move || while writer.write_all(&data).is_ok() {},
        ));
        let (moving, moves) = channel();
        loads.push(thread::spawn(move || {
            let mut bytes = vec![0; 1 << 16];
            while application.read(&mut bytes).is_ok_and(|length| length > 0) {
                let _ = moving.send(());
            }
        }));
        moves.recv().expect("bytes move");
    }
    pair.client.engine.stop();
    pair.client.engine.stop();
    for load in loads {
        load.join().unwrap();
    }
    let ended: HashSet<FlowId> = pair
        .client
        .engine
        .take_events()
        .iter()
        .filter_map(|event| match event {
            Event::FlowClosed {
                flow,
                outcome: Outcome::Stopped,
                ..
            } => Some(*flow),
            _ => None,
        })
        .collect();
    assert_eq!(ended, flows);
    // The resets arrived, so the server is rid of them too.
    pair.server
        .wait_until("the server's flows to end", |server| {
            server.engine.snapshot().unwrap().flows == 0
        });
    drop(stop);
    dialler.join().unwrap();
    pair.server.engine.stop();
    assert_eq!(pair.client.engine.snapshot().unwrap().flows, 0);
    assert!(
        pair.client.counter("tunnel_packets_sent") > 0,
        "what was counted stays"
    );
}

#[test]
fn a_stopped_engine_takes_no_commands_and_gives_descriptors_back() {
    let pair = Pair::new();
    pair.client.engine.stop();
    let (mut theirs, ours) = tcp_pair();
    let not_taken = pair
        .try_open(&[through_the_tunnel(1)], ours.into(), b"")
        .unwrap_err();
    assert_eq!(not_taken.error, CommandError::NotRunning);
    let mut returned = std::net::TcpStream::from(not_taken.descriptor);
    returned.write_all(b"still open").unwrap();
    assert_eq!(read_exactly(&mut theirs, 10), b"still open");
    assert!(matches!(
        pair.client.engine.start(),
        Err(StartError::AlreadyStarted)
    ));
}

#[test]
fn draining_takes_no_new_flows_and_leaves_the_others() {
    let pair = Pair::new();
    let target = Target::new();
    let (mut connected, mut outer) = pair.connect_to(&target, b"");

    pair.server.engine.drain();
    let (flow, mut application) = pair.open(&[through_the_tunnel(target.address.port())], b"");
    assert_eq!(pair.client.wait_refused(flow), Refusal::Refused);
    assert_eq!(read_all(&mut application).unwrap(), b"refused");

    pair.client.engine.drain();
    let refused = pair.client.engine.open_stream(vec![through_the_tunnel(1)]);
    assert_eq!(refused.unwrap_err(), CommandError::Draining);

    outer.write_all(b"goes on").unwrap();
    assert_eq!(read_exactly(&mut connected.application, 7), b"goes on");
}

#[test]
fn a_removed_peer_loses_its_flows_and_a_new_one_is_taken() {
    let pair = Pair::new();
    let target = Target::new();
    let (mut connected, mut outer) = pair.connect_to(&target, b"");
    pair.server
        .engine
        .set_peers(Vec::<PeerConfig>::new())
        .unwrap();
    assert_eq!(
        pair.server.wait_closed(connected.server_flow).0,
        Outcome::PeerGone
    );
    assert_eq!(
        read_all(&mut outer).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    assert!(pair.server.engine.snapshot().unwrap().peers.is_empty());

    // Put back, the peer is a new one without a session; the client is told where the server is and begins anew.
    pair.server
        .engine
        .set_peers(vec![pair.client_peer.clone()])
        .unwrap();
    pair.client
        .engine
        .set_peers(Vec::<PeerConfig>::new())
        .unwrap();
    assert_eq!(
        pair.client.wait_closed(connected.client_flow).0,
        Outcome::PeerGone
    );
    assert_eq!(
        read_all(&mut connected.application).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    pair.client
        .engine
        .set_peers(vec![pair.server_peer.clone()])
        .unwrap();
    let (mut again, mut outer) = pair.connect_to(&target, b"");
    outer.write_all(b"again").unwrap();
    assert_eq!(read_exactly(&mut again.application, 5), b"again");
}

#[test]
fn unchanged_peers_keep_their_flows() {
    let pair = Pair::new();
    let target = Target::new();
    let mut connected = pair.connect(target.address, b"");
    let mut changed = pair.client_peer.clone();
    changed.allowed_ips.push("10.77.0.3/32".parse().unwrap());
    pair.server.engine.set_peers(vec![changed]).unwrap();
    pair.client
        .engine
        .set_peers(vec![pair.server_peer.clone()])
        .unwrap();
    target.accept().write_all(b"still").unwrap();
    assert_eq!(read_exactly(&mut connected.application, 5), b"still");
}

#[test]
fn both_ends_tell_of_their_session_and_count() {
    let pair = Pair::new();
    let role = |event: &Event| match event {
        Event::HandshakeCompleted {
            peer,
            session,
            role,
            rekey: false,
        } => Some((*peer, session.clone(), *role)),
        _ => None,
    };
    let (peer, session, part) = pair.client.wait("session", role);
    assert_eq!((peer, part), (pair.server_peer.public_key, "initiator"));
    assert_eq!(session.len(), 8);
    // The server's session is confirmed by the client's first packet.
    let target = Target::new();
    let _connected = pair.connect(target.address, b"");
    let (peer, _, part) = pair.server.wait("session", role);
    assert_eq!((peer, part), (pair.client_peer.public_key, "responder"));
    let snapshot = pair.client.engine.snapshot().unwrap();
    assert_eq!(snapshot.flows, 1);
    let [peer] = &*snapshot.peers else {
        panic!("one peer")
    };
    assert_eq!(peer.endpoint, pair.server.engine.local_address());
    assert!(peer.last_handshake.is_some() && peer.sent_bytes > 0 && peer.received_bytes > 0);
}

#[test]
fn a_connection_waits_for_the_session() {
    // The client's first initiation is lost, as it were: the server knows the peer only later.
    let pair = Pair::with(Options {
        server: |settings| settings.peers.clear(),
        ..Options::default()
    });
    let target = Target::new();
    let destination = through_the_tunnel(target.address.port());
    let (flow, _application) = pair.open(&[destination], b"");
    pair.server.wait("sign of the stranger", |event| {
        matches!(
            event,
            Event::HandshakeFailed {
                peer: None,
                cause: "unknown-peer",
                ..
            }
        )
        .then_some(())
    });
    pair.server
        .engine
        .set_peers(vec![pair.client_peer.clone()])
        .unwrap();
    pair.let_out(target.address);
    assert_eq!(pair.client.wait_connected(flow), destination);
}

#[test]
fn a_port_that_is_taken_is_refused_and_start_may_be_tried_again() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let key = Pair::some_key();
    let mut settings = awg_engine::EngineSettings::new(key);
    settings.addresses = vec![pair::CLIENT];
    settings.udp.address = Some("127.0.0.1".parse().unwrap());
    settings.ports = vec![taken.local_addr().unwrap().port()];
    let engine = awg_engine::Engine::new(settings).unwrap();
    assert!(matches!(engine.start(), Err(StartError::Bind(_))));
    drop(taken);
    engine.start().expect("the port is free now");
}

#[test]
fn a_second_engine_on_a_port_is_refused() {
    let pair = Pair::new();
    let port = pair.server.engine.local_address().unwrap().port();
    for address in [Some("127.0.0.1".parse().unwrap()), None] {
        let mut settings = awg_engine::EngineSettings::new(Pair::some_key());
        settings.addresses = vec![pair::SERVER];
        settings.udp.address = address;
        settings.ports = vec![port];
        let second = awg_engine::Engine::new(settings).unwrap();
        let refused = second.start().unwrap_err();
        assert!(matches!(
            refused,
            StartError::Bind(awg_engine::transport::udp::BindError::InUse(_))
        ));
    }
}

#[test]
fn the_limit_of_open_files_and_what_it_allows_are_told() {
    let pair = Pair::with(Options {
        server: |settings| settings.limits.flows = 10,
        ..Options::default()
    });
    let fields = pair
        .server
        .wait("record of the limit", |event| match event {
            Event::Log(record) if record.message == "limit of open files" => {
                Some(record.fields.clone())
            }
            _ => None,
        });
    let value = |name| {
        let found = fields.iter().find(|(field, _)| *field == name);
        let (_, value) = found.unwrap_or_else(|| panic!("no {name} in {fields:?}"));
        value.parse::<u64>().unwrap()
    };
    assert!(value("now") >= value("before"));
    assert_eq!((value("flows"), value("flows_per_peer")), (10, 10));
}

#[test]
fn one_peer_of_two_cannot_take_all_flows() {
    let pair = Pair::with(Options {
        server: |settings| {
            settings.limits.flows = 4;
            let other = PeerConfig::new(Pair::some_key().public_key());
            settings.peers.push(other.into());
        },
        ..Options::default()
    });
    let waiting: Vec<_> = (1..=2)
        .map(|port| {
            let opened = pair.open(&[through_the_tunnel(port)], b"");
            (opened, pair.server.wait_incoming().flow)
        })
        .collect();
    let (flow, _application) = pair.open(&[through_the_tunnel(3)], b"");
    assert_eq!(pair.client.wait_refused(flow), Refusal::Refused);
    assert_eq!(pair.server.counter("relay_flows_refused_of_peer"), 1);
    let fields = pair.server.wait("warning", |event| match event {
        Event::Log(record) if record.message == "flows were refused" => Some(record.fields.clone()),
        _ => None,
    });
    assert!(fields.contains(&("reason", "too-many-flows-of-one-peer".to_owned())));
    // Where one ends there is room for another.
    let (_, first) = &waiting[0];
    pair.server
        .engine
        .reject(*first, Refusal::Prohibited)
        .unwrap();
    let (_flow, _application) = pair.open(&[through_the_tunnel(4)], b"");
    assert_eq!(pair.server.wait_incoming().destination.port(), 4);
}

#[test]
fn descriptors_are_closed_when_their_flows_end() {
    let pair = Pair::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (flow, mut application) = pair.open(&[through_the_tunnel(1)], b"");
    let incoming = pair.server.wait_incoming();
    pair.server
        .engine
        .reject(incoming.flow, Refusal::Prohibited)
        .unwrap();
    pair.client.wait_closed(flow);
    assert_eq!(read_all(&mut application).unwrap(), b"prohibited");
    drop(application);
    pair.client.wait_until("the flow to be gone", |client| {
        client.engine.snapshot().unwrap().flows == 0
    });
    // A socket attached to a flow that is gone is closed.
    let (mut theirs, ours) = tcp_pair();
    pair.server
        .engine
        .attach(incoming.flow, ours.into())
        .unwrap();
    assert_eq!(read_all(&mut theirs).unwrap(), b"");
    drop(listener);
}
