//! That packets reach a flow when they are right, and segments a connection: else nothing behind the first checks would be tried.

use super::carrier;
use super::packets::{self, Form, Packet};
use super::segments::{Input, Near, Options, Segment, Step, play};
use crate::input;

fn segment(flags: u8, sequence: Near, length: u16) -> Step<'static> {
    Step::Segment(Segment {
        wire: 0,
        flags,
        sequence,
        acknowledgement: Near::Exact,
        window: 0xffff,
        length,
        options: Options::None,
    })
}

fn taken(data: Vec<Step<'static>>) -> usize {
    let mut steps = vec![
        segment(2, Near::Exact, 0),
        // The stack's SYN-ACK was heard: the next numbers are right.
        segment(16, Near::Exact, 0),
    ];
    steps.extend(data);
    play(&Input { eager: true, steps })
}

#[test]
fn data_in_order_comes_out() {
    assert_eq!(taken(vec![segment(16, Near::Exact, 100)]), 100);
}

#[test]
fn data_that_overlaps_comes_out_once() {
    let steps = vec![
        segment(16, Near::By(50), 100),
        segment(16, Near::By(-5), 100),
    ];
    assert_eq!(taken(steps), 150);
}

#[test]
fn data_outside_of_the_window_does_not() {
    assert_eq!(taken(vec![segment(16, Near::Anywhere(1 << 31), 100)]), 0);
}

/// A piece of a UDP message from a peer to somebody outside.
fn udp(
    fragment: Option<(u16, u8)>,
    head: [u8; 4],
    body: &[u8],
    change: Option<(u16, u8, bool)>,
) -> Packet<'_> {
    Packet {
        peer: false,
        pause: 0,
        form: Form::Message {
            ipv6: false,
            source: 2,
            destination: 1,
            protocol: 1,
            fragment,
            head,
        },
        change,
        body,
    }
}

const PORTS: [u8; 4] = [0x12, 0x34, 0, 53];

fn datagrams(packets: Vec<Packet>) -> usize {
    packets::play(&packets::Input {
        accept: true,
        packets,
    })
}

#[test]
fn a_datagram_comes_out() {
    assert_eq!(datagrams(vec![udp(None, PORTS, &[0; 20], None)]), 1);
}

#[test]
fn a_datagram_with_a_wrong_checksum_does_not() {
    let changed = |mend| vec![udp(None, PORTS, &[0; 20], Some((35, 1, mend)))];
    assert_eq!(datagrams(changed(false)), 0);
    assert_eq!(datagrams(changed(true)), 1);
}

#[test]
fn a_datagram_in_two_pieces_comes_out_once() {
    // Its length, no checksum, and eight bytes; then eight more.
    let first = [0, 24, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let pieces = vec![
        udp(Some((0x2000, 7)), PORTS, &first, None),
        udp(Some((2, 7)), [9; 4], &[9; 4], None),
    ];
    assert_eq!(datagrams(pieces), 1);
}

#[test]
fn the_seeds_that_come_far_do() {
    let packets: [&[u8]; 2] = [
        include_bytes!("../../seeds/packets/gives-a-datagram"),
        include_bytes!("../../seeds/packets/gives-a-datagram-too"),
    ];
    for seed in packets {
        let input: packets::Input = input::read(seed).expect("packets");
        assert_eq!(packets::play(&input), 1);
    }
    let segments = include_bytes!("../../seeds/segments/gives-data-that-overlaps");
    let input: Input = input::read(segments).expect("segments");
    assert_eq!(play(&input), 150);
}

#[test]
fn a_request_on_a_carrier_that_is_passed_on_unharmed_arrives() {
    use carrier::Step;

    let pass = |back| Step::Pass {
        change: None,
        cut: None,
        twice: false,
        back,
    };
    let mut steps: Vec<_> = (0..8)
        .flat_map(|_| [pass(false), pass(true), Step::Pause(1)])
        .collect();
    steps.push(Step::Open {
        name: true,
        early: b"early",
    });
    steps.push(pass(false));
    assert_eq!(carrier::play(&carrier::Input { steps }), 1);
}
