//! Which ports are drawn.

use std::collections::HashSet;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{FIRST, draw};

/// 1,024 to 65,535.
const PORTS: usize = 64_512;

#[test]
fn ports_are_spread_over_all_but_the_well_known() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut sixteenths = [0; 16];
    for _ in 0..16_000 {
        let port = draw(&mut rng, |_| false).expect("all are free");
        assert!(port >= FIRST);
        sixteenths[usize::from(port - FIRST) * 16 / PORTS] += 1;
    }
    assert!(
        sixteenths.iter().all(|count| (850..1150).contains(count)),
        "{sixteenths:?}"
    );
}

#[test]
fn every_port_is_given_once_until_none_is_left() {
    let mut rng = StdRng::seed_from_u64(2);
    let mut taken = HashSet::new();
    while let Some(port) = draw(&mut rng, |port| taken.contains(&port)) {
        assert!(taken.insert(port), "{port} twice");
    }
    assert_eq!(taken.len(), PORTS);
}

#[test]
fn the_last_free_port_is_found_wherever_it_is() {
    let mut rng = StdRng::seed_from_u64(3);
    for free in [FIRST, 30_000, u16::MAX] {
        assert_eq!(draw(&mut rng, |port| port != free), Some(free));
    }
}
