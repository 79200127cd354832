use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{CarrierConfig, Carriers};
use crate::event::{CarrierLoss, Event};
use crate::flow::Peer;
use crate::limits::Limits;
use crate::memory::Packets;

fn at(last: u8) -> SocketAddr {
    ([10, 0, 0, last], 51_443).into()
}

#[test]
fn a_link_forgets_with_its_connection_who_sent_there() {
    let now = Instant::now();
    let mut carriers = Carriers::new(&Limits::default(), 1420, &[], [1; 32], now);
    carriers.configure(CarrierConfig {
        listen: None,
        reset_key: [1; 32],
    });
    carriers.carry(now, Peer(1), Some(([10, 0, 0, 9].into(), at(1))));
    let place = carriers.links.of(Peer(1)).unwrap();
    let mixed = carriers.with(place, |link, shared| {
        let mixed = link.company.mixed();
        link.company.note(0, 500, u64::MAX);
        link.company.note(4, 500, 1);
        assert!(mixed.get());
        link.begin(now, shared);
        mixed.get()
    });
    assert_eq!(mixed, Some(false));
}

#[test]
fn a_panic_in_one_peers_carrier_costs_that_peer_its_carrier_for_a_second_and_nobody_else_anything()
{
    let now = Instant::now();
    let mut carriers = Carriers::new(&Limits::default(), 1420, &[], [1; 32], now);
    carriers.configure(CarrierConfig {
        listen: None,
        reset_key: [1; 32],
    });
    let own = [10, 0, 0, 9].into();
    let (one, other) = (Peer(1), Peer(2));
    for (peer, last) in [(one, 1), (other, 2)] {
        carriers.carry(now, peer, Some((own, at(last))));
    }
    let mut calls = Packets::default();
    carriers.poll_transmit(now, &mut calls);
    let place = carriers.links.of(one).unwrap();
    let result: Option<()> = carriers.with(place, |_, _| panic!("as something inside might"));
    assert_eq!(result, None);
    assert_eq!(carriers.counters().panics, 1);
    let (peer, why) = (one, CarrierLoss::Failed);
    assert_eq!(
        carriers.poll_event(),
        Some(Event::CarrierDown { peer, why })
    );
    assert_eq!(carriers.poll_event(), None);
    let untouched = carriers.links.of(other).unwrap();
    assert!(carriers.links.get(untouched).unwrap().wire.is_some());
    // The one calls again.
    let later = now + Duration::from_secs(1);
    carriers.handle_timeout(later, &mut |_| Some(later));
    let place = carriers.links.of(one).unwrap();
    assert!(carriers.links.get(place).unwrap().wire.is_some());
}
