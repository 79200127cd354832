use std::net::SocketAddr;

use bytes::Bytes;

use super::{Arrivals, Arrived};
use crate::flow::{FlowId, Kind};

fn arrived(number: u8, length: usize) -> Arrived {
    let end: SocketAddr = "192.0.2.1:9".parse().unwrap();
    Arrived {
        flow: FlowId::carried(Kind::Udp, 0, 0),
        source: end,
        destination: end,
        payload: Bytes::from(vec![number; length]),
    }
}

fn next(arrivals: &mut Arrivals) -> Option<u8> {
    arrivals
        .pop()
        .and_then(|arrived| arrived.payload.first().copied())
}

#[test]
fn links_have_turns_and_each_ones_order_is_kept() {
    let mut arrivals = Arrivals::new(1 << 20);
    for (link, number) in [(4, 1), (4, 2), (4, 3), (0, 10), (2, 20), (0, 11)] {
        assert_eq!(arrivals.push(link, arrived(number, 100)), 0);
    }
    let order: Vec<u8> = std::iter::from_fn(|| next(&mut arrivals)).collect();
    assert_eq!(order, [1, 10, 20, 2, 11, 3]);
    assert_eq!(arrivals.push(2, arrived(21, 1)), 0);
    assert_eq!(next(&mut arrivals), Some(21));
    assert_eq!(next(&mut arrivals), None);
}

#[test]
fn what_is_too_much_costs_the_oldest_of_the_same_link() {
    let room = 10 * arrived(0, 1_000).cost();
    let mut arrivals = Arrivals::new(room);
    arrivals.push(1, arrived(99, 1_000));
    for number in 0..10 {
        assert_eq!(arrivals.push(0, arrived(number, 1_000)), 0);
    }
    assert_eq!(arrivals.push(0, arrived(10, 1_000)), 1);
    assert_eq!(arrivals.push(0, arrived(11, 2_500)), 3);
    // One alone may be longer than all may be.
    assert_eq!(arrivals.push(2, arrived(50, 2 * room)), 0);
    let mut order: Vec<u8> = std::iter::from_fn(|| next(&mut arrivals)).collect();
    order.retain(|number| *number < 50);
    assert_eq!(order, [4, 5, 6, 7, 8, 9, 10, 11]);
    assert!(arrivals.queues.iter().all(|queue| queue.bytes == 0));
}
