//! Type words drawn from H1 to H4.

use awg_obfuscation::MessageType;

use super::{Behaviour, differs, same};
use crate::packets::incoming;
use crate::stage::{Implementation, MILLISECOND, SECOND, Stage};
use crate::wish::Wish;

pub(super) const ROWS: &[Behaviour] = &[
    same(
        "initiation",
        "which type words 100 initiations have with H1 = 100-104",
        |implementation| {
            let words = (0..5).flat_map(|seed| {
                let mut stage = implementation.stage(&Wish { seed, ..ranges() });
                let mut deeds = stage.send(20);
                stage.advance(120 * SECOND);
                deeds.sent.append(&mut stage.take().sent);
                words(&deeds.sent)
            });
            seen(words)
        },
    ),
    same(
        "response",
        "which type words 60 responses have with H2 = 200-204",
        |implementation| {
            let mut stage = implementation.stage(&ranges());
            let mut all = Vec::new();
            for _ in 0..60 {
                stage.advance(25 * MILLISECOND);
                let offer = stage.probe.initiation(stage.clock);
                all.append(&mut stage.receive(&offer.datagram).sent);
            }
            seen(words(&all).into_iter())
        },
    ),
    same(
        "cookie_reply",
        "which type words 60 cookie replies have with H3 = 300-304",
        |implementation| {
            let mut stage = implementation.stage(&ranges());
            stage.flood();
            let all: Vec<_> = (0..60).flat_map(|_| stage.offered().1.sent).collect();
            seen(words(&all).into_iter())
        },
    ),
    same(
        "transport",
        "which type words 60 transport messages have with H4 = 400-404",
        |implementation| {
            let mut stage = implementation.stage(&ranges());
            stage.begun_by_the_probe();
            let all: Vec<_> = (0..60).flat_map(|_| stage.send(20).sent).collect();
            seen(words(&all).into_iter())
        },
    ),
    same(
        "received",
        "which type words of an initiation are taken with H1 = 100-104",
        |implementation| taken(implementation, &ranges(), MessageType::Initiation, 98..=106),
    ),
    same(
        "received_response",
        "which type words of a response are taken with H2 = 200-204",
        |implementation| taken(implementation, &ranges(), MessageType::Response, 198..=206),
    ),
    same(
        "received_cookie_reply",
        "which type words of a cookie reply are taken with H3 = 300-304",
        |implementation| {
            taken(
                implementation,
                &ranges(),
                MessageType::CookieReply,
                298..=306,
            )
        },
    ),
    same(
        "received_transport",
        "which type words of data are taken with H4 = 400-404",
        |implementation| taken(implementation, &ranges(), MessageType::Transport, 398..=406),
    ),
    same(
        "default_word",
        "whether a message with WireGuard's own type word is taken with H1 = 100-104",
        |implementation| {
            let mut stage = implementation.stage(&ranges());
            let mut offer = stage.probe.initiation(stage.clock);
            offer.message[..4].copy_from_slice(&1_u32.to_le_bytes());
            sign(&mut offer.message, &stage.probe.subject);
            let deeds = stage.receive(&offer.message);
            stage.words(&deeds, None)
        },
    ),
    same(
        "mac1_covers_the_word",
        "what comes of an initiation whose type word was changed within H1",
        |implementation| {
            let mut stage = implementation.stage(&ranges());
            let mut offer = stage.probe.initiation(stage.clock);
            let word = u32::from_le_bytes(*offer.message.first_chunk().expect("a word"));
            let other = if word == 100 { 101 } else { word - 1 };
            offer.message[..4].copy_from_slice(&u32::to_le_bytes(other));
            let deeds = stage.receive(&offer.message);
            stage.words(&deeds, None)
        },
    ),
    same(
        "colliding_sizes",
        "which of four messages of one size are told apart, with S1 = 0, S2 = 56, S3 = 84 and S4 = 20",
        colliding,
    ),
    differs(
        "wide_range",
        "how many of 40 data messages of an initiation's size are delivered with H1 = 5-4000000000",
        "what fails mac1 is tried as the later types that it fits; invisible from outside",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[
                ("S1", "0"),
                ("S4", "20"),
                ("H1", "5-4000000000"),
                ("H2", "2"),
                ("H3", "3"),
                ("H4", "4"),
            ]));
            let mut session = stage.begun_by_the_probe();
            let delivered = (0..40)
                .filter(|_| {
                    let content = incoming(96);
                    let data = stage.probe.seal(&mut session, &content);
                    assert_eq!(data.len(), 148);
                    !stage.receive(&data).delivered.is_empty()
                })
                .count();
            format!("{delivered} of 40")
        },
    ),
];

fn ranges() -> Wish {
    Wish::with(&[
        ("H1", "100-104"),
        ("H2", "200-204"),
        ("H3", "300-304"),
        ("H4", "400-404"),
    ])
}

fn words(sent: &[crate::stage::Sent]) -> Vec<u32> {
    sent.iter()
        .map(|sent| u32::from_le_bytes(*sent.datagram.first_chunk().expect("a word")))
        .collect()
}

fn seen(words: impl Iterator<Item = u32>) -> String {
    let mut words: Vec<_> = words.collect();
    words.sort_unstable();
    words.dedup();
    format!("{words:?}")
}

/// Which of these type words a message of that kind is taken under.
pub(super) fn taken(
    implementation: &Implementation,
    wish: &Wish,
    kind: MessageType,
    words: impl IntoIterator<Item = u32>,
) -> String {
    let words = words.into_iter();
    let taken: Vec<_> = words
        .filter(|word| is_taken(&mut implementation.stage(wish), kind, *word))
        .collect();
    format!("{taken:?}")
}

/// Whether a message that the device has every reason to take is taken under a type word. Data has 96 bytes.
fn is_taken(stage: &mut Stage, kind: MessageType, word: u32) -> bool {
    let subject = stage.probe.subject;
    let start = stage.probe.obfuscation.padding(kind);
    let under_the_word = |mut datagram: Vec<u8>| {
        let message = &mut datagram[start..];
        message[..4].copy_from_slice(&word.to_le_bytes());
        if matches!(kind, MessageType::Initiation | MessageType::Response) {
            sign(message, &subject);
        }
        datagram
    };
    match kind {
        MessageType::Initiation => {
            let offer = stage.probe.initiation(stage.clock);
            !stage
                .receive(&under_the_word(offer.datagram))
                .sent
                .is_empty()
        }
        MessageType::Response => {
            let (response, _) = stage.answer();
            !stage.receive(&under_the_word(response)).sent.is_empty()
        }
        MessageType::CookieReply => {
            let initiation = stage.asked();
            let reply = stage.probe.cookie_reply(&initiation, [7; 16]);
            stage.receive(&under_the_word(reply));
            stage.advance(6 * SECOND);
            let deeds = stage.take();
            !stage.initiation(&deeds).ends_with(&[0; 16])
        }
        MessageType::Transport => {
            let mut session = stage.begun_by_the_probe();
            let data = stage.probe.seal(&mut session, &incoming(96));
            !stage.receive(&under_the_word(data)).delivered.is_empty()
        }
    }
}

/// Signs a handshake message again after a change.
pub(super) fn sign(message: &mut [u8], to: &awg_tunnel::PublicKey) {
    awg_tunnel::inspection::authenticate_message(message, to, None).expect("a handshake message");
}

fn colliding(implementation: &Implementation) -> String {
    let mut told = Vec::new();
    let mut stage = implementation.stage(&Wish::colliding());
    let first = stage.send(20);
    let initiation = stage.initiation(&first);
    let reply = stage.probe.cookie_reply(&initiation, [7; 16]);
    stage.receive(&reply);
    stage.advance(6 * SECOND);
    let retry = stage.take();
    let initiation = stage.initiation(&retry);
    if initiation[initiation.len() - 16..] != [0; 16] {
        told.push("a cookie reply");
    }
    let (response, mut session) = stage.probe.answer(&initiation).expect("for this probe");
    let deeds = stage.receive(&response);
    if stage.words(&deeds, Some(&session)).contains("data") {
        told.push("a response");
    }
    let data = stage.probe.seal(&mut session, &incoming(96));
    if !stage.receive(&data).delivered.is_empty() {
        told.push("data");
    }
    let (offer, deeds) = stage.offered();
    if !stage.of(MessageType::Response, &deeds).is_empty() {
        told.push("an initiation");
    }
    let sizes = [&initiation, &response, &reply, &data, &offer.datagram].map(Vec::len);
    assert_eq!(sizes, [148; 5]);
    told.join(", ")
}
