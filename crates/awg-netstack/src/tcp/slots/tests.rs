//! A name never means two flows.

use std::net::SocketAddr;
use std::time::Instant;

use super::Slots;
use crate::flow::{FlowId, Kind, Peer};
use crate::packet::Segment;
use crate::tcp::ends::Key;
use crate::tcp::flow::{Flow, HeldSyn, Stage};
use crate::tcp::machine::Ends;

fn flow() -> Flow {
    let (local, remote) = (
        SocketAddr::from(([10, 0, 0, 1], 1)),
        SocketAddr::from(([10, 0, 0, 2], 2)),
    );
    let mut header = [0; 20];
    header[1] = 1;
    header[3] = 2;
    header[12] = 5 << 4;
    let segment = Segment::read(&header, 0..20).expect("a header");
    let held = HeldSyn {
        packet: header.to_vec(),
        segment,
    };
    let now = Instant::now();
    Flow::new(
        Key::new(Peer(1), local, remote),
        &Ends { local, remote },
        Stage::HalfOpen(held),
        now,
        now,
    )
}

#[test]
fn a_slot_is_used_again_only_after_its_end_was_told() {
    let mut slots = Slots::default();
    let (number, first) = slots.insert(flow());
    assert!(slots.find(first).is_some());
    assert!(slots.end(number).is_some());
    assert!(slots.find(first).is_none());
    // Not told yet: the next flow goes elsewhere, and the slot still counts.
    let (other, _) = slots.insert(flow());
    assert_ne!(other, number);
    assert_eq!(slots.used(), 2);
    slots.free(first);
    assert_eq!(slots.used(), 1);
    let (again, second) = slots.insert(flow());
    assert_eq!(again, number);
    assert_ne!(second, first);
    // A late command does not hit the flow that came after.
    assert!(slots.find(first).is_none());
    slots.free(first);
    assert!(slots.find(second).is_some());
    assert_eq!(slots.used(), 2);
}

#[test]
fn names_of_other_tables_and_of_nothing_find_nothing() {
    let mut slots = Slots::default();
    let (number, name) = slots.insert(flow());
    assert!(slots.find(FlowId::new(Kind::Udp, number, 0)).is_none());
    assert!(slots.find(FlowId::new(Kind::Tcp, 7, 0)).is_none());
    assert!(slots.find(FlowId::from_bits(u64::MAX)).is_none());
    // A flow that is not over cannot be freed.
    slots.free(name);
    assert_eq!(slots.used(), 1);
}
