//! The name of a connection on the wire ([`Key`]): its peer and its two ends, in 40 bytes.

use std::net::{IpAddr, SocketAddr};

use crate::flow::Peer;

/// Finds a flow, or what is left of it. IPv4 addresses are kept in their IPv6-mapped form, which is not taken from the
/// wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key {
    peer: Peer,
    local: [u8; 16],
    remote: [u8; 16],
    local_port: u16,
    remote_port: u16,
}

impl Key {
    pub(crate) fn new(peer: Peer, local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            peer,
            local: octets(local.ip()),
            remote: octets(remote.ip()),
            local_port: local.port(),
            remote_port: remote.port(),
        }
    }

    pub(crate) fn peer(&self) -> Peer {
        self.peer
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}
