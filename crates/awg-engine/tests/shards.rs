//! Engines whose peers are shared among several loops.
#![cfg(target_os = "linux")]

mod pair;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use awg_engine::transport::udp::UdpSettings;
use awg_engine::{
    Carrier, CommandError, Engine, EngineSettings, Event, Outcome, Refusal, StartError,
    Target as Destination,
};
use awg_tunnel::{Parameters, PeerConfig, PrivateKey};
use pair::target::{Target, echo_target};
use pair::{
    Connected, Node, SERVER, begin_connect, pattern, read_all, read_exactly, replies, tcp_pair,
    through_the_tunnel,
};

/// The key of a peer that lives in `shard` of two; each `number` has its own.
fn key(shard: usize, number: u8) -> PrivateKey {
    let keys = (0..=255u8).map(|byte| {
        let mut bytes = [byte; 32];
        bytes[31] = number + 1;
        PrivateKey::from_bytes(bytes)
    });
    let mut fitting = keys.filter(|key| usize::from(key.public_key().as_bytes()[0] & 1) == shard);
    fitting.next().expect("half of all keys fit")
}

fn client_address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 1, number)
}

fn settings(key: PrivateKey, address: IpAddr, parameters: &Parameters) -> EngineSettings {
    let mut settings = EngineSettings::new(key);
    settings.addresses = vec![address];
    settings.obfuscation = parameters.clone();
    settings.udp = UdpSettings {
        address: Some(Ipv4Addr::LOCALHOST.into()),
        ..UdpSettings::default()
    };
    settings
}

/// Where headers are protected, the system cannot tell to which loop a datagram belongs.
fn protected() -> Parameters {
    Parameters::from_settings([
        ("S1", "20"),
        ("S2", "20"),
        ("S3", "20"),
        ("S4", "20"),
        (
            "HeaderProtectionKey",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
    ])
    .unwrap()
}

/// A server of two loops and its clients; client `n` lives in loop `n % 2` of the server.
struct Crowd {
    server: Node,
    clients: Vec<Node>,
    peers: Vec<PeerConfig>,
    parameters: Parameters,
}

impl Crowd {
    fn new(clients: u8, parameters: &Parameters, change: impl FnOnce(&mut EngineSettings)) -> Self {
        let peers: Vec<PeerConfig> = (0..clients)
            .map(|number| PeerConfig {
                allowed_ips: vec![IpAddr::from(client_address(number)).into()],
                ..PeerConfig::new(key(usize::from(number % 2), number).public_key())
            })
            .collect();
        let mut server = settings(PrivateKey::from_bytes([200; 32]), SERVER, parameters);
        server.accept_flows = true.into();
        server.stay_connected = false;
        server.workers = Some(2);
        server.peers = peers.iter().cloned().map(Into::into).collect();
        change(&mut server);
        let server = Node::new(server);
        assert_eq!(server.engine.workers(), 2);
        server.engine.start().unwrap();
        let mut crowd = Self {
            server,
            clients: Vec::new(),
            peers,
            parameters: parameters.clone(),
        };
        for number in 0..clients {
            let client = crowd.client(number);
            crowd.clients.push(client);
        }
        crowd
    }

    /// A client that has started.
    fn client(&self, number: u8) -> Node {
        let key = key(usize::from(number % 2), number);
        let address = client_address(number).into();
        let mut settings = settings(key, address, &self.parameters);
        let server = PeerConfig {
            allowed_ips: vec!["0.0.0.0/0".parse().unwrap()],
            endpoint: Some(self.server.engine.local_address().unwrap().into()),
            ..PeerConfig::new(PrivateKey::from_bytes([200; 32]).public_key())
        };
        settings.peers = vec![server.into()];
        let client = Node::new(settings);
        client.engine.start().unwrap();
        client
    }

    fn connect(&self, client: usize, target: SocketAddr) -> Connected {
        connect(&self.clients[client], &self.server, target)
    }
}

/// Opens a connection through two engines.
fn connect(client: &Node, server: &Node, target: SocketAddr) -> Connected {
    let (mut application, ours) = tcp_pair();
    let destination = vec![through_the_tunnel(target.port())];
    let flow = client
        .engine
        .open(destination, ours.into(), Vec::new(), replies())
        .unwrap();
    let incoming = server.wait_incoming();
    server
        .engine
        .attach(incoming.flow, begin_connect(target))
        .unwrap();
    assert_eq!(read_exactly(&mut application, 2), b"ok");
    Connected {
        application,
        client_flow: flow,
        server_flow: incoming.flow,
    }
}

fn say(stream: &mut TcpStream, words: &[u8]) {
    stream.write_all(words).unwrap();
    assert_eq!(read_exactly(stream, words.len()), words);
}

#[test]
fn all_peers_of_two_shards_talk() {
    let crowd = Crowd::new(8, &Parameters::default(), |_| {});
    let target = echo_target();
    let mut connections: Vec<Connected> = (0..8).map(|one| crowd.connect(one, target)).collect();
    for connected in &mut connections {
        say(&mut connected.application, &pattern(100_000));
    }
    // The number of a flow tells its shard.
    let even = |connected: &&Connected| connected.server_flow.0.is_multiple_of(2);
    assert_eq!(connections.iter().filter(even).count(), 4);
    let snapshot = crowd.server.engine.snapshot().unwrap();
    assert_eq!((snapshot.peers.len(), snapshot.flows), (8, 8));
    assert_eq!(crowd.server.counter("tunnel_sessions_established"), 8);
    // Two loops at one port.
    assert_eq!(crowd.server.engine.local_addresses().len(), 1);
}

#[test]
fn datagrams_that_come_to_the_wrong_shard_arrive() {
    let mut crowd = Crowd::new(16, &protected(), |_| {});
    let target = echo_target();
    let mut connections = Vec::new();
    for client in 0..16 {
        let mut connected = crowd.connect(client, target);
        say(&mut connected.application, &[7; 10_000]);
        connections.push(connected);
    }
    // The system chooses by addresses and ports, which are the clients'. Others have other ones.
    let mut client = 0;
    while crowd.server.counter("transport_handed_over") < 20 {
        let again = crowd.client(client as u8);
        crowd.clients[client] = again;
        let mut connected = crowd.connect(client, target);
        say(&mut connected.application, &[7; 10_000]);
        client = (client + 1) % 16;
    }
    for connected in connections.iter_mut().skip(client) {
        say(&mut connected.application, &[9; 10_000]);
    }
    assert_eq!(crowd.server.counter("transport_handed_over_dropped"), 0);
    assert_eq!(crowd.server.counter("tunnel_dropped_unknown_session"), 0);
    assert_eq!(crowd.server.counter("tunnel_dropped_unknown_peer"), 0);
}

#[test]
fn a_peer_that_is_removed_loses_its_flows_and_others_keep_theirs() {
    let crowd = Crowd::new(4, &Parameters::default(), |_| {});
    let target = echo_target();
    let mut connections: Vec<Connected> = (0..4).map(|one| crowd.connect(one, target)).collect();
    // One of each shard goes.
    crowd
        .server
        .engine
        .set_peers(crowd.peers[2..].to_vec())
        .unwrap();
    for connected in &connections[..2] {
        let (outcome, _) = crowd.server.wait_closed(connected.server_flow);
        assert_eq!(outcome, Outcome::PeerGone);
    }
    for connected in &mut connections[2..] {
        say(&mut connected.application, b"still here");
    }
    assert_eq!(crowd.server.engine.snapshot().unwrap().peers.len(), 2);
    // And comes back.
    crowd.server.engine.set_peers(crowd.peers.clone()).unwrap();
    for client in &crowd.clients[..2] {
        client.engine.handshake().unwrap();
    }
    let mut again = crowd.connect(1, target);
    say(&mut again.application, b"again");
}

#[test]
fn bounds_hold_in_sum() {
    let crowd = Crowd::new(4, &Parameters::default(), |settings| {
        settings.limits.flows = 3;
    });
    let target = echo_target();
    let _held: Vec<Connected> = (0..3).map(|one| crowd.connect(one, target)).collect();
    let (mut application, ours) = tcp_pair();
    let client = &crowd.clients[3];
    let flow = client
        .engine
        .open(
            vec![through_the_tunnel(target.port())],
            ours.into(),
            Vec::new(),
            replies(),
        )
        .unwrap();
    assert_eq!(client.wait_refused(flow), Refusal::Refused);
    assert_eq!(read_all(&mut application).unwrap(), b"refused");
    assert_eq!(crowd.server.counter("relay_flows_refused_full"), 1);
}

#[test]
fn stop_ends_the_flows_of_all_shards() {
    let crowd = Crowd::new(4, &Parameters::default(), |_| {});
    let target = echo_target();
    let connections: Vec<Connected> = (0..4).map(|one| crowd.connect(one, target)).collect();
    crowd.server.engine.stop();
    for connected in &connections {
        let (outcome, _) = crowd.server.wait_closed(connected.server_flow);
        assert_eq!(outcome, Outcome::Stopped);
    }
    let last = crowd.server.engine.snapshot().unwrap();
    assert_eq!((last.peers.len(), last.flows), (4, 0));
    let refused = crowd.server.engine.close_flow(connections[0].server_flow);
    assert_eq!(refused, Err(CommandError::NotRunning));
}

#[test]
fn a_port_is_one_engines_alone() {
    let crowd = Crowd::new(1, &Parameters::default(), |_| {});
    for workers in [1, 2] {
        let mut other = settings(
            PrivateKey::from_bytes([9; 32]),
            SERVER,
            &Parameters::default(),
        );
        other.ports = vec![crowd.server.engine.local_address().unwrap().port()];
        other.workers = Some(workers);
        let started = Engine::new(other).unwrap().start();
        assert!(matches!(started, Err(StartError::Bind(_))), "{started:?}");
    }
}

/// Two servers, and a client whose peers they are, each in a shard of its own.
struct Servers {
    client: Node,
    servers: [Node; 2],
}

impl Servers {
    fn new(change: impl FnOnce(&mut EngineSettings)) -> Self {
        let client_key = PrivateKey::from_bytes([100; 32]);
        let servers = [0, 1].map(|shard| {
            let address = IpAddr::from([10, 77, shard as u8, 1]);
            let mut settings = settings(key(shard, 50), address, &Parameters::default());
            settings.accept_flows = true.into();
            settings.stay_connected = false;
            let client = PeerConfig {
                allowed_ips: vec!["10.77.9.9/32".parse().unwrap()],
                ..PeerConfig::new(client_key.public_key())
            };
            settings.peers = vec![client.into()];
            let server = Node::new(settings);
            server.engine.start().unwrap();
            server
        });
        let address = IpAddr::from([10, 77, 9, 9]);
        let mut settings = settings(client_key, address, &Parameters::default());
        settings.workers = Some(2);
        let networks = ["198.51.100.0/25", "198.51.100.128/25"];
        settings.peers = (0..2)
            .map(|shard| {
                PeerConfig {
                    allowed_ips: vec![networks[shard].parse().unwrap()],
                    endpoint: Some(servers[shard].engine.local_address().unwrap().into()),
                    ..PeerConfig::new(key(shard, 50).public_key())
                }
                .into()
            })
            .collect();
        change(&mut settings);
        let client = Node::new(settings);
        client.engine.start().unwrap();
        Self { client, servers }
    }

    /// An address behind a server.
    fn behind(server: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([198, 51, 100, 1 + 128 * server], port))
    }
}

#[test]
fn a_client_reaches_each_destination_by_the_shard_of_its_peer() {
    let servers = Servers::new(|_| {});
    let target = echo_target();
    for server in [0, 1, 1, 0] {
        let (mut application, ours) = tcp_pair();
        let destinations = vec![Servers::behind(server, target.port())];
        let client = &servers.client.engine;
        client
            .open(destinations, ours.into(), Vec::new(), replies())
            .unwrap();
        let node = &servers.servers[usize::from(server)];
        let incoming = node.wait_incoming();
        node.engine
            .attach(incoming.flow, begin_connect(target))
            .unwrap();
        assert_eq!(read_exactly(&mut application, 2), b"ok");
        say(&mut application, b"hello");
    }
    // Each loop has a port of its own, so nothing comes to the wrong one.
    assert_eq!(servers.client.engine.local_addresses().len(), 2);
    assert_eq!(servers.client.counter("transport_handed_over"), 0);
}

#[test]
fn destinations_of_several_shards_are_tried_one_shard_after_the_other() {
    let servers = Servers::new(|_| {});
    let target = Target::new();
    let (mut application, ours) = tcp_pair();
    let destinations = vec![
        Servers::behind(0, 9),
        Servers::behind(1, target.address.port()),
        Servers::behind(0, 10),
    ];
    let flow = servers
        .client
        .engine
        .open(destinations, ours.into(), b"early".to_vec(), replies())
        .unwrap();
    for _ in 0..2 {
        let refused = servers.servers[0].wait_incoming();
        servers.servers[0]
            .engine
            .reject(refused.flow, Refusal::HostUnreachable)
            .unwrap();
    }
    let incoming = servers.servers[1].wait_incoming();
    servers.servers[1]
        .engine
        .attach(incoming.flow, begin_connect(target.address))
        .unwrap();
    let connected = servers.client.wait_connected(flow);
    assert_eq!(connected, Servers::behind(1, target.address.port()));
    assert_eq!(read_exactly(&mut application, 2), b"ok");
    let mut outer = target.accept();
    assert_eq!(read_exactly(&mut outer, 5), b"early");
    // The flow is closed where it is now, by the number that it has had all the time.
    servers.client.engine.close_flow(flow).unwrap();
    assert_eq!(servers.client.wait_closed(flow).0, Outcome::Closed);
}

#[test]
fn what_all_shards_refuse_is_refused_by_the_most_telling_reason() {
    let servers = Servers::new(|_| {});
    let (mut application, ours) = tcp_pair();
    let destinations = vec![Servers::behind(0, 9), Servers::behind(1, 9)];
    let flow = servers
        .client
        .engine
        .open(destinations, ours.into(), Vec::new(), replies())
        .unwrap();
    for (server, reason) in [Refusal::Refused, Refusal::HostUnreachable]
        .into_iter()
        .enumerate()
    {
        let node = &servers.servers[server];
        let incoming = node.wait_incoming();
        node.engine.reject(incoming.flow, reason).unwrap();
    }
    assert_eq!(servers.client.wait_refused(flow), Refusal::Refused);
    assert_eq!(read_all(&mut application).unwrap(), b"refused");
    assert_eq!(servers.client.wait_closed(flow).0, Outcome::Refused);
    let mut closed = servers.client.engine.take_events();
    closed.retain(Event::ends_flow);
    assert_eq!(closed, []);
}

#[test]
fn the_addresses_of_a_name_are_tried_by_the_shards_of_their_peers() {
    // The first peer has a carrier, as far as the client knows.
    let servers = Servers::new(|settings| {
        settings.carrier = Carrier::Auto;
        settings.peers[0].carrier_address = Some(Servers::behind(0, 51443));
    });
    let echo = echo_target();
    let client = &servers.client.engine;
    for tried in [&[1][..], &[0, 1], &[1, 0]] {
        let (mut application, ours) = tcp_pair();
        let name = Destination::name("a.example", echo.port()).unwrap();
        let early = b"early".to_vec();
        let flow = client.open([name], ours.into(), early, replies()).unwrap();
        servers
            .client
            .wait("question for addresses", |event| match event {
                Event::AddressesWanted { flow: which, .. } => (*which == flow).then_some(()),
                _ => None,
            });
        let behind = |server: &u8| Servers::behind(*server, echo.port());
        let addresses = tried.iter().map(|server| behind(server).ip()).collect();
        client
            .name_found(flow, "a.example".into(), addresses)
            .unwrap();
        let (last, before) = tried.split_last().unwrap();
        for server in before {
            let server = &servers.servers[usize::from(*server)];
            let (refused, _) = server.wait_target();
            let reason = Refusal::HostUnreachable;
            server.engine.reject(refused, reason).unwrap();
        }
        let server = &servers.servers[usize::from(*last)];
        let (incoming, asked) = server.wait_target();
        assert_eq!(asked, behind(last).into());
        let target = begin_connect(echo);
        server.engine.attach(incoming, target).unwrap();
        assert_eq!(read_exactly(&mut application, 7), b"okearly");
        assert_eq!(servers.client.wait_connected(flow), behind(last));
    }
}
