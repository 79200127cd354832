//! The UDP header (RFC 768; over IPv6, RFC 8200 section 8.1).

use std::net::{IpAddr, SocketAddr};

use crate::checksum::{Sum, verify_transport};
use crate::packet::UDP;

const HEADER: usize = 8;
/// The longest payload: what is left of the 65,535 bytes that an IPv4 packet, or the payload of an IPv6 packet, may
/// have.
const PAYLOAD_IPV4: usize = 65_535 - 20 - HEADER;
const PAYLOAD_IPV6: usize = 65_535 - HEADER;

/// The ports of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
}

/// What is wrong with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    /// Its lengths or ports.
    Header,
    /// Its checksum, or over IPv6 that it has none.
    Checksum,
}

impl Header {
    /// The header and the payload of `message`. Bytes beyond the length that the header tells are no part of it.
    pub(super) fn parse(
        source: IpAddr,
        destination: IpAddr,
        message: &[u8],
    ) -> Result<(Self, &[u8]), Invalid> {
        let &[s0, s1, d0, d1, l0, l1, c0, c1] =
            message.first_chunk::<HEADER>().ok_or(Invalid::Header)?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let message = message.get(..length).ok_or(Invalid::Header)?;
        let payload = message.get(HEADER..).ok_or(Invalid::Header)?;
        let header = Self {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
        };
        // A source port of 0 says "no answer wanted": nothing here could be told from it.
        if header.source_port == 0 || header.destination_port == 0 {
            return Err(Invalid::Header);
        }
        let absent = [c0, c1] == [0, 0];
        if absent && source.is_ipv4() {
            return Ok((header, payload));
        }
        if absent || !verify_transport(source, destination, UDP, message) {
            return Err(Invalid::Checksum);
        }
        Ok((header, payload))
    }
}

/// The header of a datagram with `payload`, checksum in it; `None` if no IP packet holds it.
pub(super) fn seal(
    source: SocketAddr,
    destination: SocketAddr,
    payload: &[u8],
) -> Option<[u8; HEADER]> {
    let most = if source.is_ipv4() {
        PAYLOAD_IPV4
    } else {
        PAYLOAD_IPV6
    };
    if payload.len() > most {
        return None;
    }
    let length = HEADER + payload.len();
    let [s0, s1] = source.port().to_be_bytes();
    let [d0, d1] = destination.port().to_be_bytes();
    let [l0, l1] = (length as u16).to_be_bytes();
    let mut header = [s0, s1, d0, d1, l0, l1, 0, 0];
    let sum = Sum::pseudo(source.ip(), destination.ip(), UDP, length)
        .bytes(&header)
        .bytes(payload)
        .finish();
    // Zero means "none": its other spelling is sent.
    let sum = if sum == [0, 0] { [0xff, 0xff] } else { sum };
    [header[6], header[7]] = sum;
    Some(header)
}

#[cfg(test)]
mod tests;
