//! Bare answers to a segment that belongs to no socket: a reset (RFC 9293 section 3.5.2), or the acknowledgement that a
//! tombstone repeats.

use std::net::IpAddr;

use crate::packet::{Flags, IpHeader, Segment, TCP, TCP_HEADER, seal};

/// The RST for a segment of no flow.
pub(crate) fn reset(ip: &IpHeader, segment: &Segment) -> Vec<u8> {
    if segment.flags.has(Flags::ACK) {
        build(ip, segment, Flags::RST, segment.acknowledgement, 0)
    } else {
        build(
            ip,
            segment,
            Flags::RST | Flags::ACK,
            0,
            segment.sequence_end(),
        )
    }
}

/// An acknowledgement without data.
pub(crate) fn acknowledge(ip: &IpHeader, segment: &Segment, next: u32, expected: u32) -> Vec<u8> {
    build(ip, segment, Flags::ACK, next, expected)
}

/// A bare segment back to where `segment` came from.
fn build(
    ip: &IpHeader,
    segment: &Segment,
    flags: u8,
    sequence: u32,
    acknowledgement: u32,
) -> Vec<u8> {
    let mut packet = Vec::with_capacity(40 + TCP_HEADER);
    match (ip.destination, ip.source) {
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
    packet.extend_from_slice(&segment.destination_port.to_be_bytes());
    packet.extend_from_slice(&segment.source_port.to_be_bytes());
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&acknowledgement.to_be_bytes());
    packet.extend_from_slice(&[5 << 4, flags, 0, 0, 0, 0, 0, 0]);
    seal(&mut packet);
    packet
}
