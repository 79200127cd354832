use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use awg_netstack::Target;
use awg_tunnel::{PeerConfig, PrivateKey};

use super::{Routes, home};
use crate::terms::PeerSettings;

/// A peer that lives in `shard` of two.
fn peer(shard: usize, seed: u8, network: &str) -> PeerSettings {
    let keys = (0..=255).map(|byte| PrivateKey::from_bytes([seed.wrapping_add(byte); 32]));
    let key = keys
        .map(|key| key.public_key())
        .find(|key| home(key, 2) == shard)
        .unwrap();
    PeerConfig {
        allowed_ips: vec![network.parse().unwrap()],
        ..PeerConfig::new(key)
    }
    .into()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn sockets(texts: &[&str]) -> Vec<Target> {
    texts
        .iter()
        .map(|text| SocketAddr::new(address(text), 80).into())
        .collect()
}

#[test]
fn a_destination_belongs_to_the_shard_of_its_peer() {
    let peers = [peer(1, 1, "0.0.0.0/0"), peer(0, 100, "10.0.0.0/8")];
    let mut routes = Routes::new(2, &peers);
    assert_eq!(routes.shard(address("192.0.2.1")), 1);
    assert_eq!(routes.shard(address("10.1.1.1")), 0);
    assert_eq!(routes.widest(), 1);
    assert_eq!(routes.shard(address("2001:db8::1")), 1, "nobody's");
    routes.replace(&peers[1..]);
    assert_eq!(routes.widest(), 0);
}

#[test]
fn destinations_are_parted_in_their_order() {
    let peers = [peer(1, 1, "0.0.0.0/0"), peer(0, 100, "::/0")];
    let routes = Routes::new(2, &peers);
    let all = sockets(&["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"]);
    let parted = VecDeque::from([
        (0, sockets(&["2001:db8::1", "2001:db8::2"])),
        (1, sockets(&["192.0.2.1", "192.0.2.2"])),
    ]);
    assert_eq!(routes.part(all.clone()), parted);
    assert_eq!(Routes::new(1, &peers).part(all.clone()), [(0, all)]);
}

#[test]
fn a_name_belongs_to_the_shard_of_the_peer_that_takes_names() {
    let mut peers = [peer(1, 1, "0.0.0.0/0"), peer(0, 100, "::/0")];
    let name = Target::name("example.org", 80).unwrap();
    let parted = |peers: &[PeerSettings]| Routes::new(2, peers).part(vec![name.clone()]);
    assert_eq!(parted(&peers), [(1, vec![name.clone()])], "none does");
    peers[1].carrier_address = Some(SocketAddr::new(address("10.0.0.1"), 51_443));
    assert_eq!(parted(&peers), [(0, vec![name.clone()])]);
}

#[test]
fn keys_spread_over_shards() {
    let mut counts = [0; 4];
    for byte in 0..=255u8 {
        let key = PrivateKey::from_bytes([byte.max(1); 32]).public_key();
        counts[home(&key, 4)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 32), "{counts:?}");
}
