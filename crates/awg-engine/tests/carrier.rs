//! Carried connections between two engines: by name, with early bytes, refused, many, stalled; and who reaches a carrier. What becomes
//! of them where it is lost, or never was, is in `carrier_loss.rs`.

mod pair;

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use awg_engine::{
    Engine, EngineSettings, Event, Outcome, PeerSettings, Refusal, SettingsError, Target,
};
use awg_tunnel::PeerConfig;
use pair::carried::{assert_reset, attach, carried, connect, converse, named, open};
use pair::target::{Target as Service, echo_target};
use pair::{
    CARRIER, CLIENT, Node, Options, Pair, SERVER, ask_for_carrier, pattern, read_all, read_exactly,
    replies, take_carried, tcp_pair, through_the_tunnel,
};

#[test]
fn the_server_is_asked_for_names_and_addresses_as_they_are() {
    let pair = carried();
    let echo = echo_target();
    let addresses = ["198.51.100.7:80", "[2001:db8::7]:80"].map(|text| text.parse().unwrap());
    let targets = [
        named("example.org", echo.port()),
        named("xn--bcher-kva.example.", echo.port()),
        Target::Address(addresses[0]),
    ];
    for target in targets {
        let (flow, mut application) = open(&pair, vec![target.clone()], b"");
        let (incoming, asked) = pair.server.wait_target();
        assert_eq!(asked, target);
        attach(&pair, incoming, echo);
        assert_eq!(read_exactly(&mut application, 2), b"ok");
        application.write_all(b"hello").unwrap();
        assert_eq!(read_exactly(&mut application, 5), b"hello");
        let connected = pair.client.wait("connection", |event| match event {
            Event::FlowConnected {
                flow: which,
                destination,
            } if *which == flow => Some(destination.clone()),
            _ => None,
        });
        assert_eq!(connected, target);
    }
    // No peer of the client is for IPv6.
    let (flow, _application) = open(&pair, vec![Target::Address(addresses[1])], b"");
    assert_eq!(pair.client.wait_refused(flow), Refusal::NetworkUnreachable);
    assert_eq!(pair.server.counter("stack_tcp_flows"), 0);
}

#[test]
fn every_refusal_is_the_servers() {
    let pair = carried();
    for (refusal, reply) in [
        (Refusal::Refused, "refused"),
        (Refusal::NetworkUnreachable, "network"),
        (Refusal::HostUnreachable, "host"),
        (Refusal::Prohibited, "prohibited"),
        (Refusal::TimedOut, "timed out"),
        (Refusal::Failed, "failed"),
    ] {
        let (flow, mut application) = open(&pair, vec![named("a", 1)], b"");
        let (incoming, _) = pair.server.wait_target();
        pair.server.engine.reject(incoming, refusal).unwrap();
        assert_eq!(pair.client.wait_refused(flow), refusal);
        assert_eq!(read_all(&mut application).unwrap(), reply.as_bytes());
        assert_eq!(pair.client.wait_closed(flow).0, Outcome::Refused);
        assert_eq!(pair.server.wait_closed(incoming).0, Outcome::Refused);
    }
}

#[test]
fn early_bytes_are_the_first_that_the_target_gets() {
    let pair = carried();
    let service = Service::new();
    // More than travels with a request.
    for length in [1, 5_000, 64 << 10, 200_000] {
        let early = pattern(length);
        let mut connected = connect(&pair, service.address, &early);
        connected.application.write_all(b" and more").unwrap();
        let mut outer = service.accept();
        assert!(read_exactly(&mut outer, length) == early);
        assert_eq!(read_exactly(&mut outer, 9), b" and more");
        drop((connected.application, outer));
        let (_, traffic) = pair.client.wait_closed(connected.client_flow);
        assert_eq!(traffic.sent, length as u64 + 9);
        let (_, traffic) = pair.server.wait_closed(connected.server_flow);
        assert_eq!(traffic.sent, length as u64 + 9);
    }
}

#[test]
fn of_several_destinations_the_winner_alone_gets_the_early_bytes() {
    let pair = carried();
    let (silent, service) = (Service::new(), Service::new());
    let targets = [1, 2].map(|last| SocketAddr::from(([198, 51, 100, last], 80)).into());
    let (_, mut application) = open(&pair, targets.to_vec(), b"early");
    let (first, _) = pair.server.wait_target();
    let (second, _) = pair.server.wait_target();
    attach(&pair, second, service.address);
    assert_eq!(read_exactly(&mut application, 2), b"ok");
    assert_eq!(read_exactly(&mut service.accept(), 5), b"early");
    // The other attempt is given up, and a target that came too late hears nothing.
    attach(&pair, first, silent.address);
    assert_ne!(pair.server.wait_closed(first).0, Outcome::Orderly);
}

#[test]
fn a_thousand_connections_at_once_each_get_their_own_bytes() {
    const CONNECTIONS: usize = 1_000;
    let pair = carried();
    let echo = echo_target();
    let target = named("echo.example", echo.port());
    let mut applications = Vec::new();
    for number in 0..CONNECTIONS {
        let early = (number as u32).to_be_bytes();
        applications.push(open(&pair, vec![target.clone()], &early).1);
    }
    for _ in 0..CONNECTIONS {
        let (flow, _) = pair.server.wait_target();
        attach(&pair, flow, echo);
    }
    for (number, application) in applications.iter_mut().enumerate() {
        assert_eq!(read_exactly(application, 2), b"ok");
        assert_eq!(read_exactly(application, 4), (number as u32).to_be_bytes());
    }
    assert_eq!(pair.server.counter("carrier_carriers"), 1);
    assert_eq!(pair.server.counter("carrier_flows"), CONNECTIONS as u64);
}

#[test]
fn slow_readers_stop_their_senders_and_nobody_else() {
    let pair = carried();
    let service = Service::new();
    let mut stalled = Vec::new();
    // A carrier's streams may hold six windows together, docs/reference/carrier.md.
    for _ in 0..4 {
        let connected = connect(&pair, service.address, b"");
        let outer = service.accept();
        outer.set_nonblocking(true).unwrap();
        stalled.push((connected, outer));
    }
    // Each target says as much as is taken, and nobody reads.
    let piece = pattern(1 << 16);
    let mut idle = 0;
    let mut said = vec![0_u64; stalled.len()];
    while idle < 20 {
        let mut moved = false;
        for ((_, outer), said) in stalled.iter_mut().zip(&mut said) {
            match outer.write(&piece[*said as usize % piece.len()..]) {
                Ok(length) => (*said, moved) = (*said + length as u64, true),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        idle = if moved { 0 } else { idle + 1 };
        // Both loops have their turns.
        pair.client.engine.snapshot().unwrap();
        pair.server.engine.snapshot().unwrap();
    }
    let data = pattern(4 << 20);
    let mut other = connect(&pair, service.address, b"");
    let mut outer = service.accept();
    let sent = data.clone();
    let sender = std::thread::spawn(move || {
        outer.write_all(&sent).unwrap();
        drop(outer);
    });
    assert!(read_all(&mut other.application).unwrap() == data);
    sender.join().unwrap();
    // What was held back is whole.
    for ((mut connected, outer), said) in stalled.into_iter().zip(said) {
        drop(outer);
        let mut heard = 0;
        let mut bytes = vec![0; 1 << 16];
        loop {
            match connected.application.read(&mut bytes) {
                Ok(0) => break,
                Ok(length) => {
                    let at = heard as usize % piece.len();
                    let first = length.min(piece.len() - at);
                    assert!(bytes[..first] == piece[at..at + first]);
                    heard += length as u64;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(heard == said, "{heard} of {said}");
    }
}

#[test]
fn the_carriers_port_is_nobody_elses() {
    let pair = carried();
    // A peer's own datagrams to it are its carrier's, whatever they hold; the next port is whoever's is attached to it.
    let (_, garbage) = pair.open_datagrams(CARRIER);
    let next = SocketAddr::new(SERVER, CARRIER.port() + 1);
    let (_, other) = pair.open_datagrams(next);
    for payload in [&b"garbage"[..], &[0xff; 1300], &[0x40; 40], &[]] {
        garbage.send(payload).unwrap();
    }
    other.send(b"hello").unwrap();
    let incoming = pair.server.wait_incoming();
    assert_eq!(incoming.destination, next);
    converse(&mut connect(&pair, echo_target(), b""));
    assert_eq!(pair.server.counter("stack_udp_flows"), 1);
}

#[test]
fn no_peer_reaches_anothers_carrier() {
    // The other peer says that its packets come from the client's address and port: the tunnel knows whose they are.
    let pair = Pair::with(Options {
        client: ask_for_carrier,
        server: |settings| {
            take_carried(settings);
            let key = Pair::some_key().public_key();
            settings
                .peers
                .push(PeerSettings::from(awg_tunnel::PeerConfig {
                    allowed_ips: vec!["10.77.0.3/32".parse().unwrap()],
                    ..awg_tunnel::PeerConfig::new(key)
                }));
        },
        ..Options::default()
    });
    pair.client.wait_carrier();
    let mut connected = connect(&pair, echo_target(), b"");
    let other = |address: IpAddr| {
        let server = pair.server.engine.local_address().unwrap();
        let mut settings = EngineSettings {
            private_key: Pair::some_key(),
            addresses: vec![address],
            ..pair.client_settings.clone()
        };
        let peer = &mut settings.peers[0];
        peer.config.endpoint = Some(server.into());
        let node = Node::new(settings);
        node.engine.start().unwrap();
        node
    };
    // By its own address it has a carrier of its own.
    let honest = other("10.77.0.3".parse().unwrap());
    honest.wait_carrier();
    assert_eq!(pair.server.counter("carrier_carriers"), 2);
    honest.engine.stop();
    // By another's it has none, and the other's goes on.
    let liar = other(CLIENT);
    liar.wait_session();
    let foreign = pair.server.counter("tunnel_dropped_source_not_allowed");
    pair.server
        .wait_until("packets from an address of another peer", |server| {
            server.counter("tunnel_dropped_source_not_allowed") > foreign
        });
    converse(&mut connected);
    liar.engine.stop();
}

#[test]
fn a_relayed_datagram_does_not_reach_the_carrier() {
    // What a peer sends through the server leaves by a socket of the server's machine, where the carrier is not.
    let pair = carried();
    let (_, application) = pair.open_datagrams(through_the_tunnel(CARRIER.port()));
    application.send(b"hello").unwrap();
    let incoming = pair.server.wait_incoming();
    assert_eq!(incoming.destination, through_the_tunnel(CARRIER.port()));
    assert_eq!(pair.server.counter("stack_udp_flows"), 1);
}

#[test]
fn that_there_is_no_room_is_not_told_as_the_targets_refusal() {
    let pair = Pair::with(Options {
        client: ask_for_carrier,
        server: |settings| {
            take_carried(settings);
            settings.limits.flows = 4;
            // Half of them is the share of one of two.
            let other = PeerConfig::new(Pair::some_key().public_key());
            settings.peers.push(other.into());
        },
        ..Options::default()
    });
    pair.client.wait_carrier();
    let target = named("a", 1);
    let _waiting = [(); 2].map(|()| {
        let opened = open(&pair, vec![target.clone()], b"");
        (opened, pair.server.wait_target())
    });
    let (flow, mut application) = open(&pair, vec![target], b"");
    assert_eq!(pair.client.wait_refused(flow), Refusal::Failed);
    assert_eq!(read_all(&mut application).unwrap(), b"failed");
    assert_eq!(pair.server.counter("relay_flows_refused_of_peer"), 1);
}

#[test]
fn stopping_and_draining_are_as_for_any_other_connection() {
    let pair = carried();
    let mut first = connect(&pair, echo_target(), b"");
    pair.server.engine.drain();
    let (flow, _application) = open(&pair, vec![named("a", 1)], b"");
    assert_eq!(pair.client.wait_refused(flow), Refusal::Failed);
    converse(&mut first);
    pair.server.engine.stop();
    assert_reset(&mut first.application);
    assert_eq!(pair.client.wait_closed(first.client_flow).0, Outcome::Reset);
}

#[test]
fn a_target_that_refuses_is_refused_to_the_application() {
    let pair = carried();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let (flow, mut application) = open(&pair, vec![named("nobody.example", 80)], b"unread");
    let (incoming, _) = pair.server.wait_target();
    attach(&pair, incoming, nobody);
    assert_eq!(pair.client.wait_refused(flow), Refusal::Refused);
    assert_eq!(read_all(&mut application).unwrap(), b"refused");
}

#[test]
fn a_port_for_carried_connections_needs_an_end_that_takes_them() {
    let settings = |port, accepts: bool| {
        let mut settings = EngineSettings::new(Pair::some_key());
        settings.addresses = vec![SERVER];
        settings.carrier_port = Some(port);
        settings.accept_flows = accepts.into();
        Engine::new(settings)
    };
    assert!(matches!(settings(0, true), Err(SettingsError::CarrierPort)));
    assert!(matches!(
        settings(51443, false),
        Err(SettingsError::CarrierPort)
    ));
    assert!(settings(51443, true).is_ok());
}

#[test]
fn no_destination_is_refused_and_the_descriptor_given_back() {
    let pair = carried();
    let (_application, ours) = tcp_pair();
    let engine = Arc::clone(&pair.client.engine);
    let refused = engine.open(Vec::<Target>::new(), ours.into(), Vec::new(), replies());
    assert!(refused.is_err());
}
