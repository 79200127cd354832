//! How much a flow is given.

use super::{Memory, SIZES, UNKNOWN};
use crate::flow::Peer;
use std::time::Duration;

const NEAR: Peer = Peer(1);
const FAR: Peer = Peer(2);

fn with_round_trips() -> Memory {
    let mut memory = Memory::new(usize::MAX);
    memory.round_trips.insert(NEAR, Duration::from_micros(300));
    memory.round_trips.insert(FAR, Duration::from_millis(80));
    memory
}

#[test]
fn a_path_decides_how_much_its_flows_are_given() {
    let mut memory = with_round_trips();
    assert_eq!(memory.take(NEAR).unwrap().size(), SIZES[0]);
    assert_eq!(memory.take(FAR).unwrap().size(), SIZES[2]);
    assert_eq!(memory.take(Peer(3)).unwrap().size(), UNKNOWN);
}

#[test]
fn the_limit_holds_whatever_the_path() {
    let mut memory = with_round_trips();
    memory.most = 1 << 20;
    assert_eq!(memory.take(FAR).unwrap().size(), 1 << 20);
}

#[test]
fn spare_buffers_serve_flows_of_their_size_only() {
    let mut memory = with_round_trips();
    let rings = memory.take(NEAR).unwrap();
    memory.spare.push(rings);
    assert_eq!(memory.take(FAR).unwrap().size(), SIZES[2]);
    assert_eq!(memory.spare.len(), 1);
    assert_eq!(memory.take(NEAR).unwrap().size(), SIZES[0]);
    assert!(memory.spare.is_empty());
}

#[test]
fn a_forgotten_peer_is_unknown_again() {
    let mut memory = with_round_trips();
    memory.forget(FAR);
    assert_eq!(memory.take(FAR).unwrap().size(), UNKNOWN);
}

#[test]
fn spare_buffers_are_used_again_whatever_the_limit() {
    // No multiple of a page.
    let mut memory = Memory::new(100_001);
    let rings = memory.take(NEAR).unwrap();
    assert!(rings.size() >= 100_001);
    memory.spare.push(rings);
    memory.take(NEAR).unwrap();
    assert!(memory.spare.is_empty());
}
