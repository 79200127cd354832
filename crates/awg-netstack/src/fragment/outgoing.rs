//! Transport messages that wait to leave, and how they become IP packets.
//!
//! The bytes of all messages lie in one ring, so nothing is allocated per message; they are copied once into it and
//! once into the packet that is sent. What is larger than the MTU is cut on the way out.
//!
//! IPv4 packets allow routers behind the peer to cut them further (no "don't fragment"), and are numbered for that.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::checksum::internet;
use crate::flow::Peer;
use crate::packet::{FRAGMENT, FRAGMENT_HEADER, IPV4_HEADER, IPV6_HEADER};
use crate::sink::PacketSink;

#[cfg(test)]
mod tests;

const HOP_LIMIT: u8 = 64;
const MORE_FRAGMENTS: u16 = 0x2000;

/// What a message costs beyond its bytes, so that empty ones are bounded as well.
const OVERHEAD: usize = 64;

/// A ring that has grown past this gives its memory back when it is empty.
const KEPT: usize = 256 << 10;

/// There is no room for this message now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Where a message goes, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) peer: Peer,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    /// Longest packet on this path, in bytes.
    pub(crate) mtu: u16,
}

/// A bounded queue of transport messages.
pub(crate) struct Outgoing {
    capacity: usize,
    messages: VecDeque<Message>,
    bytes: VecDeque<u8>,
    identification: u32,
}

struct Message {
    route: Route,
    identification: u32,
    /// Bytes in all, and how many of them have left.
    length: usize,
    sent: usize,
}

impl Outgoing {
    /// A queue of at most `capacity` bytes. `identification` is the random number to begin numbering packets with.
    pub(crate) fn new(capacity: usize, identification: u32) -> Self {
        Self {
            capacity,
            messages: VecDeque::new(),
            bytes: VecDeque::new(),
            identification,
        }
    }

    /// Queues the message `header` + `payload`, checksum already in it.
    ///
    /// The caller sees to it that both addresses are of one family and that the message fits an IP packet.
    pub(crate) fn push(&mut self, route: Route, header: &[u8], payload: &[u8]) -> Result<(), Full> {
        let length = header.len() + payload.len();
        let held = self.bytes.len() + self.messages.len() * OVERHEAD;
        if held + length + OVERHEAD > self.capacity {
            return Err(Full);
        }
        self.bytes.extend(header);
        self.bytes.extend(payload);
        self.identification = self.identification.wrapping_add(1);
        self.messages.push_back(Message {
            route,
            identification: self.identification,
            length,
            sent: 0,
        });
        Ok(())
    }

    /// Moves packets into `sink` until nothing is left (`false`) or it is full (`true`).
    pub(crate) fn poll_transmit(&mut self, sink: &mut dyn PacketSink) -> bool {
        while let Some(message) = self.messages.front_mut() {
            if !sink.has_room() {
                return true;
            }
            let (header, taken) = message.next_packet();
            let (first, second) = self.bytes.as_slices();
            let first = first.get(..taken).unwrap_or(first);
            let second = second.get(..taken - first.len()).unwrap_or(&[]);
            let header = header.bytes();
            let length = header.len() + taken;
            sink.packet(message.route.peer, length, &mut |packet| {
                lay(packet, [header, first, second]);
            });
            self.bytes.drain(..taken);
            message.sent += taken;
            if message.sent >= message.length {
                self.messages.pop_front();
            }
        }
        if self.bytes.capacity() > KEPT {
            self.bytes = VecDeque::new();
        }
        false
    }

    /// Whether nothing waits.
    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Bytes that are waiting.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes `parts` one after another.
fn lay(packet: &mut [u8], parts: [&[u8]; 3]) {
    let mut at = 0;
    for part in parts {
        if let Some(place) = packet.get_mut(at..at + part.len()) {
            place.copy_from_slice(part);
        }
        at += part.len();
    }
}

/// The headers of one packet.
struct Headers {
    bytes: [u8; IPV6_HEADER + FRAGMENT_HEADER],
    length: usize,
}

impl Headers {
    fn new() -> Self {
        Self {
            bytes: [0; IPV6_HEADER + FRAGMENT_HEADER],
            length: 0,
        }
    }

    fn push(&mut self, part: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.length..self.length + part.len()) {
            place.copy_from_slice(part);
            self.length += part.len();
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

impl Message {
    /// The headers of the next packet, and how many bytes of the message it takes.
    fn next_packet(&self) -> (Headers, usize) {
        let left = self.length - self.sent;
        let mtu = usize::from(self.route.mtu);
        match (self.route.source, self.route.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let taken = part(left, mtu.saturating_sub(IPV4_HEADER));
                (
                    self.ipv4_header(source, destination, taken, taken < left),
                    taken,
                )
            }
            (source, destination) => {
                let whole = self.sent == 0 && left + IPV6_HEADER <= mtu;
                let taken = if whole {
                    left
                } else {
                    part(left, mtu.saturating_sub(IPV6_HEADER + FRAGMENT_HEADER))
                };
                let fragment = (!whole).then_some(taken < left);
                (
                    self.ipv6_headers(ipv6(source), ipv6(destination), taken, fragment),
                    taken,
                )
            }
        }
    }

    /// RFC 791 section 3.1.
    fn ipv4_header(
        &self,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        taken: usize,
        more: bool,
    ) -> Headers {
        let flags = if more { MORE_FRAGMENTS } else { 0 };
        let mut header = Headers::new();
        header.push(&[0x45, 0]);
        header.push(&((IPV4_HEADER + taken) as u16).to_be_bytes());
        header.push(&(self.identification as u16).to_be_bytes());
        header.push(&(flags | (self.sent / 8) as u16).to_be_bytes());
        header.push(&[HOP_LIMIT, self.route.protocol, 0, 0]);
        header.push(&source.octets());
        header.push(&destination.octets());
        let [high, low] = internet(header.bytes());
        header.bytes[10] = high;
        header.bytes[11] = low;
        header
    }

    /// RFC 8200 sections 3 and 4.5; `fragment` is whether more come, or `None` for a whole packet.
    fn ipv6_headers(
        &self,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        taken: usize,
        fragment: Option<bool>,
    ) -> Headers {
        let (next, extra) = match fragment {
            Some(_) => (FRAGMENT, FRAGMENT_HEADER),
            None => (self.route.protocol, 0),
        };
        let mut header = Headers::new();
        header.push(&[0x60, 0, 0, 0]);
        header.push(&((extra + taken) as u16).to_be_bytes());
        header.push(&[next, HOP_LIMIT]);
        header.push(&source.octets());
        header.push(&destination.octets());
        if let Some(more) = fragment {
            header.push(&[self.route.protocol, 0]);
            // The offset in units of eight bytes stands three bits up: in bytes, it is its own value.
            header.push(&(self.sent as u16 | u16::from(more)).to_be_bytes());
            header.push(&self.identification.to_be_bytes());
        }
        header
    }
}

/// How much of `left` goes into `room`: all, or whole units of eight bytes (at least one, so that a senseless MTU
/// cannot stop the queue).
fn part(left: usize, room: usize) -> usize {
    if left <= room {
        left
    } else {
        left.min((room & !7).max(8))
    }
}

fn ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}
