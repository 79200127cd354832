//! The batches and the fake, without sockets.

use std::net::SocketAddr;

use awg_tunnel::Endpoint;

use super::memory::MemoryTransport;
use super::{LARGEST_DATAGRAM, ReceiveBatch, SendBatch, SendProgress, Transport};

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

fn batch(datagrams: &[(usize, u16)]) -> SendBatch {
    let mut batch = SendBatch::new(SendBatch::DEFAULT_DATAGRAMS, 1 << 20);
    for &(len, port) in datagrams {
        assert!(batch.push(&vec![7; len], address(port)));
    }
    batch
}

/// The groups as (datagrams, segment, bytes, port).
fn groups(batch: &SendBatch, limit: usize) -> Vec<(usize, usize, usize, u16)> {
    batch
        .groups(limit)
        .map(|g| (g.datagrams, g.segment, g.bytes.len(), g.to.port()))
        .collect()
}

#[test]
fn neighbours_of_one_destination_and_size_are_one_group() {
    let batch = batch(&[(100, 1), (100, 1), (100, 2), (100, 1), (100, 1)]);
    assert_eq!(
        groups(&batch, 64),
        [(2, 100, 200, 1), (1, 100, 100, 2), (2, 100, 200, 1)]
    );
}

#[test]
fn only_the_last_datagram_of_a_group_is_shorter() {
    let batch = batch(&[
        (100, 1),
        (100, 1),
        (60, 1),
        (60, 1),
        (61, 1),
        (1, 1),
        (1, 1),
    ]);
    assert_eq!(
        groups(&batch, 64),
        [
            (3, 100, 260, 1),
            (1, 60, 60, 1),
            (2, 61, 62, 1),
            (1, 1, 1, 1)
        ]
    );
}

#[test]
fn what_leaves_by_one_socket_is_one_run() {
    let mut batch = SendBatch::new(8, 0);
    for (number, socket) in [2, 1, 2, 2, 1].into_iter().enumerate() {
        let mut to = Endpoint::from(address(7));
        to.local.socket = socket;
        assert!(batch.push(&[number as u8; 10], to));
    }
    assert_eq!((batch.socket(), batch.groups(64).count()), (Some(2), 1));
    batch.gather();
    assert_eq!(batch.socket(), Some(1));
    // Only neighbours in memory are one group.
    assert_eq!(groups(&batch, 64), [(1, 10, 10, 7); 2]);
    batch.advance(2);
    assert_eq!(batch.socket(), Some(2));
    assert_eq!(groups(&batch, 64), [(1, 10, 10, 7), (2, 10, 20, 7)]);
    let firsts: Vec<u8> = batch.groups(64).map(|group| group.bytes[0]).collect();
    assert_eq!(firsts, [0, 2]);
    assert_eq!(batch.give_up_run(), 3);
    assert_eq!(batch.socket(), None);
}

#[test]
fn an_empty_datagram_is_a_group_of_its_own() {
    let batch = batch(&[(100, 1), (0, 1), (0, 1), (100, 1)]);
    assert_eq!(
        groups(&batch, 64),
        [
            (1, 100, 100, 1),
            (1, 0, 0, 1),
            (1, 0, 0, 1),
            (1, 100, 100, 1)
        ]
    );
}

#[test]
fn a_group_ends_at_the_limit_of_datagrams_and_of_bytes() {
    assert_eq!(
        groups(&batch(&[(10, 1); 150]), 64),
        [(64, 10, 640, 1), (64, 10, 640, 1), (22, 10, 220, 1)]
    );
    assert_eq!(groups(&batch(&[(10, 1); 3]), 1), [(1, 10, 10, 1); 3]);
    let large = groups(&batch(&[(1_500, 1); 50]), 64);
    assert_eq!(large, [(43, 1_500, 64_500, 1), (7, 1_500, 10_500, 1)]);
    assert!(large.iter().all(|group| group.2 <= LARGEST_DATAGRAM));
}

#[test]
fn what_is_sent_leaves_and_what_is_not_stays_in_order() {
    let mut batch = batch(&[(10, 1), (20, 2), (30, 3)]);
    batch.advance(1);
    assert_eq!(groups(&batch, 64), [(1, 20, 20, 2), (1, 30, 30, 3)]);
    assert!(batch.push(&[1; 40], address(4)));
    assert_eq!(batch.len(), 3);
    batch.advance(3);
    assert!(batch.is_empty());
    assert!(
        batch.has_room(1 << 20),
        "an empty batch has all of its memory"
    );
}

#[test]
fn a_full_batch_takes_nothing_more() {
    let mut few = SendBatch::new(2, 0);
    assert!(few.push(&[1; 10], address(1)) && few.push(&[2; 10], address(1)));
    assert!(!few.push(&[3; 10], address(1)));
    assert_eq!(few.len(), 2);

    let mut small = SendBatch::new(100, LARGEST_DATAGRAM);
    assert!(small.push(&vec![1; 60_000], address(1)));
    assert!(small.reserve(6_000).is_none());
    assert!(small.reserve(5_507).is_some());
}

#[test]
fn a_commit_may_be_shorter_than_the_reservation() {
    let mut batch = SendBatch::new(4, 0);
    batch.reserve(1_000).expect("room")[..3].copy_from_slice(b"abc");
    batch.commit(3, address(1));
    batch.reserve(1_000).expect("room")[..3].copy_from_slice(b"def");
    batch.commit(3, address(1));
    let group = batch.groups(64).next().expect("a group");
    assert_eq!(
        (group.bytes, group.segment, group.datagrams),
        (&b"abcdef"[..], 3, 2)
    );
}

#[test]
fn joined_datagrams_come_out_one_by_one_in_place() {
    let mut batch = ReceiveBatch::new(3);
    batch.buffers().next().expect("a buffer")[..7].copy_from_slice(b"aabbccd");
    batch.push(address(1), 7, 2);
    batch.push(address(2), 0, 0);
    batch.buffers().nth(2).expect("a buffer")[..3].copy_from_slice(b"xyz");
    batch.push(address(3), 3, 3);
    assert_eq!(batch.len(), 6);
    for (_, datagram) in batch.datagrams() {
        datagram.make_ascii_uppercase();
    }
    let seen: Vec<_> = batch
        .datagrams()
        .map(|(from, datagram)| (from.port(), datagram.to_vec()))
        .collect();
    let expected = [
        (1, "AA"),
        (1, "BB"),
        (1, "CC"),
        (1, "D"),
        (2, ""),
        (3, "XYZ"),
    ];
    assert_eq!(
        seen,
        expected.map(|(port, text)| (port, text.as_bytes().to_vec()))
    );
}

#[test]
fn the_pair_delivers_in_order_and_loses_the_same_datagrams_for_one_seed() {
    let deliver = |loss: f64, seed: u8| {
        let (mut left, mut right) =
            MemoryTransport::pair([address(1), address(2)], loss, [seed; 32]);
        let mut sent = SendBatch::new(200, 1 << 20);
        for number in 0..200_u8 {
            assert!(sent.push(&[number; 20], address(2)));
        }
        assert_eq!(left.send(&mut sent), SendProgress::Complete);
        let mut batch = ReceiveBatch::new(16);
        let mut numbers = Vec::new();
        while right.receive(&mut batch).expect("memory") > 0 {
            numbers.extend(batch.datagrams().map(|(from, datagram)| {
                assert_eq!((from, datagram.len()), (address(1), 20));
                datagram[0]
            }));
        }
        assert_eq!(left.lost() + numbers.len() as u64, 200);
        numbers
    };
    assert_eq!(deliver(0.0, 1), (0..200).collect::<Vec<u8>>());
    let lossy = deliver(0.3, 1);
    assert!(
        (100..180).contains(&lossy.len()),
        "{} of 200 arrived",
        lossy.len()
    );
    assert!(lossy.is_sorted());
    assert_eq!(lossy, deliver(0.3, 1));
    assert_ne!(lossy, deliver(0.3, 2));
}

#[test]
fn a_full_wire_keeps_the_rest() {
    let (mut left, mut right) = MemoryTransport::pair([address(1), address(2)], 0.0, [0; 32]);
    let mut sent = SendBatch::new(5_000, 1 << 20);
    for _ in 0..4_200 {
        assert!(sent.push(&[1; 20], address(2)));
    }
    assert_eq!(left.send(&mut sent), SendProgress::Congested);
    assert_eq!(sent.len(), 104);
    while right.receive(&mut ReceiveBatch::new(16)).expect("memory") > 0 {}
    assert_eq!(left.send(&mut sent), SendProgress::Complete);
    assert_eq!(left.counters().sent, 4_200);
}
