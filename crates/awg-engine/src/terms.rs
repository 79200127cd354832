//! On what terms a peer is served: what it may use, and where it may go.

use std::net::SocketAddr;

use awg_tunnel::PeerConfig;

use crate::policy::EgressPolicy;

/// A peer, and on what terms it is served.
#[derive(Clone, Debug)]
pub struct PeerSettings {
    /// What the tunnel knows of it.
    pub config: PeerConfig,
    /// The terms.
    pub terms: Terms,
    /// Where, inside the tunnel, it takes carried connections; `None` = it is not known to.
    pub carrier_address: Option<SocketAddr>,
}

impl From<PeerConfig> for PeerSettings {
    /// A peer without limits of its own.
    fn from(config: PeerConfig) -> Self {
        Self {
            config,
            terms: Terms::default(),
            carrier_address: None,
        }
    }
}

/// What holds for the flows that a peer opens; changed by `set_peers` without ending any.
#[derive(Clone, Default, Debug)]
pub struct Terms {
    /// What it may use.
    pub limits: PeerLimits,
    /// Where its datagrams may go; `None` = where the settings of the engine say. Destinations of connections are for the
    /// embedder to judge.
    pub egress: Option<EgressPolicy>,
}

/// The limits of one peer; `None` = none.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct PeerLimits {
    /// Flows at once that it opens, TCP and UDP together.
    pub flows: Option<usize>,
    /// New flows in a second, over time; those of two seconds may come at once, and one always may. Above 0.
    pub new_flows_per_second: Option<f64>,
    /// Bytes in a second that its flows carry, over time, each way by itself; those of a quarter of a second may come at
    /// once. Connections wait, datagrams are dropped.
    pub bytes_per_second: Option<u64>,
    /// Bytes that its flows may still carry from now on, both ways together.
    pub quota_bytes: Option<u64>,
}
