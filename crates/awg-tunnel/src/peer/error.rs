//! What can be wrong with a peer's configuration.

use crate::keys::KeyError;

/// Why a peer is not added or changed. Nothing was changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The key is one with which no secret can be agreed.
    #[error("the peer's public key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The key is the tunnel's own.
    #[error("the peer's public key is this end's own")]
    OwnKey,
    /// There is a peer with this key.
    #[error("there is a peer with this public key already")]
    Exists,
    /// There is no such peer, or the key given is not its own.
    #[error("there is no such peer")]
    Unknown,
    /// The table is full.
    #[error("there are as many peers as are allowed: {limit}")]
    TooMany {
        /// How many.
        limit: usize,
    },
    /// The endpoint's obfuscation is none of the tunnel's.
    #[error("the endpoint names the obfuscation {place}, and there are {sets}")]
    NoSuchObfuscation {
        /// Its place, from 0.
        place: u16,
        /// How many there are.
        sets: usize,
    },
    /// A range of ports without a port, or with port 0.
    #[error("the ports to hop over must be a range from 1 to 65535, the first not above the last")]
    HopPorts,
}
