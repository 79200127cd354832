//! What can be told about a peer.

use std::time::Duration;

use ipnet::IpNet;

use super::Peer;
use crate::endpoint::Endpoint;
use crate::keys::PublicKey;

/// A peer at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// Its name.
    pub public_key: PublicKey,
    /// Where it is, as far as is known, and how it is reached.
    pub endpoint: Option<Endpoint>,
    /// Its inner addresses. A prefix that went over to another peer since is still listed.
    pub allowed_ips: Vec<IpNet>,
    /// When a handshake was last completed, since the Unix epoch.
    pub last_handshake: Option<Duration>,
    /// Bytes of datagrams sent to it, without signature and junk packets.
    pub bytes_sent: u64,
    /// Bytes of authenticated datagrams received from it.
    pub bytes_received: u64,
}

impl Peer {
    pub(crate) fn status(&self) -> PeerStatus {
        PeerStatus {
            public_key: self.public_key,
            endpoint: self.endpoint,
            allowed_ips: self.allowed_ips.clone(),
            last_handshake: self.last_handshake,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
        }
    }
}
