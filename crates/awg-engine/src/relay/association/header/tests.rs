//! The header read and written.

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The bytes of a header with a name, whatever it is.
fn named(name: &[u8], port: u16) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 3, u8::try_from(name.len()).unwrap()];
    bytes.extend(name);
    bytes.extend(port.to_be_bytes());
    bytes
}

#[test]
fn known_headers() {
    let ipv4 = [0, 0, 0, 1, 192, 0, 2, 7, 0, 53, b'h', b'i'];
    assert_eq!(
        parse(&ipv4),
        Ok((Destination::Address(at("192.0.2.7:53")), &b"hi"[..]))
    );
    assert_eq!(Header::of(at("192.0.2.7:53")).bytes(), &ipv4[..10]);

    let mut ipv6 = vec![0, 0, 0, 4, 0x20, 1, 0x0d, 0xb8];
    ipv6.extend([0; 11]);
    ipv6.extend([1, 1, 0xbb]);
    let destination = Destination::Address(at("[2001:db8::1]:443"));
    assert_eq!(parse(&ipv6), Ok((destination, &[][..])));
    assert_eq!(Header::of(at("[2001:db8::1]:443")).bytes(), ipv6);

    let name = named(b"example.org", 443);
    assert_eq!(
        parse(&name),
        Ok((Destination::Name("example.org", 443), &[][..]))
    );
}

#[test]
fn an_address_in_disguise_is_that_address() {
    let expected = Destination::Address(at("192.0.2.7:53"));
    assert_eq!(parse(&named(b"192.0.2.7", 53)).unwrap().0, expected);
    let mapped = "::ffff:192.0.2.7".parse::<std::net::Ipv6Addr>().unwrap();
    let mut bytes = vec![0, 0, 0, 4];
    bytes.extend(mapped.octets());
    bytes.extend([0, 53]);
    assert_eq!(parse(&bytes).unwrap().0, expected);
    assert_eq!(
        Header::of(SocketAddr::new(mapped.into(), 53)).bytes(),
        Header::of(at("192.0.2.7:53")).bytes()
    );
}

#[test]
fn fragments_are_told_apart() {
    for fragment in [1, 2, 127, 128, 255] {
        let bytes = [0, 0, fragment, 1, 192, 0, 2, 7, 0, 53];
        assert_eq!(parse(&bytes), Err(Invalid::Fragment));
    }
}

#[test]
fn what_is_no_destination_is_malformed() {
    for bytes in [
        vec![],
        vec![0, 0, 0],
        vec![0, 0, 0, 0, 192, 0, 2, 7, 0, 53],
        vec![0, 0, 0, 2, 192, 0, 2, 7, 0, 53],
        // Nothing can be sent to port 0.
        vec![0, 0, 0, 1, 192, 0, 2, 7, 0, 0],
        named(b"", 53),
        named(b"two words", 53),
        named(b"line\nbreak", 53),
        named(b"nul\0", 53),
        named("höst".as_bytes(), 53),
        named(b"example.org", 0),
    ] {
        assert_eq!(parse(&bytes), Err(Invalid::Malformed), "{bytes:?}");
    }
}

fn addresses() -> impl Strategy<Value = SocketAddr> {
    let address = prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
    ];
    (address, 1..=u16::MAX).prop_map(|(address, port)| SocketAddr::new(address, port))
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..6_u8) {
        let _ = parse(&bytes);
        let mut likely = vec![0, 0, 0, kind];
        likely.extend(&bytes);
        if let Ok((_, payload)) = parse(&likely) {
            prop_assert!(likely.ends_with(payload));
        }
    }

    #[test]
    fn what_is_written_is_read_and_no_prefix_of_it_is(source in addresses(), payload in proptest::collection::vec(any::<u8>(), 0..40)) {
        let header = Header::of(source);
        let mut bytes = header.bytes().to_vec();
        for length in 0..bytes.len() {
            prop_assert_eq!(parse(&bytes[..length]), Err(Invalid::Malformed));
        }
        bytes.extend(&payload);
        let source = SocketAddr::new(source.ip().to_canonical(), source.port());
        prop_assert_eq!(parse(&bytes), Ok((Destination::Address(source), &payload[..])));
    }

    #[test]
    fn names_are_read_and_no_prefix_of_them_is(name in "[a-z][!-~]{0,254}", port in 1..=u16::MAX) {
        prop_assume!(name.parse::<IpAddr>().is_err());
        let bytes = named(name.as_bytes(), port);
        for length in 0..bytes.len() {
            prop_assert_eq!(parse(&bytes[..length]), Err(Invalid::Malformed));
        }
        prop_assert_eq!(parse(&bytes), Ok((Destination::Name(&name, port), &[][..])));
    }
}
