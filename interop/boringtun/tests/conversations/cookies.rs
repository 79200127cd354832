//! Cookies through the adapter: asked for by boringtun, and given to it.

use awg_obfuscation::MessageType;
use awg_parity::end::{End, Happening};
use awg_parity::ours::Ours;
use awg_parity::packets::incoming;
use awg_parity::pair::{Pair, Side};
use awg_parity::reference::{Reference, Version, needed};
use awg_parity::stage::{Implementation, SECOND};
use awg_parity::wish::Wish;

use crate::end::Boringtun;
use crate::settings::Settings;
use crate::{boringtun, data, obfuscation, setups};

const SETTINGS: Settings = &[
    ("S1", "31"),
    ("S2", "17"),
    ("S3", "45"),
    ("H1", "1000-1999"),
    ("H2", "2000-2999"),
    ("H3", "3000-3999"),
    ("H4", "4000-4999"),
];

/// What an end sent, by kind.
fn kinds(pair: &Pair, by: Side) -> Vec<MessageType> {
    let obfuscation = obfuscation(SETTINGS);
    let by = pair.passed.iter().filter(|passed| passed.by == by);
    by.filter_map(|passed| Some(obfuscation.classify(&passed.datagram).next()?.message))
        .collect()
}

/// An end begins a session with a boringtun that is under load: it gets a cookie, and comes back with it.
fn asks_for_a_cookie(other: Box<dyn End>) {
    let loaded = Box::new(Boringtun::loaded());
    let mut pair = Pair::open([other, loaded], setups(SETTINGS, false)).expect("good settings");
    pair.advance(SECOND);
    pair.send(Side::A, 100);
    assert_eq!(kinds(&pair, Side::B), [MessageType::CookieReply]);
    pair.advance(6 * SECOND);
    assert_eq!(
        kinds(&pair, Side::B)[..2],
        [MessageType::CookieReply, MessageType::Response]
    );
    assert_eq!(pair.delivered(Side::B).len(), 1);
    data(&mut pair, Side::A, "after a cookie");
    data(&mut pair, Side::B, "after a cookie");
}

#[test]
fn boringtun_gives_its_like_a_cookie() {
    asks_for_a_cookie(boringtun());
}

#[test]
fn boringtun_gives_our_tunnel_a_cookie() {
    asks_for_a_cookie(Box::<Ours>::default());
}

#[test]
fn boringtun_gives_the_reference_a_cookie() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    asks_for_a_cookie(Box::new(Reference::start(&program)));
}

/// A device under load gives boringtun a cookie, and is content with what comes back.
fn is_given_a_cookie(implementation: &Implementation) {
    let obfuscation = obfuscation(SETTINGS);
    let [_, setup] = setups(SETTINGS, false);
    let mut stage = implementation.stage(&Wish::with(SETTINGS));
    let mut end = Boringtun::default();
    end.open(&setup).expect("good settings");
    end.advance(SECOND);

    end.send(&[incoming(100)]).expect("it goes on");
    let mut answers = Vec::new();
    for round in 0..4 {
        // The first try, six seconds later the second, then what follows from an answer.
        if round < 2 {
            stage.advance(6 * SECOND);
            stage.flood();
            if round == 1 {
                end.advance(6 * SECOND);
            }
        }
        for happening in end.take() {
            let Happening::Sent { datagram, .. } = happening else {
                panic!("nothing was sent to it");
            };
            let deeds = stage.receive(&datagram);
            for sent in deeds.sent {
                let found = obfuscation.classify(&sent.datagram).next();
                answers.push(found.expect("a message").message);
                end.receive(sent.to, &[sent.datagram]);
            }
            if !deeds.delivered.is_empty() {
                assert_eq!(answers, [MessageType::CookieReply, MessageType::Response]);
                assert_eq!(deeds.delivered, [incoming(100)]);
                return;
            }
        }
    }
    panic!("answers were {answers:?}");
}

#[test]
fn our_tunnel_gives_boringtun_a_cookie() {
    is_given_a_cookie(&Implementation::Ours);
}

#[test]
fn the_reference_gives_boringtun_a_cookie() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    is_given_a_cookie(&Implementation::Reference(program));
}
