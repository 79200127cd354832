//! The IP and UDP headers of carrier datagrams (RFC 768, 791, 8200).
//!
//! Over IPv4 the UDP checksum is left out, as RFC 768 allows: the tunnel authenticates every byte. Over IPv6 there is one.

use std::net::{IpAddr, SocketAddr};

use crate::checksum::{internet, transport};
use crate::packet::UDP;

const UDP_HEADER: usize = 8;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
/// Hops that a packet may take: as other packets of the stack.
const HOPS: u8 = 64;
/// "Don't fragment" (RFC 791 section 3.1).
const WHOLE: u8 = 0x40;

/// Bytes of both headers.
pub(super) fn headers(to: IpAddr) -> usize {
    UDP_HEADER
        + match to {
            IpAddr::V4(_) => IPV4_HEADER,
            IpAddr::V6(_) => IPV6_HEADER,
        }
}

/// Writes a packet into `packet`, which is as long as the headers and `payload`. Both ends are of one family.
pub(super) fn write(packet: &mut [u8], from: SocketAddr, to: SocketAddr, payload: &[u8]) {
    let length = ((UDP_HEADER + payload.len()) as u16).to_be_bytes();
    let [s0, s1] = from.port().to_be_bytes();
    let [d0, d1] = to.port().to_be_bytes();
    let udp = [s0, s1, d0, d1, length[0], length[1], 0, 0];
    match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let Some((header, rest)) = packet.split_first_chunk_mut::<IPV4_HEADER>() else {
                return;
            };
            let total = ((IPV4_HEADER + UDP_HEADER + payload.len()) as u16).to_be_bytes();
            *header = [0; IPV4_HEADER];
            header[0] = 0x45;
            header[2..4].copy_from_slice(&total);
            header[6] = WHOLE;
            header[8] = HOPS;
            header[9] = UDP;
            header[12..16].copy_from_slice(&source.octets());
            header[16..20].copy_from_slice(&destination.octets());
            let sum = internet(header);
            header[10..12].copy_from_slice(&sum);
            fill(rest, udp, payload);
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let Some((header, rest)) = packet.split_first_chunk_mut::<IPV6_HEADER>() else {
                return;
            };
            *header = [0; IPV6_HEADER];
            header[0] = 0x60;
            header[4..6].copy_from_slice(&length);
            header[6] = UDP;
            header[7] = HOPS;
            header[8..24].copy_from_slice(&source.octets());
            header[24..40].copy_from_slice(&destination.octets());
            fill(rest, udp, payload);
            let sum = transport(from.ip(), to.ip(), UDP, rest);
            // Zero means "none": its other spelling is sent.
            let sum = if sum == [0, 0] { [0xff, 0xff] } else { sum };
            if let Some(field) = rest.get_mut(6..8) {
                field.copy_from_slice(&sum);
            }
        }
        _ => packet.fill(0),
    }
}

fn fill(rest: &mut [u8], header: [u8; UDP_HEADER], payload: &[u8]) {
    let Some((to, body)) = rest.split_first_chunk_mut() else {
        return;
    };
    *to = header;
    if let Some(body) = body.get_mut(..payload.len()) {
        body.copy_from_slice(payload);
    }
}
