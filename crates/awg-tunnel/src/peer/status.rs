//! What can be told about a peer.

use std::time::{Duration, Instant};

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

/// When a peer was heard of, by what, and how its handshakes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// When any authenticated message of it was last received.
    pub received: Option<Instant>,
    /// When one with content was.
    pub content: Option<Instant>,
    /// Bytes of authenticated datagrams received from it.
    pub received_bytes: u64,
    /// When a handshake message was last sent or received.
    pub handshake_message: Option<Instant>,
    /// When one was last received.
    pub handshake_heard: Option<Instant>,
    /// Whether an initiation waits for its answer, or to be sent.
    pub handshake_under_way: bool,
    /// How long the last handshake that we began took, from the initiation to its answer.
    pub round_trip: Option<Duration>,
    /// The least time between two initiations.
    pub between_initiations: Duration,
    /// Packets without any answer for so long start a handshake by themselves.
    pub silence: Duration,
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
