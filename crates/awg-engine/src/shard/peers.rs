//! The peers: what they are called where, and how a new list of them takes the place of the old one.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::Instant;

use awg_netstack::Peer;
use awg_tunnel::{PeerConfig, PeerError, PeerId, PublicKey, Tunnel};

use super::Shard;
use super::flows::State;
use super::usage::Usage;
use crate::event::{Event, Level, LogRecord};
use crate::policy::EgressPolicy;
use crate::terms::{PeerSettings, Terms};

/// What the stack calls a peer.
pub(super) fn in_stack(peer: PeerId) -> Peer {
    Peer(peer.number())
}

/// What the tunnel calls a peer of the stack.
pub(super) fn in_tunnel(peer: Peer) -> PeerId {
    PeerId::from_number(peer.0)
}

/// A peer of a shard.
#[derive(Debug)]
struct Member {
    config: PeerConfig,
    egress: Option<EgressPolicy>,
    carrier_address: Option<SocketAddr>,
    usage: Usage,
}

/// The peers of a shard, as they are configured, and what they use.
#[derive(Debug, Default)]
pub(super) struct Peers {
    /// Boxed: a table is up to half empty.
    members: HashMap<PeerId, Box<Member>>,
    /// Those with connections that wait for their share of bandwidth.
    throttled: Vec<PeerId>,
}

impl Peers {
    fn insert(&mut self, now: Instant, peer: PeerId, settings: PeerSettings) {
        let PeerSettings {
            config,
            terms,
            carrier_address,
        } = settings;
        let member = Member {
            config,
            egress: terms.egress,
            carrier_address,
            usage: Usage::new(now, terms.limits),
        };
        self.members.insert(peer, Box::new(member));
    }

    fn remove(&mut self, peer: PeerId) {
        self.members.remove(&peer);
    }

    fn configure(&mut self, peer: PeerId, config: PeerConfig) {
        if let Some(member) = self.members.get_mut(&peer) {
            member.config = config;
        }
    }

    pub(super) fn get(&self, peer: PeerId) -> Option<&PeerConfig> {
        self.members.get(&peer).map(|member| &member.config)
    }

    pub(super) fn key(&self, peer: PeerId) -> Option<PublicKey> {
        self.get(peer).map(|config| config.public_key)
    }

    pub(super) fn usage(&self, peer: PeerId) -> Option<&Usage> {
        self.members.get(&peer).map(|member| &member.usage)
    }

    pub(super) fn usage_mut(&mut self, peer: PeerId) -> Option<&mut Usage> {
        self.members.get_mut(&peer).map(|member| &mut member.usage)
    }

    /// Where the datagrams of a peer may go, if that is not where the others' may.
    pub(super) fn egress(&self, peer: PeerId) -> Option<&EgressPolicy> {
        self.members.get(&peer)?.egress.as_ref()
    }

    /// Where the peer is known to take carried connections.
    pub(super) fn carrier_address(&self, peer: PeerId) -> Option<SocketAddr> {
        self.members.get(&peer)?.carrier_address
    }

    /// Connections of this peer wait for their share from now on.
    pub(super) fn throttle(&mut self, peer: PeerId) {
        if !self.throttled.contains(&peer) {
            self.throttled.push(peer);
        }
    }

    /// The peers with connections that wait; those without are taken off the list.
    pub(super) fn throttled(&mut self) -> Vec<PeerId> {
        let members = &self.members;
        self.throttled.retain(|peer| {
            let member = members.get(peer);
            member.is_some_and(|member| member.usage.next_timeout().is_some())
        });
        self.throttled.clone()
    }

    /// When the first of those connections may go on.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let throttled = self.throttled.iter();
        throttled
            .filter_map(|peer| self.usage(*peer)?.next_timeout())
            .min()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PeerId, &PeerConfig)> {
        let members = self.members.iter();
        members.map(|(peer, member)| (*peer, &member.config))
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
    pub(super) fn set_peers(&mut self, wanted: Vec<PeerSettings>) {
        let all = (self.crew.count() > 1).then(|| wanted.clone());
        let keys = wanted.iter().map(|settings| settings.config.public_key);
        let keys: HashSet<PublicKey> = keys.collect();
        let removed: Vec<PeerId> = self
            .peers
            .iter()
            .filter(|(_, config)| !keys.contains(&config.public_key))
            .map(|(peer, _)| peer)
            .collect();
        for peer in removed {
            self.remove_peer(peer);
        }
        for (place, settings) in wanted.into_iter().enumerate() {
            if !self.crew.has(&settings.config.public_key) {
                continue;
            }
            if let Err(error) = self.set_peer(settings) {
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
        if let Some(all) = all {
            self.crew.place(&mut self.tunnel, &all);
        }
    }

    fn set_peer(&mut self, settings: PeerSettings) -> Result<(), PeerError> {
        let config = &settings.config;
        let known = self.tunnel.peer(&config.public_key);
        if let Some(peer) = known
            && let Some(former) = self.peers.get(peer)
        {
            if same(former, config) {
                self.set_carrier(peer, settings.carrier_address);
                self.set_terms(peer, settings.terms);
                return Ok(());
            }
            if same_keys(former, config) {
                // Where the configuration names the same place as before, a peer that has moved since stays where it is.
                let endpoint = config
                    .endpoint
                    .filter(|_| config.endpoint != former.endpoint);
                let change = PeerConfig {
                    endpoint,
                    ..config.clone()
                };
                self.tunnel.update_peer(self.now, peer, change)?;
                self.peers.configure(peer, settings.config);
                self.set_carrier(peer, settings.carrier_address);
                self.set_terms(peer, settings.terms);
                self.connect_peer(peer);
                return Ok(());
            }
            self.remove_peer(peer);
        }
        let peer = self.tunnel.add_peer(self.now, config.clone())?;
        self.peers.insert(self.now.instant, peer, settings);
        self.carry_peer(peer);
        self.connect_peer(peer);
        Ok(())
    }

    /// Keeps the carrier to a known peer at another address from now on, if it is another one.
    fn set_carrier(&mut self, peer: PeerId, at: Option<SocketAddr>) {
        if let Some(member) = self.peers.members.get_mut(&peer)
            && member.carrier_address != at
        {
            member.carrier_address = at;
            self.carry_peer(peer);
            self.connect_peer(peer);
        }
    }

    /// Serves a known peer on other terms from now on; its flows go on, unless its quota is nothing.
    fn set_terms(&mut self, peer: PeerId, terms: Terms) {
        let Some(member) = self.peers.members.get_mut(&peer) else {
            return;
        };
        let was_spent = member.usage.is_spent();
        let released = member.usage.change(self.now.instant, terms.limits);
        let is_spent = member.usage.is_spent();
        member.egress = terms.egress;
        for place in released {
            if let Some(entry) = self.flows.get_mut(place) {
                entry.turn.release();
                self.flows.make_ready(place);
            }
        }
        for place in self.flows.of_peer(peer) {
            let entry = self.flows.get_mut(place).map(|entry| &mut entry.state);
            if let Some(State::Datagrams(relay)) = entry {
                relay.judge_anew();
            }
        }
        if is_spent && !was_spent {
            self.end_spent(peer);
        }
    }

    fn remove_peer(&mut self, peer: PeerId) {
        self.tunnel.remove_peer(peer);
        self.stack.forget_peer(self.now.instant, in_stack(peer));
        self.stack.carry(self.now.instant, in_stack(peer), None);
        self.peers.remove(peer);
        self.watch.remove(peer);
        self.carriers.forget(peer);
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
                let carrier = self.carrier_address(peer);
                self.watch.insert(peer, carrier.map(|at| at.port()));
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
    settings: &PeerSettings,
) -> Result<(), PeerError> {
    let peer = tunnel.add_peer(now, settings.config.clone())?;
    peers.insert(now.instant, peer, settings.clone());
    Ok(())
}
