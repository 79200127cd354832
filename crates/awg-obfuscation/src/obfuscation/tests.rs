//! The preamble, and what plain parameters give.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Classified, Obfuscation, PreambleDatagram, SignatureCounter};
use crate::message::MessageType;
use crate::parameters::Parameters;

fn obfuscation(settings: &[(&str, &str)]) -> Obfuscation {
    Obfuscation::new(Parameters::from_settings(settings.iter().copied()).unwrap()).unwrap()
}

/// All datagrams of one preamble, at 5 seconds after the epoch.
fn preamble(
    obfuscation: &Obfuscation,
    counter: &mut SignatureCounter,
) -> Vec<(PreambleDatagram, Vec<u8>)> {
    let mut rng = StdRng::from_seed([5; 32]);
    let mut preamble = obfuscation.preamble();
    let mut datagrams = Vec::new();
    let mut datagram = b"what was there before".to_vec();
    while let Some(kind) = preamble.poll_datagram(
        obfuscation,
        counter,
        Duration::from_secs(5),
        &mut rng,
        &mut datagram,
    ) {
        datagrams.push((kind, datagram.clone()));
    }
    datagrams
}

#[test]
fn without_parameters_the_wire_is_plain_wireguard() {
    let plain = obfuscation(&[]);
    let mut rng = StdRng::from_seed([6; 32]);
    let untouched = StdRng::from_seed([6; 32]);
    for message in MessageType::ALL {
        assert_eq!(plain.padding(message), 0);
        assert_eq!(plain.type_word(message, &mut rng), message.number());
    }
    plain.fill_padding(&mut [], &mut rng);
    assert_eq!(plain.keepalive_padding(), 0);
    assert_eq!(preamble(&plain, &mut SignatureCounter::default()), []);
    assert_eq!(rng, untouched, "plain WireGuard takes no randomness here");
}

#[test]
fn every_byte_of_padding_is_random_every_time() {
    let padded = obfuscation(&[("S4", "16")]);
    let mut rng = StdRng::from_seed([10; 32]);
    let mut padding = [0; 16];
    let mut ever_set = [0; 16];
    for _ in 0..64 {
        let before = padding;
        padded.fill_padding(&mut padding, &mut rng);
        assert_ne!(padding, before);
        for (set, byte) in ever_set.iter_mut().zip(padding) {
            *set |= byte;
        }
    }
    assert_eq!(ever_set, [0xff; 16]);
}

#[test]
fn signature_packets_precede_junk_in_order() {
    let everything = obfuscation(&[
        ("I2", "<b 02>"),
        ("I5", "<b 05><t>"),
        ("Jc", "3"),
        ("Jmin", "7"),
        ("Jmax", "7"),
    ]);
    let datagrams = preamble(&everything, &mut SignatureCounter::default());
    let kinds: Vec<_> = datagrams
        .iter()
        .map(|(kind, datagram)| (*kind, datagram.len()))
        .collect();
    let junk = (PreambleDatagram::Junk, 7);
    assert_eq!(
        kinds,
        [
            (PreambleDatagram::Signature(2), 1),
            (PreambleDatagram::Signature(5), 5),
            junk,
            junk,
            junk
        ]
    );
    assert_eq!(datagrams[0].1, [2]);
    assert_eq!(datagrams[1].1, [5, 0, 0, 0, 5]);
    assert_ne!(datagrams[2].1, datagrams[3].1, "junk is drawn anew");
}

#[test]
fn the_counter_counts_every_signature_packet_of_the_device() {
    let counting = obfuscation(&[("I1", "<c>"), ("I2", "<b 00>"), ("I3", "<c>")]);
    let mut counter = SignatureCounter::default();
    let numbers = |datagrams: Vec<(PreambleDatagram, Vec<u8>)>| {
        [datagrams[0].1.clone(), datagrams[2].1.clone()]
    };
    assert_eq!(
        numbers(preamble(&counting, &mut counter)),
        [[0, 0, 0, 0], [0, 0, 0, 2]]
    );
    assert_eq!(
        numbers(preamble(&counting, &mut counter)),
        [[0, 0, 0, 3], [0, 0, 0, 5]]
    );
}

#[test]
fn the_counter_and_the_time_wrap_at_32_bits() {
    let wrapping = obfuscation(&[("I1", "<c><t>")]);
    let mut counter = SignatureCounter(u32::MAX);
    let mut rng = StdRng::from_seed([7; 32]);
    let mut datagram = Vec::new();
    let unix = Duration::from_secs(1 << 32 | 9);
    let mut poll = || {
        wrapping
            .preamble()
            .poll_datagram(&wrapping, &mut counter, unix, &mut rng, &mut datagram)
            .unwrap();
        datagram.clone()
    };
    assert_eq!(poll(), [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9]);
    assert_eq!(poll(), [0, 0, 0, 0, 0, 0, 0, 9]);
}

#[test]
fn the_most_junk_takes_the_memory_of_one_datagram() {
    let stormy = obfuscation(&[("Jc", "65535"), ("Jmin", "1"), ("Jmax", "1280")]);
    let mut preamble = stormy.preamble();
    let mut rng = StdRng::from_seed([8; 32]);
    let mut datagram = Vec::with_capacity(1280);
    let mut count = 0_u32;
    while preamble
        .poll_datagram(
            &stormy,
            &mut SignatureCounter::default(),
            Duration::ZERO,
            &mut rng,
            &mut datagram,
        )
        .is_some()
    {
        assert!((1..=1280).contains(&datagram.len()));
        count += 1;
    }
    assert_eq!(count, 65_535);
    assert_eq!(datagram.capacity(), 1280);
}

#[test]
fn the_first_candidate_is_the_references_and_the_rest_are_the_later_types() {
    let wide = obfuscation(&[
        ("S1", "20"),
        ("S4", "24"),
        ("H1", "5-2147483647"),
        ("H2", "2147483648"),
        ("H3", "2147483649"),
        ("H4", "3000000000-4294967295"),
    ]);
    let mut datagram = vec![0; 168];
    datagram[20..24].copy_from_slice(&77_u32.to_le_bytes());
    datagram[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    let candidate = |message, offset| Classified {
        message,
        offset,
        bare_keepalive: false,
    };
    let both = [
        candidate(MessageType::Initiation, 20),
        candidate(MessageType::Transport, 24),
    ];
    assert_eq!(wide.classify(&datagram).collect::<Vec<_>>(), both);
    datagram[20] = 4;
    assert_eq!(wide.classify(&datagram).collect::<Vec<_>>(), both[1..]);
    datagram[27] = 0;
    assert_eq!(wide.classify(&datagram).next(), None);
}

#[test]
fn candidates_that_have_ended_stay_ended() {
    let padded = obfuscation(&[("S4", "8")]);
    let mut keepalive = [0; 32];
    keepalive[0] = 4;
    let mut candidates = padded.classify(&keepalive);
    assert!(candidates.next().is_some_and(|found| found.bare_keepalive));
    assert_eq!(candidates.next(), None);
    assert_eq!(candidates.next(), None);
}
