use std::time::Duration;

use proptest::prelude::*;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    Icmpv4DstUnreachable, Icmpv4Packet, Icmpv4Repr, Icmpv6DstUnreachable, Icmpv6Packet, Icmpv6Repr,
    Ipv4Packet, Ipv6Packet,
};

use super::*;
use crate::memory::Packets;

const PEER: Peer = Peer(4);
const MTU: u16 = 1420;
/// Errors per second.
const RATE: u32 = 200;
const INTERVAL: Duration = Duration::from_millis(5);

fn icmp(now: Instant) -> Icmp {
    Icmp::new(MTU, RATE, 0, now)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn sent(icmp: &mut Icmp) -> Vec<Vec<u8>> {
    let mut sink = Packets::default();
    assert!(!icmp.poll_transmit(&mut sink));
    sink.packets.into_iter().map(|(_, packet)| packet).collect()
}

/// A packet of one transport message, as another stack would send it.
fn packet(source: &str, destination: &str, protocol: u8, message: &[u8]) -> Vec<u8> {
    let mut outgoing = Outgoing::new(1 << 17, 1);
    let route = Route {
        peer: PEER,
        source: address(source),
        destination: address(destination),
        protocol,
        mtu: u16::MAX,
    };
    outgoing.push(route, &[], message).unwrap();
    let mut sink = Packets::default();
    outgoing.poll_transmit(&mut sink);
    sink.packets.remove(0).1
}

/// The first bytes of a TCP segment: ports 40000 to 443, sequence number 0x01020304.
const SEGMENT: [u8; 20] = [
    0x9c, 0x40, 0x01, 0xbb, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
];

fn echo(ipv6: bool, source: IpAddr, destination: IpAddr, content: &[u8]) -> Vec<u8> {
    let mut message = vec![if ipv6 { 128 } else { 8 }, 0, 0, 0, 0xab, 0xcd, 0, 7];
    message.extend(content);
    let sum = if ipv6 {
        transport(source, destination, ICMPV6, &message)
    } else {
        internet(&message)
    };
    message[2..4].copy_from_slice(&sum);
    message
}

#[test]
fn echo_is_answered_at_our_own_address() {
    let mut icmp = icmp(Instant::now());
    let (them, us) = (address("10.8.0.2"), address("10.8.0.1"));
    let request = echo(false, them, us, b"content");
    let error = icmp.handle_message(PEER, them, us, true, &request);
    assert_eq!(error, None);
    let reply = sent(&mut icmp).remove(0);
    let reply = Ipv4Packet::new_checked(&reply).unwrap();
    assert_eq!(IpAddr::V4(reply.src_addr()), us);
    assert_eq!(IpAddr::V4(reply.dst_addr()), them);
    let message = Icmpv4Packet::new_checked(reply.payload()).unwrap();
    let expected = Icmpv4Repr::EchoReply {
        ident: 0xabcd,
        seq_no: 7,
        data: b"content",
    };
    let parsed = Icmpv4Repr::parse(&message, &ChecksumCapabilities::default());
    assert_eq!(parsed.unwrap(), expected);

    let (them, us) = (address("fd00::2"), address("fd00::1"));
    let request = echo(true, them, us, b"content");
    icmp.handle_message(PEER, them, us, true, &request);
    let reply = sent(&mut icmp).remove(0);
    let reply = Ipv6Packet::new_checked(&reply).unwrap();
    let message = Icmpv6Packet::new_checked(reply.payload()).unwrap();
    let parsed = Icmpv6Repr::parse(
        &reply.src_addr(),
        &reply.dst_addr(),
        &message,
        &ChecksumCapabilities::default(),
    );
    let expected = Icmpv6Repr::EchoReply {
        ident: 0xabcd,
        seq_no: 7,
        data: b"content",
    };
    assert_eq!(parsed.unwrap(), expected);
    assert_eq!(icmp.counters().echo_replies, 2);
}

#[test]
fn a_large_echo_comes_back_in_pieces() {
    let mut icmp = icmp(Instant::now());
    let (them, us) = (address("10.8.0.2"), address("10.8.0.1"));
    let request = echo(false, them, us, &[5; 3000]);
    icmp.handle_message(PEER, them, us, true, &request);
    let lengths: Vec<usize> = sent(&mut icmp).iter().map(Vec::len).collect();
    assert_eq!(lengths, [1420, 1420, 20 + 3008 - 2800]);
}

#[test]
fn echo_is_not_answered_elsewhere_or_when_broken() {
    let mut icmp = icmp(Instant::now());
    let (them, us) = (address("10.8.0.2"), address("10.8.0.1"));
    let mut request = echo(false, them, us, b"content");
    icmp.handle_message(PEER, them, address("192.0.2.1"), false, &request);
    icmp.handle_message(PEER, address("224.0.0.1"), us, true, &request);
    assert_eq!(icmp.counters().ignored, 2);
    request[9] ^= 1;
    icmp.handle_message(PEER, them, us, true, &request);
    icmp.handle_message(PEER, them, us, true, &request[..7]);
    icmp.handle_message(PEER, them, us, true, &[]);
    assert_eq!(icmp.counters().malformed, 3);
    // A reply is not a question.
    let mut reply = echo(false, them, us, b"content");
    reply[0] = 0;
    reply[2..4].fill(0);
    let sum = internet(&reply);
    reply[2..4].copy_from_slice(&sum);
    icmp.handle_message(PEER, them, us, true, &reply);
    assert_eq!(icmp.counters().ignored, 3);
    assert!(sent(&mut icmp).is_empty());
}

#[test]
fn the_queue_is_bounded() {
    let mut icmp = icmp(Instant::now());
    let (them, us) = (address("10.8.0.2"), address("10.8.0.1"));
    let request = echo(false, them, us, &[5; 1000]);
    for _ in 0..1000 {
        icmp.handle_message(PEER, them, us, true, &request);
    }
    let answered = QUEUE as u64 / 1072;
    assert_eq!(icmp.counters().echo_replies, answered);
    assert_eq!(icmp.counters().queue_full, 1000 - answered);
}

const REPORTS: [Report; 7] = [
    Report::NetworkUnreachable,
    Report::HostUnreachable,
    Report::ProtocolUnreachable,
    Report::PortUnreachable,
    Report::Prohibited,
    Report::TimedOut,
    Report::TooBig { mtu: 1300 },
];

#[test]
fn what_we_send_the_other_end_understands() {
    let now = Instant::now();
    for (source, destination) in [("10.8.0.2", "192.0.2.1"), ("fd00::2", "2001:db8::1")] {
        for report in REPORTS {
            let mut icmp = icmp(now);
            let original = packet(source, destination, 6, &SEGMENT);
            assert!(icmp.send_error(now, PEER, report, &original));
            let answer = sent(&mut icmp).remove(0);
            let header = if answer[0] >> 4 == 4 { 20 } else { 40 };
            let error = icmp.handle_message(
                PEER,
                address(destination),
                address(source),
                true,
                &answer[header..],
            );
            let expected = ReceivedError {
                report,
                protocol: 6,
                source: SocketAddr::new(address(source), 40_000),
                destination: SocketAddr::new(address(destination), 443),
                sequence: Some(0x0102_0304),
            };
            assert_eq!(error, Some(expected));
            assert_eq!(icmp.counters().errors_sent, 1);
            assert_eq!(icmp.counters().errors_received, 1);
        }
    }
}

#[test]
fn another_implementation_reads_our_errors() {
    let now = Instant::now();
    let mut icmp = icmp(now);
    let original = packet("10.8.0.2", "192.0.2.1", 6, &SEGMENT);
    for report in REPORTS {
        icmp.send_error(now, PEER, report, &original);
    }
    let reasons = [
        Icmpv4DstUnreachable::NetUnreachable,
        Icmpv4DstUnreachable::HostUnreachable,
        Icmpv4DstUnreachable::ProtoUnreachable,
        Icmpv4DstUnreachable::PortUnreachable,
        Icmpv4DstUnreachable::CommProhibited,
        Icmpv4DstUnreachable::HostUnreachToS,
        Icmpv4DstUnreachable::FragRequired,
    ];
    let packets = sent(&mut icmp);
    let mut seen = Vec::new();
    for packet in &packets {
        let packet = Ipv4Packet::new_checked(packet).unwrap();
        let message = Icmpv4Packet::new_checked(packet.payload()).unwrap();
        match Icmpv4Repr::parse(&message, &ChecksumCapabilities::default()).unwrap() {
            Icmpv4Repr::DstUnreachable {
                reason,
                header,
                data,
            } => {
                assert_eq!(header.dst_addr.to_string(), "192.0.2.1");
                assert_eq!(data, SEGMENT);
                seen.push(reason);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, reasons);

    let original = packet("fd00::2", "2001:db8::1", 6, &SEGMENT);
    for report in REPORTS {
        icmp.send_error(now, PEER, report, &original);
    }
    let reasons = [
        Icmpv6DstUnreachable::NoRoute,
        Icmpv6DstUnreachable::AddrUnreachable,
        Icmpv6DstUnreachable::PortUnreachable,
        Icmpv6DstUnreachable::AdminProhibit,
        Icmpv6DstUnreachable::BeyondScope,
    ];
    let mut seen = Vec::new();
    for packet in &sent(&mut icmp) {
        let packet = Ipv6Packet::new_checked(packet).unwrap();
        let message = Icmpv6Packet::new_checked(packet.payload()).unwrap();
        let parsed = Icmpv6Repr::parse(
            &packet.src_addr(),
            &packet.dst_addr(),
            &message,
            &ChecksumCapabilities::default(),
        );
        match parsed.unwrap() {
            Icmpv6Repr::DstUnreachable { reason, .. } => seen.push(reason),
            Icmpv6Repr::PktTooBig { mtu, .. } => assert_eq!(mtu, 1300),
            Icmpv6Repr::ParamProblem { pointer, .. } => assert_eq!(pointer, 6),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, reasons);
}

#[test]
fn an_error_quotes_no_more_than_every_path_carries() {
    let now = Instant::now();
    let mut icmp = icmp(now);
    let original = packet("10.8.0.2", "192.0.2.1", 17, &[1; 1390]);
    icmp.send_error(now, PEER, Report::PortUnreachable, &original);
    let original = packet("fd00::2", "2001:db8::1", 17, &[1; 1370]);
    icmp.send_error(now, PEER, Report::PortUnreachable, &original);
    let lengths: Vec<usize> = sent(&mut icmp).iter().map(Vec::len).collect();
    assert_eq!(lengths, [576, 1280]);
}

#[test]
fn some_packets_are_never_answered() {
    let now = Instant::now();
    let mut icmp = icmp(now);
    let mut later_fragment = packet("10.8.0.2", "192.0.2.1", 6, &SEGMENT);
    later_fragment[7] = 3;
    let mut ipv6_later_fragment = packet("fd00::2", "2001:db8::1", 44, &[6; 40]);
    ipv6_later_fragment[42..44].copy_from_slice(&[0, 8]);
    let mut error = vec![3, 1, 0, 0, 0, 0, 0, 0];
    error.extend(packet("10.8.0.1", "10.8.0.2", 6, &SEGMENT));
    let cases = [
        later_fragment,
        ipv6_later_fragment,
        packet("10.8.0.2", "192.0.2.1", 1, &error),
        packet("fd00::2", "2001:db8::1", 58, &[1, 4, 0, 0, 0, 0, 0, 0]),
        packet("10.8.0.2", "192.0.2.1", 1, &[]),
        packet("10.8.0.2", "224.0.0.251", 17, &SEGMENT),
        packet("10.8.0.2", "255.255.255.255", 17, &SEGMENT),
        packet("0.0.0.0", "192.0.2.1", 17, &SEGMENT),
        packet("224.0.0.1", "192.0.2.1", 17, &SEGMENT),
        packet("fd00::2", "ff02::fb", 17, &SEGMENT),
        packet("::", "2001:db8::1", 17, &SEGMENT),
        vec![],
        vec![0x45; 19],
        vec![0x60; 39],
        vec![0x41; 60],
    ];
    let count = cases.len() as u64;
    for case in cases {
        let sent = icmp.send_error(now, PEER, Report::PortUnreachable, &case);
        assert!(!sent, "{case:02x?}");
    }
    assert_eq!(icmp.counters().unanswerable, count);
    assert!(sent(&mut icmp).is_empty());
    // A ping to somewhere is a question.
    let ping = packet("10.8.0.2", "192.0.2.1", 1, &[8, 0, 0, 0, 0, 0, 0, 0]);
    assert!(icmp.send_error(now, PEER, Report::HostUnreachable, &ping));
}

#[test]
fn errors_are_bounded_in_rate_for_each_peer() {
    let now = Instant::now();
    let mut icmp = icmp(now);
    let original = packet("10.8.0.2", "192.0.2.1", 6, &SEGMENT);
    let mut send = |now, peer| {
        let sent = icmp.send_error(now, peer, Report::HostUnreachable, &original);
        icmp.poll_transmit(&mut Packets::default());
        sent
    };
    let burst = (0..1000).filter(|_| send(now, PEER)).count();
    assert_eq!(burst, RATE as usize);
    assert!(send(now, Peer(5)));
    assert!(send(now + INTERVAL, PEER));
    assert!(!send(now + INTERVAL, PEER));
    let later = now + Duration::from_hours(1);
    let burst = (0..1000).filter(|_| send(later, PEER)).count();
    assert_eq!(burst, RATE as usize);
    assert_eq!(
        icmp.counters().rate_limited,
        2 * (1000 - u64::from(RATE)) + 1
    );
}

#[test]
fn the_next_mtu_is_told_or_guessed_and_never_absurd() {
    let too_big = |ipv6, told: u32, length| {
        let code = if ipv6 { (2, 0) } else { (3, 4) };
        match Report::read(ipv6, code.0, code.1, told.to_be_bytes(), length) {
            Some(Report::TooBig { mtu }) => mtu,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(too_big(false, 1300, 1420), 1300);
    assert_eq!(too_big(false, 0, 1420), 1280);
    assert_eq!(too_big(false, 0, 1280), 1006);
    assert_eq!(too_big(false, 0, 300), 552);
    assert_eq!(too_big(false, 1, 1420), 552);
    assert_eq!(too_big(true, 1300, 1420), 1300);
    assert_eq!(too_big(true, 68, 1420), 1280);
    assert_eq!(too_big(true, u32::MAX, 1420), u16::MAX);
}

#[test]
fn every_code_of_unreachable_means_something() {
    for code in 0..=255 {
        assert!(Report::read(false, 3, code, [0; 4], 1000).is_some());
        assert!(Report::read(true, 1, code, [0; 4], 1000).is_some());
    }
    // A path that is too long answers in its own words.
    let expired = Some(Report::TimedOut);
    assert_eq!(Report::read(false, 11, 0, [0; 4], 1000), expired);
    assert_eq!(Report::read(true, 3, 0, [0; 4], 1000), expired);
    // Source quench and redirect change nothing.
    assert_eq!(Report::read(false, 4, 0, [0; 4], 1000), None);
    assert_eq!(Report::read(false, 5, 0, [0; 4], 1000), None);
    // Reassembly time exceeded: what was lost is sent again anyway.
    assert_eq!(Report::read(false, 11, 1, [0; 4], 1000), None);
    assert_eq!(Report::read(true, 3, 1, [0; 4], 1000), None);
}

#[test]
fn an_error_about_another_family_or_a_later_fragment_is_ignored() {
    let mut icmp = icmp(Instant::now());
    let (them, us) = (address("10.8.0.2"), address("10.8.0.1"));
    let mut give = |quoted: &[u8]| {
        let mut message = vec![3, 1, 0, 0, 0, 0, 0, 0];
        message.extend(quoted);
        let sum = internet(&message);
        message[2..4].copy_from_slice(&sum);
        icmp.handle_message(PEER, them, us, true, &message)
    };
    assert!(give(&packet("fd00::2", "2001:db8::1", 6, &SEGMENT)).is_none());
    let mut later = packet("10.8.0.1", "192.0.2.1", 6, &SEGMENT);
    later[7] = 1;
    assert!(give(&later).is_none());
    // No ports, or not enough of them.
    assert!(give(&packet("10.8.0.1", "192.0.2.1", 47, &SEGMENT)).is_none());
    assert!(give(&packet("10.8.0.1", "192.0.2.1", 6, &SEGMENT[..3])).is_none());
    // Eight bytes are what RFC 792 promises.
    let least = give(&packet("10.8.0.1", "192.0.2.1", 6, &SEGMENT[..8]));
    assert_eq!(least.unwrap().sequence, Some(0x0102_0304));
}

#[test]
fn an_error_about_a_first_ipv6_fragment_is_read() {
    let mut fragment = vec![6, 0, 0, 1, 0, 0, 0, 9];
    fragment.extend(SEGMENT);
    let mut options = vec![44, 0, 1, 4, 0, 0, 0, 0];
    options.extend(fragment);
    let original = packet("fd00::2", "2001:db8::1", 60, &options);
    let quotation = Quotation::parse(&original).unwrap();
    assert_eq!(quotation.protocol, 6);
    assert_eq!(quotation.ports(), Some((40_000, 443)));
}

proptest! {
    #[test]
    fn random_messages_do_no_harm(ipv6 in any::<bool>(), kind in any::<u8>(), mut message in prop::collection::vec(any::<u8>(), 0..200)) {
        let now = Instant::now();
        let mut icmp = icmp(now);
        let (source, destination) = if ipv6 {
            (address("fd00::2"), address("fd00::1"))
        } else {
            (address("10.8.0.2"), address("10.8.0.1"))
        };
        if message.len() > 12 {
            message[0] = kind;
            message[8] = if ipv6 { 0x60 } else { 0x45 };
            message[2..4].fill(0);
            let sum = if ipv6 { transport(source, destination, ICMPV6, &message) } else { internet(&message) };
            message[2..4].copy_from_slice(&sum);
        }
        icmp.handle_message(PEER, source, destination, true, &message);
        icmp.send_error(now, PEER, Report::PortUnreachable, &message);
        for packet in sent(&mut icmp) {
            prop_assert!(packet.len() <= usize::from(MTU));
        }
    }

    #[test]
    fn mutated_packets_do_no_harm(ipv6 in any::<bool>(), at in 0usize..60, value in any::<u8>(), length in 0usize..61) {
        let now = Instant::now();
        let mut icmp = icmp(now);
        let mut original = if ipv6 {
            packet("fd00::2", "2001:db8::1", 6, &SEGMENT)
        } else {
            packet("10.8.0.2", "192.0.2.1", 6, &SEGMENT)
        };
        if let Some(byte) = original.get_mut(at) {
            *byte = value;
        }
        original.truncate(length);
        icmp.send_error(now, PEER, Report::HostUnreachable, &original);
        sent(&mut icmp);
    }
}
