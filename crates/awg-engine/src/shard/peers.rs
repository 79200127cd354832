//! The peers: what they are called where, and how a new list of them takes the place of the old one.

use std::collections::{HashMap, HashSet};

use awg_netstack::Peer;
use awg_tunnel::{PeerConfig, PeerError, PeerId, PublicKey, Tunnel};

use super::Shard;
use crate::event::{Event, Level, LogRecord};

/// What the stack calls a peer.
pub(super) fn in_stack(peer: PeerId) -> Peer {
    Peer(peer.number())
}

/// What the tunnel calls a peer of the stack.
pub(super) fn in_tunnel(peer: Peer) -> PeerId {
    PeerId::from_number(peer.0)
}

/// The peers of a shard, as they are configured.
#[derive(Debug, Default)]
pub(super) struct Peers {
    configured: HashMap<PeerId, PeerConfig>,
}

impl Peers {
    pub(super) fn insert(&mut self, peer: PeerId, config: PeerConfig) {
        self.configured.insert(peer, config);
    }

    pub(super) fn remove(&mut self, peer: PeerId) {
        self.configured.remove(&peer);
    }

    pub(super) fn get(&self, peer: PeerId) -> Option<&PeerConfig> {
        self.configured.get(&peer)
    }

    pub(super) fn key(&self, peer: PeerId) -> Option<PublicKey> {
        self.get(peer).map(|config| config.public_key)
    }

    pub(super) fn len(&self) -> usize {
        self.configured.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PeerId, &PeerConfig)> {
        self.configured.iter().map(|(peer, config)| (*peer, config))
    }
}

/// Whether two descriptions of one peer differ in nothing. What was once accepted is no part of a description.
fn same(left: &PeerConfig, right: &PeerConfig) -> bool {
    same_keys(left, right)
        && left.endpoint == right.endpoint
        && left.hop == right.hop
        && left.allowed_ips == right.allowed_ips
        && left.persistent_keepalive == right.persistent_keepalive
}

fn same_keys(left: &PeerConfig, right: &PeerConfig) -> bool {
    let preshared = |config: &PeerConfig| config.preshared_key.as_ref().map(|key| *key.as_bytes());
    left.public_key == right.public_key && preshared(left) == preshared(right)
}

impl Shard {
    /// Makes `wanted` the peers. Removal comes first, so that allowed IPs may go over from one to another.
    pub(super) fn set_peers(&mut self, wanted: Vec<PeerConfig>) {
        let keys: HashSet<PublicKey> = wanted.iter().map(|config| config.public_key).collect();
        let removed: Vec<PeerId> = self
            .peers
            .iter()
            .filter(|(_, config)| !keys.contains(&config.public_key))
            .map(|(peer, _)| peer)
            .collect();
        for peer in removed {
            self.remove_peer(peer);
        }
        for (place, config) in wanted.into_iter().enumerate() {
            if let Err(error) = self.set_peer(config) {
                self.shared.events.push(Event::Log(LogRecord {
                    level: Level::Error,
                    message: "a peer was refused",
                    // The place in the list, not the key: keys are in no log.
                    fields: vec![
                        ("peer", format!("peers[{place}]")),
                        ("error", error.to_string()),
                    ],
                }));
            }
        }
    }

    fn set_peer(&mut self, config: PeerConfig) -> Result<(), PeerError> {
        let known = self.tunnel.peer(&config.public_key);
        if let Some(peer) = known
            && let Some(former) = self.peers.get(peer)
        {
            if same(former, &config) {
                return Ok(());
            }
            if same_keys(former, &config) {
                // Where the configuration names the same place as before, a peer that has moved since stays where it is.
                let endpoint = config
                    .endpoint
                    .filter(|_| config.endpoint != former.endpoint);
                let change = PeerConfig {
                    endpoint,
                    ..config.clone()
                };
                self.tunnel.update_peer(self.now, peer, change)?;
                self.peers.insert(peer, config);
                self.connect_peer(peer);
                return Ok(());
            }
            self.remove_peer(peer);
        }
        let peer = self.tunnel.add_peer(self.now, config.clone())?;
        self.peers.insert(peer, config);
        self.connect_peer(peer);
        Ok(())
    }

    fn remove_peer(&mut self, peer: PeerId) {
        self.tunnel.remove_peer(peer);
        self.stack.forget_peer(self.now.instant, in_stack(peer));
        self.peers.remove(peer);
        self.watch.remove(peer);
    }

    /// Begins a handshake with every peer that a session is to be kept with.
    pub(super) fn connect_all_peers(&mut self) {
        let peers: Vec<PeerId> = self.peers.iter().map(|(peer, _)| peer).collect();
        for peer in peers {
            self.connect_peer(peer);
        }
    }

    /// Begins a handshake with a peer that a session is to be kept with, if there is none.
    pub(super) fn connect_peer(&mut self, peer: PeerId) {
        let reachable = self
            .peers
            .get(peer)
            .is_some_and(|config| config.endpoint.is_some());
        if self.stay_connected && reachable {
            if self.is_fast {
                self.watch.insert(peer);
            }
            self.tunnel.connect(self.now, peer);
        }
    }
}

/// Adds the peers of the settings to a tunnel that has none yet.
pub(super) fn add(
    tunnel: &mut Tunnel,
    now: awg_tunnel::Now,
    peers: &mut Peers,
    config: &PeerConfig,
) -> Result<(), PeerError> {
    let peer = tunnel.add_peer(now, config.clone())?;
    peers.insert(peer, config.clone());
    Ok(())
}
