//! Where a peer is, and which of our own doors lead to it.

use std::net::SocketAddr;

/// Which of this end's sockets a datagram came in by or leaves from, and the obfuscation that is spoken there.
///
/// Both are places in lists of the owner's, which are the same for as long as the tunnel lives. An end with one socket and one
/// obfuscation has nothing but the default, (0, 0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Local {
    /// The socket. The tunnel only gives it back.
    pub socket: u16,
    /// The obfuscation: 0 for [`TunnelConfig::obfuscation`](crate::TunnelConfig::obfuscation), 1 for the first of
    /// [`further_obfuscation`](crate::TunnelConfig::further_obfuscation).
    pub obfuscation: u16,
}

/// Both ends of a datagram's way. Answers leave from where the question came in, and are sealed by the obfuscation of that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The other end's address.
    pub remote: SocketAddr,
    /// Our own.
    pub local: Local,
}

impl From<SocketAddr> for Endpoint {
    /// By the first socket and the first obfuscation.
    fn from(remote: SocketAddr) -> Self {
        Self {
            remote,
            local: Local::default(),
        }
    }
}
