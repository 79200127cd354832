//! The egress policy, compiled once for Python's questions and the engine's.

use std::net::{IpAddr, SocketAddr};

use awg_engine::Rule;
use ipnet::IpNet;
use pyo3::prelude::*;

use crate::arguments::{Whole, ip_address};
use crate::errors::Failure;

/// See the stub file.
#[pyclass(frozen, module = "awgproxy._native")]
#[derive(Debug)]
pub(crate) struct EgressPolicy {
    policy: awg_engine::EgressPolicy,
    rules: usize,
}

impl EgressPolicy {
    pub(crate) fn policy(&self) -> awg_engine::EgressPolicy {
        self.policy.clone()
    }
}

#[pymethods]
impl EgressPolicy {
    #[new]
    fn new(rules: Vec<(bool, String, Whole, Whole, String)>) -> Result<Self, Failure> {
        let compiled = rules
            .into_iter()
            .enumerate()
            .map(|(index, rule)| read_rule(index, rule));
        let compiled = compiled.collect::<Result<Vec<Rule>, Failure>>()?;
        Ok(Self {
            rules: compiled.len(),
            policy: awg_engine::EgressPolicy::new(compiled),
        })
    }

    fn verdict(&self, address: &str, port: Whole) -> Result<Option<&str>, Failure> {
        let port = port.within("port", 0..=u16::MAX)?;
        Ok(self
            .policy
            .verdict(SocketAddr::new(ip_address("address", address)?, port)))
    }

    fn __repr__(&self) -> String {
        format!("EgressPolicy(rules={})", self.rules)
    }
}

fn read_rule(
    index: usize,
    (allow, network, first, last, reason): (bool, String, Whole, Whole, String),
) -> Result<Rule, Failure> {
    let ports = format!("rules[{index}]: ports");
    let first = first.within(&ports, 0..=u16::MAX)?;
    let last = last.within(&ports, first..=u16::MAX)?;
    let network = parse_network(format_args!("rules[{index}]"), &network)?;
    Ok(Rule {
        allow,
        network,
        ports: first..=last,
        reason,
    })
}

/// A network; a single address is one of its own.
pub(crate) fn parse_network(
    argument: impl std::fmt::Display,
    text: &str,
) -> Result<IpNet, Failure> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| {
            Failure::invalid(
                argument,
                "not a network such as 192.0.2.0/24 or 2001:db8::/32",
            )
        })
}
