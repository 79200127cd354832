//! Datagrams that are no message of the device's: dropped without an answer.

use super::{Behaviour, in_both_roles, same};
use crate::stage::{Bench, Stage, Wish};

pub(super) const ROWS: &[Behaviour] = &[
    same("empty", "an empty datagram", |bench| {
        untouched(bench, |_| Vec::new())
    }),
    same("short", "31 bytes with the transport type word", |bench| {
        untouched(bench, |_| {
            let mut datagram = vec![0; 31];
            datagram[0] = 4;
            datagram
        })
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
        untouched(bench, |stage| {
            let bytes = stage.probe.secret();
            (0..65_507).map(|at| bytes[at % 32] ^ at as u8).collect()
        })
    }),
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
        "type_4",
        "an initiation with the type word of data",
        |bench| mistyped(bench, 4),
    ),
    same(
        "initiation_short",
        "an initiation that lacks its last byte",
        |bench| {
            untouched(bench, |stage| {
                let mut datagram = stage.probe.initiation(stage.clock).datagram;
                datagram.pop();
                datagram
            })
        },
    ),
    same(
        "initiation_long",
        "an initiation with one byte more",
        |bench| {
            untouched(bench, |stage| {
                let mut datagram = stage.probe.initiation(stage.clock).datagram;
                datagram.push(0);
                datagram
            })
        },
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
        |bench| {
            untouched(bench, |stage| {
                let mut datagram = vec![0; 64];
                datagram[0] = 4;
                datagram[4..8].copy_from_slice(&stage.probe.secret()[..4]);
                datagram
            })
        },
    ),
    same(
        "response_unexpected",
        "a response that nothing asked for",
        |bench| {
            untouched(bench, |stage| {
                let mut datagram = vec![0x33; 92];
                datagram[..4].copy_from_slice(&2_u32.to_le_bytes());
                super::headers::sign(&mut datagram, &stage.probe.subject);
                datagram
            })
        },
    ),
    same(
        "cookie_unexpected",
        "a cookie reply that nothing asked for",
        |bench| {
            untouched(bench, |stage| {
                let message = stage.probe.initiation(stage.clock).message;
                stage.probe.cookie_reply(&message, [9; 16])
            })
        },
    ),
    same(
        "after_all",
        "whether the session works after all of these",
        |bench| {
            in_both_roles(|initiates| {
                let mut stage = bench.stage(&plain());
                let mut session = stage.session(initiates);
                for size in [0, 1, 31, 32, 64, 92, 148, 1500] {
                    let noise = vec![4; size];
                    stage.receive(&noise);
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
    untouched(bench, |stage| {
        let mut offer = stage.probe.initiation(stage.clock);
        offer.message[..4].copy_from_slice(&word.to_le_bytes());
        super::headers::sign(&mut offer.message, &stage.probe.subject);
        offer.message
    })
}
