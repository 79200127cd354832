use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

/// The definition, word by word.
fn by_the_book(data: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in data.chunks(2) {
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([pair[0], low]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn rfc_1071_example() {
    // RFC 1071 section 3: the sum is ddf2.
    let data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(internet(&data), (!0xddf2u16).to_be_bytes());
}

#[test]
fn known_ipv4_header() {
    // A header seen in the wild a thousand times over: 192.168.0.1 to 192.168.0.199, UDP, checksum b861.
    let mut header = [
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00, 0xc0, 0xa8, 0x00,
        0x01, 0xc0, 0xa8, 0x00, 0xc7,
    ];
    assert_eq!(internet(&header), [0xb8, 0x61]);
    header[10..12].copy_from_slice(&[0xb8, 0x61]);
    assert!(Sum::default().bytes(&header).is_valid());
}

#[test]
fn known_udp_over_ipv6() {
    // The header words by hand: 2001:db8::1 -> ::2, UDP, length 10, ports 1000 -> 53, payload "hi".
    let source = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
    let destination = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));
    let message = [0x03, 0xe8, 0, 53, 0, 10, 0, 0, b'h', b'i'];
    let words = [
        0x2001, 0x0db8, 1, 0x2001, 0x0db8, 2, 10, 17, 1000, 53, 10, 0x6869,
    ];
    let sum: u32 = words.iter().sum();
    let expected = !(((sum & 0xffff) + (sum >> 16)) as u16);
    assert_eq!(
        transport(source, destination, 17, &message),
        expected.to_be_bytes()
    );
}

#[test]
fn an_empty_message_still_has_a_pseudo_header() {
    let address = IpAddr::V4(Ipv4Addr::new(1, 0, 0, 0));
    let expected = !(0x0100u16 + 0x0100 + 17);
    assert_eq!(transport(address, address, 17, &[]), expected.to_be_bytes());
}

proptest! {
    #[test]
    fn equals_the_definition(data in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(internet(&data), by_the_book(&data).to_be_bytes());
    }

    #[test]
    fn any_even_cut_gives_the_same_sum(data in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..150) {
        let cut = (cut * 2).min(data.len() & !1);
        let (head, tail) = data.split_at(cut);
        prop_assert_eq!(Sum::default().bytes(head).bytes(tail).finish(), internet(&data));
    }

    #[test]
    fn a_flipped_bit_is_seen(mut data in prop::collection::vec(any::<u8>(), 2..1500), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let source = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
        let destination = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        data[0] = 0;
        data[1] = 0;
        let sum = transport(source, destination, 6, &data);
        data[..2].copy_from_slice(&sum);
        prop_assert!(verify_transport(source, destination, 6, &data));
        let at = at.index(data.len());
        data[at] ^= 1 << bit;
        prop_assert!(!verify_transport(source, destination, 6, &data));
    }
}
