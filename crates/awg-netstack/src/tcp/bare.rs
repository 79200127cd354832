//! Segments without data that no socket makes ([`Bare`]): a reset (RFC 9293 section 3.5.2), the acknowledgement that a
//! tombstone repeats, and the probe of an idle connection (section 3.8.4).

use std::net::{IpAddr, SocketAddr};

use crate::packet::{Flags, IpHeader, Segment, TCP, TCP_HEADER, seal};

/// A segment without data or options.
pub(super) struct Bare {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) flags: u8,
    pub(super) sequence: u32,
    pub(super) acknowledgement: u32,
    /// As the field has it.
    pub(super) window: u16,
}

/// The RST for a segment of no flow.
pub(super) fn reset(ip: &IpHeader, segment: &Segment) -> Vec<u8> {
    if segment.flags.has(Flags::ACK) {
        answer(ip, segment, Flags::RST, segment.acknowledgement, 0)
    } else {
        let flags = Flags::RST | Flags::ACK;
        answer(ip, segment, flags, 0, segment.sequence_end())
    }
}

/// An acknowledgement of everything, from a connection that is over.
pub(super) fn acknowledge(ip: &IpHeader, segment: &Segment, next: u32, expected: u32) -> Vec<u8> {
    answer(ip, segment, Flags::ACK, next, expected)
}

/// A bare segment back to where `segment` came from.
fn answer(
    ip: &IpHeader,
    segment: &Segment,
    flags: u8,
    sequence: u32,
    acknowledgement: u32,
) -> Vec<u8> {
    let bare = Bare {
        from: SocketAddr::new(ip.destination, segment.destination_port),
        to: SocketAddr::new(ip.source, segment.source_port),
        flags,
        sequence,
        acknowledgement,
        window: 0,
    };
    bare.packet()
}

impl Bare {
    /// The packet, with its checksums.
    pub(super) fn packet(&self) -> Vec<u8> {
        let mut packet = Vec::with_capacity(40 + TCP_HEADER);
        match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                // No fragments: there is nothing to identify.
                packet.extend_from_slice(&[
                    0x45,
                    0,
                    0,
                    20 + TCP_HEADER as u8,
                    0,
                    0,
                    0x40,
                    0,
                    64,
                    TCP,
                    0,
                    0,
                ]);
                packet.extend_from_slice(&from.octets());
                packet.extend_from_slice(&to.octets());
            }
            (from, to) => {
                packet.extend_from_slice(&[0x60, 0, 0, 0, 0, TCP_HEADER as u8, TCP, 64]);
                for address in [from, to] {
                    let octets = match address {
                        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                        IpAddr::V6(address) => address.octets(),
                    };
                    packet.extend_from_slice(&octets);
                }
            }
        }
        packet.extend_from_slice(&self.from.port().to_be_bytes());
        packet.extend_from_slice(&self.to.port().to_be_bytes());
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&self.acknowledgement.to_be_bytes());
        let [high, low] = self.window.to_be_bytes();
        packet.extend_from_slice(&[5 << 4, self.flags, high, low, 0, 0, 0, 0]);
        seal(&mut packet);
        packet
    }
}
