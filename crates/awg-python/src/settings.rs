//! What an engine is built from: read once, copied to owned Rust.

use std::fmt::Display;
use std::net::IpAddr;

use awg_engine::transport::udp::{UdpKind, UdpSettings};
use awg_engine::{Accept, Carrier, FurtherObfuscation, Recovery, Terms};
use awg_tunnel::{Interval, PeerConfig, PortHop, PresharedKey, PrivateKey, PublicKey};
use pyo3::prelude::*;

use crate::arguments::{Address, Whole, from_socket_address, ip_address, socket_address};
use crate::errors::Failure;
use crate::keys;
use crate::obfuscation::{self, Settings};
use crate::policy::{EgressPolicy, parse_network};

/// Which flows of peers to take: all or none, or by a word.
#[derive(FromPyObject)]
enum AcceptFlows {
    All(bool),
    Some(String),
}

impl AcceptFlows {
    fn accept(self) -> Result<Accept, Failure> {
        match self {
            Self::All(all) => Ok(all.into()),
            Self::Some(word) if word == "to-self" => Ok(Accept::ConnectionsToSelf),
            Self::Some(_) => Err(Failure::invalid(
                "accept_flows",
                "unknown word; True, False or to-self is allowed",
            )),
        }
    }
}

/// Seconds between keepalives, or the least and the most of them.
#[derive(FromPyObject)]
enum Keepalive {
    Every(Whole),
    Between(Whole, Whole),
}

impl Keepalive {
    /// As an interval; none for 0.
    fn interval(self) -> Result<Option<Interval>, Failure> {
        const ARGUMENT: &str = "persistent_keepalive";
        match self {
            Self::Every(seconds) => Ok(Interval::every(seconds.within(ARGUMENT, 0..=u32::MAX)?)),
            Self::Between(least, most) => {
                let least = least.within(ARGUMENT, 0..=u32::MAX)?;
                let most = most.within(ARGUMENT, 0..=u32::MAX)?;
                let interval = Interval::between(least, most);
                if interval.is_none() && most > 0 {
                    let problem = "the least seconds must be at least 1 and not above the most";
                    return Err(Failure::invalid(ARGUMENT, problem));
                }
                Ok(interval)
            }
        }
    }
}

/// See the stub file.
#[pyclass(frozen, module = "awgproxy._native")]
#[derive(Debug)]
pub(crate) struct PeerSettings(awg_engine::PeerSettings);

impl PeerSettings {
    pub(crate) fn settings(&self) -> awg_engine::PeerSettings {
        self.0.clone()
    }
}

#[pymethods]
impl PeerSettings {
    #[new]
    #[pyo3(
        signature = (
            public_key, preshared_key=None, endpoint=None, allowed_ips=Vec::new(), persistent_keepalive=None, *,
            hop=None, last_timestamp=None, limits=None, egress=None, carrier_address=None
        ),
        text_signature = "(public_key, preshared_key=None, endpoint=None, allowed_ips=(), persistent_keepalive=None, *, \
            hop=None, last_timestamp=None, limits=None, egress=None, carrier_address=None)"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are Python's keyword arguments"
    )]
    fn new(
        public_key: &str,
        preshared_key: Option<&str>,
        endpoint: Option<Address>,
        allowed_ips: Vec<String>,
        persistent_keepalive: Option<Keepalive>,
        hop: Option<(Whole, Whole, Option<Whole>, Option<Whole>)>,
        last_timestamp: Option<Vec<u8>>,
        limits: Option<&PeerLimits>,
        egress: Option<&EgressPolicy>,
        carrier_address: Option<Address>,
    ) -> Result<Self, Failure> {
        let networks = allowed_ips.iter().enumerate();
        let config = PeerConfig {
            public_key: keys::parse::<PublicKey>("public_key", public_key)?,
            preshared_key: preshared_key
                .map(|key| keys::parse::<PresharedKey>("preshared_key", key))
                .transpose()?,
            endpoint: endpoint
                .map(|endpoint| socket_address("endpoint", &endpoint))
                .transpose()?
                .map(Into::into),
            allowed_ips: networks
                .map(|(index, text)| parse_network(format_args!("allowed_ips[{index}]"), text))
                .collect::<Result<_, _>>()?,
            persistent_keepalive: match persistent_keepalive {
                Some(keepalive) => keepalive.interval()?,
                None => None,
            },
            hop: hop.map(port_hop).transpose()?,
            last_timestamp: last_timestamp.map(timestamp).transpose()?,
        };
        let terms = Terms {
            limits: limits.map(|limits| limits.0).unwrap_or_default(),
            egress: egress.map(EgressPolicy::policy),
        };
        Ok(Self(awg_engine::PeerSettings {
            config,
            terms,
            carrier_address: carrier_address
                .map(|address| socket_address("carrier_address", &address))
                .transpose()?,
        }))
    }

    #[getter]
    fn public_key(&self) -> String {
        self.0.config.public_key.to_string()
    }

    #[getter]
    fn endpoint(&self) -> Option<(String, u16)> {
        let endpoint = self.0.config.endpoint?;
        Some(from_socket_address(endpoint.remote))
    }

    fn __repr__(&self) -> String {
        let endpoint = self.0.config.endpoint.map_or_else(
            || "None".to_owned(),
            |endpoint| format!("'{}'", endpoint.remote),
        );
        format!(
            "PeerSettings(endpoint={endpoint}, allowed_ips={})",
            self.0.config.allowed_ips.len()
        )
    }
}

/// See the stub file.
#[pyclass(frozen, eq, module = "awgproxy._native")]
#[derive(Debug, PartialEq)]
pub(crate) struct PeerLimits(awg_engine::PeerLimits);

#[pymethods]
impl PeerLimits {
    #[new]
    #[pyo3(signature = (*, flows=None, new_flows_per_second=None, bytes_per_second=None, quota_bytes=None))]
    fn new(
        flows: Option<Whole>,
        new_flows_per_second: Option<f64>,
        bytes_per_second: Option<Whole>,
        quota_bytes: Option<Whole>,
    ) -> Result<Self, Failure> {
        let most = i64::MAX as u64;
        if new_flows_per_second.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
            let problem = "out of range, a number above 0 is allowed";
            return Err(Failure::invalid("new_flows_per_second", problem));
        }
        Ok(Self(awg_engine::PeerLimits {
            flows: flows
                .map(|flows| flows.within("flows", 0..=u32::MAX as usize))
                .transpose()?,
            new_flows_per_second,
            bytes_per_second: bytes_per_second
                .map(|bytes| bytes.within("bytes_per_second", 1..=most))
                .transpose()?,
            quota_bytes: quota_bytes
                .map(|bytes| bytes.within("quota_bytes", 0..=most))
                .transpose()?,
        }))
    }

    fn __repr__(&self) -> String {
        fn shown(limit: Option<impl ToString>) -> String {
            limit.map_or_else(|| "None".to_owned(), |limit| limit.to_string())
        }
        let limits = &self.0;
        format!(
            "PeerLimits(flows={}, new_flows_per_second={}, bytes_per_second={}, quota_bytes={})",
            shown(limits.flows),
            shown(limits.new_flows_per_second),
            shown(limits.bytes_per_second),
            shown(limits.quota_bytes),
        )
    }
}

/// The first and the last port, and the least and the most seconds at one, if that is to be changed between handshakes too.
fn port_hop(
    (first, last, shortest, longest): (Whole, Whole, Option<Whole>, Option<Whole>),
) -> Result<PortHop, Failure> {
    let port = |port: Whole| port.within("hop: port", 1..=u16::MAX);
    let seconds = |seconds: Whole| seconds.within("hop: seconds", 1..=u32::MAX);
    let ports = port(first)?..=port(last)?;
    if ports.is_empty() {
        return Err(Failure::invalid("hop", "the first port is above the last"));
    }
    let every =
        match (shortest, longest) {
            (None, None) => None,
            (Some(shortest), Some(longest)) => {
                let every = Interval::between(seconds(shortest)?, seconds(longest)?);
                Some(every.ok_or_else(|| {
                    Failure::invalid("hop", "the least seconds are above the most")
                })?)
            }
            _ => {
                let problem = "both the least and the most seconds are needed, or neither";
                return Err(Failure::invalid("hop", problem));
            }
        };
    Ok(PortHop { ports, every })
}

fn timestamp(bytes: Vec<u8>) -> Result<[u8; 12], Failure> {
    bytes.try_into().map_err(|_| {
        Failure::invalid(
            "last_timestamp",
            "12 bytes are needed, as InitiationAccepted gave them",
        )
    })
}

/// See the stub file.
#[pyclass(frozen, module = "awgproxy._native")]
#[derive(Debug)]
pub(crate) struct Limits(awg_engine::Limits);

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(signature = (*, flows=None, flows_per_peer=None, half_open=None, buffer_bytes_per_flow=None))]
    fn new(
        flows: Option<Whole>,
        flows_per_peer: Option<Whole>,
        half_open: Option<Whole>,
        buffer_bytes_per_flow: Option<Whole>,
    ) -> Result<Self, Failure> {
        let mut limits = awg_engine::Limits::default();
        let bounds = [
            ("flows", flows, &mut limits.flows),
            ("flows_per_peer", flows_per_peer, &mut limits.flows_per_peer),
            ("half_open", half_open, &mut limits.half_open),
            (
                "buffer_bytes_per_flow",
                buffer_bytes_per_flow,
                &mut limits.buffer_bytes_per_flow,
            ),
        ];
        for (argument, given, bound) in bounds {
            if let Some(given) = given {
                *bound = given.within(argument, 1..=u32::MAX as usize)?;
            }
        }
        Ok(Self(limits))
    }

    fn __repr__(&self) -> String {
        let limits = &self.0;
        format!(
            "Limits(flows={}, flows_per_peer={}, half_open={}, buffer_bytes_per_flow={})",
            limits.flows, limits.flows_per_peer, limits.half_open, limits.buffer_bytes_per_flow
        )
    }
}

/// See the stub file.
#[pyclass(frozen, module = "awgproxy._native")]
#[derive(Debug)]
pub(crate) struct EngineSettings(awg_engine::EngineSettings);

impl EngineSettings {
    pub(crate) fn settings(&self) -> awg_engine::EngineSettings {
        self.0.clone()
    }
}

#[pymethods]
impl EngineSettings {
    #[new]
    #[pyo3(signature = (
        private_key, *, addresses, peers=Vec::new(), obfuscation=Vec::new(), mtu=Whole::from(1420),
        listen_address=None, listen_ports=Vec::new(), further_obfuscation=Vec::new(), accept_flows=AcceptFlows::All(false), stay_connected=None,
        recovery="fast", server_addresses=Vec::new(), egress=None, udp="auto", fwmark=None, limits=None,
        workers=Some(Whole::from(1)), carrier="ip", carrier_port=None
    ), text_signature = "(private_key, *, addresses, peers=(), obfuscation=(), mtu=1420, listen_address=None, \
        listen_ports=(), further_obfuscation=(), accept_flows=False, stay_connected=None, recovery='fast', \
        server_addresses=(), egress=None, udp='auto', fwmark=None, limits=None, workers=1, carrier='ip', \
        carrier_port=None)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are Python's keyword arguments"
    )]
    fn new(
        private_key: &str,
        addresses: Vec<String>,
        peers: Vec<PyRef<'_, PeerSettings>>,
        obfuscation: Settings,
        mtu: Whole,
        listen_address: Option<&str>,
        listen_ports: Vec<Whole>,
        further_obfuscation: Vec<(Settings, Vec<Whole>)>,
        accept_flows: AcceptFlows,
        stay_connected: Option<bool>,
        recovery: &str,
        server_addresses: Vec<String>,
        egress: Option<&EgressPolicy>,
        udp: &str,
        fwmark: Option<Whole>,
        limits: Option<&Limits>,
        workers: Option<Whole>,
        carrier: &str,
        carrier_port: Option<Whole>,
    ) -> Result<Self, Failure> {
        let private_key = keys::parse::<PrivateKey>("private_key", private_key)?;
        let accept_flows = accept_flows.accept()?;
        let own = addresses.iter().enumerate();
        Ok(Self(awg_engine::EngineSettings {
            obfuscation: obfuscation::parse("obfuscation", &obfuscation)?,
            ports: ports("listen_ports", &listen_ports)?,
            further_obfuscation: further(&further_obfuscation)?,
            mtu: mtu.within("mtu", 0..=u16::MAX)?,
            addresses: own
                .map(|(index, text)| ip_address(format_args!("addresses[{index}]"), text))
                .collect::<Result<Vec<IpAddr>, _>>()?,
            udp: UdpSettings {
                address: listen_address
                    .map(|text| ip_address("listen_address", text))
                    .transpose()?,
                fwmark: fwmark
                    .map(|mark| mark.within("fwmark", 0..=u32::MAX))
                    .transpose()?,
                kind: udp_kind(udp)?,
            },
            peers: peers.iter().map(|peer| peer.settings()).collect(),
            accept_flows,
            stay_connected: stay_connected.unwrap_or(accept_flows != Accept::Everything),
            recovery: recovery_kind(recovery)?,
            server_addresses: server_addresses
                .iter()
                .enumerate()
                .map(|(index, text)| ip_address(format_args!("server_addresses[{index}]"), text))
                .collect::<Result<Vec<IpAddr>, _>>()?,
            egress: egress.map(EgressPolicy::policy).unwrap_or_default(),
            limits: limits.map(|limits| limits.0.clone()).unwrap_or_default(),
            workers: workers
                .map(|count| count.within("workers", 1..=awg_engine::EngineSettings::MOST_WORKERS))
                .transpose()?,
            carrier: carrier_kind(carrier)?,
            carrier_port: carrier_port
                .map(|port| port.within("carrier_port", 1..=u16::MAX))
                .transpose()?,
            ..awg_engine::EngineSettings::new(private_key)
        }))
    }

    fn __repr__(&self) -> String {
        let settings = &self.0;
        let addresses: Vec<String> = settings
            .addresses
            .iter()
            .map(|address| format!("'{address}'"))
            .collect();
        format!(
            "EngineSettings(addresses=[{}], mtu={}, listen_ports={:?}, peers={}, accept_flows={})",
            addresses.join(", "),
            settings.mtu,
            settings.ports,
            settings.peers.len(),
            match settings.accept_flows {
                Accept::Nothing => "False",
                Accept::ConnectionsToSelf => "'to-self'",
                Accept::Everything => "True",
            },
        )
    }
}

fn ports(argument: impl Display, given: &[Whole]) -> Result<Vec<u16>, Failure> {
    let numbered = given.iter().enumerate();
    numbered
        .map(|(index, port)| port.within(format_args!("{argument}[{index}]"), 0..=u16::MAX))
        .collect()
}

/// Parameters and ports, as (settings, ports).
fn further(given: &[(Settings, Vec<Whole>)]) -> Result<Vec<FurtherObfuscation>, Failure> {
    let numbered = given.iter().enumerate();
    numbered
        .map(|(index, (settings, given))| {
            let argument = format!("further_obfuscation[{index}]");
            Ok(FurtherObfuscation {
                parameters: obfuscation::parse(&argument, settings)?,
                ports: ports(format_args!("{argument}: ports"), given)?,
            })
        })
        .collect()
}

fn recovery_kind(text: &str) -> Result<Recovery, Failure> {
    match text {
        "fast" => Ok(Recovery::Fast),
        "reference" => Ok(Recovery::Reference),
        _ => Err(Failure::invalid(
            "recovery",
            "unknown kind; fast or reference is allowed",
        )),
    }
}

fn carrier_kind(text: &str) -> Result<Carrier, Failure> {
    match text {
        "ip" => Ok(Carrier::Ip),
        "auto" => Ok(Carrier::Auto),
        "quic" => Ok(Carrier::Quic),
        _ => Err(Failure::invalid(
            "carrier",
            "unknown kind; ip, auto or quic is allowed",
        )),
    }
}

fn udp_kind(text: &str) -> Result<UdpKind, Failure> {
    match text {
        "auto" => Ok(UdpKind::Auto),
        "batched" => Ok(UdpKind::Batched),
        "portable" => Ok(UdpKind::Portable),
        _ => Err(Failure::invalid(
            "udp",
            "unknown kind; auto, batched or portable is allowed",
        )),
    }
}
