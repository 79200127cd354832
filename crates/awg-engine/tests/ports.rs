//! A server with several ports, and with a second obfuscation at ports of its own; a client that hops over them.

mod pair;

use std::collections::HashSet;
use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use awg_engine::{Engine, FurtherObfuscation, PeerSnapshot, SettingsError};
use awg_obfuscation::Parameters;
use awg_tunnel::{Interval, PeerConfig, PortHop, limits};
use pair::target::Target;
use pair::{Node, Options, Pair, pattern, read_exactly};

fn parameters(settings: &[(&str, &str)]) -> Parameters {
    Parameters::from_settings(settings.iter().copied()).unwrap()
}

fn new_parameters() -> Parameters {
    parameters(&[
        ("S1", "31"),
        ("S2", "7"),
        ("S4", "12"),
        ("H1", "1000-1999"),
        ("H2", "2000-2999"),
        ("H4", "4000-4999"),
    ])
}

/// Puts a new client in the place of the old one, which finds the server at `door`.
fn restart_client(pair: &mut Pair, door: SocketAddr, parameters: Parameters) {
    let server = PeerConfig {
        endpoint: Some(door.into()),
        ..pair.server_peer.clone()
    };
    restart_client_with(pair, server, parameters);
}

/// As above; `server` is the whole of what it knows of the server.
fn restart_client_with(pair: &mut Pair, server: PeerConfig, parameters: Parameters) {
    let mut settings = pair.client_settings.clone();
    settings.obfuscation = parameters;
    settings.peers = vec![server.into()];
    // Another initiation is taken after this time, and with another timestamp (2^24 ns), and else 5 s later.
    thread::sleep(limits::INITIATION_INTERVAL + Duration::from_nanos(1 << 24));
    pair.client.engine.stop();
    pair.client = Node::new(settings);
    pair.client.engine.start().unwrap();
}

/// Passes something both ways over a new connection.
fn converse(pair: &Pair, target: &Target) {
    let (mut connected, mut outer) = pair.connect_to(target, b"there");
    assert_eq!(read_exactly(&mut outer, 5), b"there");
    outer.write_all(b"and back").unwrap();
    assert_eq!(read_exactly(&mut connected.application, 8), b"and back");
}

fn only_peer(node: &Node) -> PeerSnapshot {
    let snapshot = node.engine.snapshot().unwrap();
    assert_eq!(snapshot.peers.len(), 1);
    snapshot.peers[0].clone()
}

#[test]
fn a_datagram_is_answered_from_the_port_that_it_came_to() {
    let mut pair = Pair::with(Options {
        server: |settings| settings.ports = vec![0; 3],
        ..Options::default()
    });
    let target = Target::new();
    let doors = pair.server.engine.local_addresses().to_vec();
    assert_eq!(doors.len(), 3);
    for door in doors.into_iter().rev() {
        restart_client(&mut pair, door, Parameters::default());
        converse(&pair, &target);
        // Answered from elsewhere, the client would have followed there.
        assert_eq!(only_peer(&pair.client).endpoint, Some(door));
        assert_eq!(only_peer(&pair.server).local_port, Some(door.port()));
    }
}

#[test]
fn a_peer_changes_to_other_parameters_in_its_own_time() {
    let mut pair = Pair::with(Options {
        server: |settings| {
            settings.ports = vec![0; 2];
            settings.further_obfuscation = vec![FurtherObfuscation {
                parameters: new_parameters(),
                ports: vec![0; 2],
            }];
        },
        ..Options::default()
    });
    let target = Target::new();
    converse(&pair, &target);
    assert_eq!(only_peer(&pair.server).obfuscation, 0);

    let door = pair.server.engine.local_addresses()[3];
    restart_client(&mut pair, door, new_parameters());
    converse(&pair, &target);
    let peer = only_peer(&pair.server);
    assert_eq!((peer.obfuscation, peer.local_port), (1, Some(door.port())));
}

/// So many free ports in a row.
fn free_ports(count: u16) -> Vec<u16> {
    let is_free = |port| UdpSocket::bind(("127.0.0.1", port)).is_ok();
    let mut rows = (20_000..60_000).step_by(usize::from(count));
    let first = rows.find(|first| (*first..first + count).all(is_free));
    let first = first.expect("some ports in a row");
    (first..first + count).collect()
}

#[test]
fn a_transfer_goes_on_while_the_client_hops_over_ports_of_the_new_parameters() {
    let mut pair = Pair::with(Options {
        server: |settings| {
            settings.further_obfuscation = vec![FurtherObfuscation {
                parameters: new_parameters(),
                ports: free_ports(8),
            }];
        },
        ..Options::default()
    });
    let doors = pair.server.engine.local_addresses()[1..].to_vec();
    let server = PeerConfig {
        endpoint: Some(doors[0].into()),
        hop: Some(PortHop {
            ports: doors[0].port()..=doors[7].port(),
            every: Interval::every(1),
        }),
        ..pair.server_peer.clone()
    };
    restart_client_with(&mut pair, server, new_parameters());
    let (mut connected, mut outer) = pair.connect_to(&Target::new(), b"");
    let block = pattern(100_000);
    let mut seen = HashSet::new();
    let deadline = Instant::now() + pair::PATIENCE;
    while seen.len() < 4 {
        assert!(Instant::now() < deadline, "only at {seen:?}");
        connected.application.write_all(&block).unwrap();
        assert!(read_exactly(&mut outer, block.len()) == block);
        outer.write_all(&block).unwrap();
        assert!(read_exactly(&mut connected.application, block.len()) == block);
        let peer = only_peer(&pair.server);
        assert_eq!(peer.obfuscation, 1);
        seen.extend(peer.local_port);
    }
    let ports: HashSet<u16> = doors.iter().map(SocketAddr::port).collect();
    assert!(seen.is_subset(&ports));
    let client = only_peer(&pair.client).endpoint.unwrap();
    assert!(doors.contains(&client));
}

#[test]
fn a_thousand_ports_at_once() {
    let mut pair = Pair::with(Options {
        server: |settings| settings.ports = vec![0; 1024],
        ..Options::default()
    });
    let doors = pair.server.engine.local_addresses().to_vec();
    let ports: HashSet<u16> = doors.iter().map(SocketAddr::port).collect();
    assert_eq!(ports.len(), 1024);
    restart_client(&mut pair, doors[1023], Parameters::default());
    converse(&pair, &Target::new());
    assert_eq!(only_peer(&pair.server).local_port, Some(doors[1023].port()));
}

#[test]
fn ports_that_cannot_be_are_refused() {
    let refused = |change: fn(&mut awg_engine::EngineSettings)| {
        let mut settings = awg_engine::EngineSettings::new(Pair::some_key());
        settings.addresses = vec![pair::SERVER];
        change(&mut settings);
        Engine::new(settings).unwrap_err()
    };
    assert!(matches!(
        refused(|settings| settings.ports = vec![0; 1025]),
        SettingsError::TooManyPorts(1025)
    ));
    assert!(matches!(
        refused(|settings| {
            let set = FurtherObfuscation {
                parameters: Parameters::default(),
                ports: vec![0],
            };
            settings.further_obfuscation = vec![set; 70_000];
        }),
        SettingsError::TooManyPorts(70_001)
    ));
    assert!(matches!(
        refused(|settings| settings.ports = vec![7, 0, 0, 7]),
        SettingsError::PortTwice(7)
    ));
    assert!(matches!(
        refused(|settings| {
            settings.ports = vec![8];
            settings.further_obfuscation = vec![FurtherObfuscation {
                parameters: Parameters::default(),
                ports: vec![9, 8],
            }];
        }),
        SettingsError::PortTwice(8)
    ));
    assert!(matches!(
        refused(|settings| {
            settings.further_obfuscation = vec![FurtherObfuscation {
                parameters: Parameters::default(),
                ports: Vec::new(),
            }];
        }),
        SettingsError::NoPort(0)
    ));
}
