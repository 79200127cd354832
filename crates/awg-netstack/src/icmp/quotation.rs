//! The packet that an ICMP error is about: as much of it as is there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::packet::{Behind, FRAGMENT, ICMP, ICMPV6, IPV4_HEADER, IPV6_HEADER, TCP, UDP};

/// The beginning of an IP packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quotation<'p> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// Length of the packet as it was sent, in bytes.
    pub(super) total_length: u16,
    pub(super) protocol: u8,
    /// Where in the whole packet this fragment belongs: 0 for a first or only one.
    pub(super) fragment_offset: u16,
    /// What follows the IP headers, as far as it is there.
    message: &'p [u8],
}

impl<'p> Quotation<'p> {
    pub(super) fn parse(packet: &'p [u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Self::parse_ipv4(packet),
            6 => Self::parse_ipv6(packet),
            _ => None,
        }
    }

    fn parse_ipv4(packet: &'p [u8]) -> Option<Self> {
        let header = packet.first_chunk::<IPV4_HEADER>()?;
        let header_length = usize::from(header[0] & 0x0f) * 4;
        if header_length < header.len() {
            return None;
        }
        Some(Self {
            source: IpAddr::V4(Ipv4Addr::from(*packet.get(12..)?.first_chunk::<4>()?)),
            destination: IpAddr::V4(Ipv4Addr::from(*packet.get(16..)?.first_chunk::<4>()?)),
            total_length: u16::from_be_bytes([header[2], header[3]]),
            protocol: header[9],
            fragment_offset: u16::from_be_bytes([header[6], header[7]]) & 0x1fff,
            message: packet.get(header_length..)?,
        })
    }

    fn parse_ipv6(packet: &'p [u8]) -> Option<Self> {
        let header = packet.first_chunk::<IPV6_HEADER>()?;
        let payload = u16::from_be_bytes([header[4], header[5]]);
        let behind = Behind::find(packet)?;
        let mut protocol = behind.protocol;
        let mut message = packet.get(behind.start..)?;
        let mut fragment_offset = 0;
        if protocol == FRAGMENT {
            let (fragment, rest) = message.split_first_chunk::<8>()?;
            protocol = fragment[0];
            fragment_offset = u16::from_be_bytes([fragment[2], fragment[3]]) >> 3;
            message = rest;
        }
        Some(Self {
            source: IpAddr::V6(Ipv6Addr::from(*packet.get(8..)?.first_chunk::<16>()?)),
            destination: IpAddr::V6(Ipv6Addr::from(*packet.get(24..)?.first_chunk::<16>()?)),
            total_length: payload.saturating_add(40),
            protocol,
            fragment_offset,
            message,
        })
    }

    /// Source and destination port, of a protocol that has any.
    pub(super) fn ports(&self) -> Option<(u16, u16)> {
        if !matches!(self.protocol, TCP | UDP) {
            return None;
        }
        let &[a, b, c, d] = self.message.first_chunk::<4>()?;
        Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }

    /// The sequence number, of TCP.
    pub(super) fn sequence(&self) -> Option<u32> {
        if self.protocol != TCP {
            return None;
        }
        let bytes = self.message.get(4..)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes))
    }

    /// Whether this packet is one that an error may be sent about: not itself an error, and not a later fragment (RFC
    /// 1122 section 3.2.2; RFC 4443 section 2.4 (e)).
    ///
    /// Of ICMP, only what is known to be a question may be answered.
    pub(super) fn may_be_answered(&self) -> bool {
        if self.fragment_offset != 0 {
            return false;
        }
        match (self.protocol, self.source) {
            (ICMP, IpAddr::V4(_)) => self.message.first() == Some(&8),
            (ICMPV6, IpAddr::V6(_)) => self.message.first() == Some(&128),
            _ => true,
        }
    }
}
