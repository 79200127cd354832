use super::*;

#[test]
fn a_request_reads_as_it_was_written_and_not_before_it_is_whole() {
    let name: Box<str> = "example.org".into();
    let targets = [
        Target::Address("192.0.2.1:80".parse().unwrap()),
        Target::Address("[2001:db8::1]:443".parse().unwrap()),
        Target::Name { name, port: 22 },
        Target::Name {
            name: "x".repeat(253).into(),
            port: 65_535,
        },
    ];
    for target in targets {
        let request = Request::Connection(target);
        let mut bytes = Vec::new();
        assert!(request.write(&mut bytes));
        for length in 0..bytes.len() {
            assert_eq!(Request::parse(&bytes[..length]), Ok(None), "{request:?}");
        }
        let length = bytes.len();
        bytes.extend(b"early");
        assert_eq!(Request::parse(&bytes), Ok(Some((request, length))));
    }
    let mut bytes = Vec::new();
    assert!(Request::Datagrams.write(&mut bytes));
    assert_eq!(Request::parse(&bytes), Ok(Some((Request::Datagrams, 1))));
}

#[test]
fn the_format_is_that_of_the_reference() {
    let mut bytes = Vec::new();
    let name: Box<str> = "a.b".into();
    Request::Connection(Target::Name { name, port: 258 }).write(&mut bytes);
    assert_eq!(bytes, b"\x03\x03a.b\x01\x02");
    bytes.clear();
    Request::Connection(Target::Address("1.2.3.4:258".parse().unwrap())).write(&mut bytes);
    assert_eq!(bytes, b"\x01\x01\x02\x03\x04\x01\x02");
}

#[test]
fn what_is_no_request_is_told_as_soon_as_it_shows() {
    for (bytes, why) in [
        (&b"\x02"[..], Invalid::Kind),
        (b"\xff", Invalid::Kind),
        (b"\x03\x00", Invalid::Name),
        (b"\x03\xfe", Invalid::Name),
        (b"\x03\x05a b", Invalid::Name),
        (b"\x03\x05\xc3\xa4", Invalid::Name),
        (b"\x03\x01a\0\0", Invalid::Port),
        (b"\x01\x01\x02\x03\x04\0\0", Invalid::Port),
        (b"\x01\0\0\0\0\0\x50", Invalid::Address),
        (
            b"\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01\0\x50",
            Invalid::Address,
        ),
    ] {
        assert_eq!(Request::parse(bytes), Err(why), "{bytes:?}");
    }
}

#[test]
fn nothing_is_asked_for_that_is_no_target() {
    for target in [
        Target::Address("0.0.0.0:80".parse().unwrap()),
        Target::Address("[::ffff:0.0.0.0]:80".parse().unwrap()),
        Target::Address("192.0.2.1:0".parse().unwrap()),
        Target::Name {
            name: "".into(),
            port: 80,
        },
        Target::Name {
            name: "x".repeat(254).into(),
            port: 80,
        },
        Target::Name {
            name: "a b".into(),
            port: 80,
        },
    ] {
        let mut bytes = Vec::new();
        assert!(
            !Request::Connection(target.clone()).write(&mut bytes),
            "{target:?}"
        );
        assert!(bytes.is_empty());
    }
}

#[test]
fn each_code_means_what_the_other_end_meant() {
    for (why, meant) in [
        (Rejection::Refused, Refusal::PortUnreachable),
        (Rejection::NetworkUnreachable, Refusal::NetworkUnreachable),
        (Rejection::HostUnreachable, Refusal::HostUnreachable),
        (Rejection::Prohibited, Refusal::Prohibited),
        (Rejection::TimedOut, Refusal::TimedOut),
        (Rejection::Failed, Refusal::Failed),
        (Rejection::Full, Refusal::Failed),
    ] {
        assert_eq!(refusal(Code::from(why).into()), meant);
    }
    assert_eq!(refusal(VarInt::from_u32(77)), Refusal::Failed);
}
