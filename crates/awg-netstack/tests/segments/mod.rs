//! TCP segments written by hand: what a peer can send that a proper stack would not.

// Each test file compiles this for itself and uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::net::{IpAddr, SocketAddr};

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

const TCP: u8 = 6;

/// One segment, without options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub flags: u8,
    pub sequence: u32,
    pub acknowledgement: u32,
    pub data: Vec<u8>,
}

impl Segment {
    pub fn new(source: &str, destination: &str, flags: u8, sequence: u32) -> Self {
        Self {
            source: source.parse().expect("a socket address"),
            destination: destination.parse().expect("a socket address"),
            flags,
            sequence,
            acknowledgement: 0,
            data: Vec::new(),
        }
    }

    pub fn acknowledging(self, acknowledgement: u32) -> Self {
        Self {
            flags: self.flags | ACK,
            acknowledgement,
            ..self
        }
    }

    /// The packet, with its checksums.
    pub fn packet(&self) -> Vec<u8> {
        let mut message = Vec::new();
        message.extend(self.source.port().to_be_bytes());
        message.extend(self.destination.port().to_be_bytes());
        message.extend(self.sequence.to_be_bytes());
        message.extend(self.acknowledgement.to_be_bytes());
        message.extend([5 << 4, self.flags, 0x40, 0, 0, 0, 0, 0]);
        message.extend(&self.data);
        let (source, destination) = (octets(self.source.ip()), octets(self.destination.ip()));
        let sum = checksum(&pseudo(&source, &destination, &message));
        message[16..18].copy_from_slice(&sum);
        let mut packet = if self.source.is_ipv4() {
            let [high, low] = (20 + message.len() as u16).to_be_bytes();
            vec![0x45, 0, high, low, 0, 0, 0, 0, 64, TCP, 0, 0]
        } else {
            let [high, low] = (message.len() as u16).to_be_bytes();
            vec![0x60, 0, 0, 0, high, low, TCP, 64]
        };
        packet.extend(source);
        packet.extend(destination);
        if self.source.is_ipv4() {
            let sum = checksum(&packet);
            packet[10..12].copy_from_slice(&sum);
        }
        packet.extend(message);
        packet
    }

    /// Reads a TCP packet, whose checksums must be right; `None` if it is of another protocol.
    pub fn read(packet: &[u8]) -> Option<Self> {
        let (protocol, addresses, message) = match packet[0] >> 4 {
            4 => {
                assert_eq!(checksum(&packet[..20]), [0, 0], "the header's checksum");
                (packet[9], &packet[12..20], &packet[20..])
            }
            _ => (packet[6], &packet[8..40], &packet[40..]),
        };
        if protocol != TCP {
            return None;
        }
        let (source, destination) = addresses.split_at(addresses.len() / 2);
        let sum = checksum(&pseudo(source, destination, message));
        assert_eq!(sum, [0, 0], "the segment's checksum");
        let number = |at: usize, length: usize| {
            message[at..at + length]
                .iter()
                .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))
        };
        Some(Self {
            source: SocketAddr::new(address(source), number(0, 2) as u16),
            destination: SocketAddr::new(address(destination), number(2, 2) as u16),
            flags: message[13],
            sequence: number(4, 4),
            acknowledgement: number(8, 4),
            data: message[usize::from(message[12] >> 4) * 4..].to_vec(),
        })
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn address(octets: &[u8]) -> IpAddr {
    match <[u8; 4]>::try_from(octets) {
        Ok(octets) => octets.into(),
        Err(_) => <[u8; 16]>::try_from(octets).expect("an address").into(),
    }
}

/// The pseudo header and the message (RFC 9293 section 3.1). For IPv4 it has fewer zeros, which add nothing.
fn pseudo(source: &[u8], destination: &[u8], message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u32).to_be_bytes();
    [source, destination, &length, &[0, 0, 0, TCP], message].concat()
}

/// The sum of RFC 1071, word by word.
fn checksum(data: &[u8]) -> [u8; 2] {
    let mut sum = 0u32;
    for pair in data.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}
