//! The TCP header of a packet (RFC 9293 section 3.1), its options as far as the stack reads them itself (RFC 7323
//! window scale, RFC 2018 SACK), and the checksums of packets that leave.

use std::ops::Range;

use super::ip::{IpHeader, TCP};
use crate::checksum;

/// Bytes of a TCP header without options.
pub(crate) const TCP_HEADER: usize = 20;
const CHECKSUM: usize = 16;

/// The flags of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flags(pub(crate) u8);

impl Flags {
    pub(crate) const FIN: u8 = 0x01;
    pub(crate) const SYN: u8 = 0x02;
    pub(crate) const RST: u8 = 0x04;
    pub(crate) const ACK: u8 = 0x10;

    /// Whether all of `flags` are set.
    pub(crate) fn has(self, flags: u8) -> bool {
        self.0 & flags == flags
    }

    /// Whether any of `flags` is set.
    pub(crate) fn any(self, flags: u8) -> bool {
        self.0 & flags != 0
    }
}

/// What the stack needs to know of a segment's header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    /// Where the TCP header begins in the packet.
    pub(crate) start: usize,
    /// Where the options lie in the packet.
    pub(crate) options: Range<usize>,
    /// Bytes of data.
    pub(crate) length: usize,
}

impl Segment {
    /// Reads and verifies the segment that `packet`, whose header is `ip`, carries; `None` if it is malformed.
    pub(crate) fn parse(packet: &[u8], ip: &IpHeader) -> Option<Self> {
        let message = packet.get(ip.payload.clone())?;
        if !checksum::verify_transport(ip.source, ip.destination, TCP, message) {
            return None;
        }
        Self::read(packet, ip.payload.clone())
    }

    /// Reads the header at `at` of `packet`, without its checksum.
    pub(crate) fn read(packet: &[u8], at: Range<usize>) -> Option<Self> {
        let fixed: &[u8; TCP_HEADER] = packet.get(at.clone())?.first_chunk()?;
        let &[
            s0,
            s1,
            d0,
            d1,
            q0,
            q1,
            q2,
            q3,
            a0,
            a1,
            a2,
            a3,
            offset,
            flags,
            w0,
            w1,
            ..,
        ] = fixed;
        let header = usize::from(offset >> 4) * 4;
        let length = at.len().checked_sub(header)?;
        let (source_port, destination_port) =
            (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        if header < TCP_HEADER || source_port == 0 || destination_port == 0 {
            return None;
        }
        Some(Self {
            source_port,
            destination_port,
            sequence: u32::from_be_bytes([q0, q1, q2, q3]),
            acknowledgement: u32::from_be_bytes([a0, a1, a2, a3]),
            flags: Flags(flags),
            window: u16::from_be_bytes([w0, w1]),
            start: at.start,
            options: at.start + TCP_HEADER..at.start + header,
            length,
        })
    }

    /// The sequence number after this segment: its data, and one each for SYN and FIN.
    pub(crate) fn sequence_end(&self) -> u32 {
        let controls =
            u32::from(self.flags.has(Flags::SYN)) + u32::from(self.flags.has(Flags::FIN));
        self.sequence
            .wrapping_add(self.length as u32)
            .wrapping_add(controls)
    }

    /// The shift that a SYN offers for its sender's windows, 14 at most (RFC 7323 section 2.3).
    pub(crate) fn window_scale(&self, packet: &[u8]) -> Option<u8> {
        self.option(packet, 3)
            .and_then(|value| value.first().copied())
            .map(|shift| shift.min(14))
    }

    /// The largest segment that a SYN's sender takes.
    pub(crate) fn maximum_segment(&self, packet: &[u8]) -> Option<u16> {
        let value = self.option(packet, 2)?;
        Some(u16::from_be_bytes(value.try_into().ok()?))
    }

    /// The ranges of sequence numbers that the segment reports as received out of order (RFC 2018 section 3).
    pub(crate) fn selective<'p>(
        &self,
        packet: &'p [u8],
    ) -> impl Iterator<Item = (u32, u32)> + use<'p> {
        let ranges = if self.options.is_empty() {
            None
        } else {
            self.option(packet, 5)
        };
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
        };
        ranges
            .unwrap_or_default()
            .chunks_exact(8)
            .map(move |range| {
                let (start, end) = range.split_at(4);
                (number(start), number(end))
            })
    }

    fn option<'p>(&self, packet: &'p [u8], wanted: u8) -> Option<&'p [u8]> {
        let mut options = packet.get(self.options.clone())?;
        loop {
            match *options {
                [] | [0, ..] => return None,
                [1, ref rest @ ..] => options = rest,
                [kind, length, ..] => {
                    let value = options.get(2..usize::from(length))?;
                    if kind == wanted {
                        return Some(value);
                    }
                    options = options.get(usize::from(length)..)?;
                }
                [_] => return None,
            }
        }
    }

    /// Writes another acknowledgement number and window over those of `packet`. Its checksum is wrong from then on.
    pub(crate) fn overwrite(&self, packet: &mut [u8], acknowledgement: u32, window: u16) {
        if let Some(field) = packet.get_mut(self.start + 8..self.start + 12) {
            field.copy_from_slice(&acknowledgement.to_be_bytes());
        }
        if let Some(field) = packet.get_mut(self.start + 14..self.start + 16) {
            field.copy_from_slice(&window.to_be_bytes());
        }
    }
}

/// Fills in the checksums of a TCP packet that we made: that of the segment, and that of an IPv4 header. Both fields
/// must be zero.
pub(crate) fn seal(packet: &mut [u8]) {
    let (source, destination, start) = match packet.first().map(|byte| byte >> 4) {
        Some(4) => {
            if let Some(header) = packet.first_chunk_mut::<{ super::ip::IPV4_HEADER }>() {
                let sum = checksum::internet(header);
                [header[10], header[11]] = sum;
            }
            (12..16, 16..20, super::ip::IPV4_HEADER)
        }
        _ => (8..24, 24..40, super::ip::IPV6_HEADER),
    };
    let (Some(source), Some(destination), Some(message)) = (
        packet.get(source),
        packet.get(destination),
        packet.get(start..),
    ) else {
        return;
    };
    let sum = checksum::Sum::default()
        .bytes(source)
        .bytes(destination)
        .bytes(&(message.len() as u32).to_be_bytes())
        .bytes(&[0, TCP])
        .bytes(message)
        .finish();
    if let Some(field) = packet.get_mut(start + CHECKSUM..start + CHECKSUM + 2) {
        field.copy_from_slice(&sum);
    }
}
