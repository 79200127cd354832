//! How much a flow is given.

use super::{Buffers, SIZES, UNKNOWN};
use crate::flow::Peer;
use std::time::Duration;

const NEAR: Peer = Peer(1);
const FAR: Peer = Peer(2);

fn with_round_trips() -> Buffers {
    let mut buffers = Buffers::new(usize::MAX);
    buffers.round_trips.insert(NEAR, Duration::from_micros(300));
    buffers.round_trips.insert(FAR, Duration::from_millis(80));
    buffers
}

#[test]
fn a_path_decides_how_much_its_flows_are_given() {
    let mut buffers = with_round_trips();
    assert_eq!(buffers.take(NEAR).unwrap().size(), SIZES[0]);
    assert_eq!(buffers.take(FAR).unwrap().size(), SIZES[2]);
    assert_eq!(buffers.take(Peer(3)).unwrap().size(), UNKNOWN);
}

#[test]
fn the_limit_holds_whatever_the_path() {
    let mut buffers = with_round_trips();
    buffers.most = 1 << 20;
    assert_eq!(buffers.take(FAR).unwrap().size(), 1 << 20);
}

#[test]
fn spare_buffers_serve_flows_of_their_size_only() {
    let mut buffers = with_round_trips();
    let rings = buffers.take(NEAR).unwrap();
    buffers.spare.push(rings);
    assert_eq!(buffers.take(FAR).unwrap().size(), SIZES[2]);
    assert_eq!(buffers.spare.len(), 1);
    assert_eq!(buffers.take(NEAR).unwrap().size(), SIZES[0]);
    assert!(buffers.spare.is_empty());
}

#[test]
fn a_forgotten_peer_is_unknown_again() {
    let mut buffers = with_round_trips();
    buffers.forget(FAR);
    assert_eq!(buffers.take(FAR).unwrap().size(), UNKNOWN);
}

#[test]
fn spare_buffers_are_used_again_whatever_the_limit() {
    // No multiple of a page.
    let mut buffers = Buffers::new(100_001);
    let rings = buffers.take(NEAR).unwrap();
    assert!(rings.size() >= 100_001);
    buffers.spare.push(rings);
    buffers.take(NEAR).unwrap();
    assert!(buffers.spare.is_empty());
}
