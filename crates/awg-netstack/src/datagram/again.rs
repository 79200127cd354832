//! The beginning of a packet that held a datagram, written again for the ICMP error about it: of what the stack gave away
//! nothing but the datagram is left.

use std::net::{IpAddr, SocketAddr};

use super::header;
use crate::checksum::internet;
use crate::packet::{IPV4_HEADER, IPV6_HEADER, UDP};

/// Bytes of payload that any error has room for.
const QUOTED: usize = 1280;
/// What it may have been on arrival: the sender's stack looks at addresses and ports alone.
const HOPS: u8 = 64;

/// The packet from `source` to `destination`, as far as an error quotes it; `None` if there is no such packet.
pub(crate) fn written_again(
    source: SocketAddr,
    destination: SocketAddr,
    payload: &[u8],
) -> Option<Vec<u8>> {
    let header = header::seal(source, destination, payload)?;
    let length = header.len() + payload.len();
    let mut packet = match (source.ip(), destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let [high, low] = ((IPV4_HEADER + length) as u16).to_be_bytes();
            let mut ip = vec![0x45, 0, high, low, 0, 0, 0, 0, HOPS, UDP, 0, 0];
            ip.extend(source.octets());
            ip.extend(destination.octets());
            let sum = internet(&ip);
            ip.splice(10..12, sum);
            ip
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let [high, low] = (length as u16).to_be_bytes();
            let mut ip = Vec::with_capacity(IPV6_HEADER + length.min(QUOTED));
            ip.extend([0x60, 0, 0, 0, high, low, UDP, HOPS]);
            ip.extend(source.octets());
            ip.extend(destination.octets());
            ip
        }
        _ => return None,
    };
    packet.extend(header);
    packet.extend_from_slice(payload.get(..QUOTED).unwrap_or(payload));
    Some(packet)
}

#[cfg(test)]
mod tests;
