//! That segments reach a connection when their numbers are right: else nothing behind the handshake would be tried.

use super::segments::{Input, Near, Options, Segment, Step, play};

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
