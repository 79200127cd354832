//! Two ends of our own with parameters of 3.x.

use std::collections::BTreeSet;

use awg_obfuscation::{
    HeaderProtectionKey, MessageType, NumberRange, Obfuscation, Parameters, Timing,
};
use proptest::prelude::*;

use super::super::link::{Faults, MTU, SECOND, Setup, World};
use super::setup;
use crate::{Event, FailureCause, Interval, Seal};

const KEY: (&str, &str) = (
    "HeaderProtectionKey",
    "cLfc8enkw2a01FGI5gD9Gv69+49YuvNioq96svN59MA=",
);

fn range(least: std::ops::Range<u32>, more: u32) -> impl Strategy<Value = NumberRange> {
    (least, 0..=more).prop_map(|(first, width)| NumberRange::new(first, first + width).unwrap())
}

/// Four header ranges without a common word, narrow or wide.
fn headers() -> impl Strategy<Value = [NumberRange; 4]> {
    let bounds = prop_oneof![
        prop::collection::btree_set(any::<u32>(), 8),
        prop::collection::btree_set(0..60_u32, 8),
    ];
    let ranges = bounds.prop_map(|bounds| {
        let bounds: Vec<u32> = bounds.into_iter().collect();
        let ranges = bounds.chunks(2);
        ranges
            .map(|pair| NumberRange::new(pair[0], pair[1]).unwrap())
            .collect::<Vec<_>>()
    });
    ranges
        .prop_shuffle()
        .prop_map(|ranges| ranges.try_into().unwrap())
}

fn timing() -> impl Strategy<Value = Timing> {
    use prop::option::of;
    let times = (
        of(range(20..130, 30)),
        of(range(2..8, 4)),
        of(range(170..200, 60)),
        of(range(4..12, 5)),
        of(range(1..20, 5)),
    );
    times.prop_map(|(rekey, timeout, reject, keepalive, attempts)| Timing {
        rekey_after_time: rekey,
        rekey_timeout: timeout,
        reject_after_time: reject,
        keepalive_timeout: keepalive,
        max_handshake_attempts: attempts,
    })
}

/// Any parameters that have something of 3.x.
fn parameters() -> impl Strategy<Value = Parameters> {
    let protection = prop_oneof![
        prop::option::of(any::<[u8; 32]>()),
        any::<[u8; 32]>().prop_map(Some),
    ];
    let paddings = prop_oneof![
        [12..200_u16, 12..200_u16, 12..200_u16, 12..100_u16],
        (12..100_u16).prop_map(|padding| [padding; 4]),
    ];
    let additions = prop::option::of(prop_oneof![range(0..3, 40), range(0..200, 1500)]);
    let rest = (additions, any::<bool>(), any::<bool>(), timing());
    let all = (protection, paddings, headers(), rest);
    let parameters = all.prop_map(|(key, [s1, s2, s3, s4], headers, rest)| {
        let (addition, trailers, no_cookies, timing) = rest;
        Parameters {
            padding_initiation: s1,
            padding_response: s2,
            padding_cookie_reply: s3,
            padding_transport: s4,
            headers,
            header_protection_key: key.and_then(HeaderProtectionKey::from_bytes),
            content_padding_addition: addition,
            random_trailers: trailers,
            disable_cookies: no_cookies,
            timing,
            ..Parameters::default()
        }
    });
    parameters.prop_filter("something of 3.x", Parameters::is_version_3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Through loss, doubling and reordering; and once these are over nothing is lost, however the two renew.
    #[test]
    fn any_pair_converges_and_moves_data(
        parameters in parameters(),
        keepalive in prop::option::of((5..40_u32, 0..20_u32)),
        seed: u64,
    ) {
        let setup = Setup {
            parameters: parameters.clone(),
            keepalive: keepalive.and_then(|(least, more)| Interval::between(least, least + more)),
            ..Setup::default()
        };
        let mut world = World::with(seed, &setup, &setup);
        world.faults = Faults { loss: 0.2, doubling: 0.1, delay: SECOND / 1000..SECOND / 5 };
        for number in 0..120 {
            world.send(0, 60 + number as usize * 11, number);
            world.send(1, 1400 - number as usize * 11, number);
            world.run(SECOND / 2);
        }
        world.faults = Faults::none();
        world.run(130 * SECOND);
        world.send(0, 40, 0);
        world.run(130 * SECOND);
        let before = world.delivered.len();
        for number in 1000..1200 {
            world.send(0, 1000, number);
            world.send(1, usize::from(MTU), number);
            world.run(SECOND * 3 / 2);
        }
        world.run(30 * SECOND);
        prop_assert_eq!(world.delivered.len() - before, 400);
        for end in 0..2 {
            prop_assert!(world.tunnel(end).counters().packets_received > 200);
        }
        // Everything that left is what the parameters say, and within the MTU.
        let obfuscation = Obfuscation::new(parameters).unwrap();
        let around = obfuscation.padding(MessageType::Transport) + 32;
        for sent in &world.sent {
            let found = obfuscation.classify(&sent.datagram).next();
            prop_assert!(found.is_some());
            prop_assert!(sent.datagram.len() <= around + usize::from(MTU));
        }
    }
}

#[test]
fn header_protection_on_one_end_only_is_told_and_not_answered() {
    let paddings = [
        ("S1", "12"),
        ("S2", "40"),
        ("S3", "12"),
        ("S4", "12"),
        ("RandomTrailers", "1"),
    ];
    let bare = setup(&paddings);
    let protected = setup(&[paddings.as_slice(), &[KEY]].concat());
    for (trailing, other) in [(1, &bare), (0, &setup(&paddings[..4]))] {
        let ours = setup(&[&paddings[..4 + trailing], &[KEY]].concat());
        let mut world = World::with(1, other, &ours);
        world.send(0, 100, 1);
        world.run(20 * SECOND);
        assert!(world.sent.iter().all(|sent| sent.by == 0));
        let told = |event: &Event| {
            matches!(
                event,
                Event::HandshakeFailed {
                    peer: None,
                    from: Some(_),
                    cause: FailureCause::HeaderProtection
                }
            )
        };
        assert_eq!(world.count_events(1, told), 1, "once a minute");
        assert_eq!(world.count_events(1, |_| true), 1);
    }
    // The other way round nothing can be told but that nobody answers.
    let mut world = World::with(1, &protected, &bare);
    world.send(0, 100, 1);
    world.run(20 * SECOND);
    assert!(world.sent.iter().all(|sent| sent.by == 0));
    assert_eq!(world.count_events(1, |_| true), 0);
    assert!(world.has_event(0, |event| matches!(
        event,
        Event::HandshakeUnanswered { .. }
    )));
    // Nor of a stranger whose message is not for our key.
    let mut world = World::with(1, &bare, &protected);
    let mut stranger = vec![0; 12 + 148];
    stranger[12] = 1;
    world.inject(1, super::super::link::outer(0), &stranger);
    assert_eq!(world.count_events(1, |_| true), 0);
}

/// The same packet lengths leave together in one size, and at other times in others.
#[test]
fn packets_that_leave_together_have_one_size() {
    let setup = setup(&[("ContentPaddingAddition", "0-60")]);
    let mut world = World::with(1, &setup, &setup);
    world.connect(0);
    world.run(SECOND);
    let mut sizes = BTreeSet::new();
    for number in 0..200 {
        let lengths: BTreeSet<usize> = (0..8)
            .map(|_| match world.send(0, 1000, number) {
                Seal::Sealed { len, .. } => len,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(lengths.len(), 1);
        sizes.extend(lengths);
        world.run(SECOND / 100);
    }
    assert!(sizes.len() > 40);
    assert_eq!(sizes.first(), Some(&1032));
    assert_eq!(sizes.last(), Some(&1092));
}

/// What was drawn for a wide window is not used in a narrow one: a packet that did not fit would be dropped.
#[test]
fn a_window_that_closes_ends_a_run() {
    let setup = setup(&[("RandomTrailers", "1")]);
    for seed in 0..20 {
        let mut world = World::with(seed, &setup, &setup);
        world.connect(0);
        world.run(SECOND);
        world.send(1, 60, 1);
        let answer = world.sent.last().unwrap().datagram.clone();
        world.send(0, usize::from(MTU), 2);
        world.send(0, 60, 3);
        assert!(world.inject(0, super::super::link::outer(1), &answer).1);
        match world.send(0, 60, 4) {
            Seal::Sealed { len, .. } => assert!(len < 500, "{len}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Many that leave together have several sizes, in runs of sixteen.
#[test]
fn no_run_of_one_size_is_long() {
    let setup = setup(&[("ContentPaddingAddition", "0-1000")]);
    let mut world = World::with(1, &setup, &setup);
    world.connect(0);
    world.run(SECOND);
    let sizes: Vec<usize> = (0..160)
        .map(|number| match world.send(0, 100, number) {
            Seal::Sealed { len, .. } => len,
            other => panic!("{other:?}"),
        })
        .collect();
    let runs: Vec<usize> = sizes.chunk_by(PartialEq::eq).map(<[_]>::len).collect();
    assert_eq!(runs, [16; 10], "{sizes:?}");
}

/// A pair of 2.0 sends what it sent before 3.x was added to the code, to the last byte: the fingerprint is older than that.
#[test]
fn a_pair_of_2_0_does_not_change_by_a_byte() {
    let setup = setup(&[
        ("Jc", "3"),
        ("Jmin", "40"),
        ("Jmax", "90"),
        ("S1", "31"),
        ("S2", "77"),
        ("S3", "45"),
        ("S4", "23"),
        ("H1", "100000-199999"),
        ("H2", "1000000000-1000000999"),
        ("H3", "2147483648-2147500000"),
        ("H4", "3000000000-4294967295"),
        ("I1", "<b 0xc2ff00a1><r 16><t>"),
    ]);
    let mut world = World::with(20, &setup, &setup);
    for number in 0..300 {
        world.send(0, 40 + number as usize * 3, number);
        world.send(1, 1400, number);
        world.run(SECOND);
    }
    world.run(60 * SECOND);
    // FNV-1a over all that left either end.
    let mut print = 0xcbf2_9ce4_8422_2325_u64;
    for sent in &world.sent {
        for byte in sent
            .datagram
            .iter()
            .chain(&(sent.at.as_nanos() as u64).to_le_bytes())
        {
            print = (print ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    assert_eq!((world.sent.len(), print), (642, 0xa2ed_7c90_3279_5d32));
}
