//! Datagrams that are no message of the device's: dropped without an answer.

use awg_obfuscation::MessageType;
use rand::Rng;

use super::headers::{sign, taken};
use super::{Behaviour, differs, in_both_roles, same};
use crate::packets::incoming;
use crate::stage::{Implementation, Stage};
use crate::wish::Wish;

pub(super) const ROWS: &[Behaviour] = &[
    same("empty", "an empty datagram", |implementation| {
        untouched(implementation, empty)
    }),
    same(
        "short",
        "31 bytes with the transport type word",
        |implementation| untouched(implementation, short),
    ),
    same(
        "random_sizes",
        "random bytes of 1 to 300, then data",
        |implementation| {
            noise(
                implementation,
                &Wish::default(),
                &(1..=300).collect::<Vec<_>>(),
            )
        },
    ),
    same(
        "random_wide",
        "random bytes of 1 to 300, then data, where H1 to H4 are a quarter of all type words each",
        |implementation| noise(implementation, &wide(), &(1..=300).collect::<Vec<_>>()),
    ),
    same(
        "random_colliding",
        "200 times 148 random bytes, then data, where H1 to H4 are a sixteenth of all type words each and all messages have that size",
        |implementation| noise(implementation, &colliding(), &[148; 200]),
    ),
    same(
        "random_behind_words",
        "each of the four type words with 0 to 200 random bytes behind it, then data",
        |implementation| {
            after(implementation, &Wish::default(), |stage| {
                let each = (0..=200).flat_map(|size| (1..=4).map(move |word| (size, word)));
                each.map(|(size, word): (usize, u32)| {
                    let mut datagram = word.to_le_bytes().to_vec();
                    datagram.append(&mut random(stage, size));
                    datagram
                })
                .collect()
            })
        },
    ),
    same("largest", "65,507 random bytes", |implementation| {
        untouched(implementation, largest)
    }),
    differs(
        "port_0",
        "an initiation from UDP port 0",
        "no answer can be sent there, and no sender has it",
        |implementation| {
            let mut stage = implementation.plain();
            stage.probe.address.set_port(0);
            let (_, deeds) = stage.offered();
            stage.words(&deeds, None)
        },
    ),
    same(
        "type_0",
        "an initiation with type word 0",
        |implementation| mistyped(implementation, 0),
    ),
    same(
        "type_5",
        "an initiation with type word 5",
        |implementation| mistyped(implementation, 5),
    ),
    same(
        "type_2",
        "an initiation with the type word of a response",
        |implementation| mistyped(implementation, 2),
    ),
    same(
        "type_3",
        "an initiation with the type word of a cookie reply",
        |implementation| mistyped(implementation, 3),
    ),
    same(
        "type_4",
        "an initiation with the type word of data",
        |implementation| mistyped(implementation, 4),
    ),
    same(
        "types",
        "under which type words of 0 to 5 a response, a cookie reply and data are taken",
        |implementation| {
            let kinds = [
                MessageType::Response,
                MessageType::CookieReply,
                MessageType::Transport,
            ];
            let each = kinds.map(|kind| taken(implementation, &Wish::default(), kind, 0..=5));
            each.join(", ")
        },
    ),
    same(
        "colliding_types",
        "under which of H1 = 1000, H2 = 2000, H3 = 3000 and H4 = 4000 each of the four messages is taken, where all have 148 bytes",
        |implementation| {
            let words = [1000, 2000, 3000, 4000];
            let each =
                MessageType::ALL.map(|kind| taken(implementation, &Wish::colliding(), kind, words));
            each.join(", ")
        },
    ),
    same(
        "initiation_short",
        "an initiation that lacks its last byte",
        |implementation| untouched(implementation, cut(initiation)),
    ),
    same(
        "initiation_long",
        "an initiation with one byte more",
        |implementation| untouched(implementation, extended(initiation)),
    ),
    same(
        "response_short",
        "a response that lacks its last byte",
        |implementation| {
            asked_for(implementation, |response| {
                response.pop();
            })
        },
    ),
    same(
        "response_long",
        "a response with one byte more",
        |implementation| asked_for(implementation, |response| response.push(0)),
    ),
    same(
        "response_unpadded",
        "a response without S2",
        |implementation| {
            asked_for(implementation, |response| {
                response.drain(..17);
            })
        },
    ),
    same("response_whole", "the response itself", |implementation| {
        asked_for(implementation, |_| {})
    }),
    same(
        "cookie_short",
        "a cookie reply that lacks its last byte",
        |implementation| untouched(implementation, cut(cookie_unexpected)),
    ),
    same(
        "cookie_long",
        "a cookie reply with one byte more",
        |implementation| untouched(implementation, extended(cookie_unexpected)),
    ),
    same(
        "initiation_unpadded",
        "an initiation without S1",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[("S1", "31"), ("S2", "17")]));
            let offer = stage.probe.initiation(stage.clock);
            let deeds = stage.receive(&offer.message);
            stage.words(&deeds, None)
        },
    ),
    same(
        "initiation_overpadded",
        "an initiation with S1 + 1 bytes before it",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[("S1", "31"), ("S2", "17")]));
            let mut datagram = stage.probe.initiation(stage.clock).datagram;
            datagram.insert(0, 0);
            let deeds = stage.receive(&datagram);
            stage.words(&deeds, None)
        },
    ),
    same("data_unpadded", "data without S4", |implementation| {
        let mut stage = implementation.stage(&Wish::with(&[("S4", "12")]));
        let mut session = stage.begun_by_the_probe();
        let data = stage.probe.seal(&mut session, &incoming(40));
        let deeds = stage.receive(&data[12..]);
        stage.words(&deeds, None)
    }),
    same(
        "padding_content",
        "an initiation whose padding is all zeros",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[("S1", "31"), ("S2", "17")]));
            let mut datagram = stage.probe.initiation(stage.clock).datagram;
            datagram[..31].fill(0);
            let deeds = stage.receive(&datagram);
            stage.words(&deeds, None)
        },
    ),
    same(
        "transport_unknown",
        "a transport message of a session that never was",
        |implementation| untouched(implementation, transport_unknown),
    ),
    same(
        "response_unexpected",
        "a response that nothing asked for",
        |implementation| untouched(implementation, response_unexpected),
    ),
    same(
        "cookie_unexpected",
        "a cookie reply that nothing asked for",
        |implementation| untouched(implementation, cookie_unexpected),
    ),
    same(
        "after_all",
        "whether the session works after all of these",
        |implementation| {
            in_both_roles(|initiates| {
                let mut stage = implementation.plain();
                let mut session = stage.session(initiates);
                for make in [
                    empty,
                    short,
                    largest,
                    transport_unknown,
                    response_unexpected,
                    cookie_unexpected,
                ] {
                    let datagram = make(&mut stage);
                    stage.receive(&datagram);
                }
                for make in [initiation, response_unexpected, cookie_unexpected] {
                    for datagram in [cut(make)(&mut stage), extended(make)(&mut stage)] {
                        stage.receive(&datagram);
                    }
                }
                for word in 0..=5 {
                    let datagram = with_word(&mut stage, word);
                    if word != 1 {
                        stage.receive(&datagram);
                    }
                }
                let data = stage.probe.seal(&mut session, &incoming(40));
                let deeds = stage.receive(&data);
                stage.words(&deeds, Some(&session))
            })
        },
    ),
];

/// Any four bytes are a type word.
fn wide() -> Wish {
    Wish::with(&[
        ("H1", "5-1073741823"),
        ("H2", "1073741824-2147483647"),
        ("H3", "2147483648-3221225471"),
        ("H4", "3221225472-4294967295"),
    ])
}

/// All messages have 148 bytes, and one of sixteen random words is a type's. With more of them the reference would take too many
/// messages for another type by their padding.
fn colliding() -> Wish {
    Wish::with(&[
        ("S2", "56"),
        ("S3", "84"),
        ("S4", "20"),
        ("H1", "268435456-536870911"),
        ("H2", "536870912-805306367"),
        ("H3", "805306368-1073741823"),
        ("H4", "1073741824-1342177279"),
    ])
}

fn random(stage: &mut Stage, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    stage.probe.rng.fill_bytes(&mut bytes);
    bytes
}

/// What a device with a session does about random bytes of these sizes, and about data after them.
fn noise(implementation: &Implementation, wish: &Wish, sizes: &[usize]) -> String {
    after(implementation, wish, |stage| {
        let each = sizes.iter();
        each.map(|size| random(stage, *size)).collect()
    })
}

/// What a device with a session does about datagrams, each way that it does once, and about data after them; in both roles.
fn after(
    implementation: &Implementation,
    wish: &Wish,
    make: impl Fn(&mut Stage) -> Vec<Vec<u8>>,
) -> String {
    in_both_roles(|initiates| {
        let mut stage = implementation.stage(wish);
        let mut session = stage.session(initiates);
        let mut words = Vec::new();
        for datagram in make(&mut stage) {
            let deeds = stage.receive(&datagram);
            words.push(stage.words(&deeds, Some(&session)));
        }
        words.sort();
        words.dedup();
        let data = stage.probe.seal(&mut session, &incoming(40));
        let deeds = stage.receive(&data);
        let last = stage.words(&deeds, Some(&session));
        format!("{}; {last}", words.join(", "))
    })
}

/// What a device with a session does about a datagram, in both roles.
fn untouched(implementation: &Implementation, make: impl Fn(&mut Stage) -> Vec<u8>) -> String {
    in_both_roles(|initiates| {
        let mut stage = implementation.plain();
        let session = stage.session(initiates);
        let datagram = make(&mut stage);
        let deeds = stage.receive(&datagram);
        stage.words(&deeds, Some(&session))
    })
}

fn mistyped(implementation: &Implementation, word: u32) -> String {
    untouched(implementation, |stage| with_word(stage, word))
}

/// What comes of a response to the device, changed.
fn asked_for(implementation: &Implementation, change: impl Fn(&mut Vec<u8>)) -> String {
    let mut stage = implementation.stage(&Wish::with(&[("S1", "31"), ("S2", "17")]));
    let (mut response, session) = stage.answer();
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
    sign(&mut message, &stage.probe.subject);
    message
}

/// What is made, without its last byte.
fn cut(make: fn(&mut Stage) -> Vec<u8>) -> impl Fn(&mut Stage) -> Vec<u8> {
    move |stage| {
        let mut datagram = make(stage);
        datagram.pop();
        datagram
    }
}

/// What is made, with one byte more.
fn extended(make: fn(&mut Stage) -> Vec<u8>) -> impl Fn(&mut Stage) -> Vec<u8> {
    move |stage| {
        let mut datagram = make(stage);
        datagram.push(0);
        datagram
    }
}

fn initiation(stage: &mut Stage) -> Vec<u8> {
    stage.probe.initiation(stage.clock).datagram
}

fn response_unexpected(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = vec![0x33; 92];
    datagram[..4].copy_from_slice(&2_u32.to_le_bytes());
    sign(&mut datagram, &stage.probe.subject);
    datagram
}

fn cookie_unexpected(stage: &mut Stage) -> Vec<u8> {
    let message = stage.probe.initiation(stage.clock).message;
    stage.probe.cookie_reply(&message, [9; 16])
}

fn transport_unknown(stage: &mut Stage) -> Vec<u8> {
    let mut datagram = vec![0; 64];
    datagram[0] = 4;
    datagram[4..8].copy_from_slice(&stage.probe.secret()[..4]);
    datagram
}
