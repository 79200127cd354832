//! From settings to a shard: what can be checked before anything is bound, and what start binds.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use awg_netstack::{Accept, CarrierConfig, Stack, StackConfig};
use awg_tunnel::{Now, Parameters, Share, Spread, Tunnel, TunnelConfig};
use mio::unix::SourceFd;
use mio::{Interest, Poll, Waker};
use rand::RngExt;
use rand::rngs::StdRng;

use super::carrier::{ANSWER_LATER, RESET_KEY};
use super::crew::Crew;
use super::peers::{self, Peers};
use super::sockets::Socket;
use super::{WAKER, WAKING, socket_token};
use crate::clock::Clock;
use crate::descriptors::{self, DescriptorLimit};
use crate::event::{Level, LogRecord};
use crate::flow_bounds::FlowBounds;
use crate::settings::{EngineSettings, SettingsError, StartError};
use crate::transport::udp;
use crate::transport::udp::SocketBuffers;
use crate::waking;

/// A shard without its sockets.
pub(crate) struct Prepared {
    pub(super) settings: EngineSettings,
    pub(super) clock: Clock,
    pub(super) now: Now,
    pub(super) tunnel: Tunnel,
    pub(super) peers: Peers,
    pub(super) stack: Stack,
    pub(super) rng: StdRng,
    pub(super) crew: Crew,
    /// How indices tell shards, where there are several at one port.
    steering: Option<Spread>,
}

/// What the system gave a shard.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(super) poll: Poll,
    pub(super) sockets: Vec<Socket>,
    /// How many flows it leaves room for.
    pub(super) flow_bounds: FlowBounds,
    /// What people should know about it.
    pub(super) notices: Vec<LogRecord>,
    /// Speaks when the machine wakes, where there is such a thing.
    pub(super) waking: Option<OwnedFd>,
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
    /// Builds every shard's tunnel and stack from `settings`.
    pub(crate) fn all(settings: EngineSettings) -> Result<Vec<Self>, SettingsError> {
        check(&settings)?;
        let count = settings.shards();
        let mut rng: StdRng = rand::make_rng();
        let clock = Clock::new();
        let shares = Share::of(count, rng.random());
        let crews = Crew::muster(count).into_iter();
        crews
            .zip(shares)
            .zip(std::iter::repeat_n(settings, count))
            .map(|((crew, share), settings)| Self::new(settings, clock, crew, share))
            .collect()
    }

    fn new(
        mut settings: EngineSettings,
        clock: Clock,
        mut crew: Crew,
        share: Share,
    ) -> Result<Self, SettingsError> {
        let mut rng: StdRng = rand::make_rng();
        // These have one bound in all; flows and associations are counted together.
        let limits = &mut settings.limits;
        limits.half_open = limits.half_open.div_ceil(crew.count());
        let now = Now {
            instant: clock.instant(),
            unix: clock.unix(),
        };
        let mut config = TunnelConfig::new(
            settings.private_key.clone(),
            settings.obfuscation.clone(),
            settings.mtu,
        );
        let further = settings.further_obfuscation.iter();
        config.further_obfuscation = further.map(|set| set.parameters.clone()).collect();
        config.limits.staged_bytes /= crew.count();
        let steering = (crew.count() > 1).then(|| share.spread());
        let mut tunnel = Tunnel::new(config, rng.random(), now)?;
        if crew.count() > 1 {
            tunnel.join(share);
        }
        let mut peers = Peers::default();
        for (place, peer) in settings.peers.iter().enumerate() {
            if crew.has(&peer.config.public_key) {
                peers::add(&mut tunnel, now, &mut peers, peer)
                    .map_err(|error| SettingsError::Peer { place, error })?;
            }
        }
        crew.place(&mut tunnel, &settings.peers);
        let mut stack = Stack::new(stack_config(&settings), rng.random(), now.instant);
        stack.set_carrier(CarrierConfig {
            listen: settings.carrier_port,
            reset_key: *settings.private_key.derive(RESET_KEY),
        });
        Ok(Self {
            settings,
            clock,
            now,
            tunnel,
            peers,
            stack,
            rng,
            crew,
            steering,
        })
    }

    /// Takes from the system what the shards need, their sockets above all.
    pub(crate) fn bind_all(shards: &[Self]) -> Result<Vec<(Binding, Waker)>, StartError> {
        let raised = descriptors::raise_descriptor_limit();
        let mut bound: Vec<(Binding, Waker)> = Vec::new();
        for shard in shards {
            let binding = shard.bind(bound.first().map(|(first, _)| first))?;
            bound.push(binding);
        }
        if let Some(first) = shards.first() {
            let flow_bounds =
                FlowBounds::new(&first.settings.limits, descriptors::free_descriptors());
            for (binding, _) in &mut bound {
                binding.flow_bounds = flow_bounds;
            }
            if let Some((binding, _)) = bound.first_mut() {
                let bounds = raised_limit(raised, flow_bounds);
                binding.notices.insert(0, bounds);
                binding.steer(first);
            }
        }
        Ok(bound)
    }

    /// `first`: what the first shard was given, if that is another one.
    fn bind(&self, first: Option<&Binding>) -> Result<(Binding, Waker), StartError> {
        let poll = Poll::new()?;
        let mut sockets = Vec::new();
        let mut capped = None;
        for (place, (port, obfuscation)) in self.settings.doors().into_iter().enumerate() {
            let theirs = first.and_then(|first| first.sockets.get(place));
            let (transport, buffers) = match theirs {
                Some(theirs) if !self.has_ports_of_its_own(port) => {
                    let port = theirs.transport.local_address().port();
                    udp::open_beside(&self.settings.udp, port)?
                }
                _ => udp::open(&self.settings.udp, port)?,
            };
            if self.crew.count() > 1
                && first.is_none()
                && !self.has_ports_of_its_own(port)
                && let Some(descriptor) = transport.descriptor()
            {
                udp::share_port(descriptor)?;
            }
            if let Some(descriptor) = transport.descriptor() {
                poll.registry().register(
                    &mut SourceFd(&descriptor),
                    socket_token(sockets.len()),
                    Interest::READABLE,
                )?;
            }
            sockets.push(Socket {
                transport,
                obfuscation,
            });
            // What the system gives to one it gives to all.
            capped = capped.or_else(|| capped_buffers(buffers));
        }
        let waker = Waker::new(poll.registry(), WAKER)?;
        let waking = waking::descriptor().filter(|waking| {
            let descriptor = waking.as_raw_fd();
            poll.registry()
                .register(&mut SourceFd(&descriptor), WAKING, Interest::READABLE)
                .is_ok()
        });
        let binding = Binding {
            poll,
            sockets,
            flow_bounds: FlowBounds::new(&self.settings.limits, None),
            // What the system gives to one shard it gives to all.
            notices: capped.into_iter().filter(|_| first.is_none()).collect(),
            waking,
        };
        Ok((binding, waker))
    }
}

impl Prepared {
    /// Whether a port that is left to the system is another one for each shard: whoever dials the peers itself is answered where
    /// it dialled from, so that nothing comes to the wrong shard.
    fn has_ports_of_its_own(&self, port: u16) -> bool {
        port == 0 && self.settings.stay_connected
    }
}

impl Binding {
    /// Has the system give each datagram to the shard that its session's index names, at ports where that can be read. It is
    /// given to any where the system does not do it, and handed over then.
    fn steer(&self, first: &Prepared) {
        let Some(spread) = first.steering else {
            return;
        };
        for socket in &self.sockets {
            let further = usize::from(socket.obfuscation).checked_sub(1);
            let parameters = match further {
                None => Some(&first.settings.obfuscation),
                Some(place) => {
                    let further = first.settings.further_obfuscation.get(place);
                    further.map(|set| &set.parameters)
                }
            };
            if let Some(offset) = parameters.and_then(index_in_clear)
                && let Some(descriptor) = socket.transport.descriptor()
            {
                let _ = udp::steer(descriptor, offset, spread);
            }
        }
    }

    /// Where the sockets are bound.
    pub(crate) fn local_addresses(&self) -> Vec<SocketAddr> {
        let sockets = self.sockets.iter();
        sockets
            .map(|socket| socket.transport.local_address())
            .collect()
    }

    /// How many flows there may be.
    pub(crate) fn flow_bounds(&self) -> FlowBounds {
        self.flow_bounds
    }
}

/// Where a transport message's index begins in a datagram, if it is not hidden.
fn index_in_clear(parameters: &Parameters) -> Option<u32> {
    let type_word = 4;
    let is_clear = parameters.header_protection_key.is_none();
    is_clear.then(|| u32::from(parameters.padding_transport) + type_word)
}

fn check(settings: &EngineSettings) -> Result<(), SettingsError> {
    let workers = settings.workers.unwrap_or(1);
    let most = if cfg!(target_os = "linux") {
        EngineSettings::MOST_WORKERS
    } else {
        1
    };
    if !(1..=most).contains(&workers) {
        return Err(SettingsError::Workers(workers));
    }
    if settings.addresses.is_empty() {
        return Err(SettingsError::NoAddress);
    }
    let least = least_mtu(settings);
    if !(least..=LARGEST_MTU).contains(&settings.mtu) {
        return Err(SettingsError::Mtu(settings.mtu));
    }
    if let Some(port) = settings.carrier_port
        && (port == 0 || settings.accept_flows != Accept::Everything)
    {
        return Err(SettingsError::CarrierPort);
    }
    check_ports(settings)
}

fn check_ports(settings: &EngineSettings) -> Result<(), SettingsError> {
    let further = &settings.further_obfuscation;
    if let Some(place) = further.iter().position(|set| set.ports.is_empty()) {
        return Err(SettingsError::NoPort(place));
    }
    // Each has at least one, so that they can be numbered.
    let ports = further.iter().map(|set| set.ports.len()).sum::<usize>();
    let ports = ports + settings.ports.len().max(1);
    if ports > MOST_SOCKETS {
        return Err(SettingsError::TooManyPorts(ports));
    }
    let doors = settings.doors();
    let mut seen = HashSet::new();
    match doors
        .iter()
        .find(|(port, _)| *port != 0 && !seen.insert(*port))
    {
        Some((port, _)) => Err(SettingsError::PortTwice(*port)),
        None => Ok(()),
    }
}

/// Sockets of one engine: more ports than that hide nothing better, and each takes a descriptor and some memory.
const MOST_SOCKETS: usize = 1024;

/// RFC 791, section 3.1: what every host must be able to take.
const LEAST_MTU_IPV4: u16 = 576;
/// RFC 8200, section 5.
const LEAST_MTU_IPV6: u16 = 1280;
/// What fits a UDP datagram with the tunnel's overhead and some padding.
const LARGEST_MTU: u16 = 65_400;

fn least_mtu(settings: &EngineSettings) -> u16 {
    if settings.addresses.iter().any(std::net::IpAddr::is_ipv6) {
        LEAST_MTU_IPV6
    } else {
        LEAST_MTU_IPV4
    }
}

/// The largest packet of the stack: where content is padded, a little below the tunnel's MTU, so that the sizes of full packets vary
/// too.
fn packet_mtu(settings: &EngineSettings) -> u16 {
    let further = settings.further_obfuscation.iter();
    let room = further
        .map(|set| set.parameters.room_for_padding())
        .fold(settings.obfuscation.room_for_padding(), u16::max);
    let mtu = settings.mtu.saturating_sub(room);
    mtu.max(least_mtu(settings)).min(settings.mtu)
}

pub(super) fn stack_config(settings: &EngineSettings) -> StackConfig {
    let limits = &settings.limits;
    StackConfig {
        addresses: settings.addresses.clone(),
        mtu: packet_mtu(settings),
        accept: settings.accept_flows,
        limits: awg_netstack::Limits {
            flows: limits.flows,
            // A share is for what peers open; what we open may all go through one.
            flows_per_peer: if settings.accept_flows == Accept::Everything {
                limits.flows_per_peer
            } else {
                limits.flows
            },
            half_open: limits.half_open,
            buffer_bytes_per_flow: limits.buffer_bytes_per_flow,
            // The shard's own deadline comes first, so that the answer is the shard's.
            accept_within: limits.dial + Duration::from_secs(1),
            connect_within: limits.dial + ANSWER_LATER + Duration::from_secs(1),
            ..awg_netstack::Limits::default()
        },
    }
}

/// What became of the limit of open files, and what that makes of the bounds of flows.
fn raised_limit(raised: io::Result<DescriptorLimit>, bounds: FlowBounds) -> LogRecord {
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
    LogRecord {
        level,
        message,
        fields,
    }
}

/// What people should know where the sockets' buffers are smaller than was asked for.
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

#[cfg(test)]
mod tests;
