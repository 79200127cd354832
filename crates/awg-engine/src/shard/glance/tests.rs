use super::Glance;

fn answered(packet: &[u8]) -> bool {
    Glance::at(packet, None) != Glance::Nothing
}

/// An IP packet of a protocol with what follows the header.
fn packet(version: u8, protocol: u8, content: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; if version == 4 { 20 } else { 40 }];
    if version == 4 {
        (packet[0], packet[9]) = (0x45, protocol);
    } else {
        (packet[0], packet[6]) = (0x60, protocol);
    }
    packet.extend_from_slice(content);
    packet
}

fn segment(flags: u8, options: u8, data: &[u8]) -> Vec<u8> {
    let mut segment = vec![0; 20 + usize::from(options)];
    (segment[12], segment[13]) = ((5 + options / 4) << 4, flags);
    segment.extend_from_slice(data);
    segment
}

#[test]
fn data_and_the_begin_and_end_of_connections_expect_an_answer() {
    const ACK: u8 = 16;
    for version in [4, 6] {
        let tcp = |segment: Vec<u8>| answered(&packet(version, 6, &segment));
        assert!(tcp(segment(2, 8, b"")));
        assert!(tcp(segment(ACK | 1, 0, b"")));
        assert!(tcp(segment(ACK, 12, b"x")));
        assert!(!tcp(segment(ACK, 0, b"")));
        assert!(!tcp(segment(ACK, 12, b"")));
        assert!(!tcp(segment(4, 0, b"")));
        assert!(answered(&packet(version, 17, &[0; 8])));
        let question = packet(version, 17, &[200, 0, 0, 53, 0, 8, 0, 0]);
        assert_eq!(Glance::at(&question, None), Glance::Question);
        assert_eq!(
            Glance::at(&packet(version, 6, &segment(2, 0, b"")), None),
            Glance::ExpectsAnswer
        );
        assert!(!answered(&packet(version, 1, &[8; 8])));
        assert!(!answered(&packet(version, 6, &[0; 5])), "cut short");
    }
    assert!(!answered(&[]));
    assert!(!answered(&[0x45]));
}

/// A QUIC packet of a carrier at port 51443, short or long, with these frames.
fn carried(first: u8, frames: &[u8]) -> Vec<u8> {
    let number = vec![7; usize::from(first & 3) + 1];
    let header = [
        &[200, 0, 0xc8, 0xf3, 0, 0, 0, 0, first][..],
        &[1, 2, 3, 4],
        &number,
    ]
    .concat();
    // A tag may look like any frame.
    packet(4, 17, &[&header, frames, &[0x01, 0x08]].concat())
}

#[test]
fn of_a_carriers_packets_those_that_are_acknowledged_expect_an_answer() {
    const PORT: Option<u16> = Some(51443);
    let asks = |first: u8, frames: &[u8]| {
        Glance::at(&carried(first, frames), PORT) == Glance::ExpectsAnswer
    };
    let acknowledgement = [0x02, 0x44, 0x00, 0x05, 2, 3, 1, 1, 1, 1];
    for first in [0x40, 0x41, 0x43] {
        assert!(asks(first, &[0x08, 0, b'x']), "STREAM");
        assert!(asks(first, &[0x01]), "PING");
        assert!(asks(first, &[0x30, b'x']), "DATAGRAM");
        assert!(asks(first, &[0x40, 0xaf, 1, 1, 1, 1]), "ACK_FREQUENCY");
        assert!(!asks(first, &acknowledgement));
        assert!(
            !asks(first, &[&acknowledgement[..], &[0, 0, 0]].concat()),
            "padded"
        );
        assert!(
            !asks(first, &[0x03, 9, 0, 0, 0, 1, 2, 3]),
            "with ECN counts"
        );
        assert!(asks(
            first,
            &[&acknowledgement[..], &[0x0a, 0, 1, b'x']].concat()
        ));
        assert!(!asks(first, &[0x1c, 0, 0, 0]), "CONNECTION_CLOSE");
        assert!(!asks(first, &[]));
        assert!(!asks(first, &acknowledgement[..6]), "cut short");
    }
    assert!(!asks(0xc0, &[0x06, 0, 1, b'x']), "a handshake");
    // Anybody else's datagram.
    assert_eq!(Glance::at(&carried(0xc0, &[]), None), Glance::ExpectsAnswer);
    assert_eq!(
        Glance::at(&carried(0x40, &[]), Some(9)),
        Glance::ExpectsAnswer
    );
    assert_eq!(
        Glance::at(&packet(4, 17, &[200, 0, 0xc8]), PORT),
        Glance::Nothing
    );
}
