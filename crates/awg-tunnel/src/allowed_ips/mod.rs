//! Allowed IPs: which peer an address belongs to, by the longest prefix (`device/allowedips.go`).
//!
//! A look-up walks a path-compressed trie, so it costs at most one step per bit of the address, however many peers there are.

#[cfg(test)]
mod tests;
mod trie;

use std::net::IpAddr;

use ipnet::IpNet;

use trie::Trie;

/// Prefixes of both families, each with an owner.
pub struct AllowedIps<T> {
    v4: Trie<T>,
    v6: Trie<T>,
}

impl<T: Copy + PartialEq> Default for AllowedIps<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy + PartialEq> AllowedIps<T> {
    /// Without any.
    pub fn new() -> Self {
        Self {
            v4: Trie::new(),
            v6: Trie::new(),
        }
    }

    /// Gives a prefix to `owner`, also one that had another owner.
    pub fn insert(&mut self, network: IpNet, owner: T) {
        let length = network.prefix_len();
        match network {
            IpNet::V4(network) => self
                .v4
                .insert(bits(network.network().into()), length, owner),
            IpNet::V6(network) => self
                .v6
                .insert(bits(network.network().into()), length, owner),
        }
    }

    /// Takes a prefix away from `owner`; another owner's stays.
    pub fn remove(&mut self, network: IpNet, owner: T) {
        let length = network.prefix_len();
        match network {
            IpNet::V4(network) => self
                .v4
                .remove(bits(network.network().into()), length, owner),
            IpNet::V6(network) => self
                .v6
                .remove(bits(network.network().into()), length, owner),
        }
    }

    /// The owner of the longest prefix that `address` is in.
    pub fn find(&self, address: IpAddr) -> Option<T> {
        match address {
            IpAddr::V4(_) => self.v4.find(bits(address)),
            IpAddr::V6(_) => self.v6.find(bits(address)),
        }
    }
}

/// The address with its first bit uppermost.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}
