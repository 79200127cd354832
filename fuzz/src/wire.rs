//! Packets by hand: headers and checksums as RFC 791, 8200, 768 and 9293 have them, and a strict look at packets that left.

use std::net::{IpAddr, SocketAddr};

pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const FRAGMENT: u8 = 44;
pub(crate) const ICMPV6: u8 = 58;

/// The sum of RFC 1071.
pub(crate) fn checksum<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 2] {
    let mut sum = 0_u32;
    // All parts but the last have an even length.
    for pair in parts.into_iter().flat_map(|part| part.chunks(2)) {
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([pair[0], low]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

/// The checksum of a transport message between `addresses`, which stand as in the IP header.
fn transport_checksum(addresses: &[u8], protocol: u8, message: &[u8]) -> [u8; 2] {
    if protocol == ICMP {
        return checksum([message]);
    }
    let length = (message.len() as u32).to_be_bytes();
    checksum([addresses, &length, &[0, 0, 0, protocol], message])
}

/// Where the checksum of a transport message stands.
fn checksum_at(protocol: u8) -> Option<usize> {
    match protocol {
        TCP => Some(16),
        UDP => Some(6),
        ICMP | ICMPV6 => Some(2),
        _ => None,
    }
}

/// An address as a header has it.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// A packet with its checksums; both addresses are of one family. `fragment` is the field of RFC 791 or 8200 and the
/// identification.
pub(crate) fn packet(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    fragment: Option<(u16, u8)>,
    mut message: Vec<u8>,
) -> Vec<u8> {
    let addresses = [octets(source), octets(destination)].concat();
    if fragment.is_none() {
        seal(&addresses, protocol, &mut message);
    }
    let mut packet = if source.is_ipv4() {
        let (field, identification) = fragment.unwrap_or_default();
        let [high, low] = ((20 + message.len()) as u16).to_be_bytes();
        let [field_high, field_low] = field.to_be_bytes();
        let mut header = vec![
            0x45,
            0,
            high,
            low,
            0,
            identification,
            field_high,
            field_low,
            64,
            protocol,
            0,
            0,
        ];
        header.extend(addresses);
        let sum = checksum([header.as_slice()]);
        header[10..12].copy_from_slice(&sum);
        header
    } else {
        if let Some((field, identification)) = fragment {
            // The offset stands three bits higher, "more" is the last bit.
            let [high, low] = (field << 3 | field >> 13 & 1).to_be_bytes();
            message.splice(0..0, [protocol, 0, high, low, 0, 0, 0, identification]);
        }
        let next = if fragment.is_some() {
            FRAGMENT
        } else {
            protocol
        };
        let [high, low] = (message.len() as u16).to_be_bytes();
        let mut header = vec![0x60, 0, 0, 0, high, low, next, 64];
        header.extend(addresses);
        header
    };
    packet.append(&mut message);
    packet
}

/// Fills in the checksum of a transport message that is long enough for one.
fn seal(addresses: &[u8], protocol: u8, message: &mut [u8]) {
    let Some(at) = checksum_at(protocol) else {
        return;
    };
    if message.len() < at + 2 {
        return;
    }
    message[at..at + 2].fill(0);
    let sum = transport_checksum(addresses, protocol, message);
    message[at..at + 2].copy_from_slice(&sum);
}

/// Makes the checksums of any packet right, as far as it has the form that they need.
pub(crate) fn mend(packet: &mut [u8]) {
    let (addresses, protocol, start) = match packet.first().map(|byte| byte >> 4) {
        Some(4) => {
            let start = usize::from(packet[0] & 15) * 4;
            if start < 20 || packet.len() < start {
                return;
            }
            packet[10..12].fill(0);
            let sum = checksum([&packet[..start]]);
            packet[10..12].copy_from_slice(&sum);
            if packet[6] & 0x3f != 0 || packet[7] != 0 {
                return;
            }
            (packet[12..20].to_vec(), packet[9], start)
        }
        Some(6) if packet.len() >= 40 => (packet[8..40].to_vec(), packet[6], 40),
        _ => return,
    };
    seal(&addresses, protocol, &mut packet[start..]);
}

/// A segment that a stack sent.
pub(crate) struct Segment {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) flags: u8,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) data: Vec<u8>,
}

/// Looks at a packet that a stack sent; gives the segment if it is one.
///
/// # Panics
/// Where its lengths or checksums are wrong, or it is longer than the MTU.
pub(crate) fn inspect(packet: &[u8], mtu: u16) -> Option<Segment> {
    assert!(packet.len() <= usize::from(mtu));
    let number = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    let (addresses, protocol, start) = match packet[0] >> 4 {
        4 => {
            assert_eq!(packet[0], 0x45);
            assert_eq!(usize::from(number(2)), packet.len());
            assert_eq!(checksum([&packet[..20]]), [0, 0]);
            let fragment = number(6) & 0x3fff != 0;
            (
                &packet[12..20],
                if fragment { FRAGMENT } else { packet[9] },
                20,
            )
        }
        6 => {
            assert_eq!(usize::from(number(4)), packet.len() - 40);
            (&packet[8..40], packet[6], 40)
        }
        version => panic!("IP version {version}"),
    };
    let message = &packet[start..];
    // Over IPv4 a UDP message may be without.
    let without = protocol == UDP && start == 20 && message[6..8] == [0, 0];
    if checksum_at(protocol).is_some() && !without {
        assert_eq!(transport_checksum(addresses, protocol, message), [0, 0]);
    }
    let (source, destination) = addresses.split_at(addresses.len() / 2);
    (protocol == TCP).then(|| Segment {
        source: (address(source), number(start)).into(),
        destination: (address(destination), number(start + 2)).into(),
        flags: message[13],
        sequence: u32::from(number(start + 4)) << 16 | u32::from(number(start + 6)),
        acknowledgement: u32::from(number(start + 8)) << 16 | u32::from(number(start + 10)),
        data: message[usize::from(message[12] >> 4) * 4..].to_vec(),
    })
}

fn address(octets: &[u8]) -> IpAddr {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        octets.into()
    } else {
        <[u8; 16]>::try_from(octets).expect("an address").into()
    }
}
