//! The preamble, and what plain parameters give.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Classified, Obfuscation, PreambleDatagram, SignatureCounter, TrailerWindow};
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
fn data_never_looks_like_another_vpn_by_size_and_first_byte() {
    let padded = obfuscation(&[("S4", "16")]);
    let mut rng = StdRng::from_seed([12; 32]);
    let opcodes = |codes: &[usize]| -> Vec<usize> {
        codes
            .iter()
            .flat_map(|code| code * 8..code * 8 + 8)
            .collect()
    };
    for (size, never) in [
        (148, vec![1]),
        (92, vec![2]),
        (64, vec![3]),
        (112, opcodes(&[21, 24])),
        (80, opcodes(&[11, 20, 21, 23, 25])),
        (149, vec![]),
        (32, vec![]),
    ] {
        let mut padding = [0; 16];
        let mut first = [false; 256];
        for _ in 0..10_000 {
            padded.fill_transport_padding(size, &mut padding, &mut rng);
            first[usize::from(padding[0])] = true;
        }
        let missing: Vec<usize> = (0..256).filter(|byte| !first[*byte]).collect();
        assert_eq!(missing, never, "{size}");
    }
    padded.fill_transport_padding(148, &mut [], &mut rng);
}

#[test]
fn junk_never_looks_like_a_bare_handshake_message() {
    let junk = obfuscation(&[("Jc", "20000"), ("Jmin", "148"), ("Jmax", "148")]);
    let datagrams = preamble(&junk, &mut SignatureCounter::default());
    let count = |first| {
        let begins = |(_, datagram): &&(_, Vec<u8>)| datagram.first() == Some(&first);
        datagrams.iter().filter(begins).count()
    };
    assert_eq!(datagrams.len(), 20_000);
    assert_eq!(count(1), 0);
    assert!(count(2) > 0);
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

const KEY: &str = "cLfc8enkw2a01FGI5gD9Gv69+49YuvNioq96svN59MA=";

/// That the keystream is the reference's is shown by its recordings, which `awg-tunnel` reads.
#[test]
fn a_header_is_hidden_by_the_keystream_of_its_padding() {
    let protected = obfuscation(&[
        ("HeaderProtectionKey", KEY),
        ("S1", "20"),
        ("S2", "12"),
        ("S3", "12"),
        ("S4", "14"),
    ]);
    let clear: Vec<u8> = (0..20).chain([1, 0, 0, 0]).chain([7; 144]).collect();
    let mut datagram = clear.clone();
    protected.toggle_protection(MessageType::Initiation, 20, &mut datagram);
    assert_eq!(datagram[..20], clear[..20]);
    assert!((20..168).filter(|&at| datagram[at] == clear[at]).count() < 8);
    let found: Vec<_> = protected.classify(&datagram).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].message, found[0].offset),
        (MessageType::Initiation, 20)
    );
    assert_eq!(protected.classify(&clear).next(), None);
    // The same keystream begins at each offset: a transport message is found by its first four bytes too.
    let mut transport: Vec<u8> = (0..14).chain([4, 0, 0, 0]).chain([9; 44]).collect();
    let original = transport.clone();
    protected.toggle_protection(MessageType::Transport, 14, &mut transport);
    for at in 0..4 {
        assert_eq!(
            transport[14 + at] ^ original[14 + at],
            datagram[20 + at] ^ clear[20 + at]
        );
    }
    assert_eq!(
        transport[30..],
        original[30..],
        "what is sealed is left alone"
    );
    let mut candidates = protected.classify(&transport);
    assert_eq!(candidates.next().unwrap().message, MessageType::Transport);
    let mask = candidates.mask();
    mask.apply(&mut transport[14..]);
    assert_eq!(transport, original);
    protected.toggle_protection(MessageType::Initiation, 20, &mut datagram);
    assert_eq!(datagram, clear);
}

#[test]
fn what_is_too_short_for_a_nonce_is_nothing() {
    let protected = obfuscation(&[
        ("HeaderProtectionKey", KEY),
        ("S1", "12"),
        ("S2", "12"),
        ("S3", "12"),
        ("S4", "12"),
    ]);
    for size in 0..44 {
        let mut datagram = vec![0; size];
        assert_eq!(protected.classify(&datagram).next(), None);
        protected.toggle_protection(MessageType::Transport, 12, &mut datagram);
        assert!(size >= 28 || datagram.iter().all(|byte| *byte == 0));
    }
}

#[test]
fn any_parameter_of_version_3_ends_bare_keepalives() {
    let bare = [("S4", "8"), ("KeepalivePadding", "reference")];
    let mut keepalive = [0; 32];
    keepalive[0] = 4;
    assert!(obfuscation(&bare).classify(&keepalive).next().is_some());
    let modern = [bare[0], bare[1], ("DisableCookies", "true")];
    assert!(obfuscation(&modern).classify(&keepalive).next().is_none());
    assert_eq!(obfuscation(&modern).keepalive_padding(), 8);
}

#[test]
fn with_trailers_a_handshake_message_may_be_followed_by_anything() {
    let trailing = obfuscation(&[
        ("RandomTrailers", "1"),
        ("S1", "3"),
        ("S2", "3"),
        ("S3", "3"),
        ("S4", "3"),
    ]);
    for message in MessageType::ALL {
        for extra in [0, 1, 400] {
            let mut datagram = vec![0; 3 + message.bare_size() + extra];
            datagram[3] = message.number() as u8;
            let found = trailing.classify(&datagram).next().unwrap();
            assert_eq!((found.message, found.offset), (message, 3));
            datagram.truncate(3 + message.bare_size() - 1);
            assert_eq!(trailing.classify(&datagram).next(), None);
        }
    }
}

#[test]
fn a_trailer_ends_below_the_window() {
    let trailing = obfuscation(&[("RandomTrailers", "1"), ("S4", "23")]);
    let mut rng = StdRng::from_seed([11; 32]);
    let mut window = TrailerWindow::default();
    assert_eq!(trailing.window(window), 500);
    window.sent(400);
    assert_eq!(trailing.window(window), 500);
    window.sent(1300);
    window.sent(60);
    assert_eq!(trailing.window(window), 1355);
    let draws: Vec<_> = (0..20_000)
        .map(|_| trailing.trailer(window, 1255, &mut rng))
        .collect();
    assert_eq!(draws.iter().max(), Some(&99));
    assert_eq!(draws.iter().min(), Some(&0));
    assert_eq!(trailing.trailer(window, 1355, &mut rng), 0);
    window.received();
    assert_eq!(trailing.window(window), 500);
    assert_eq!(obfuscation(&[]).trailer(window, 148, &mut rng), 0);
}

/// What was added, of many draws: the least and the most.
fn added(settings: &[(&str, &str)], content: usize, window: TrailerWindow) -> (usize, usize) {
    let obfuscation = obfuscation(settings);
    let mut rng = StdRng::from_seed([12; 32]);
    let most = obfuscation.most_content_padding(content, 1420, window);
    let draws: Vec<_> = (0..20_000)
        .map(|_| obfuscation.content_padding(content, 1420, window, &mut rng))
        .collect();
    assert!(draws.iter().all(|draw| *draw <= most));
    (*draws.iter().min().unwrap(), *draws.iter().max().unwrap())
}

#[test]
fn content_is_padded_by_the_range_or_the_window_or_to_a_multiple() {
    let new = TrailerWindow::default();
    for (content, expected) in [(0, 0), (1, 15), (16, 0), (1419, 1), (1420, 0), (1421, 15)] {
        assert_eq!(added(&[], content, new), (expected, expected), "{content}");
    }
    let range = [("ContentPaddingAddition", "5-60"), ("RandomTrailers", "1")];
    for (content, expected) in [
        (0, (5, 60)),
        (1360, (5, 60)),
        (1380, (5, 40)),
        (1419, (0, 1)),
        (1420, (0, 0)),
        (2840, (5, 60)),
    ] {
        assert_eq!(added(&range, content, new), expected, "{content}");
    }
    let single = [("ContentPaddingAddition", "1000")];
    assert_eq!(added(&single, 40, new), (1000, 1000));
    assert_eq!(added(&single, 1000, new), (420, 420));
    let trailers = [("RandomTrailers", "1"), ("S4", "23")];
    assert_eq!(added(&trailers, 0, new), (0, 444));
    assert_eq!(added(&trailers, 60, new), (0, 384));
    assert_eq!(added(&trailers, 445, new), (0, 0));
    let mut grown = new;
    grown.sent(1300);
    assert_eq!(added(&trailers, 60, grown), (0, 1239));
}

#[test]
fn full_packets_are_left_room_to_vary() {
    for (range, room) in [("5-60", 32), ("1-20", 20), ("0-1000", 32), ("40", 0)] {
        let parameters = Parameters::from_settings([("ContentPaddingAddition", range)]).unwrap();
        assert_eq!(parameters.room_for_padding(), room);
        let full = 1420 - usize::from(room);
        let (least, most) = added(
            &[("ContentPaddingAddition", range)],
            full,
            TrailerWindow::default(),
        );
        assert!(room == 0 || most - least >= 16, "{range}");
    }
    assert_eq!(Parameters::default().room_for_padding(), 0);
}
