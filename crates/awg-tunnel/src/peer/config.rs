//! What a peer is given by its owner.

use ipnet::IpNet;

use super::PortHop;
use crate::endpoint::Endpoint;
use crate::keys::{PresharedKey, PublicKey};
use crate::times::Interval;

/// A `[Peer]` section.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Its name.
    pub public_key: PublicKey,
    /// A key shared beside the pairs.
    pub preshared_key: Option<PresharedKey>,
    /// Where it is reached, and by which of our sockets and obfuscations, until it shows up elsewhere. Without one the peer has to
    /// come first.
    pub endpoint: Option<Endpoint>,
    /// The ports of the endpoint over which our datagrams are spread, if it has several.
    pub hop: Option<PortHop>,
    /// The inner addresses that are its own. A prefix that another peer had goes over to this one, as in WireGuard.
    pub allowed_ips: Vec<IpNet>,
    /// How often a message is sent at least, so that a NAT on the way keeps its mapping; drawn anew at every authenticated
    /// message in either direction.
    pub persistent_keepalive: Option<Interval>,
    /// The timestamp of the last initiation that was accepted from it, as [`Event::InitiationAccepted`](crate::Event) told it: one
    /// that is not newer is a replay, and is not answered.
    pub last_timestamp: Option<[u8; 12]>,
}

impl PeerConfig {
    /// A peer that has nothing but its key.
    pub fn new(public_key: PublicKey) -> Self {
        Self {
            public_key,
            preshared_key: None,
            endpoint: None,
            hop: None,
            allowed_ips: Vec::new(),
            persistent_keepalive: None,
            last_timestamp: None,
        }
    }
}
