//! One end with two tunnels that receive at one port, and clients whose datagrams come to either of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use awg_obfuscation::Parameters;

use super::link::{MTU, SECOND, number_of, outer, packet};
use crate::{
    Endpoint, Now, PeerConfig, PeerId, PrivateKey, PublicKey, Seal, Share, Tunnel, TunnelConfig,
};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const UNIX: Duration = Duration::from_secs(1_800_000_000);

fn server_key() -> PrivateKey {
    PrivateKey::from_bytes([1; 32])
}

fn client_key(client: usize) -> PrivateKey {
    PrivateKey::from_bytes([client as u8 + 10; 32])
}

fn inner(client: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, client as u8 + 2)
}

/// A client; its peer is the server.
struct Client {
    tunnel: Tunnel,
    peer: PeerId,
}

/// Clients and the tunnels of their server: of client `n` share `n % 2` knows it.
struct Scene {
    start: Instant,
    elapsed: Duration,
    spread: crate::Spread,
    shares: Vec<Tunnel>,
    clients: Vec<Client>,
    /// How far from where it belongs each datagram to the server arrives.
    astray: usize,
    handed_over: u64,
    arrived: Vec<u32>,
}

impl Scene {
    fn new(parameters: &Parameters, clients: usize, networks: fn(usize) -> String) -> Self {
        let start = Instant::now();
        let now = Now {
            instant: start,
            unix: UNIX,
        };
        let configs: Vec<PeerConfig> = (0..clients)
            .map(|client| PeerConfig {
                allowed_ips: vec![networks(client).parse().unwrap()],
                ..PeerConfig::new(client_key(client).public_key())
            })
            .collect();
        let parts = Share::of(2, [3; 32]);
        let spread = parts[0].spread();
        let shares = parts
            .into_iter()
            .map(|share| {
                let config = TunnelConfig::new(server_key(), parameters.clone(), MTU);
                let number = share.number();
                let mut tunnel = Tunnel::new(config, [number as u8; 32], now).unwrap();
                tunnel.join(share);
                for config in configs.iter().skip(number).step_by(2) {
                    tunnel.add_peer(now, config.clone()).unwrap();
                }
                let all = configs.iter().enumerate().map(|(place, config)| {
                    (&config.public_key, config.allowed_ips.as_slice(), place % 2)
                });
                tunnel.place_peers(all);
                tunnel
            })
            .collect();
        let clients = (0..clients)
            .map(|client| {
                let config = TunnelConfig::new(client_key(client), parameters.clone(), MTU);
                let mut tunnel = Tunnel::new(config, [client as u8 + 50; 32], now).unwrap();
                let peer = PeerConfig {
                    endpoint: Some(outer(0).into()),
                    allowed_ips: vec!["0.0.0.0/0".parse().unwrap()],
                    ..PeerConfig::new(server_key().public_key())
                };
                let peer = tunnel.add_peer(now, peer).unwrap();
                Client { tunnel, peer }
            })
            .collect();
        Self {
            start,
            elapsed: Duration::ZERO,
            spread,
            shares,
            clients,
            astray: 1,
            handed_over: 0,
            arrived: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        Now {
            instant: self.start + self.elapsed,
            unix: UNIX + self.elapsed,
        }
    }

    fn address(client: usize) -> SocketAddr {
        SocketAddr::from(([203, 0, 113, client as u8], 1000))
    }

    /// Gives the server a datagram where it is to arrive, and hands it over if it belongs elsewhere.
    fn arrive(&mut self, at: usize, from: SocketAddr, datagram: &[u8]) {
        let now = self.now();
        let mut bytes = datagram.to_vec();
        let inbound = self.shares[at].handle_datagram(now, from, &mut bytes);
        let inbound = match inbound {
            Some(inbound) => Some(number_of(inbound.packet)),
            None => self.shares[at].take_misplaced().and_then(|share| {
                assert_ne!(share, at);
                assert_eq!(bytes, datagram, "what is handed over is as it was");
                self.handed_over += 1;
                let tunnel = &mut self.shares[share];
                tunnel
                    .handle_handed_over(now, Endpoint::from(from), &mut bytes)
                    .map(|inbound| number_of(inbound.packet))
            }),
        };
        self.arrived.extend(inbound);
    }

    /// Carries what waits until nothing does; gives what went to clients.
    fn carry(&mut self) -> Vec<Vec<u8>> {
        let mut datagram = Vec::new();
        let mut answers = Vec::new();
        loop {
            let now = self.now();
            let mut moved = false;
            for client in 0..self.clients.len() {
                while let Some(to) = self.clients[client]
                    .tunnel
                    .poll_transmit(now, &mut datagram)
                {
                    assert_eq!(to.remote, outer(0));
                    moved = true;
                    let at = (client + self.astray) % 2;
                    self.arrive(at, Self::address(client), &datagram.clone());
                }
            }
            for share in 0..self.shares.len() {
                while let Some(to) = self.shares[share].poll_transmit(now, &mut datagram) {
                    moved = true;
                    answers.push(datagram.clone());
                    let client = (0..self.clients.len())
                        .find(|client| Self::address(*client) == to.remote)
                        .unwrap();
                    let tunnel = &mut self.clients[client].tunnel;
                    tunnel.handle_datagram(now, outer(0), &mut datagram);
                }
            }
            if !moved {
                return answers;
            }
        }
    }

    fn send_from(&mut self, client: usize, source: Ipv4Addr, number: u32) -> Option<Vec<u8>> {
        let now = self.now();
        let content = packet(source, SERVER, 100, number);
        let Client { tunnel, peer } = &mut self.clients[client];
        let headroom = tunnel.headroom(*peer);
        let mut datagram = vec![0; tunnel.sealed_len(*peer, content.len())];
        datagram[headroom..headroom + content.len()].copy_from_slice(&content);
        let Seal::Sealed { len, .. } = tunnel.seal(now, *peer, &mut datagram, content.len()) else {
            return None;
        };
        datagram.truncate(len);
        let at = (client + self.astray) % 2;
        self.arrive(at, Self::address(client), &datagram);
        Some(datagram)
    }

    fn send(&mut self, client: usize, number: u32) {
        self.send_from(client, inner(client), number);
    }

    fn sum(&self, count: fn(&crate::Counters) -> u64) -> u64 {
        self.shares
            .iter()
            .map(|tunnel| count(tunnel.counters()))
            .sum()
    }
}

fn own_address(client: usize) -> String {
    format!("{}/32", inner(client))
}

fn obfuscated() -> Parameters {
    Parameters::from_settings([
        ("Jc", "2"),
        ("Jmin", "40"),
        ("Jmax", "70"),
        ("S1", "20"),
        ("S2", "30"),
        ("S3", "25"),
        ("S4", "16"),
        ("H1", "100-200"),
        ("H2", "300-400"),
        ("H3", "500-600"),
        ("H4", "700-800"),
    ])
    .unwrap()
}

fn protected() -> Parameters {
    Parameters::from_settings([
        ("S1", "20"),
        ("S2", "30"),
        ("S3", "25"),
        ("S4", "16"),
        (
            "HeaderProtectionKey",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
    ])
    .unwrap()
}

#[test]
fn what_comes_to_the_wrong_tunnel_arrives() {
    for parameters in [Parameters::default(), obfuscated(), protected()] {
        let mut scene = Scene::new(&parameters, 8, own_address);
        for client in 0..8 {
            scene.send(client, client as u32);
        }
        scene.carry();
        assert_eq!(scene.arrived, (0..8).collect::<Vec<_>>());
        for client in 0..8 {
            scene.send(client, 100 + client as u32);
        }
        assert_eq!(scene.arrived[8..], (100..108).collect::<Vec<_>>());
        // Initiation, the packet that waited for the session (or the keepalive that confirms it), the other packet.
        assert!(scene.handed_over >= 8 * 3, "{}", scene.handed_over);
        assert_eq!(scene.sum(|counters| counters.initiations_received), 8);
        assert_eq!(scene.sum(|counters| counters.packets_received), 16);
        let junk = scene.sum(|counters| counters.dropped_unclassified);
        assert_eq!(scene.sum(crate::Counters::datagrams_dropped), junk);
    }
}

#[test]
fn what_comes_to_the_right_tunnel_stays_there() {
    let mut scene = Scene::new(&Parameters::default(), 8, own_address);
    scene.astray = 0;
    for client in 0..8 {
        scene.send(client, client as u32);
    }
    scene.carry();
    assert_eq!(scene.arrived.len(), 8);
    assert_eq!(scene.handed_over, 0);
}

#[test]
fn indices_tell_the_share() {
    let mut scene = Scene::new(&Parameters::default(), 8, own_address);
    for client in 0..8 {
        scene.send(client, 0);
        let answers = scene.carry();
        let response = answers.iter().find(|answer| answer.len() == 92).unwrap();
        let index = u32::from_le_bytes(*response[4..].first_chunk().unwrap());
        assert_eq!(scene.spread.owner(index), client % 2);
    }
}

/// The initiator, too, may be one of several.
#[test]
fn responses_and_cookie_replies_find_their_tunnel() {
    let mut scene = Scene::new(&Parameters::default(), 2, own_address);
    let now = scene.now();
    // From the server's side: share 0 asks client 0.
    let key = client_key(0).public_key();
    let peer = scene.shares[0].peer(&key).unwrap();
    let endpoint = Some(Scene::address(0).into());
    let config = PeerConfig {
        endpoint,
        allowed_ips: vec![own_address(0).parse().unwrap()],
        ..PeerConfig::new(key)
    };
    scene.shares[0].update_peer(now, peer, config).unwrap();
    scene.clients[0]
        .tunnel
        .gauge
        .force_until(scene.start + 2 * SECOND);
    scene.shares[0].connect(now, peer);
    scene.carry();
    assert_eq!(scene.sum(|counters| counters.cookie_replies_received), 1);
    assert_eq!(scene.sum(|counters| counters.responses_received), 0);
    scene.elapsed += 6 * SECOND;
    let now = scene.now();
    scene.shares[0].handle_timeout(now);
    scene.carry();
    assert_eq!(scene.sum(|counters| counters.responses_received), 1);
    assert_eq!(scene.shares[1].counters().responses_received, 0);
}

#[test]
fn a_copy_of_an_initiation_is_handed_over_once() {
    let mut scene = Scene::new(&Parameters::default(), 1, own_address);
    let now = scene.now();
    let Client { tunnel, peer } = &mut scene.clients[0];
    tunnel.connect(now, *peer);
    let mut initiation = Vec::new();
    tunnel.poll_transmit(now, &mut initiation).unwrap();
    for _ in 0..5 {
        scene.arrive(1, Scene::address(0), &initiation);
    }
    assert_eq!(scene.handed_over, 1);
    assert_eq!(scene.shares[1].counters().dropped_initiation_replayed, 4);
    scene.arrive(0, Scene::address(0), &initiation);
    assert_eq!(scene.shares[0].counters().dropped_initiation_replayed, 1);
    assert_eq!(scene.sum(|counters| counters.datagrams_received), 6);
    assert_eq!(scene.sum(crate::Counters::datagrams_dropped), 5);
}

/// A cookie of the tunnel where an initiation arrives is good there, and its owner asks for no other.
#[test]
fn a_cookie_is_good_at_all_tunnels() {
    let mut scene = Scene::new(&Parameters::default(), 1, own_address);
    for tunnel in &mut scene.shares {
        tunnel.gauge.force_until(scene.start + 60 * SECOND);
    }
    scene.send(0, 1);
    scene.carry();
    assert_eq!(scene.sum(|counters| counters.dropped_without_cookie), 1);
    assert_eq!(
        scene.clients[0].tunnel.counters().cookie_replies_received,
        1
    );
    // The next one comes to the other tunnel.
    scene.astray = 0;
    scene.elapsed += 6 * SECOND;
    let now = scene.now();
    scene.clients[0].tunnel.handle_timeout(now);
    scene.carry();
    assert_eq!(scene.arrived, [1]);
    assert_eq!(scene.sum(|counters| counters.cookie_replies_sent), 1);
}

#[test]
fn strangers_and_what_is_no_session_are_counted_once() {
    let mut scene = Scene::new(&Parameters::default(), 1, own_address);
    let now = scene.now();
    let config = TunnelConfig::new(client_key(100), Parameters::default(), MTU);
    let mut stranger = Tunnel::new(config, [9; 32], now).unwrap();
    let server = PeerConfig {
        endpoint: Some(outer(0).into()),
        ..PeerConfig::new(server_key().public_key())
    };
    let peer = stranger.add_peer(now, server).unwrap();
    stranger.connect(now, peer);
    let mut initiation = Vec::new();
    stranger.poll_transmit(now, &mut initiation).unwrap();
    scene.arrive(0, Scene::address(5), &initiation);
    assert_eq!(scene.sum(|counters| counters.dropped_unknown_peer), 1);
    for number in 0..64u32 {
        let mut message = vec![7; 64];
        message[..4].copy_from_slice(&[4, 0, 0, 0]);
        message[4..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_le_bytes());
        scene.arrive(0, Scene::address(5), &message);
    }
    assert!(scene.handed_over > 0);
    assert_eq!(scene.sum(|counters| counters.dropped_unknown_session), 64);
    assert_eq!(scene.sum(|counters| counters.datagrams_received), 65);
    assert_eq!(scene.sum(crate::Counters::datagrams_dropped), 65);
}

/// What is another peer's is nobody else's, also where another tunnel has that peer.
#[test]
fn networks_of_peers_elsewhere_are_not_a_peers_own() {
    let mut scene = Scene::new(&Parameters::default(), 2, |client| match client {
        0 => "10.0.0.0/8".to_owned(),
        _ => "10.1.0.0/16".to_owned(),
    });
    scene.send_from(0, Ipv4Addr::new(10, 0, 0, 9), 1);
    scene.send_from(1, Ipv4Addr::new(10, 1, 0, 9), 2);
    scene.carry();
    scene.send_from(0, Ipv4Addr::new(10, 1, 0, 9), 3);
    scene.send_from(1, Ipv4Addr::new(10, 0, 0, 9), 4);
    assert_eq!(scene.arrived, [1, 2]);
    assert_eq!(scene.sum(|counters| counters.dropped_source_not_allowed), 2);
    let routed = |share: usize, address: [u8; 4]| scene.shares[share].route(address.into());
    assert!(routed(0, [10, 0, 0, 9]).is_some() && routed(0, [10, 1, 0, 9]).is_none());
    assert!(routed(1, [10, 0, 0, 9]).is_none() && routed(1, [10, 1, 0, 9]).is_some());
    // Without the second peer the first one has all of it.
    let key: PublicKey = client_key(0).public_key();
    let networks = ["10.0.0.0/8".parse().unwrap()];
    scene.shares[0].place_peers([(&key, networks.as_slice(), 0)]);
    scene.send_from(0, Ipv4Addr::new(10, 1, 0, 9), 5);
    assert_eq!(scene.arrived, [1, 2, 5]);
}
