//! Where a server's flows may go: ordered rules over addresses and ports, compiled for one look per datagram.
//!
//! It does not decide what the rules are; the configuration does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use ipnet::IpNet;

/// One rule: what it says of an address in `network` and a port in `ports`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Whether it allows or forbids.
    pub allow: bool,
    /// The addresses that it speaks of.
    pub network: IpNet,
    /// The ports that it speaks of.
    pub ports: RangeInclusive<u16>,
    /// What to tell people of a destination that it forbids.
    pub reason: String,
}

/// Ordered rules, of which the first that fits decides; where none fits the destination is allowed.
///
/// An address that stands for another one is judged as that one: IPv4-mapped (RFC 4291, section 2.5.5.2) is nothing but
/// its IPv4 address; NAT64 (RFC 6052, `64:ff9b::/96`) and 6to4 (RFC 3056, `2002::/16`) must be allowed both as they are
/// and by the IPv4 address inside. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct EgressPolicy {
    rules: Arc<[Compiled]>,
}

#[derive(Debug)]
struct Compiled {
    network: Network,
    ports: RangeInclusive<u16>,
    denial: Option<String>,
}

/// A network as one comparison.
#[derive(Debug)]
enum Network {
    V4 { prefix: u32, mask: u32 },
    V6 { prefix: u128, mask: u128 },
}

impl Network {
    fn new(network: IpNet) -> Self {
        match network {
            IpNet::V4(network) => Self::V4 {
                prefix: network.network().to_bits(),
                mask: network.netmask().to_bits(),
            },
            IpNet::V6(network) => Self::V6 {
                prefix: network.network().to_bits(),
                mask: network.netmask().to_bits(),
            },
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { prefix, mask }, IpAddr::V4(address)) => address.to_bits() & mask == *prefix,
            (Self::V6 { prefix, mask }, IpAddr::V6(address)) => address.to_bits() & mask == *prefix,
            _ => false,
        }
    }
}

impl EgressPolicy {
    /// Compiles `rules`, which keep their order.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules = rules
            .into_iter()
            .map(|rule| Compiled {
                network: Network::new(rule.network),
                ports: rule.ports,
                denial: (!rule.allow).then_some(rule.reason),
            })
            .collect();
        Self { rules }
    }

    /// Why `destination` is forbidden; `None` = it is allowed.
    pub fn verdict(&self, destination: SocketAddr) -> Option<&str> {
        let address = destination.ip().to_canonical();
        let port = destination.port();
        self.first_match(address, port).or_else(|| {
            let inside = embedded(address)?;
            self.first_match(IpAddr::V4(inside), port)
        })
    }

    fn first_match(&self, address: IpAddr, port: u16) -> Option<&str> {
        self.rules
            .iter()
            .find(|rule| rule.network.contains(address) && rule.ports.contains(&port))
            .and_then(|rule| rule.denial.as_deref())
    }
}

/// The IPv4 address that a NAT64 or 6to4 address leads to.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    const NAT64: u128 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0).to_bits();
    let IpAddr::V6(address) = address else {
        return None;
    };
    let bits = address.to_bits();
    if bits >> 32 == NAT64 >> 32 {
        Some(Ipv4Addr::from_bits(bits as u32))
    } else if bits >> 112 == 0x2002 {
        Some(Ipv4Addr::from_bits((bits >> 80) as u32))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
