//! From settings to a shard: what can be checked before anything is bound, and what start binds.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use awg_netstack::{Stack, StackConfig};
use awg_tunnel::{Now, Tunnel, TunnelConfig};
use mio::unix::SourceFd;
use mio::{Interest, Poll, Waker};
use rand::RngExt;
use rand::rngs::StdRng;

use super::peers::{self, Peers};
use super::{TRANSPORT, WAKER};
use crate::clock::Clock;
use crate::descriptors;
use crate::event::{Level, LogRecord};
use crate::flow_bounds::FlowBounds;
use crate::settings::{EngineSettings, Limits, SettingsError, StartError};
use crate::transport::udp::SocketBuffers;
use crate::transport::{Transport, udp};

/// A shard without its socket.
pub(crate) struct Prepared {
    pub(super) settings: EngineSettings,
    pub(super) clock: Clock,
    pub(super) now: Now,
    pub(super) tunnel: Tunnel,
    pub(super) peers: Peers,
    pub(super) stack: Stack,
    pub(super) rng: StdRng,
}

/// What the system gave a shard.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(super) poll: Poll,
    pub(super) transport: Box<dyn Transport>,
    /// How many flows it leaves room for.
    pub(super) flow_bounds: FlowBounds,
    /// What people should know about it.
    pub(super) notices: Vec<LogRecord>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Prepared")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Prepared {
    /// Builds tunnel and stack from `settings`.
    pub(crate) fn new(settings: EngineSettings) -> Result<Self, SettingsError> {
        check(&settings)?;
        let mut rng: StdRng = rand::make_rng();
        let clock = Clock::new();
        let now = Now {
            instant: clock.instant(),
            unix: clock.unix(),
        };
        let mut tunnel = Tunnel::new(
            TunnelConfig::new(
                settings.private_key.clone(),
                settings.obfuscation.clone(),
                settings.mtu,
            ),
            rng.random(),
            now,
        )?;
        let mut peers = Peers::default();
        for (place, peer) in settings.peers.iter().enumerate() {
            peers::add(&mut tunnel, now, &mut peers, peer)
                .map_err(|error| SettingsError::Peer { place, error })?;
        }
        let stack = Stack::new(stack_config(&settings), rng.random(), now.instant);
        Ok(Self {
            settings,
            clock,
            now,
            tunnel,
            peers,
            stack,
            rng,
        })
    }

    /// Takes from the system what the shard needs, its socket above all.
    pub(crate) fn bind(&self) -> Result<(Binding, Waker), StartError> {
        let (transport, buffers) = udp::open(&self.settings.udp)?;
        let poll = Poll::new()?;
        if let Some(descriptor) = transport.descriptor() {
            poll.registry().register(
                &mut SourceFd(&descriptor),
                TRANSPORT,
                Interest::READABLE | Interest::WRITABLE,
            )?;
        }
        let waker = Waker::new(poll.registry(), WAKER)?;
        let (flow_bounds, descriptors) = raise_descriptor_limit(&self.settings.limits);
        let notices = [descriptors]
            .into_iter()
            .chain(capped_buffers(buffers))
            .collect();
        let binding = Binding {
            poll,
            transport,
            flow_bounds,
            notices,
        };
        Ok((binding, waker))
    }
}

impl Binding {
    /// Where the transport is bound.
    pub(crate) fn local_address(&self) -> SocketAddr {
        self.transport.local_address()
    }

    /// How many flows there may be.
    pub(crate) fn flow_bounds(&self) -> FlowBounds {
        self.flow_bounds
    }
}

fn check(settings: &EngineSettings) -> Result<(), SettingsError> {
    if settings.addresses.is_empty() {
        return Err(SettingsError::NoAddress);
    }
    let least = if settings.addresses.iter().any(std::net::IpAddr::is_ipv6) {
        LEAST_MTU_IPV6
    } else {
        LEAST_MTU_IPV4
    };
    if !(least..=LARGEST_MTU).contains(&settings.mtu) {
        return Err(SettingsError::Mtu(settings.mtu));
    }
    Ok(())
}

/// RFC 791, section 3.1: what every host must be able to take.
const LEAST_MTU_IPV4: u16 = 576;
/// RFC 8200, section 5.
const LEAST_MTU_IPV6: u16 = 1280;
/// What fits a UDP datagram with the tunnel's overhead and some padding.
const LARGEST_MTU: u16 = 65_400;

pub(super) fn stack_config(settings: &EngineSettings) -> StackConfig {
    let limits = &settings.limits;
    StackConfig {
        addresses: settings.addresses.clone(),
        mtu: settings.mtu,
        accept: settings.accept_flows,
        limits: awg_netstack::Limits {
            flows: limits.flows,
            // A share is for what peers open; what we open may all go through one.
            flows_per_peer: if settings.accept_flows {
                limits.flows_per_peer
            } else {
                limits.flows
            },
            half_open: limits.half_open,
            buffer_bytes_per_flow: limits.buffer_bytes_per_flow,
            // The shard's own deadline comes first, so that the answer is the shard's.
            accept_within: limits.dial + Duration::from_secs(1),
            connect_within: limits.dial + Duration::from_secs(1),
            ..awg_netstack::Limits::default()
        },
    }
}

/// Raises the limit of open files, and says what that makes of the bounds of flows.
fn raise_descriptor_limit(limits: &Limits) -> (FlowBounds, LogRecord) {
    let raised = descriptors::raise_descriptor_limit();
    let bounds = FlowBounds::new(limits, descriptors::free_descriptors());
    let (level, message, mut fields) = match raised {
        Ok(limit) => (
            Level::Info,
            "limit of open files",
            vec![
                ("before", limit.before.to_string()),
                ("now", limit.now.to_string()),
            ],
        ),
        Err(error) => (
            Level::Warning,
            "the limit of open files cannot be raised",
            vec![("error", error.to_string())],
        ),
    };
    fields.push(("flows", bounds.flows.to_string()));
    fields.push(("flows_per_peer", bounds.flows_per_peer.to_string()));
    let record = LogRecord {
        level,
        message,
        fields,
    };
    (bounds, record)
}

/// What people should know where the socket's buffers are smaller than was asked for.
pub(super) fn capped_buffers(buffers: SocketBuffers) -> Option<LogRecord> {
    buffers.capped().then(|| LogRecord {
        level: Level::Warning,
        message: "the system capped the buffers of the UDP socket; on Linux raise net.core.rmem_max and wmem_max",
        fields: vec![
            ("wanted", buffers.wanted.to_string()),
            ("receive", buffers.receive.to_string()),
            ("send", buffers.send.to_string()),
        ],
    })
}
