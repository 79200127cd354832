//! The header of a datagram between an application and its SOCKS5 proxy (RFC 1928, section 7).
//!
//! ```text
//!   +-----+------+------+----------+----------+----------+
//!   | RSV | FRAG | ATYP | DST.ADDR | DST.PORT |   DATA   |
//!   +-----+------+------+----------+----------+----------+
//!   |  2  |  1   |  1   | Variable |    2     | Variable |
//!   +-----+------+------+----------+----------+----------+
//! ```
//!
//! Fragments are not put together: whoever does not implement that must drop them. RSV is written as zero and not looked
//! at.

use std::net::{IpAddr, SocketAddr};
use std::str;

const RESERVED: usize = 2;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
/// With an IPv6 address, the longest that is written.
const LONGEST: usize = RESERVED + 1 + 1 + 16 + 2;

/// Where an application wants a datagram to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Destination<'d> {
    /// An address; an IPv4-mapped one is the IPv4 address that it is.
    Address(SocketAddr),
    /// A name to look up, of visible ASCII characters.
    Name(&'d str, u16),
}

/// Why a datagram has no destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Invalid {
    /// It ends too early, or what it says is no destination.
    Malformed,
    /// It is a fragment.
    Fragment,
}

/// Where `datagram` is to go, and what is to go there.
pub(super) fn parse(datagram: &[u8]) -> Result<(Destination<'_>, &[u8]), Invalid> {
    let Some((&[_, _, fragment, kind], rest)) = datagram.split_first_chunk() else {
        return Err(Invalid::Malformed);
    };
    if fragment != 0 {
        return Err(Invalid::Fragment);
    }
    let (destination, payload) = match kind {
        IPV4 => address::<4>(rest),
        IPV6 => address::<16>(rest),
        NAME => name(rest),
        _ => None,
    }
    .ok_or(Invalid::Malformed)?;
    Ok((destination, payload))
}

fn port(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (port, rest) = bytes.split_first_chunk()?;
    let port = u16::from_be_bytes(*port);
    (port != 0).then_some((port, rest))
}

fn address<const N: usize>(bytes: &[u8]) -> Option<(Destination<'_>, &[u8])>
where
    IpAddr: From<[u8; N]>,
{
    let (address, rest) = bytes.split_first_chunk::<N>()?;
    let (port, payload) = port(rest)?;
    let address = IpAddr::from(*address).to_canonical();
    Some((
        Destination::Address(SocketAddr::new(address, port)),
        payload,
    ))
}

fn name(bytes: &[u8]) -> Option<(Destination<'_>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (port, payload) = port(rest)?;
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let name = str::from_utf8(name).ok()?;
    let destination = match name.parse::<IpAddr>() {
        // Some applications write an address as a name.
        Ok(address) => Destination::Address(SocketAddr::new(address.to_canonical(), port)),
        Err(_) => Destination::Name(name, port),
    };
    Some((destination, payload))
}

/// What stands before a datagram to an application.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Header {
    /// Of a datagram that came from `source`.
    pub(super) fn of(source: SocketAddr) -> Self {
        match source.ip().to_canonical() {
            IpAddr::V4(address) => Self::new(IPV4, address.octets(), source.port()),
            IpAddr::V6(address) => Self::new(IPV6, address.octets(), source.port()),
        }
    }

    fn new<const N: usize>(kind: u8, address: [u8; N], port: u16) -> Self {
        let written = [0, 0, 0, kind]
            .into_iter()
            .chain(address)
            .chain(port.to_be_bytes());
        let mut header = Self {
            bytes: [0; LONGEST],
            length: 0,
        };
        for (place, byte) in header.bytes.iter_mut().zip(written) {
            *place = byte;
            header.length += 1;
        }
        header
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

#[cfg(test)]
mod tests;
