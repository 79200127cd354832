//! Datagrams that are no message of the device's: dropped without an answer.

use super::{Behaviour, differs, in_both_roles, same};
use crate::stage::{Bench, Stage, Wish};

pub(super) const ROWS: &[Behaviour] = &[
    same("empty", "an empty datagram", |bench| {
        untouched(bench, empty)
    }),
    same("short", "31 bytes with the transport type word", |bench| {
        untouched(bench, short)
    }),
    same("random_sizes", "random bytes of 1 to 300", |bench| {
        let mut stage = bench.stage(&plain());
        stage.begun_by_the_probe();
        let mut words: Vec<_> = (1..=300)
            .map(|size| {
                let noise: Vec<_> = (0..size).map(|_| stage.probe.secret()[0]).collect();
                let deeds = stage.receive(&noise);
                stage.words(&deeds, None)
            })
            .collect();
        words.sort();
        words.dedup();
        words.join(", ")
    }),
    same("largest", "65,507 random bytes", |bench| {
        untouched(bench, largest)
    }),
    differs(
        "port_0",
        "an initiation from UDP port 0",
        "no answer can be sent there, and no sender has it",
        |bench| {
            let mut stage = bench.stage(&plain());
            stage.probe.address.set_port(0);
            let (_, deeds) = stage.offered();
            stage.words(&deeds, None)
        },
    ),
    same("type_0", "an initiation with type word 0", |bench| {
        mistyped(bench, 0)
    }),
    same("type_5", "an initiation with type word 5", |bench| {
        mistyped(bench, 5)
    }),
    same(
        "type_2",
        "an initiation with the type word of a response",
        |bench| mistyped(bench, 2),
    ),
    same(
        "type_3",
        "an initiation with the type word of a cookie reply",
        |bench| mistyped(bench, 3),
    ),
    same(
        "type_4",
        "an initiation with the type word of data",
        |bench| mistyped(bench, 4),
    ),
    same(
        "initiation_short",
        "an initiation that lacks its last byte",
        |bench| untouched(bench, initiation_short),
    ),
    same(
        "initiation_long",
        "an initiation with one byte more",
        |bench| untouched(bench, initiation_long),
    ),
    same(
        "response_short",
        "a response that lacks its last byte",
        |bench| {
            asked_for(bench, |response| {
                response.pop();
            })
        },
    ),
    same("response_long", "a response with one byte more", |bench| {
        asked_for(bench, |response| response.push(0))
    }),
    same("response_unpadded", "a response without S2", |bench| {
        asked_for(bench, |response| {
            response.drain(..17);
        })
    }),
    same("response_whole", "the response itself", |bench| {
        asked_for(bench, |_| {})
    }),
    same(
        "cookie_short",
        "a cookie reply that lacks its last byte",
        |bench| untouched(bench, cookie_short),
    ),
    same(
        "cookie_long",
        "a cookie reply with one byte more",
        |bench| untouched(bench, cookie_long),
    ),
    same("initiation_unpadded", "an initiation without S1", |bench| {
        let mut stage = bench.stage(&Wish::with(&[("S1", "31"), ("S2", "17")]));
        let offer = stage.probe.initiation(stage.clock);
        let deeds = stage.receive(&offer.message);
        stage.words(&deeds, None)
    }),
    same(
        "initiation_overpadded",
        "an initiation with S1 + 1 bytes before it",
        |bench| {
            let mut stage = bench.stage(&Wish::with(&[("S1", "31"), ("S2", "17")]));
            let mut datagram = stage.probe.initiation(stage.clock).datagram;
            datagram.insert(0, 0);
            let deeds = stage.receive(&datagram);
            stage.words(&deeds, None)
        },
    ),
    same("data_unpadded", "data without S4", |bench| {
        let mut stage = bench.stage(&Wish::with(&[("S4", "12")]));
        let mut session = stage.begun_by_the_probe();
        let data = stage.probe.seal(&mut session, &crate::stage::incoming(40));
        let deeds = stage.receive(&data[12..]);
        stage.words(&deeds, None)
    }),
    same(
        "padding_content",
        "an initiation whose padding is all zeros",
        |bench| {
            let mut stage = bench.stage(&Wish::with(&[("S1", "31"), ("S2", "17")]));
            let mut datagram = stage.probe.initiation(stage.clock).datagram;
            datagram[..31].fill(0);
            let deeds = stage.receive(&datagram);
            stage.words(&deeds, None)
        },
    ),
    same(
        "transport_unknown",
        "a transport message of a session that never was",
        |bench| untouched(bench, transport_unknown),
    ),
    same(
        "response_unexpected",
        "a response that nothing asked for",
        |bench| untouched(bench, response_unexpected),
    ),
    same(
        "cookie_unexpected",
        "a cookie reply that nothing asked for",
        |bench| untouched(bench, cookie_unexpected),
    ),
    same(
        "after_all",
        "whether the session works after all of these",
        |bench| {
            in_both_roles(|initiates| {
                let mut stage = bench.stage(&plain());
                let mut session = stage.session(initiates);
                for make in [
                    empty,
                    short,
                    largest,
                    initiation_short,
                    initiation_long,
                    response_short,
                    response_long,
                    cookie_short,
                    cookie_long,
                    transport_unknown,
                    response_unexpected,
                    cookie_unexpected,
                ] {
                    let datagram = make(&mut stage);
                    stage.receive(&datagram);
                }
                for word in 0..=5 {
                    let datagram = with_word(&mut stage, word);
                    if word != 1 {
                        stage.receive(&datagram);
                    }
                }
                let data = stage.probe.seal(&mut session, &crate::stage::incoming(40));
                let deeds = stage.receive(&data);
                stage.words(&deeds, Some(&session))
            })
        },
    ),
];

fn plain() -> Wish {
    Wish::default()
}

/// What a device with a session does about a datagram, in both roles.
fn untouched(bench: &Bench, make: impl Fn(&mut Stage) -> Vec<u8>) -> String {
    in_both_roles(|initiates| {
        let mut stage = bench.stage(&plain());
        let session = stage.session(initiates);
        let datagram = make(&mut stage);
        let deeds = stage.receive(&datagram);
        stage.words(&deeds, Some(&session))
    })
}

fn mistyped(bench: &Bench, word: u32) -> String {
    untouched(bench, |stage| with_word(stage, word))
}

/// What comes of a response to the device, changed.
fn asked_for(bench: &Bench, change: impl Fn(&mut Vec<u8>)) -> String {
    let mut stage = bench.stage(&Wish::with(&[("S1", "31"), ("S2", "17")]));
    let initiation = stage.asked();
    let (mut response, session) = stage.probe.answer(&initiation).expect("for this probe");
    change(&mut response);
    let deeds = stage.receive(&response);
    let words = stage.words(&deeds, Some(&session));
    if words.contains("data") {
        "the session begins".to_owned()
    } else {
        words
    }
}

fn empty(_: &mut Stage) -> Vec<u8> {
    Vec::new()
}

fn short(_: &mut Stage) -> Vec<u8> {
    let mut datagram = vec![0; 31];
    datagram[0] = 4;
    datagram
}

fn largest(stage: &mut Stage) -> Vec<u8> {
    let bytes = stage.probe.secret();
    (0..65_507).map(|at| bytes[at % 32] ^ at as u8).collect()
}

/// An initiation with another type word, signed again.
fn with_word(stage: &mut Stage, word: u32) -> Vec<u8> {
    let mut message = stage.probe.initiation(stage.clock).message;
    message[..4].copy_from_slice(&word.to_le_bytes());
    super::headers::sign(&mut message, &stage.probe.subject);
    message
}

fn initiation_short(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = stage.probe.initiation(stage.clock).datagram;
    datagram.pop();
    datagram
}

fn initiation_long(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = stage.probe.initiation(stage.clock).datagram;
    datagram.push(0);
    datagram
}

fn response_unexpected(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = vec![0x33; 92];
    datagram[..4].copy_from_slice(&2_u32.to_le_bytes());
    super::headers::sign(&mut datagram, &stage.probe.subject);
    datagram
}

fn response_short(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = response_unexpected(stage);
    datagram.pop();
    datagram
}

fn response_long(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = response_unexpected(stage);
    datagram.push(0);
    datagram
}

fn cookie_unexpected(stage: &mut Stage) -> Vec<u8> {
    let message = stage.probe.initiation(stage.clock).message;
    stage.probe.cookie_reply(&message, [9; 16])
}

fn cookie_short(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = cookie_unexpected(stage);
    datagram.pop();
    datagram
}

fn cookie_long(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = cookie_unexpected(stage);
    datagram.push(0);
    datagram
}

fn transport_unknown(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = vec![0; 64];
    datagram[0] = 4;
    datagram[4..8].copy_from_slice(&stage.probe.secret()[..4]);
    datagram
}
