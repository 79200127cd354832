//! What an engine is built from. Whoever fills it in has read the configuration; here is only what the loop needs.

use std::net::IpAddr;
use std::time::Duration;

use awg_netstack::Accept;
use awg_obfuscation::Parameters;
use awg_tunnel::{PeerError, PrivateKey, TunnelError};
use thiserror::Error;

use crate::policy::EgressPolicy;
use crate::terms::PeerSettings;
use crate::transport::udp::{BindError, UdpSettings};

/// Everything an engine is told before it starts.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// This end's key.
    pub private_key: PrivateKey,
    /// The obfuscation; the default is plain WireGuard.
    pub obfuscation: Parameters,
    /// The UDP ports at which it is spoken, a socket each: each datagram is answered from the one that it came in by. 0 = any free
    /// one; none at all = one of those.
    pub ports: Vec<u16>,
    /// Further obfuscations, at ports of their own.
    pub further_obfuscation: Vec<FurtherObfuscation>,
    /// The largest packet inside the tunnel, in bytes.
    pub mtu: u16,
    /// This end's addresses inside the tunnel.
    pub addresses: Vec<IpAddr>,
    /// The UDP sockets: at which address they are bound, how they are marked and driven.
    pub udp: UdpSettings,
    /// The peers at the start; `set_peers` changes them.
    pub peers: Vec<PeerSettings>,
    /// Which flows of peers to take: all, as a server does, none, or connections to this end's own addresses.
    pub accept_flows: Accept,
    /// Whether to keep a session with every peer whose endpoint is known, as a client does: a handshake at once, and
    /// again whenever there is no session.
    pub stay_connected: bool,
    /// How soon a peer that has fallen silent is asked for a new session.
    pub recovery: Recovery,
    /// The tunnel addresses of a server that is known to answer pings there, as awgproxy's does: it is asked whether it is there
    /// before its silence is held against it. Empty where nothing is known of the server.
    pub server_addresses: Vec<IpAddr>,
    /// Where the datagrams of peers, whose terms do not say otherwise, and those of associations may go. Destinations of
    /// connections are for the embedder to judge.
    pub egress: EgressPolicy,
    /// What connections to targets ride on.
    pub carrier: Carrier,
    /// The UDP port at which peers' carried connections are taken, at each of this end's addresses; `None` = nowhere. Flows to
    /// any destination must be accepted.
    pub carrier_port: Option<u16>,
    /// The bounds, of all loops in sum.
    pub limits: Limits,
    /// How many loops share the peers among them; `None` = as many as the machine runs at once, and as there are peers at the start.
    /// A peer lives in one of them. Beside Linux there is one.
    pub workers: Option<usize>,
}

impl EngineSettings {
    /// The most loops.
    pub const MOST_WORKERS: usize = 64;

    /// Settings of a client without peers, to fill in further.
    pub fn new(private_key: PrivateKey) -> Self {
        Self {
            private_key,
            obfuscation: Parameters::default(),
            ports: Vec::new(),
            further_obfuscation: Vec::new(),
            mtu: 1420,
            addresses: Vec::new(),
            udp: UdpSettings::default(),
            peers: Vec::new(),
            accept_flows: Accept::Nothing,
            stay_connected: true,
            recovery: Recovery::default(),
            server_addresses: Vec::new(),
            egress: EgressPolicy::default(),
            carrier: Carrier::default(),
            carrier_port: None,
            limits: Limits::default(),
            workers: Some(1),
        }
    }

    /// How many shards that makes.
    pub(crate) fn shards(&self) -> usize {
        let most = if cfg!(target_os = "linux") {
            Self::MOST_WORKERS
        } else {
            1
        };
        let wanted = self.workers.unwrap_or_else(|| {
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            processors.min(self.peers.len())
        });
        wanted.clamp(1, most)
    }

    /// Every socket's port, with the place of the obfuscation that is spoken there (0 = the first).
    pub(crate) fn doors(&self) -> Vec<(u16, u16)> {
        let first: &[u16] = if self.ports.is_empty() {
            &[0]
        } else {
            &self.ports
        };
        let further = self
            .further_obfuscation
            .iter()
            .map(|set| set.ports.as_slice());
        let sets = (0..).zip(std::iter::once(first).chain(further));
        sets.flat_map(|(set, ports)| ports.iter().map(move |port| (*port, set)))
            .collect()
    }
}

/// What the connections of [`open`](crate::Engine::open), and the datagrams of associations, ride on inside the tunnel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Carrier {
    /// IP packets, always.
    #[default]
    Ip,
    /// Streams and datagrams of QUIC while the peer's carrier is up, IP packets otherwise.
    Auto,
    /// Streams and datagrams of QUIC; connections wait for the peer's carrier, and datagrams are dropped while it is not up.
    Quic,
}

/// How a client comes back when its server has restarted, or the network in between was gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Recovery {
    /// By what its flows tell: within a second.
    #[default]
    Fast,
    /// As the reference does it: 15 s after the last datagram that was heard.
    Reference,
}

/// Another obfuscation for the same peers, so that each of them can change to it in its own time: a peer is spoken to by that of
/// the port at which it was last heard.
#[derive(Clone, Debug)]
pub struct FurtherObfuscation {
    /// The parameters.
    pub parameters: Parameters,
    /// Its ports, at least one, none of which the others have; 0 = any free one.
    pub ports: Vec<u16>,
}

/// The bounds of an engine. What exceeds one is refused or dropped, and counted.
#[derive(Clone, PartialEq, Debug)]
pub struct Limits {
    /// Flows at once, of all peers and applications together. Never more than three quarters of the descriptors that are free
    /// at the start.
    pub flows: usize,
    /// Flows at once that one peer opens. Where there are several peers, never more than half of all flows.
    pub flows_per_peer: usize,
    /// TCP flows of peers at once that wait for their outer side.
    pub half_open: usize,
    /// SOCKS5 UDP associations at once. Never more than half of all flows, since each takes two descriptors.
    pub associations: usize,
    /// How long an association may be without a datagram either way.
    pub association_idle: Duration,
    /// The most bytes that one TCP flow buffers in each direction.
    pub buffer_bytes_per_flow: usize,
    /// Commands that wait for the loop.
    pub commands: usize,
    /// Events that wait for the embedder, those of flows aside.
    pub events: usize,
    /// How long a connection may take to come to stand, over all its destinations; one that was asked of a carrier has five
    /// seconds more, so that the other end's answer comes first.
    pub dial: Duration,
    /// How long after an attempt the next destination is tried beside it (RFC 8305, section 5).
    pub stagger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: 65_536,
            flows_per_peer: 16_384,
            half_open: 4_096,
            associations: 1_024,
            association_idle: Duration::from_mins(5),
            buffer_bytes_per_flow: awg_netstack::Limits::default().buffer_bytes_per_flow,
            commands: 16_384,
            events: 4_096,
            dial: Duration::from_secs(10),
            stagger: Duration::from_millis(250),
        }
    }
}

/// Why an engine cannot be built from its settings.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The tunnel refuses its part.
    #[error(transparent)]
    Tunnel(#[from] TunnelError),
    /// A peer is refused.
    #[error("peers[{place}]: {error}")]
    Peer {
        /// Its place in the list of peers, from 0: an error shows no key.
        place: usize,
        /// Why.
        error: PeerError,
    },
    /// An end needs an address inside the tunnel.
    #[error("no tunnel address: at least one of `addresses` is needed")]
    NoAddress,
    /// The MTU is out of range.
    #[error(
        "an MTU of {0} is out of range: 576 to 65,400 bytes (1,280 at least with an IPv6 address)"
    )]
    Mtu(u16),
    /// More sockets than are good for anything.
    #[error("too many UDP ports: {0}; 1,024 at most")]
    TooManyPorts(usize),
    /// A port stands twice.
    #[error("the UDP port {0} is given twice; each port has one socket and one obfuscation")]
    PortTwice(u16),
    /// A further obfuscation that nobody can reach.
    #[error("further_obfuscation[{0}] needs at least one UDP port of its own")]
    NoPort(usize),
    /// No loop at all, more than are good for anything, or several where the system does not spread datagrams over them.
    #[error("workers: {0} is out of range: 1 to {most} (beside Linux 1)", most = EngineSettings::MOST_WORKERS)]
    Workers(usize),
    /// A port for carried connections that cannot be one.
    #[error(
        "no port for carried connections: 1 to 65535 is one, where flows of peers to any destination are accepted"
    )]
    CarrierPort,
    /// The system has no descriptor left for the event queue.
    #[error("cannot create the event queue: {0}")]
    Descriptor(std::io::Error),
}

/// Why an engine did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A UDP socket cannot be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system has no thread or no descriptors to give.
    #[error("cannot start the engine's loop: {0}")]
    System(#[from] std::io::Error),
    /// It was started before.
    #[error("the engine was started before")]
    AlreadyStarted,
}
