//! What all tests need of packets: where they go, their checksums and their headers.

// Each test file compiles this for itself and uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::net::IpAddr;

use awg_netstack::{PacketSink, Peer};

pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMPV6: u8 = 58;

/// Packets that a stack sent.
pub struct Packets {
    pub packets: Vec<(Peer, Vec<u8>)>,
    /// How many it takes.
    room: usize,
}

impl Default for Packets {
    fn default() -> Self {
        Self::with_room(usize::MAX)
    }
}

impl Packets {
    pub fn with_room(room: usize) -> Self {
        Self {
            packets: Vec::new(),
            room,
        }
    }

    /// The packets, all of which are for `peer`.
    pub fn all_to(self, peer: Peer) -> Vec<Vec<u8>> {
        self.packets
            .into_iter()
            .map(|(to, packet)| {
                assert_eq!(to, peer);
                packet
            })
            .collect()
    }
}

impl PacketSink for Packets {
    fn has_room(&self) -> bool {
        self.packets.len() < self.room
    }

    fn packet(&mut self, peer: Peer, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        // Whatever was in the buffer before must not show.
        let mut packet = vec![0xee; length];
        emit(&mut packet);
        self.packets.push((peer, packet));
    }
}

/// The sum of RFC 1071, word by word.
pub fn checksum(data: &[u8]) -> [u8; 2] {
    let mut sum = 0u32;
    for pair in data.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

/// The checksum of a transport message with its pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1): `addresses`
/// are source and destination as the packet has them. ICMP over IPv4 has no pseudo header.
pub fn transport(addresses: &[u8], protocol: u8, message: &[u8]) -> [u8; 2] {
    if protocol == ICMP {
        return checksum(message);
    }
    // For IPv4 the pseudo header has fewer zeros, which add nothing.
    let length = (message.len() as u32).to_be_bytes();
    checksum(&[addresses, &length, &[0, 0, 0, protocol], message].concat())
}

pub fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The IPv4 header (RFC 791 section 3.1) of a piece of a packet; `field` is its flags and offset.
pub fn ipv4(
    addresses: &[u8],
    protocol: u8,
    identification: u16,
    field: u16,
    length: usize,
) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend(((20 + length) as u16).to_be_bytes());
    header.extend(identification.to_be_bytes());
    header.extend(field.to_be_bytes());
    header.extend([64, protocol, 0, 0]);
    header.extend(addresses);
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum);
    header
}

/// The packet of a transport message whose checksum, at `sum_at`, is filled in; `addresses` are source and destination.
pub fn packet(addresses: &[u8], protocol: u8, mut message: Vec<u8>, sum_at: usize) -> Vec<u8> {
    let sum = transport(addresses, protocol, &message);
    message[sum_at..sum_at + 2].copy_from_slice(&sum);
    let mut packet = if addresses.len() == 8 {
        ipv4(addresses, protocol, 0, 0, message.len())
    } else {
        let [high, low] = (message.len() as u16).to_be_bytes();
        let mut header = vec![0x60, 0, 0, 0, high, low, protocol, 64];
        header.extend(addresses);
        header
    };
    packet.extend(message);
    packet
}
