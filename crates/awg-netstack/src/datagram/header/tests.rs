//! The header as it is written.

use super::*;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn a_checksum_of_zero_is_sent_as_its_other_spelling() {
    // Found by counting up: the payload word that makes the sum zero.
    let (source, destination) = (at("10.8.0.2:1"), at("192.0.2.1:9"));
    let zero = (0..=u16::MAX)
        .map(u16::to_be_bytes)
        .filter(|payload| {
            let header = seal(source, destination, payload).unwrap();
            header[6..] == [0xff, 0xff]
        })
        .collect::<Vec<_>>();
    assert_eq!(zero.len(), 1);
    let header = seal(source, destination, &zero[0]).unwrap();
    let mut bytes = header.to_vec();
    bytes.extend(zero[0]);
    assert!(Header::parse(source.ip(), destination.ip(), &bytes).is_ok());
}

#[test]
fn known_header() {
    // RFC 768, words by hand: c000 0201 + c000 0202 + 0011 + 000a, 0400 + 0035 + 000a, 6869.
    let sum = 0xc000u32 + 0x0201 + 0xc000 + 0x0202 + 0x11 + 0x0a + 0x0400 + 0x35 + 0x0a + 0x6869;
    let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
    let header = seal(at("192.0.2.1:1024"), at("192.0.2.2:53"), b"hi").unwrap();
    assert_eq!(header[..6], [4, 0, 0, 53, 0, 10]);
    assert_eq!(header[6..], sum.to_be_bytes());
}
