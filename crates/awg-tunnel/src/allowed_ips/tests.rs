use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::prelude::*;

use super::AllowedIps;

/// The plain meaning: look at all prefixes.
#[derive(Default)]
struct Naive(Vec<(IpNet, u8)>);

impl Naive {
    fn insert(&mut self, network: IpNet, owner: u8) {
        self.0.retain(|(known, _)| *known != network);
        self.0.push((network, owner));
    }

    fn remove(&mut self, network: IpNet, owner: u8) {
        self.0.retain(|entry| *entry != (network, owner));
    }

    fn find(&self, address: IpAddr) -> Option<u8> {
        let fitting = self
            .0
            .iter()
            .filter(|(network, _)| network.contains(&address));
        fitting
            .max_by_key(|(network, _)| network.prefix_len())
            .map(|(_, owner)| *owner)
    }
}

/// Few distinct bits, so that prefixes nest and meet.
fn v4() -> impl Strategy<Value = IpNet> {
    (0u32..16, 0u32..16, 0u8..=32).prop_map(|(high, low, length)| {
        IpNet::V4(
            Ipv4Net::new(Ipv4Addr::from_bits(high << 28 | low), length)
                .unwrap()
                .trunc(),
        )
    })
}

fn v6() -> impl Strategy<Value = IpNet> {
    (0u128..16, 0u128..16, 0u8..=128).prop_map(|(high, low, length)| {
        IpNet::V6(
            Ipv6Net::new(Ipv6Addr::from_bits(high << 124 | low), length)
                .unwrap()
                .trunc(),
        )
    })
}

fn addresses() -> impl Iterator<Item = IpAddr> {
    (0..16u32).flat_map(|high| {
        (0..16u32).flat_map(move |low| {
            [
                IpAddr::from(Ipv4Addr::from_bits(high << 28 | low)),
                IpAddr::from(Ipv6Addr::from_bits(
                    u128::from(high) << 124 | u128::from(low),
                )),
            ]
        })
    })
}

proptest! {
    #[test]
    fn the_longest_prefix_wins(
        steps in prop::collection::vec((any::<bool>(), prop_oneof![v4(), v6()], 0u8..4), 1..80)
    ) {
        let mut table = AllowedIps::new();
        let mut naive = Naive::default();
        for (insert, network, owner) in steps {
            if insert {
                table.insert(network, owner);
                naive.insert(network, owner);
            } else {
                table.remove(network, owner);
                naive.remove(network, owner);
            }
            let prefixes = naive.0.len();
            prop_assert!(table.v4.live_nodes() + table.v6.live_nodes() <= 2 * prefixes);
        }
        for address in addresses() {
            prop_assert_eq!(table.find(address), naive.find(address), "{}", address);
        }
        for (network, owner) in naive.0 {
            table.remove(network, owner);
        }
        prop_assert_eq!(table.v4.live_nodes() + table.v6.live_nodes(), 0);
    }
}

#[test]
fn families_do_not_mix() {
    let mut table = AllowedIps::new();
    table.insert("0.0.0.0/0".parse().unwrap(), 4);
    assert_eq!(table.find("1.2.3.4".parse().unwrap()), Some(4));
    assert_eq!(table.find("::1.2.3.4".parse().unwrap()), None);
    table.insert("::/0".parse().unwrap(), 6);
    assert_eq!(table.find("::ffff:1.2.3.4".parse().unwrap()), Some(6));
}
