//! Peers added, changed and removed while the tunnel runs; bounds.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::link::{MTU, SECOND, World, inner, key, outer, packet, wall_clock};
use crate::{
    Interval, KeyError, Now, PeerConfig, PeerError, PeerId, PrivateKey, PublicKey, Seal, SendDrop,
    Tunnel, TunnelConfig, TunnelError,
};

fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix: wall_clock(Duration::ZERO),
    }
}

fn config() -> TunnelConfig {
    TunnelConfig::new(key(0), awg_obfuscation::Parameters::default(), MTU)
}

fn tunnel() -> Tunnel {
    Tunnel::new(config(), [1; 32], now()).unwrap()
}

fn public(number: u32) -> PublicKey {
    let mut bytes = [0x42; 32];
    // Not the first byte: clamping takes bits of it.
    bytes[4..8].copy_from_slice(&number.to_le_bytes());
    PrivateKey::from_bytes(bytes).public_key()
}

fn seal(tunnel: &mut Tunnel, now: Now, peer: PeerId, length: usize) -> Seal {
    let packet = packet(inner(0), inner(1), length, 0);
    let mut datagram = vec![0; tunnel.sealed_len(peer, length)];
    let headroom = tunnel.headroom(peer);
    datagram[headroom..headroom + length].copy_from_slice(&packet);
    tunnel.seal(now, peer, &mut datagram, length)
}

#[test]
fn what_cannot_be_a_peer_is_refused() {
    let mut tunnel = tunnel();
    let mut add = |config| tunnel.add_peer(now(), config).unwrap_err();
    assert_eq!(
        add(PeerConfig::new(PublicKey::from_bytes([0; 32]))),
        PeerError::Key(KeyError::Zero)
    );
    let mut low = [0; 32];
    low[0] = 1;
    assert_eq!(
        add(PeerConfig::new(PublicKey::from_bytes(low))),
        PeerError::Key(KeyError::LowOrder)
    );
    assert_eq!(add(PeerConfig::new(key(0).public_key())), PeerError::OwnKey);
    tunnel.add_peer(now(), PeerConfig::new(public(1))).unwrap();
    assert_eq!(
        tunnel.add_peer(now(), PeerConfig::new(public(1))),
        Err(PeerError::Exists)
    );
}

#[test]
fn what_cannot_be_a_tunnel_is_refused() {
    let make = |config| Tunnel::new(config, [1; 32], now()).err();
    let zero = TunnelConfig {
        private_key: PrivateKey::from_bytes([0; 32]),
        ..config()
    };
    assert_eq!(make(zero), Some(TunnelError::PrivateKey(KeyError::Zero)));
    for mtu in [0, 67, 65_476] {
        let error = make(TunnelConfig { mtu, ..config() });
        assert_eq!(
            error,
            Some(TunnelError::Mtu {
                mtu,
                least: 68,
                most: 65_475
            })
        );
    }
    let mut wrong = config();
    wrong.obfuscation.junk_min = 9;
    wrong.obfuscation.junk_max = 3;
    assert!(matches!(make(wrong), Some(TunnelError::Parameters(errors)) if !errors.is_empty()));
}

#[test]
fn a_removed_peer_leaves_nothing_behind() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(SECOND);
    let peer = world.ends[1].peer;
    let late = {
        world.send(0, 100, 2);
        world.sent.last().unwrap().datagram.clone()
    };
    let tunnel = world.tunnel(1);
    assert!(tunnel.remove_peer(peer));
    assert!(!tunnel.remove_peer(peer));
    assert_eq!(tunnel.peer(&key(0).public_key()), None);
    assert_eq!(tunnel.route(IpAddr::from(inner(0))), None);
    assert_eq!(tunnel.peer_status(peer), None);
    assert_eq!(tunnel.indices.len(), 0);
    assert_eq!(tunnel.next_timeout(), None);
    assert_eq!(world.inject(1, outer(0), &late), (0, false));
    assert_eq!(world.tunnel(1).counters().dropped_unknown_session, 1);
    assert_eq!(world.send(1, 100, 3), Seal::Dropped(SendDrop::NoPeer));
    // Its place is taken by another, whom the old handle does not mean.
    let now = world.now(1);
    let other = world
        .tunnel(1)
        .add_peer(now, PeerConfig::new(public(5)))
        .unwrap();
    assert_ne!(other, peer);
    assert_eq!(PeerId::from_number(other.number()), other);
    assert!(world.tunnel(1).peer_status(peer).is_none());
    assert!(world.tunnel(1).peer_status(other).is_some());
}

#[test]
fn a_peer_removed_with_messages_waiting_is_no_trouble() {
    let mut tunnel = tunnel();
    let now = now();
    let config = PeerConfig {
        endpoint: Some(outer(1).into()),
        persistent_keepalive: Interval::every(1),
        ..PeerConfig::new(key(1).public_key())
    };
    let peer = tunnel.add_peer(now, config.clone()).unwrap();
    assert_eq!(seal(&mut tunnel, now, peer, 100), Seal::Staged);
    tunnel.remove_peer(peer);
    assert_eq!(tunnel.counters().dropped_staged_flushed, 1);
    assert_eq!(tunnel.staged_bytes, 0);
    let again = tunnel.add_peer(now, config).unwrap();
    let mut datagram = Vec::new();
    while tunnel.poll_transmit(now, &mut datagram).is_some() {}
    assert!(tunnel.next_timeout().is_some());
    assert!(tunnel.peer_status(again).is_some());
}

#[test]
fn allowed_ips_change_while_running() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(SECOND);
    let now = world.now(1);
    let peer = world.ends[1].peer;
    let config = PeerConfig {
        allowed_ips: vec!["10.9.0.0/16".parse().unwrap()],
        ..PeerConfig::new(key(0).public_key())
    };
    world.tunnel(1).update_peer(now, peer, config).unwrap();
    assert_eq!(world.tunnel(1).route(IpAddr::from(inner(0))), None);
    assert_eq!(
        world.tunnel(1).route("10.9.1.1".parse().unwrap()),
        Some(peer)
    );
    world.send(0, 100, 2);
    world.run(SECOND);
    assert_eq!(world.tunnel(1).counters().dropped_source_not_allowed, 1);
    // The session went on, and the endpoint stayed.
    assert!(matches!(world.send(1, 100, 3), Seal::Sealed { to, .. } if to.remote == outer(0)));
    let error = world
        .tunnel(1)
        .update_peer(now, peer, PeerConfig::new(public(9)));
    assert_eq!(error, Err(PeerError::Unknown));
}

#[test]
fn a_prefix_goes_over_to_the_peer_that_was_given_it_last() {
    let mut tunnel = tunnel();
    let prefix = "10.1.0.0/16".parse().unwrap();
    let with = |number| PeerConfig {
        allowed_ips: vec![prefix],
        ..PeerConfig::new(public(number))
    };
    let first = tunnel.add_peer(now(), with(1)).unwrap();
    let second = tunnel.add_peer(now(), with(2)).unwrap();
    let address = "10.1.2.3".parse().unwrap();
    assert_eq!(tunnel.route(address), Some(second));
    tunnel.remove_peer(first);
    assert_eq!(tunnel.route(address), Some(second));
}

#[test]
fn packets_that_wait_are_bounded() {
    let mut config = config();
    config.limits.staged_packets = 4;
    config.limits.staged_bytes = 1000;
    let now = now();
    let mut tunnel = Tunnel::new(config, [1; 32], now).unwrap();
    let with = |number| PeerConfig {
        endpoint: Some(outer(1).into()),
        ..PeerConfig::new(public(number))
    };
    let first = tunnel.add_peer(now, with(1)).unwrap();
    let second = tunnel.add_peer(now, with(2)).unwrap();
    for _ in 0..10 {
        assert_eq!(seal(&mut tunnel, now, first, 200), Seal::Staged);
    }
    assert_eq!(tunnel.peers.get(first).unwrap().staged.len(), 4);
    assert_eq!(tunnel.counters().dropped_staged_full, 6);
    // What is left for the others.
    assert_eq!(seal(&mut tunnel, now, second, 200), Seal::Staged);
    assert_eq!(seal(&mut tunnel, now, second, 200), Seal::Staged);
    assert_eq!(tunnel.peers.get(second).unwrap().staged.len(), 1);
    assert_eq!(
        seal(&mut tunnel, now, second, 400),
        Seal::Dropped(SendDrop::StagedFull)
    );
    assert!(tunnel.staged_bytes <= 1000);
}

#[test]
fn a_peer_without_an_endpoint_has_to_come_first() {
    let mut tunnel = tunnel();
    let now = now();
    let peer = tunnel.add_peer(now, PeerConfig::new(public(1))).unwrap();
    assert_eq!(
        seal(&mut tunnel, now, peer, 100),
        Seal::Dropped(SendDrop::NoEndpoint)
    );
    tunnel.connect(now, peer);
    assert_eq!(tunnel.poll_transmit(now, &mut Vec::new()), None);
    let known = PeerConfig {
        endpoint: Some(outer(1).into()),
        ..PeerConfig::new(public(1))
    };
    tunnel.update_peer(now, peer, known).unwrap();
    assert_eq!(seal(&mut tunnel, now, peer, 100), Seal::Staged);
    assert_eq!(
        tunnel.poll_transmit(now, &mut Vec::new()),
        Some(outer(1).into())
    );
}

#[test]
fn a_slice_that_is_too_short_is_refused() {
    let mut tunnel = tunnel();
    let now = now();
    let config = PeerConfig {
        endpoint: Some(outer(1).into()),
        ..PeerConfig::new(public(1))
    };
    let peer = tunnel.add_peer(now, config).unwrap();
    let mut datagram = vec![0; tunnel.sealed_len(peer, 100) - 1];
    assert_eq!(
        tunnel.seal(now, peer, &mut datagram, 100),
        Seal::Dropped(SendDrop::SliceTooShort)
    );
}

#[test]
fn as_many_peers_as_are_allowed() {
    let mut config = config();
    config.limits.peers = 300;
    let now = now();
    let mut tunnel = Tunnel::new(config, [1; 32], now).unwrap();
    let mut peers = Vec::new();
    for number in 0..300 {
        let config = PeerConfig {
            endpoint: Some(outer(1).into()),
            allowed_ips: vec![
                format!("10.0.{}.{}/32", number / 256, number % 256)
                    .parse()
                    .unwrap(),
            ],
            persistent_keepalive: Interval::every(25),
            ..PeerConfig::new(public(number))
        };
        peers.push(tunnel.add_peer(now, config).unwrap());
    }
    let error = tunnel.add_peer(now, PeerConfig::new(public(300)));
    assert_eq!(error, Err(PeerError::TooMany { limit: 300 }));
    assert_eq!(tunnel.peers.len(), 300);
    // One entry on the clock for each, however often packets move their deadlines.
    for _ in 0..20 {
        for peer in &peers {
            seal(&mut tunnel, now, *peer, 100);
        }
    }
    assert_eq!(tunnel.clock.len(), 300);
    for number in 0..300u32 {
        let address = IpAddr::from([10, 0, (number / 256) as u8, (number % 256) as u8]);
        assert_eq!(tunnel.route(address), tunnel.peer(&public(number)));
    }
    for peer in peers {
        tunnel.remove_peer(peer);
    }
    assert_eq!(
        (
            tunnel.clock.len(),
            tunnel.indices.len(),
            tunnel.staged_bytes
        ),
        (0, 0, 0)
    );
}
