//! What one of the two emits, and the other's answers to it, field by field; the reference in both of its versions.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use awg_obfuscation::MessageType;
use awg_parity::end::{End, Happening, START};
use awg_parity::ours::Ours;
use awg_parity::packets::incoming;
use awg_parity::pair::{Pair, Side};
use awg_parity::probe::message;
use awg_parity::reference::{Reference, Version, needed};
use awg_parity::stage::{Implementation, SECOND};
use awg_parity::wish::{Wish, probe_key, subject_key};
use awg_tunnel::PresharedKey;
use awg_tunnel::inspection::{Initiation, Response, timestamp};

fn word(message: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*message[at..].first_chunk().expect("a word"))
}

/// A begins; B answers to what its messages say.
fn converse(ends: [Box<dyn End>; 2], wish: &Wish) {
    let mut pair = Pair::open(ends, Pair::setups(wish)).expect("taken");
    let at = Duration::from_millis(2_750);
    pair.advance(at);
    let there = pair.send(Side::A, 100);
    let back = pair.send(Side::B, 200);
    assert_eq!(pair.delivered(Side::B), [there]);
    assert_eq!(pair.delivered(Side::A), [back]);

    let obfuscation = wish.obfuscation();
    let of = |by: Side, kind| {
        let passed = pair.passed.iter().filter(move |passed| passed.by == by);
        passed
            .filter_map(|passed| message(&obfuscation, kind, &passed.datagram))
            .collect::<Vec<_>>()
    };
    let initiations = of(Side::A, MessageType::Initiation);
    let initiation = initiations.last().expect("A began");
    let read = Initiation::read(initiation, &probe_key()).expect("for B");
    assert_eq!(read.initiator, subject_key().public_key());
    assert_eq!(read.timestamp, timestamp(START + at));
    assert_eq!(read.mac2, [0; 16]);

    let responses = of(Side::B, MessageType::Response);
    let response = Response::read(&responses[0]).expect("a response");
    assert_eq!(response.receiver, read.sender);
    let range = |message: &[u8]| word(message, 0);
    for (number, sent) in [(1, initiation), (2, &responses[0])] {
        let text = wish
            .parameters
            .iter()
            .find(|(name, _)| *name == format!("H{number}"));
        let Some((_, text)) = text else {
            assert_eq!(range(sent), number);
            continue;
        };
        let (low, high) = text.split_once('-').expect("a range");
        let (low, high): (u32, u32) = (low.parse().expect("low"), high.parse().expect("high"));
        assert!((low..=high).contains(&range(sent)), "{text}");
    }

    // Each names the session as the other asked for, and counts from 0.
    let counters = |by, receiver| {
        let messages = of(by, MessageType::Transport);
        let session = messages
            .iter()
            .filter(|message| word(message, 4) == receiver);
        session
            .map(|message| u64::from_le_bytes(*message[8..].first_chunk().expect("a counter")))
            .collect::<Vec<_>>()
    };
    for counters in [
        counters(Side::A, response.sender),
        counters(Side::B, read.sender),
    ] {
        assert!(!counters.is_empty());
        assert!(counters.iter().copied().eq(0..counters.len() as u64));
    }
}

fn wishes() -> [Wish; 3] {
    let everything = Wish {
        preshared: Some(PresharedKey::from_bytes([0x77; 32])),
        ..Wish::everything()
    };
    [Wish::default(), Wish::colliding(), everything]
}

/// The programs of both versions, those that can be built.
fn programs() -> impl Iterator<Item = PathBuf> {
    let versions = [Version::Reference, Version::Later];
    versions.into_iter().filter_map(needed)
}

#[test]
fn the_reference_answers_to_what_ours_says() {
    for program in programs() {
        for wish in wishes() {
            let reference = Box::new(Reference::start(&program));
            converse([Box::<Ours>::default(), reference], &wish);
        }
    }
}

#[test]
fn ours_answers_to_what_the_reference_says() {
    for program in programs() {
        for wish in wishes() {
            let reference = Box::new(Reference::start(&program));
            converse([reference, Box::<Ours>::default()], &wish);
        }
    }
}

#[test]
fn the_reference_uses_a_cookie_of_ours() {
    for program in programs() {
        for wish in wishes() {
            uses_a_cookie(
                Box::new(Reference::start(&program)),
                &Implementation::Ours,
                &wish,
            );
        }
    }
}

#[test]
fn ours_uses_a_cookie_of_the_reference() {
    for program in programs() {
        let loaded = Implementation::Reference(program);
        for wish in wishes() {
            uses_a_cookie(Box::<Ours>::default(), &loaded, &wish);
        }
    }
}

/// One begins while the other is under load: it gets a cookie, and comes back with it.
fn uses_a_cookie(mut beginning: Box<dyn End>, loaded: &Implementation, wish: &Wish) {
    let mut loaded = loaded.stage(&Wish {
        seed: 1,
        ..wish.clone()
    });
    // The stage's device has the subject's key: the other is to be its probe, B.
    let [_, setup] = Pair::setups(wish);
    beginning.open(&setup).expect("taken");
    beginning.advance(SECOND);
    beginning.send(&[incoming(40)]).expect("it goes on");
    loaded.flood();
    let from = SocketAddr::from(([192, 0, 2, 1], 51820));
    let mut replies = 0;
    for _ in 0..3 {
        for sent in datagrams(beginning.as_mut()) {
            for answer in loaded.receive(&sent).sent {
                let kind = loaded.probe.kind(&answer.datagram);
                replies += usize::from(kind == Some(MessageType::CookieReply));
                beginning.receive(from, &[answer.datagram]);
            }
        }
        if beginning.held().current {
            break;
        }
        beginning.advance(6 * SECOND);
        loaded.advance(6 * SECOND);
        loaded.flood();
    }
    assert_eq!(replies, 1);
    assert!(beginning.held().current, "no session under load");
}

fn datagrams(end: &mut dyn End) -> Vec<Vec<u8>> {
    let happened = end.take().into_iter();
    happened
        .filter_map(|happening| match happening {
            Happening::Sent { datagram, .. } => Some(datagram),
            _ => None,
        })
        .collect()
}
