//! What one of the two emits, and the other's answers to it, field by field.

use std::net::SocketAddr;
use std::time::Duration;

use awg_obfuscation::{MessageType, Obfuscation, Parameters};
use awg_parity::end::{End, Happening, START};
use awg_parity::ours::Ours;
use awg_parity::pair::{Pair, Passed, Side};
use awg_parity::reference::{Reference, Version, needed};
use awg_parity::stage::{Bench, SECOND, Wish, probe_key, subject_key};
use awg_tunnel::PresharedKey;
use awg_tunnel::inspection::{Initiation, Response, timestamp};

/// The message of that kind in a datagram that passed.
fn message(wish: &Wish, kind: MessageType, passed: &Passed) -> Option<Vec<u8>> {
    let settings = wish
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let parameters = Parameters::from_settings(settings).expect("good parameters");
    let obfuscation = Obfuscation::new(parameters).expect("good parameters");
    let found = obfuscation
        .classify(&passed.datagram)
        .find(|found| found.message == kind)?;
    Some(passed.datagram[found.offset..].to_vec())
}

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

    let of = |by: Side, kind| {
        let passed = pair.passed.iter().filter(move |passed| passed.by == by);
        passed
            .filter_map(|passed| message(wish, kind, passed))
            .collect::<Vec<_>>()
    };
    let initiations = of(Side::A, MessageType::Initiation);
    let initiation = initiations.last().expect("ours began");
    let read = Initiation::read(initiation, &probe_key()).expect("for the reference");
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
    let ours = counters(Side::A, response.sender);
    let theirs = counters(Side::B, read.sender);
    assert!(!ours.is_empty() && ours.iter().copied().eq(0..ours.len() as u64));
    assert!(!theirs.is_empty() && theirs.iter().copied().eq(0..theirs.len() as u64));
}

fn wishes() -> [Wish; 3] {
    let everything = Wish {
        preshared: Some(PresharedKey::from_bytes([0x77; 32])),
        ..Wish::everything()
    };
    [Wish::default(), Wish::colliding(), everything]
}

#[test]
fn the_reference_answers_to_what_ours_says() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let reference = Box::new(Reference::start(&program));
        converse([Box::<Ours>::default(), reference], &wish);
    }
}

#[test]
fn ours_answers_to_what_the_reference_says() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let reference = Box::new(Reference::start(&program));
        converse([reference, Box::<Ours>::default()], &wish);
    }
}

/// Ours is under load: the reference gets a cookie, and comes back with it.
#[test]
fn the_reference_uses_a_cookie_of_ours() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let mut loaded = Bench::Ours.stage(&Wish {
            seed: 1,
            ..wish.clone()
        });
        // The stage's device has the subject's key: the reference is to be its probe, B.
        let [_, setup] = Pair::setups(&wish);
        let mut reference = Reference::start(&program);
        reference.open(&setup).expect("taken");
        reference.advance(SECOND);
        let packet = awg_parity::stage::packet([10, 0, 0, 2], [10, 0, 0, 1], 40);
        reference
            .send(std::slice::from_ref(&packet))
            .expect("it goes on");
        loaded.flood();
        let ours = SocketAddr::from(([192, 0, 2, 1], 51820));
        let mut replies = 0;
        for _ in 0..3 {
            for sent in datagrams(&mut reference) {
                for answer in loaded.receive(&sent).sent {
                    let kind = loaded.probe.kind(&answer.datagram);
                    replies += usize::from(kind == Some(MessageType::CookieReply));
                    reference.receive(ours, &[answer.datagram]);
                }
            }
            if reference.has_keys() {
                break;
            }
            reference.advance(6 * SECOND);
            loaded.advance(6 * SECOND);
            loaded.flood();
        }
        assert_eq!(replies, 1);
        assert!(reference.has_keys(), "no session under load");
    }
}

fn datagrams(end: &mut Reference) -> Vec<Vec<u8>> {
    let happened = end.take().into_iter();
    happened
        .filter_map(|happening| match happening {
            Happening::Sent { datagram, .. } => Some(datagram),
            _ => None,
        })
        .collect()
}
