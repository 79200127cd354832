//! What a TUN device's offload joins into one packet, cut into the packets that a wire would carry, and joined again.
//!
//! A link loses, delays and counts single packets; a system moves a row of them at the price of one. The header before
//! each packet is `virtio_net_hdr` (`linux/virtio_net.h`), in the machine's byte order. Checksums of what the two systems
//! send each other stay partial, as between two namespaces joined by veth: the sum of the pseudo-header is kept right.
//!
//! TCP (RFC 9293) and UDP over IPv4 and IPv6 are cut and joined; anything else passes as it is.

use crate::{Packet, Packets};

/// Bytes before every packet.
pub const HEADER: usize = 10;
/// Joined packets fit one IP packet.
const LARGEST: usize = 65_535;
/// Linux cuts UDP into no more (`UDP_MAX_SEGMENTS` of older kernels).
pub const MOST: usize = 64;

const NEEDS_CHECKSUM: u8 = 1;
const NONE: u8 = 0;
const TCP4: u8 = 1;
const TCP6: u8 = 4;
const UDP: u8 = 5;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;
const FIN: u8 = 1;
const PSH: u8 = 8;
const ACK: u8 = 16;
const CWR: u8 = 0x80;

/// Where the transport's header begins and its checksum lies in it, if that is partial; a packet's note holds it.
#[derive(Clone, Copy)]
struct Partial {
    start: usize,
    offset: usize,
}

impl Partial {
    fn note(self) -> u16 {
        (self.start << 7 | self.offset) as u16
    }

    fn of(note: u16) -> Option<Self> {
        (note != 0).then_some(Self {
            start: usize::from(note >> 7),
            offset: usize::from(note & 127),
        })
    }
}

/// Puts what was read, its header first, into places of `packets`, as the wire would carry it. Returns how many packets
/// found no place.
pub fn cut(read: &[u8], packets: &mut Packets, into: &mut Vec<Packet>) -> u64 {
    let Some((header, packet)) = read.split_first_chunk::<HEADER>() else {
        return 1;
    };
    let [flags, kind, ..] = *header;
    let half = |at: usize| usize::from(u16::from_ne_bytes([header[at], header[at + 1]]));
    let (segment, start, offset) = (half(4), half(6), half(8));
    let partial = (flags & NEEDS_CHECKSUM != 0 && start < 512 && offset < 128)
        .then_some(Partial { start, offset });
    if kind == NONE {
        let Some((taken, place)) = packets.take(packet.len(), partial.map_or(0, Partial::note))
        else {
            return 1;
        };
        place.copy_from_slice(packet);
        into.push(taken);
        return 0;
    }
    let Some((partial, length)) =
        partial.and_then(|partial| Some((partial, headers(packet, partial)?)))
    else {
        return 1;
    };
    let start = partial.start;
    let Some((headers, payload)) = packet.split_at_checked(length).filter(|_| segment > 0) else {
        return 1;
    };
    let mut unplaced = 0;
    let count = payload.len().div_ceil(segment);
    for (number, piece) in payload.chunks(segment).enumerate() {
        let Some((taken, place)) = packets.take(length + piece.len(), partial.note()) else {
            unplaced += 1;
            continue;
        };
        let (head, body) = place.split_at_mut(length);
        head.copy_from_slice(headers);
        body.copy_from_slice(piece);
        if head[protocol_at(head)] == PROTOCOL_TCP {
            let sequence = u32_at(headers, start + 4).wrapping_add((number * segment) as u32);
            head[start + 4..start + 8].copy_from_slice(&sequence.to_be_bytes());
            if number + 1 < count {
                head[start + 13] &= !(FIN | PSH);
            }
            if number > 0 {
                head[start + 13] &= !CWR;
            }
        }
        if is_ipv4(head) {
            let id = u16_at(headers, 4).wrapping_add(number as u16);
            head[4..6].copy_from_slice(&id.to_be_bytes());
        }
        set_lengths(head, start, length + piece.len());
        set_partial_checksum(head, partial, length + piece.len());
        into.push(taken);
    }
    unplaced
}

/// The packets that begin `due` and can be given as one: their headers for the row as a whole, and their number.
///
/// `head` gets the offload's header, and for more than one packet the headers of the whole; what follows those in every
/// packet is the payload, in order.
pub fn join(due: &[Packet], packets: &Packets, head: &mut Vec<u8>) -> Row {
    head.clear();
    head.resize(HEADER, 0);
    let Some(first) = due.first() else {
        return Row {
            count: 0,
            headers: 0,
        };
    };
    let bytes = packets.bytes(*first);
    let alone = Row {
        count: 1,
        headers: 0,
    };
    let Some(partial) = Partial::of(first.note) else {
        return alone;
    };
    write_header(head, NONE, 0, 0, partial);
    let Some(length) =
        headers(bytes, partial).filter(|length| can_begin(bytes, partial.start, *length))
    else {
        return alone;
    };
    let segment = bytes.len() - length;
    let (mut count, mut total) = (1, bytes.len());
    let mut last = *first;
    while let Some(next) = due
        .get(count)
        .filter(|_| count < MOST && last.len() == first.len())
    {
        let follows = next.note == first.note
            && next.len() <= first.len()
            && total + next.len() - length.min(next.len()) <= LARGEST
            && belongs(
                bytes,
                packets.bytes(*next),
                partial,
                length,
                count * segment,
            )
            && !ends(packets.bytes(last), partial.start);
        if !follows {
            break;
        }
        total += next.len() - length;
        count += 1;
        last = *next;
    }
    if count == 1 {
        return alone;
    }
    let kind = match (bytes[protocol_at(bytes)], is_ipv4(bytes)) {
        (PROTOCOL_UDP, _) => UDP,
        (_, true) => TCP4,
        (_, false) => TCP6,
    };
    write_header(head, kind, length, segment, partial);
    head.extend_from_slice(&bytes[..length]);
    let whole = &mut head[HEADER..];
    if kind != UDP {
        whole[partial.start + 13] |= packets.bytes(last)[partial.start + 13] & (FIN | PSH);
    }
    set_lengths(whole, partial.start, total);
    set_partial_checksum(whole, partial, total);
    Row {
        count,
        headers: length,
    }
}

/// What [`join`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// How many packets are given as one.
    pub count: usize,
    /// Bytes at the beginning of each that the headers of the whole stand for; 0 for a single packet, which has its own.
    pub headers: usize,
}

/// Whether a row may begin with it: TCP with payload and nothing out of the ordinary, or UDP with payload.
fn can_begin(packet: &[u8], start: usize, length: usize) -> bool {
    // Fragments have no ports.
    let whole = !is_ipv4(packet) || u16_at(packet, 6).trailing_zeros() >= 14;
    let ordinary = match packet[protocol_at(packet)] {
        PROTOCOL_TCP => packet[start + 13] & !PSH == ACK,
        protocol => protocol == PROTOCOL_UDP,
    };
    whole && ordinary && packet.len() > length
}

/// Whether nothing may follow it in a row: the program that sent it wanted it to be seen at once.
fn ends(packet: &[u8], start: usize) -> bool {
    packet[protocol_at(packet)] == PROTOCOL_TCP && packet[start + 13] & PSH != 0
}

/// Whether `next` goes on with the row that began with `first` and has so much payload.
fn belongs(first: &[u8], next: &[u8], partial: Partial, length: usize, payload: usize) -> bool {
    if next.len() <= length || headers(next, partial) != Some(length) {
        return false;
    }
    let start = partial.start;
    let network = if is_ipv4(first) {
        // All but length, identification and checksum.
        first[..2] == next[..2]
            && first[6..10] == next[6..10]
            && first[12..start] == next[12..start]
    } else {
        first[..4] == next[..4] && first[6..start] == next[6..start]
    };
    let ports = first[start..start + 4] == next[start..start + 4];
    let transport = first[protocol_at(first)] == PROTOCOL_UDP
        || u32_at(next, start + 4) == u32_at(first, start + 4).wrapping_add(payload as u32)
            && first[start + 8..start + 13] == next[start + 8..start + 13]
            && next[start + 13] & !(PSH | FIN) == ACK
            && next[start + 13] & FIN == 0
            && first[start + 14..start + 16] == next[start + 14..start + 16]
            && first[start + 18..length] == next[start + 18..length];
    network && ports && transport
}

/// Bytes of all headers of a TCP or UDP packet with this partial checksum, if they are all there.
fn headers(packet: &[u8], partial: Partial) -> Option<usize> {
    let start = partial.start;
    let network_is_whole = if is_ipv4(packet) {
        start >= 20
    } else {
        start == 40
    };
    let transport = packet.get(start..).filter(|_| network_is_whole)?;
    let (length, checksum) = match packet[protocol_at(packet)] {
        PROTOCOL_UDP => (8, 6),
        PROTOCOL_TCP => (4 * usize::from(*transport.get(12)? >> 4), 16),
        _ => return None,
    };
    let is_whole =
        length >= checksum + 2 && length <= transport.len() && partial.offset == checksum;
    is_whole.then_some(start + length)
}

fn is_ipv4(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 4 == 4)
}

fn protocol_at(packet: &[u8]) -> usize {
    if is_ipv4(packet) { 9 } else { 6 }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn write_header(head: &mut [u8], kind: u8, length: usize, segment: usize, partial: Partial) {
    head[0] = NEEDS_CHECKSUM;
    head[1] = kind;
    for (at, value) in [
        (2, length),
        (4, segment),
        (6, partial.start),
        (8, partial.offset),
    ] {
        head[at..at + 2].copy_from_slice(&(value as u16).to_ne_bytes());
    }
}

/// Writes the lengths of a packet of `total` bytes, and IPv4's checksum.
fn set_lengths(head: &mut [u8], start: usize, total: usize) {
    if is_ipv4(head) {
        head[2..4].copy_from_slice(&(total as u16).to_be_bytes());
        head[10..12].fill(0);
        let sum = !fold(sum(&head[..start]));
        head[10..12].copy_from_slice(&sum.to_be_bytes());
    } else {
        head[4..6].copy_from_slice(&((total - 40) as u16).to_be_bytes());
    }
    if head[protocol_at(head)] == PROTOCOL_UDP {
        head[start + 4..start + 6].copy_from_slice(&((total - start) as u16).to_be_bytes());
    }
}

/// Writes the sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1), to which the rest is added later.
fn set_partial_checksum(head: &mut [u8], partial: Partial, total: usize) {
    let addresses = if is_ipv4(head) {
        &head[12..20]
    } else {
        &head[8..40]
    };
    let pseudo =
        sum(addresses) + u32::from(head[protocol_at(head)]) + (total - partial.start) as u32;
    let at = partial.start + partial.offset;
    head[at..at + 2].copy_from_slice(&fold(pseudo).to_be_bytes());
}

fn sum(bytes: &[u8]) -> u32 {
    bytes
        .chunks_exact(2)
        .map(|pair| u32::from(u16_at(pair, 0)))
        .sum()
}

fn fold(sum: u32) -> u16 {
    let once = (sum & 0xffff) + (sum >> 16);
    ((once & 0xffff) + (once >> 16)) as u16
}

#[cfg(test)]
mod tests;
