use super::Glance;

fn answered(packet: &[u8]) -> bool {
    Glance::at(packet) != Glance::Nothing
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
        assert_eq!(Glance::at(&question), Glance::Question);
        assert_eq!(
            Glance::at(&packet(version, 6, &segment(2, 0, b""))),
            Glance::ExpectsAnswer
        );
        assert!(!answered(&packet(version, 1, &[8; 8])));
        assert!(!answered(&packet(version, 6, &[0; 5])), "cut short");
    }
    assert!(!answered(&[]));
    assert!(!answered(&[0x45]));
}
