//! Signature and junk packets before an initiation, and before nothing else.

use std::time::Duration;

use awg_obfuscation::MessageType;

use super::{Behaviour, differs, same};
use crate::end::START;
use crate::hex;
use crate::packets::incoming;
use crate::stage::{Deeds, Implementation, SECOND, Stage};
use crate::wish::Wish;

pub(super) const ROWS: &[Behaviour] = &[
    same(
        "first_initiation",
        "what is sent before the first initiation",
        |implementation| {
            let mut stage = implementation.stage(&Wish::everything());
            let deeds = stage.send(20);
            in_words(&stage, &deeds)
        },
    ),
    same("retry", "what is sent before a retry", |implementation| {
        let mut stage = implementation.stage(&Wish::everything());
        stage.send(20);
        stage.advance(6 * SECOND);
        let deeds = stage.take();
        in_words(&stage, &deeds)
    }),
    same("rekey", "what is sent before a rekey", |implementation| {
        let mut stage = implementation.stage(&Wish::everything());
        stage.begun_by_the_device();
        stage.advance(121 * SECOND);
        stage.take();
        // The packet that brings it about goes first or last: that is not looked at.
        let mut deeds = stage.send(20);
        deeds
            .sent
            .retain(|sent| stage.probe.kind(&sent.datagram) != Some(MessageType::Transport));
        in_words(&stage, &deeds)
    }),
    same(
        "response",
        "what is sent before a response",
        |implementation| {
            let mut stage = implementation.stage(&Wish::everything());
            let (_, deeds) = stage.offered();
            in_words(&stage, &deeds)
        },
    ),
    same(
        "cookie_reply",
        "what is sent before a cookie reply",
        |implementation| {
            let mut stage = implementation.stage(&Wish::everything());
            stage.flood();
            let (_, deeds) = stage.offered();
            stage.words(&deeds, None)
        },
    ),
    same("transport", "what is sent before data", |implementation| {
        let mut stage = implementation.stage(&Wish::everything());
        let session = stage.begun_by_the_probe();
        let deeds = stage.send(20);
        stage.words(&deeds, Some(&session))
    }),
    same(
        "keepalive",
        "what is sent before a keepalive",
        |implementation| {
            let mut stage = implementation.stage(&Wish::everything());
            let mut session = stage.begun_by_the_probe();
            let data = stage.probe.seal(&mut session, &incoming(40));
            stage.receive(&data);
            stage.advance(11 * SECOND);
            let deeds = stage.take();
            stage.words(&deeds, Some(&session))
        },
    ),
    same(
        "junk_sizes",
        "which sizes junk packets have, with Jmin = 40 and Jmax = 44",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[
                ("Jc", "100"),
                ("Jmin", "40"),
                ("Jmax", "44"),
            ]));
            let deeds = stage.send(20);
            let mut sizes: Vec<_> = deeds.sent.iter().map(|sent| sent.datagram.len()).collect();
            assert_eq!(sizes.pop(), Some(148));
            sizes.sort_unstable();
            sizes.dedup();
            format!("{sizes:?}")
        },
    ),
    same(
        "junk_content",
        "whether two junk packets are alike",
        |implementation| {
            let mut stage =
                implementation.stage(&Wish::with(&[("Jc", "2"), ("Jmin", "60"), ("Jmax", "60")]));
            let deeds = stage.send(20);
            alike(&deeds.sent[0].datagram, &deeds.sent[1].datagram)
        },
    ),
    same("tag_b", "what `<b 0xc0ff00>` gives", |implementation| {
        signature(implementation, "<b 0xc0ff00>")
    }),
    same("tag_b_bare", "what `<b c0ff>` gives", |implementation| {
        signature(implementation, "<b c0ff>")
    }),
    same("tag_r", "what `<r 40>` gives", |implementation| {
        signature(implementation, "<r 40>")
    }),
    same("tag_rd", "what `<rd 40>` gives", |implementation| {
        signature(implementation, "<rd 40>")
    }),
    same("tag_rc", "what `<rc 40>` gives", |implementation| {
        signature(implementation, "<rc 40>")
    }),
    same("tag_t", "what `<t>` gives", |implementation| {
        signature(implementation, "<t>")
    }),
    same("tag_d", "what `<b 0x01><d>` gives", |implementation| {
        signature(implementation, "<b 0x01><d>")
    }),
    same("tag_ds", "what `<b 0x01><ds>` gives", |implementation| {
        signature(implementation, "<b 0x01><ds>")
    }),
    same("tag_dz", "what `<dz 4>` gives", |implementation| {
        signature(implementation, "<dz 4>")
    }),
    differs(
        "tag_none",
        "the sizes sent with I1 = ` ` (blanks, no tag) and I2 = `<r 9>`",
        "an empty datagram is a mark of its own; the reference's later versions leave it out, too",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[("I1", " "), ("I2", "<r 9>")]));
            let sent = stage.send(20).sent;
            let sizes: Vec<_> = sent.iter().map(|sent| sent.datagram.len()).collect();
            format!("{sizes:?}")
        },
    ),
    differs(
        "tag_c",
        "what `<c>` gives",
        "the reference documents the tag and refuses it; nobody who receives reads a signature packet",
        |implementation| {
            let Ok(mut stage) = implementation.try_stage(&Wish::with(&[("I1", "<c>")])) else {
                return "refused".to_owned();
            };
            let mut sent = stage.send(20).sent;
            stage.advance(6 * SECOND);
            sent.append(&mut stage.take().sent);
            format!("{:?}, then {:?}", sent[0].datagram, sent[2].datagram)
        },
    ),
    same(
        "chain",
        "what `<b 0xaa><rd 3><t><rc 2>` gives",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[("I1", "<b 0xaa><rd 3><t><rc 2>")]));
            let sent = stage.send(20).sent.remove(0);
            let [byte, a, b, c, time @ .., d, e] = sent.datagram.as_slice() else {
                return "something else".to_owned();
            };
            let right = *byte == 0xaa
                && [a, b, c].iter().all(|digit| digit.is_ascii_digit())
                && time == unix(sent.at)
                && [d, e].iter().all(|letter| letter.is_ascii_alphabetic());
            if right {
                "each in its place"
            } else {
                "something else"
            }
            .to_owned()
        },
    ),
];

/// What the tag for the time gives at a moment.
fn unix(at: Duration) -> [u8; 4] {
    ((START + at).as_secs() as u32).to_be_bytes()
}

/// The sizes in order; junk, which draws its size, as such.
fn in_words(stage: &Stage, deeds: &Deeds) -> String {
    let words: Vec<_> = deeds
        .sent
        .iter()
        .map(
            |sent| match (stage.probe.kind(&sent.datagram), sent.datagram.len()) {
                (Some(kind), size) => format!("{} of {size}", format!("{kind:?}").to_lowercase()),
                (None, 50..=60) => "junk of 50 to 60".to_owned(),
                (None, size) => format!("signature of {size}"),
            },
        )
        .collect();
    words.join(", ")
}

/// What I1 with this text becomes: bytes that are fixed as they are, random ones by their kind.
fn signature(implementation: &Implementation, text: &str) -> String {
    let Ok(mut stage) = implementation.try_stage(&Wish::with(&[("I1", text)])) else {
        return "refused".to_owned();
    };
    let first = stage.send(20).sent.remove(0);
    stage.advance(6 * SECOND);
    let second = stage.take().sent.remove(0);
    let mut words = Vec::new();
    let mut at = 0;
    while at < first.datagram.len() {
        let (one, two) = (&first.datagram[at..], &second.datagram[at..]);
        if one.starts_with(&unix(first.at)) && two.starts_with(&unix(second.at)) {
            words.push("the time".to_owned());
            at += 4;
            continue;
        }
        let run = |is: fn(u8) -> bool| {
            one.iter()
                .zip(two)
                .take_while(|(a, b)| is(**a) && is(**b))
                .count()
        };
        let fixed = one.iter().zip(two).take_while(|(a, b)| a == b).count();
        let digits = run(|byte| byte.is_ascii_digit());
        let letters = run(|byte| byte.is_ascii_alphabetic());
        let (word, length) = if digits > fixed && digits >= 3 {
            (format!("{digits} random digits"), digits)
        } else if letters > fixed && letters >= 2 {
            (format!("{letters} random letters"), letters)
        } else if fixed > 0 && (fixed == one.len() || fixed <= 4) {
            (format!("0x{}", hex::write(&one[..fixed])), fixed)
        } else {
            (format!("{} random bytes", one.len()), one.len())
        };
        words.push(word);
        at += length;
    }
    words.join(", ")
}

pub(super) fn alike(one: &[u8], two: &[u8]) -> String {
    if one == two {
        "they are"
    } else {
        "they are not"
    }
    .to_owned()
}
