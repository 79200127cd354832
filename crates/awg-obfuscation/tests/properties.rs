//! What holds for any parameters, any message and any bytes.

use std::time::Duration;

use awg_obfuscation::{
    Classified, KeepalivePadding, MessageType, NumberRange, Obfuscation, Parameters, Preamble,
    Signature, SignatureCounter,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Four header ranges that do not overlap, in any order: eight sorted bounds taken in pairs.
fn headers() -> impl Strategy<Value = [NumberRange; 4]> {
    let bounds = prop_oneof![
        prop::collection::btree_set(any::<u32>(), 8),
        prop::collection::btree_set(0..40_u32, 8),
    ];
    let ranges = bounds.prop_map(|bounds| {
        let bounds: Vec<u32> = bounds.into_iter().collect();
        bounds
            .chunks(2)
            .map(|pair| NumberRange::new(pair[0], pair[1]).unwrap())
            .collect::<Vec<_>>()
    });
    ranges
        .prop_shuffle()
        .prop_map(|ranges| ranges.try_into().unwrap())
}

/// Padding sizes: any, small ones, or such that all four messages (a transport message of 112 bytes) have one size.
fn paddings() -> impl Strategy<Value = [u16; 4]> {
    prop_oneof![
        [0..1500_u16, 0..1500_u16, 0..1500_u16, 0..1500_u16],
        [0..3_u16, 0..3_u16, 0..3_u16, 0..3_u16],
        (0..200_u16).prop_map(|s1| [s1, s1 + 56, s1 + 84, s1 + 4]),
        Just([0; 4]),
    ]
}

fn obfuscations() -> impl Strategy<Value = Obfuscation> {
    (headers(), paddings(), any::<bool>()).prop_map(|(headers, [s1, s2, s3, s4], padded)| {
        let keepalive_padding = if padded {
            KeepalivePadding::Padded
        } else {
            KeepalivePadding::Reference
        };
        Obfuscation::new(Parameters {
            headers,
            padding_initiation: s1,
            padding_response: s2,
            padding_cookie_reply: s3,
            padding_transport: s4,
            keepalive_padding,
            ..Parameters::default()
        })
        .unwrap()
    })
}

fn messages() -> impl Strategy<Value = MessageType> {
    prop::sample::select(MessageType::ALL.to_vec())
}

/// A datagram as it leaves: padding, type word, and a body of random bytes.
fn datagram(
    obfuscation: &Obfuscation,
    message: MessageType,
    padding: usize,
    content: usize,
    rng: &mut StdRng,
) -> Vec<u8> {
    let mut datagram = vec![0; padding + message.bare_size() + content];
    rand::Rng::fill_bytes(rng, &mut datagram);
    obfuscation.fill_padding(&mut datagram[..padding], rng);
    let word = obfuscation.type_word(message, rng);
    datagram[padding..padding + 4].copy_from_slice(&word.to_le_bytes());
    datagram
}

/// The rules of the reference's `DeterminePacketTypeAndPadding`, and a bare keepalive last, as plainly as can be.
fn every_fit(parameters: &Parameters, datagram: &[u8]) -> Vec<Classified> {
    let word_fits = |offset: usize, message| {
        let word = u32::from_le_bytes(datagram[offset..offset + 4].try_into().unwrap());
        parameters.header(message).first() <= word && word <= parameters.header(message).last()
    };
    let s4 = usize::from(parameters.padding_transport);
    let mut fits = Vec::new();
    for (message, size) in [
        (MessageType::Initiation, 148),
        (MessageType::Response, 92),
        (MessageType::CookieReply, 64),
    ] {
        let padding = usize::from(parameters.padding(message));
        if datagram.len() == padding + size && word_fits(padding, message) {
            fits.push(Classified {
                message,
                offset: padding,
                bare_keepalive: false,
            });
        }
    }
    let message = MessageType::Transport;
    if datagram.len() >= s4 + 32 && word_fits(s4, message) {
        fits.push(Classified {
            message,
            offset: s4,
            bare_keepalive: false,
        });
    }
    if s4 > 0 && datagram.len() == 32 && word_fits(0, message) {
        fits.push(Classified {
            message,
            offset: 0,
            bare_keepalive: true,
        });
    }
    fits
}

proptest! {
    #[test]
    fn what_is_sent_is_recognised(obfuscation in obfuscations(), message in messages(), content in 0..200_usize, seed: [u8; 32]) {
        let content = if message == MessageType::Transport { content } else { 0 };
        let padding = obfuscation.padding(message);
        let datagram = datagram(&obfuscation, message, padding, content, &mut StdRng::from_seed(seed));
        let found: Vec<_> = obfuscation.classify(&datagram).collect();
        let sent = Classified { message, offset: padding, bare_keepalive: false };
        prop_assert!(found.contains(&sent));
        prop_assert_eq!(found, every_fit(obfuscation.parameters(), &datagram));
    }

    #[test]
    fn messages_of_one_size_are_told_apart(headers in headers(), s1 in 0..200_u16, message in messages(), seed: [u8; 32]) {
        let obfuscation = Obfuscation::new(Parameters {
            headers,
            padding_initiation: s1,
            padding_response: s1 + 56,
            padding_cookie_reply: s1 + 84,
            padding_transport: s1,
            ..Parameters::default()
        })
        .unwrap();
        let content = if message == MessageType::Transport { 116 } else { 0 };
        let padding = obfuscation.padding(message);
        let datagram = datagram(&obfuscation, message, padding, content, &mut StdRng::from_seed(seed));
        prop_assert_eq!(datagram.len(), usize::from(s1) + 148);
        // Whatever the padding looks like, a later candidate is the true one, and the wrong ones are named before it.
        let found: Vec<_> = obfuscation.classify(&datagram).collect();
        prop_assert!(found.iter().any(|found| found.message == message && found.offset == padding));
        prop_assert!(found.is_sorted_by_key(|found| found.message));
    }

    #[test]
    fn keepalives_of_either_form_are_recognised(obfuscation in obfuscations(), seed: [u8; 32]) {
        let s4 = obfuscation.padding(MessageType::Transport);
        let expected = match obfuscation.parameters().keepalive_padding {
            KeepalivePadding::Padded => s4,
            KeepalivePadding::Reference => 0,
        };
        prop_assert_eq!(obfuscation.keepalive_padding(), expected);
        let mut rng = StdRng::from_seed(seed);
        for padding in [0, s4] {
            let keepalive = datagram(&obfuscation, MessageType::Transport, padding, 0, &mut rng);
            let sent = Classified { message: MessageType::Transport, offset: padding, bare_keepalive: padding < s4 };
            let found: Vec<_> = obfuscation.classify(&keepalive).collect();
            prop_assert!(found.contains(&sent));
            prop_assert_eq!(found, every_fit(obfuscation.parameters(), &keepalive));
        }
    }

    #[test]
    fn any_datagram_is_classified_as_the_reference_does(obfuscation in obfuscations(), datagram in prop::collection::vec(any::<u8>(), 0..2000)) {
        let found: Vec<_> = obfuscation.classify(&datagram).collect();
        prop_assert_eq!(&found, &every_fit(obfuscation.parameters(), &datagram));
        for found in found {
            prop_assert!(datagram.len() - found.offset >= found.message.bare_size());
        }
    }

    #[test]
    fn a_draw_lies_in_its_range(first: u32, last: u32, seed: [u8; 32]) {
        let range = NumberRange::new(first.min(last), first.max(last)).unwrap();
        let mut rng = StdRng::from_seed(seed);
        prop_assert!((0..64).all(|_| range.contains(range.draw(&mut rng))));
    }

    #[test]
    fn a_header_range_is_read_as_it_is_written(first: u32, last: u32) {
        let range = NumberRange::new(first.min(last), first.max(last)).unwrap();
        prop_assert_eq!(range.to_string().parse(), Ok(range));
    }

    #[test]
    fn reading_any_text_never_panics(name in "(?i)(j(c|min|max)|[shi][0-9]|KeepalivePadding|\\PC{0,8})", value in "\\PC*") {
        let _ = Signature::parse(&value);
        let _ = value.parse::<NumberRange>();
        if let Err(errors) = Parameters::from_settings([(name.as_str(), value.as_str())]) {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| !error.parameter().contains(char::is_control)));
        }
    }

    #[test]
    fn any_chain_of_tags_is_refused_or_makes_its_size(groups in prop::collection::vec("<? ?(b|r|rd|rc|t|c|d|ds|dz|\\PC)? ?(0x)?[0-9a-f-]{0,4} ?>?", 0..8), seed: [u8; 32]) {
        let specification = groups.concat();
        let Ok(Some(signature)) = Signature::parse(&specification) else { return Ok(()) };
        let size = signature.size();
        let signatures = [Some(signature), None, None, None, None];
        let obfuscation = Obfuscation::new(Parameters { signatures, ..Parameters::default() }).unwrap();
        let mut packet = Vec::new();
        let mut preamble: Preamble = obfuscation.preamble();
        let mut counter = SignatureCounter::default();
        let sent = preamble.poll_datagram(&obfuscation, &mut counter, Duration::MAX, &mut StdRng::from_seed(seed), &mut packet);
        prop_assert!(sent.is_some());
        prop_assert_eq!(packet.len(), size);
    }
}
