//! Inner packets: a header that routes them, and one byte over and over.

use std::net::Ipv6Addr;

/// An IPv4 packet of so many bytes, 20 at least.
pub fn packet(from: [u8; 4], to: [u8; 4], length: usize) -> Vec<u8> {
    let mut packet = vec![0xa5; length.max(20)];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&(length.max(20) as u16).to_be_bytes());
    packet[12..16].copy_from_slice(&from);
    packet[16..20].copy_from_slice(&to);
    packet
}

/// An IPv6 packet with so many bytes behind its header.
pub fn packet6(from: Ipv6Addr, to: Ipv6Addr, payload: usize) -> Vec<u8> {
    let mut packet = vec![0xa5; 40 + payload];
    packet[0] = 0x60;
    packet[4..6].copy_from_slice(&(payload as u16).to_be_bytes());
    packet[8..24].copy_from_slice(&from.octets());
    packet[24..40].copy_from_slice(&to.octets());
    packet
}

/// Whether a packet is one that `packet` or `packet6` made, to its last byte.
pub(crate) fn is_whole(packet: &[u8]) -> bool {
    let (header, length) = match packet {
        [0x45, _, high, low, ..] => (20, u16::from_be_bytes([*high, *low]).into()),
        [0x60, _, _, _, high, low, ..] => (40, 40 + usize::from(u16::from_be_bytes([*high, *low]))),
        _ => return false,
    };
    packet.len() == length && packet[header..].iter().all(|byte| *byte == 0xa5)
}

/// An IPv4 packet of the device to the probe.
pub fn outgoing(length: usize) -> Vec<u8> {
    packet([10, 0, 0, 1], [10, 0, 0, 2], length)
}

/// An IPv4 packet of the probe to the device.
pub fn incoming(length: usize) -> Vec<u8> {
    packet([10, 0, 0, 2], [10, 0, 0, 1], length)
}
