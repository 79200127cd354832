//! TCP segments written by hand: what a peer can send that a proper stack would not.

// Each test file compiles this for itself and uses a part of it.
#![allow(dead_code, unreachable_pub)]

pub mod server;

use std::net::{IpAddr, SocketAddr};

use crate::wire::{self, TCP, checksum, octets};

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// One segment, without options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub flags: u8,
    pub sequence: u32,
    pub acknowledgement: u32,
    /// What it offers, as the field has it; of a segment that was read it is not looked at.
    pub window: u16,
    pub data: Vec<u8>,
}

const WINDOW: u16 = 0x4000;

impl Segment {
    pub fn new(source: &str, destination: &str, flags: u8, sequence: u32) -> Self {
        Self {
            source: source.parse().expect("a socket address"),
            destination: destination.parse().expect("a socket address"),
            flags,
            sequence,
            acknowledgement: 0,
            window: WINDOW,
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
        message.extend([5 << 4, self.flags]);
        message.extend(self.window.to_be_bytes());
        message.extend([0; 4]);
        message.extend(&self.data);
        let addresses = [octets(self.source.ip()), octets(self.destination.ip())].concat();
        wire::packet(&addresses, TCP, message, 16)
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
        let sum = wire::transport(addresses, TCP, message);
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
            window: WINDOW,
            data: message[usize::from(message[12] >> 4) * 4..].to_vec(),
        })
    }
}

fn address(octets: &[u8]) -> IpAddr {
    match <[u8; 4]>::try_from(octets) {
        Ok(octets) => octets.into(),
        Err(_) => <[u8; 16]>::try_from(octets).expect("an address").into(),
    }
}
