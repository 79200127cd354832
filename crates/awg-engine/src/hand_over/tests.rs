use std::net::SocketAddr;
use std::thread;

use awg_tunnel::{Endpoint, Local};
use proptest::prelude::*;

use super::{Inlet, ring};
use crate::transport::{MESSAGE_SIZE, ReceiveBatch};

fn from(sender: u16) -> Endpoint {
    Endpoint {
        remote: SocketAddr::from(([192, 0, 2, 1], 1000 + sender)),
        local: Local {
            socket: sender % 3,
            obfuscation: 0,
        },
    }
}

const COUNT: u32 = 20_000;

/// All that is there, with whom it is from.
fn take(inlet: &mut Inlet, batch: &mut ReceiveBatch) -> Vec<(Endpoint, Vec<u8>)> {
    let mut taken = Vec::new();
    while let Some(local) = inlet.receive(batch) {
        assert!(!batch.is_empty());
        for (remote, datagram) in batch.datagrams() {
            taken.push((Endpoint { remote, local }, datagram.to_vec()));
        }
    }
    taken
}

proptest! {
    /// What finds room comes out in its order, whole and with its sender, also around the end of the ring.
    #[test]
    fn what_goes_in_comes_out(
        rounds in prop::collection::vec(
            prop::collection::vec((0u16..4, 0usize..600, any::<u8>()), 0..30),
            1..6,
        )
    ) {
        let (mut outlet, mut inlet) = ring(16, 4096);
        let mut batch = ReceiveBatch::new(4);
        for round in rounds {
            let mut expected = Vec::new();
            let mut bytes = 0;
            for (sender, size, byte) in round {
                let datagram = vec![byte; size];
                let fits = expected.len() < 16 && bytes + size <= 4096;
                prop_assert_eq!(outlet.push(from(sender), &datagram), fits);
                if fits {
                    bytes += size;
                    expected.push((from(sender), datagram));
                }
            }
            prop_assert_eq!(take(&mut inlet, &mut batch), expected);
            prop_assert!(inlet.is_empty());
        }
    }
}

#[test]
fn the_largest_datagram_passes() {
    let (mut outlet, mut inlet) = ring(8, 1 << 18);
    let mut batch = ReceiveBatch::new(2);
    let datagram = vec![7; 65_507];
    assert!(outlet.push(from(0), &datagram));
    assert!(outlet.push(from(0), &datagram));
    assert_eq!(
        take(&mut inlet, &mut batch),
        [(from(0), datagram.clone()), (from(0), datagram)]
    );
}

#[test]
fn what_no_batch_holds_finds_no_room() {
    let (mut outlet, mut inlet) = ring(16, 4 * MESSAGE_SIZE);
    let datagram = vec![7; MESSAGE_SIZE + 1];
    assert!(!outlet.push(from(0), &datagram));
    assert!(outlet.push(from(0), &datagram[1..]));
    let taken = take(&mut inlet, &mut ReceiveBatch::new(1));
    assert_eq!(taken.len(), 1);
}

#[test]
fn two_threads_lose_nothing_that_found_room() {
    let (mut outlet, mut inlet) = ring(64, 8192);
    let sender = thread::spawn(move || {
        for number in 0..COUNT {
            let mut datagram = number.to_le_bytes().to_vec();
            datagram.resize(4 + (number % 97) as usize, number as u8);
            while !outlet.push(from(number as u16 % 5), &datagram) {
                thread::yield_now();
            }
        }
    });
    let mut batch = ReceiveBatch::new(4);
    let mut next = 0;
    while next < COUNT {
        for (sender, datagram) in take(&mut inlet, &mut batch) {
            assert_eq!(sender, from(next as u16 % 5));
            assert_eq!(datagram[..4], next.to_le_bytes());
            assert_eq!(datagram.len(), 4 + (next % 97) as usize);
            assert!(datagram[4..].iter().all(|byte| *byte == next as u8));
            next += 1;
        }
        thread::yield_now();
    }
    sender.join().unwrap();
    assert!(inlet.is_empty());
}
