//! What a tunnel is given by its owner.

use awg_obfuscation::{ParameterError, Parameters};

use crate::keys::{KeyError, PrivateKey};

/// An `[Interface]` section, further obfuscations, and the bounds of what a tunnel keeps.
#[derive(Debug, Clone)]
pub struct TunnelConfig {
    /// Our key.
    pub private_key: PrivateKey,
    /// The obfuscation; its default is plain WireGuard.
    pub obfuscation: Parameters,
    /// Further ones, each for sockets of its own: a peer is spoken to by that of the socket at which it was last heard.
    pub further_obfuscation: Vec<Parameters>,
    /// The largest inner packet, in bytes.
    pub mtu: u16,
    /// How many initiations a second are not yet load.
    pub initiation_rate: u32,
    /// The bounds.
    pub limits: Limits,
}

impl TunnelConfig {
    /// With the usual bounds.
    pub fn new(private_key: PrivateKey, obfuscation: Parameters, mtu: u16) -> Self {
        Self {
            private_key,
            obfuscation,
            further_obfuscation: Vec::new(),
            mtu,
            initiation_rate: 400,
            limits: Limits::default(),
        }
    }
}

/// How much is kept, at most. What does not fit is dropped and counted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Peers; not above 65,536.
    pub peers: usize,
    /// Packets that wait for a session, for each peer. The oldest makes room.
    pub staged_packets: usize,
    /// Their bytes, for all peers together.
    pub staged_bytes: usize,
    /// Handshake messages that were not polled.
    pub outbox: usize,
    /// Events that were not polled.
    pub events: usize,
    /// Source addresses whose rate is watched while under load.
    pub sources: usize,
    /// Accepted initiations that are known again if they come again.
    pub remembered_initiations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            peers: 1 << 16,
            staged_packets: 128,
            staged_bytes: 16 << 20,
            outbox: 4096,
            events: 1024,
            sources: 4096,
            remembered_initiations: 1 << 16,
        }
    }
}

/// Why there is no tunnel.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TunnelError {
    /// The private key cannot be used.
    #[error("the private key cannot be used: {0}")]
    PrivateKey(KeyError),
    /// The obfuscation parameters are refused; each error names its parameter.
    #[error("{}", problems(.0))]
    Parameters(Vec<ParameterError>),
    /// The same of a further obfuscation.
    #[error("further obfuscation {place}: {}", problems(.errors))]
    FurtherParameters {
        /// Its place, from 1.
        place: usize,
        /// What is wrong.
        errors: Vec<ParameterError>,
    },
    /// More obfuscations than can be numbered.
    #[error("too many obfuscations: {0}; 65,536 at most")]
    TooManyObfuscations(usize),
    /// The MTU holds no packet, or a sealed packet of that size fits no datagram.
    #[error("the MTU must be from {least} to {most} with this S4, it is {mtu}")]
    Mtu {
        /// What was given.
        mtu: u16,
        /// The least, in bytes.
        least: u16,
        /// The most, in bytes.
        most: u16,
    },
}

fn problems(errors: &[ParameterError]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
