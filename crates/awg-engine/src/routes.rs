//! Which shard a flow belongs to that an application opens: that of the peer by which its destination is reached.

use std::collections::VecDeque;
use std::net::IpAddr;

use awg_netstack::Target;
use awg_tunnel::{AllowedIps, PublicKey};

use crate::terms::PeerSettings;

/// The shard that a peer lives in, out of so many: by its key, so that all know it who know the key.
pub(crate) fn home(key: &PublicKey, shards: usize) -> usize {
    let (word, _) = key
        .as_bytes()
        .split_first_chunk()
        .expect("a key has 32 bytes");
    (u64::from_le_bytes(*word) % shards.max(1) as u64) as usize
}

/// The shards by the networks of their peers.
pub(crate) struct Routes {
    shards: usize,
    networks: AllowedIps<usize>,
    /// The shard of the peer with the widest network.
    widest: usize,
    /// The shard of the first peer that takes carried connections, which may be for names.
    carried: Option<usize>,
}

impl Routes {
    /// Those of `peers` over so many shards. The last one with a network has it.
    pub(crate) fn new(shards: usize, peers: &[PeerSettings]) -> Self {
        let mut routes = Self {
            shards: shards.max(1),
            networks: AllowedIps::new(),
            widest: 0,
            carried: None,
        };
        if shards > 1 {
            routes.replace(peers);
        }
        routes
    }

    /// How many shards there are; at least one.
    pub(crate) fn shards(&self) -> usize {
        self.shards
    }

    /// From now on these are the peers.
    pub(crate) fn replace(&mut self, peers: &[PeerSettings]) {
        self.networks = AllowedIps::new();
        let carried = peers.iter().find(|peer| peer.carrier_address.is_some());
        self.carried = carried.map(|peer| home(&peer.config.public_key, self.shards));
        let mut widest = None;
        for peer in peers {
            let home = home(&peer.config.public_key, self.shards);
            for network in &peer.config.allowed_ips {
                self.networks.insert(*network, home);
                if widest.is_none_or(|(length, _)| network.prefix_len() < length) {
                    widest = Some((network.prefix_len(), home));
                }
            }
        }
        self.widest = widest.map_or(0, |(_, home)| home);
    }

    /// The shard that reaches `address`; any where none does, which then says so.
    pub(crate) fn shard(&self, address: IpAddr) -> usize {
        self.networks.find(address).unwrap_or(self.widest)
    }

    /// The shard for flows that go to many places: what its peers do not reach it cannot reach.
    pub(crate) fn widest(&self) -> usize {
        self.widest
    }

    /// Destinations by shard, each in their order, the shard of the first one first.
    pub(crate) fn part(&self, destinations: Vec<Target>) -> VecDeque<(usize, Vec<Target>)> {
        if self.shards <= 1 {
            return VecDeque::from([(0, destinations)]);
        }
        let mut groups: VecDeque<(usize, Vec<Target>)> = VecDeque::new();
        for destination in destinations {
            // What nobody reaches is refused at once, wherever that is.
            let found = match &destination {
                Target::Address(address) => self.networks.find(address.ip()),
                Target::Name { .. } => self.carried,
            };
            let shard = found.unwrap_or_else(|| groups.back().map_or(self.widest, |group| group.0));
            match groups.iter_mut().find(|group| group.0 == shard) {
                Some((_, group)) => group.push(destination),
                None => groups.push_back((shard, vec![destination])),
            }
        }
        groups
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Routes")
            .field("shards", &self.shards)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
