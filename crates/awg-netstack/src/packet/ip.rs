//! The IP header of a packet (RFC 791 section 3.1, RFC 8200 section 3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::extensions::Behind;
use crate::checksum;

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMP: u8 = 1;
pub(crate) const ICMPV6: u8 = 58;
pub(crate) const IPV4_HEADER: usize = 20;
pub(crate) const IPV6_HEADER: usize = 40;

/// What the stack needs to know of the IP header of a packet that is no fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct IpHeader {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// The transport protocol.
    pub(crate) protocol: u8,
    /// Where the transport message lies. What follows it is padding.
    pub(crate) payload: Range<usize>,
}

impl IpHeader {
    /// Reads the header of `packet`; `None` if it is none, or its lengths or checksum are wrong.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Self::parse_v4(packet),
            6 => Self::parse_v6(packet),
            _ => None,
        }
    }

    fn parse_v4(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; IPV4_HEADER] = packet.first_chunk()?;
        let header = usize::from(fixed[0] & 0x0f) * 4;
        let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        if header < IPV4_HEADER || total < header || total > packet.len() {
            return None;
        }
        if checksum::internet(packet.get(..header)?) != [0, 0] {
            return None;
        }
        let [
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            s0,
            s1,
            s2,
            s3,
            d0,
            d1,
            d2,
            d3,
        ] = *fixed;
        Some(Self {
            source: IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3)),
            destination: IpAddr::V4(Ipv4Addr::new(d0, d1, d2, d3)),
            protocol: fixed[9],
            payload: header..total,
        })
    }

    fn parse_v6(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; IPV6_HEADER] = packet.first_chunk()?;
        let total = IPV6_HEADER + usize::from(u16::from_be_bytes([fixed[4], fixed[5]]));
        let packet = packet.get(..total)?;
        let source: [u8; 16] = *packet.get(8..)?.first_chunk()?;
        let destination: [u8; 16] = *packet.get(24..)?.first_chunk()?;
        let Behind {
            protocol, start, ..
        } = Behind::find(packet)?;
        if start > total {
            return None;
        }
        Some(Self {
            source: IpAddr::V6(Ipv6Addr::from(source)),
            destination: IpAddr::V6(Ipv6Addr::from(destination)),
            protocol,
            payload: start..total,
        })
    }

    /// Whether both ends are addresses that one host can have: only such packets are taken or answered (RFC 1122
    /// section 3.2.1.3). An IPv4 address in IPv6 clothes is none: it never belongs on a wire (RFC 6890 section 2.2.3).
    pub(crate) fn is_unicast(&self) -> bool {
        is_unicast(self.source) && is_unicast(self.destination)
    }
}

/// Whether an address is one that a host can have on the wire.
pub(crate) fn is_unicast(address: IpAddr) -> bool {
    let single = match address {
        IpAddr::V4(address) => !address.is_broadcast(),
        IpAddr::V6(address) => address.to_ipv4_mapped().is_none(),
    };
    single && !address.is_unspecified() && !address.is_multicast()
}
