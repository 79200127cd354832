//! One received fragment, as it lies in its packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::checksum::Sum;
use crate::packet::{Behind, FRAGMENT, FRAGMENT_HEADER, IPV4_HEADER, IPV6_HEADER};

/// Where IPv6 keeps its payload length.
const IPV6_PAYLOAD_LENGTH: usize = 4;

/// Why a fragment cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A piece of a packet, and what the packet's own headers will be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'p> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// The protocol, where it tells packets apart (IPv4). In IPv6 pieces of one packet may differ in it, and only the
    /// first one's counts: 0 here.
    pub(super) protocol: u8,
    pub(super) identification: u32,
    /// Where `body` belongs in the packet's fragmentable part, in bytes.
    pub(super) offset: usize,
    /// Whether another piece comes after this one.
    pub(super) more: bool,
    pub(super) body: &'p [u8],
    head: Head<'p>,
}

/// The headers before the fragmentable part.
#[derive(Debug, PartialEq, Eq)]
enum Head<'p> {
    Ipv4(&'p [u8]),
    Ipv6 {
        /// The unfragmentable part: the IPv6 header and what comes before the fragment header.
        headers: &'p [u8],
        /// Where in it the next header field stands that named the fragment header, and what it is in the whole packet.
        next_header_at: usize,
        next_header: u8,
    },
}

/// Whether `packet` is one that [`Reassembler`](super::Reassembler) wants.
pub(crate) fn is_fragment(packet: &[u8]) -> bool {
    match packet.first().map(|first| first >> 4) {
        // More fragments, or an offset.
        Some(4) => word(packet, 6).is_some_and(|field| field & 0x3fff != 0),
        Some(6) => Behind::find(packet).is_some_and(|behind| behind.protocol == FRAGMENT),
        _ => false,
    }
}

impl<'p> Piece<'p> {
    /// Reads a packet of which [`is_fragment`] is true.
    pub(super) fn parse(packet: &'p [u8]) -> Result<Self, Malformed> {
        let piece = match packet.first().map(|first| first >> 4) {
            Some(4) => Self::parse_ipv4(packet),
            Some(6) => Self::parse_ipv6(packet),
            _ => None,
        }
        .ok_or(Malformed)?;
        // All but the last hold whole units of eight bytes, and each holds something.
        if piece.more && piece.body.len() % 8 != 0 || piece.body.is_empty() && !piece.is_whole() {
            return Err(Malformed);
        }
        if piece.offset + piece.body.len() > usize::from(u16::MAX) {
            return Err(Malformed);
        }
        Ok(piece)
    }

    fn parse_ipv4(packet: &'p [u8]) -> Option<Self> {
        let header_length = usize::from(packet.first()? & 0x0f) * 4;
        let total = usize::from(word(packet, 2)?);
        let packet = packet.get(..total)?;
        let header = packet.get(..header_length)?;
        if header_length < IPV4_HEADER || !Sum::default().bytes(header).is_valid() {
            return None;
        }
        let field = word(packet, 6)?;
        Some(Self {
            source: IpAddr::V4(Ipv4Addr::from(array::<4>(packet, 12)?)),
            destination: IpAddr::V4(Ipv4Addr::from(array::<4>(packet, 16)?)),
            protocol: *packet.get(9)?,
            identification: u32::from(word(packet, 4)?),
            offset: usize::from(field & 0x1fff) * 8,
            more: field & 0x2000 != 0,
            body: packet.get(header_length..)?,
            head: Head::Ipv4(header),
        })
    }

    fn parse_ipv6(packet: &'p [u8]) -> Option<Self> {
        let payload = usize::from(word(packet, IPV6_PAYLOAD_LENGTH)?);
        let packet = packet.get(..IPV6_HEADER + payload)?;
        let behind = Behind::find(packet).filter(|behind| behind.protocol == FRAGMENT)?;
        let at = behind.start;
        let field = word(packet, at + 2)?;
        let next_header = *packet.get(at)?;
        // Nobody cuts a piece again in IPv6.
        if next_header == FRAGMENT {
            return None;
        }
        Some(Self {
            source: IpAddr::V6(Ipv6Addr::from(array::<16>(packet, 8)?)),
            destination: IpAddr::V6(Ipv6Addr::from(array::<16>(packet, 24)?)),
            protocol: 0,
            identification: u32::from_be_bytes(array::<4>(packet, at + 4)?),
            offset: usize::from(field & !7),
            more: field & 1 != 0,
            body: packet.get(at + FRAGMENT_HEADER..)?,
            head: Head::Ipv6 {
                headers: packet.get(..at)?,
                next_header_at: behind.named_at,
                next_header,
            },
        })
    }

    /// Whether this one piece is the whole packet (RFC 6946): it has nothing to do with others of the same
    /// identification.
    pub(super) fn is_whole(&self) -> bool {
        self.offset == 0 && !self.more
    }

    /// The headers that the whole packet has, lengths not yet set: those of the piece at offset 0.
    pub(super) fn whole_headers(&self) -> Vec<u8> {
        match self.head {
            Head::Ipv4(header) => {
                let mut header = header.to_vec();
                // No flags, no offset.
                write(&mut header, 6, [0, 0]);
                header
            }
            Head::Ipv6 {
                headers,
                next_header_at,
                next_header,
            } => {
                let mut headers = headers.to_vec();
                write(&mut headers, next_header_at, [next_header]);
                headers
            }
        }
    }
}

/// Sets the lengths, and in IPv4 the checksum, of the whole `packet`, of which the first `header_length` bytes came
/// from [`Piece::whole_headers`]. Fails when it is longer than a packet can be.
pub(super) fn seal_headers(packet: &mut [u8], header_length: usize) -> Result<(), Malformed> {
    if packet.first().map(|first| first >> 4) == Some(4) {
        let total = u16::try_from(packet.len()).map_err(|_| Malformed)?;
        write(packet, 2, total.to_be_bytes());
        write(packet, 10, [0, 0]);
        let header = packet.get(..header_length).ok_or(Malformed)?;
        let sum = Sum::default().bytes(header).finish();
        write(packet, 10, sum);
    } else {
        let payload = packet.len().checked_sub(IPV6_HEADER).ok_or(Malformed)?;
        let payload = u16::try_from(payload).map_err(|_| Malformed)?;
        write(packet, IPV6_PAYLOAD_LENGTH, payload.to_be_bytes());
    }
    Ok(())
}

fn array<const N: usize>(packet: &[u8], at: usize) -> Option<[u8; N]> {
    packet.get(at..)?.first_chunk::<N>().copied()
}

fn word(packet: &[u8], at: usize) -> Option<u16> {
    array::<2>(packet, at).map(u16::from_be_bytes)
}

fn write<const N: usize>(packet: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = packet
        .get_mut(at..)
        .and_then(|rest| rest.first_chunk_mut::<N>())
    {
        *place = bytes;
    }
}
