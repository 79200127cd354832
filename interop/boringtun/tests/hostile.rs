//! What strangers send: nothing of it panics, is answered or comes out.

use std::net::IpAddr;
use std::time::Duration;

use awg_boringtun::{Adapter, Peer};
use awg_obfuscation::{Obfuscation, Parameters};
use boringtun::noise::Tunn;
use boringtun::x25519::{PublicKey, StaticSecret};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

const UNIX: Duration = Duration::from_hours(500_000);

fn peer(own: u8, other: u8) -> Peer {
    let parameters = Parameters::from_settings([
        ("S1", "20"),
        ("S3", "7"),
        ("S4", "12"),
        ("H1", "0-1000000000"),
        ("H2", "1000000001-2000000000"),
        ("H3", "2000000001-3000000000"),
        ("H4", "3000000001-4294967295"),
    ])
    .expect("good settings");
    let obfuscation = Obfuscation::new(parameters).expect("good settings");
    let own = StaticSecret::from([own; 32]);
    let (public, other) = (
        PublicKey::from(&own),
        PublicKey::from(&StaticSecret::from([other; 32])),
    );
    let rng = StdRng::from_seed([9; 32]);
    let adapter = Adapter::new(obfuscation, public.as_bytes(), other.as_bytes(), rng);
    Peer::new(Tunn::new(own, other, None, None, 1, None), adapter)
}

/// Sizes at which a message of some kind may begin to be one.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(168_usize),
        Just(92_usize),
        Just(71_usize),
        Just(44_usize),
        0..300_usize,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_not_answered(
        mut datagrams in vec(sizes().prop_flat_map(|size| vec(any::<u8>(), size)), 1..20),
    ) {
        let mut peer = peer(1, 2);
        for datagram in &mut datagrams {
            let output = peer.receive(IpAddr::from([192, 0, 2, 9]), datagram, UNIX);
            prop_assert!(output.datagrams.is_empty() && output.packets.is_empty());
        }
    }

    #[test]
    fn a_changed_initiation_is_not_answered(at in 20..168_usize, change in 1..=255_u8) {
        let (mut a, mut b) = (peer(1, 2), peer(2, 1));
        let mut packet = [0; 20];
        packet[0] = 0x45;
        let sent = a.send(&packet, UNIX).datagrams;
        let from = IpAddr::from([192, 0, 2, 9]);

        let mut changed = sent[0].clone();
        changed[at] ^= change;
        // mac2, at the end, says nothing while nobody asks for a cookie.
        let answers = b.receive(from, &mut changed, UNIX).datagrams.len();
        prop_assert_eq!(answers, usize::from(at >= 152));

        let mut padded_otherwise = sent[0].clone();
        padded_otherwise[at % 20] ^= change;
        let answers = b.receive(from, &mut padded_otherwise, UNIX).datagrams.len();
        prop_assert_eq!(answers, usize::from(at < 152), "it was answered already, or not yet");
    }
}
