//! What time brings: retries, rekeys, keepalives, ends of sessions.

use std::time::Duration;

use awg_obfuscation::MessageType;

use super::{Behaviour, in_both_roles, same};
use crate::probe::Session;
use crate::stage::{Bench, MILLISECOND, SECOND, Sent, Stage, Wish, incoming};

pub(super) const ROWS: &[Behaviour] = &[
    same(
        "retries",
        "when an unanswered initiation is sent again",
        |bench| {
            let mut stage = bench.plain();
            let mut sent = stage.send(20).sent;
            stage.advance(200 * SECOND);
            sent.append(&mut stage.take().sent);
            let gaps: Vec<_> = sent
                .windows(2)
                .map(|two| two[1].at.saturating_sub(two[0].at))
                .collect();
            let steady = gaps
                .iter()
                .all(|gap| (5 * SECOND..=5 * SECOND + 333 * MILLISECOND).contains(gap));
            let varied = gaps.iter().any(|gap| *gap != gaps[0]);
            format!(
                "{} initiations, {} s apart{}",
                sent.len(),
                if steady { "5 to 5.333" } else { "otherwise" },
                if varied { ", each time another" } else { "" }
            )
        },
    ),
    same(
        "run_over",
        "what a packet does after the last retry",
        |bench| {
            let mut stage = bench.plain();
            stage.send(20);
            stage.advance(200 * SECOND);
            stage.take();
            let deeds = stage.send(20);
            stage.words(&deeds, None)
        },
    ),
    same(
        "staged_dropped",
        "which of the packets of 100, 200 and 300 bytes that waited through a run of retries are sent, when one of 400 follows",
        |bench| {
            let mut stage = bench.plain();
            for length in [100, 200, 300] {
                stage.send(length);
            }
            stage.advance(200 * SECOND);
            stage.take();
            let deeds = stage.send(400);
            let initiation = stage.initiation(&deeds);
            let (response, session) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            format!("{:?}", lengths(&stage, &session, &deeds.sent))
        },
    ),
    same(
        "staged_kept",
        "which of 200 packets of 100 to 299 bytes that waited for a session are sent",
        |bench| {
            let mut stage = bench.plain();
            let deeds = stage.send(100);
            let initiation = stage.initiation(&deeds);
            for length in 101..300 {
                stage.send(length);
            }
            let (response, session) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            let sent = lengths(&stage, &session, &deeds.sent);
            let all = sent.windows(2).all(|two| two[1] == two[0] + 1);
            match sent.as_slice() {
                [first, .., last] if all => {
                    format!("{} of {first} to {last} bytes, in order", sent.len())
                }
                _ => format!("{sent:?}"),
            }
        },
    ),
    same(
        "no_second_initiation",
        "what a second packet does 4 s after the initiation",
        |bench| {
            let mut stage = bench.plain();
            stage.send(20);
            stage.advance(4 * SECOND);
            stage.take();
            let deeds = stage.send(20);
            stage.words(&deeds, None)
        },
    ),
    same(
        "rekey_before",
        "what a packet does 119 s after a session began that the device made",
        |bench| packet_after(bench, true, 119 * SECOND),
    ),
    same(
        "rekey",
        "what a packet does 121 s after a session began that the device made",
        |bench| packet_after(bench, true, 121 * SECOND),
    ),
    same(
        "no_rekey",
        "what a packet does 121 s after a session began that the other end made",
        |bench| packet_after(bench, false, 121 * SECOND),
    ),
    same(
        "receive_before",
        "what data does that comes 164 s after a session began",
        |bench| in_both_roles(|initiates| data_after(bench, initiates, 164 * SECOND)),
    ),
    same(
        "receive",
        "what data does that comes 166 s after a session began",
        |bench| in_both_roles(|initiates| data_after(bench, initiates, 166 * SECOND)),
    ),
    same(
        "receive_once",
        "how many initiations ten data messages cause after 166 s",
        |bench| {
            let (mut stage, mut session) = quiet(bench, true, 166 * SECOND);
            let count: usize = (0..10)
                .map(|_| {
                    let data = stage.probe.seal(&mut session, &incoming(40));
                    let deeds = stage.receive(&data);
                    stage.of(MessageType::Initiation, &deeds).len()
                })
                .sum();
            count.to_string()
        },
    ),
    same(
        "reject_before",
        "whether a packet is sent by a session of 179 s",
        |bench| in_both_roles(|initiates| sends_data_after(bench, initiates, 179 * SECOND)),
    ),
    same(
        "reject",
        "whether a packet is sent by a session of 181 s",
        |bench| in_both_roles(|initiates| sends_data_after(bench, initiates, 181 * SECOND)),
    ),
    same(
        "reject_received_before",
        "data that comes by a session of 179 s",
        |bench| received_after(bench, 179 * SECOND),
    ),
    same(
        "reject_received",
        "data that comes by a session of 181 s",
        |bench| received_after(bench, 181 * SECOND),
    ),
    same(
        "keepalive",
        "when data that was not answered is answered by a keepalive",
        |bench| {
            in_both_roles(|initiates| {
                let (mut stage, mut session) = quiet(bench, initiates, SECOND);
                let data = stage.probe.seal(&mut session, &incoming(40));
                let from = stage.clock;
                stage.receive(&data);
                stage.advance(12 * SECOND);
                let sent = stage.take().sent;
                told(&stage, &session, &sent, from)
            })
        },
    ),
    same(
        "keepalive_again",
        "the keepalives when more data came while one was due",
        |bench| {
            let (mut stage, mut session) = quiet(bench, false, SECOND);
            let from = stage.clock;
            let mut sent = Vec::new();
            for _ in 0..2 {
                let data = stage.probe.seal(&mut session, &incoming(40));
                sent.append(&mut stage.receive(&data).sent);
                stage.advance(5 * SECOND);
            }
            stage.advance(20 * SECOND);
            sent.append(&mut stage.take().sent);
            told(&stage, &session, &sent, from)
        },
    ),
    same(
        "keepalive_spared",
        "what is sent where the device answered data with data",
        |bench| {
            let mut stage = bench.plain();
            let mut session = stage.begun_by_the_probe();
            let data = stage.probe.seal(&mut session, &incoming(40));
            stage.receive(&data);
            stage.send(20);
            stage.advance(12 * SECOND);
            let deeds = stage.take();
            stage.words(&deeds, Some(&session))
        },
    ),
    same(
        "no_keepalive_for_a_keepalive",
        "what a keepalive is answered by",
        |bench| {
            let (mut stage, mut session) = quiet(bench, false, SECOND);
            let keepalive = stage.probe.seal(&mut session, &[]);
            stage.receive(&keepalive);
            stage.advance(30 * SECOND);
            let deeds = stage.take();
            stage.words(&deeds, Some(&session))
        },
    ),
    same(
        "silence",
        "when data that nothing answers brings a new handshake",
        |bench| {
            in_both_roles(|initiates| {
                let (mut stage, mut session) = quiet(bench, initiates, SECOND);
                let answer = stage.probe.seal(&mut session, &[]);
                stage.receive(&answer);
                let from = stage.clock;
                stage.send(20);
                stage.advance(16 * SECOND);
                let sent = stage.take().sent;
                told(&stage, &session, &sent, from)
            })
        },
    ),
    same(
        "no_silence",
        "whether data that a keepalive answers brings a new handshake",
        |bench| {
            let (mut stage, mut session) = quiet(bench, false, SECOND);
            stage.send(20);
            stage.advance(10 * SECOND);
            let keepalive = stage.probe.seal(&mut session, &[]);
            stage.receive(&keepalive);
            stage.advance(30 * SECOND);
            let deeds = stage.take();
            stage.words(&deeds, Some(&session))
        },
    ),
    same(
        "persistent",
        "when keepalives are sent with PersistentKeepalive = 25",
        |bench| {
            let mut stage = bench.stage(&Wish {
                keepalive: Some(25),
                ..Wish::default()
            });
            let deeds = stage.take();
            let words = stage.words(&deeds, None);
            let session = stage.begun_by_the_probe();
            let from = stage.clock;
            stage.take();
            stage.advance(101 * SECOND);
            let sent = stage.take().sent;
            format!(
                "at the start {words}, then {}",
                told(&stage, &session, &sent, from)
            )
        },
    ),
    same(
        "persistent_moves",
        "when the next keepalive is sent after data sent at 10 s and a keepalive received at 20 s, with PersistentKeepalive = 25",
        |bench| {
            let mut stage = bench.stage(&Wish {
                keepalive: Some(25),
                ..Wish::default()
            });
            let mut session = stage.begun_by_the_probe();
            let from = stage.clock;
            stage.advance(10 * SECOND);
            stage.take();
            let mut sent = stage.send(20).sent;
            stage.advance(10 * SECOND);
            stage.take();
            let keepalive = stage.probe.seal(&mut session, &[]);
            sent.append(&mut stage.receive(&keepalive).sent);
            stage.advance(26 * SECOND);
            sent.append(&mut stage.take().sent);
            told(&stage, &session, &sent, from)
        },
    ),
    same(
        "keys_before",
        "whether the current session is in memory 539 s after the handshake",
        |bench| keys_after(bench, 539 * SECOND),
    ),
    same(
        "keys_zeroed",
        "whether the current session is in memory 541 s after the handshake",
        |bench| keys_after(bench, 541 * SECOND),
    ),
    same(
        "rekey_by_count",
        "what a packet does when the counter is 2^60 + 1",
        |bench| by_counter(bench, (1 << 60) + 1),
    ),
    same(
        "not_yet_by_count",
        "what a packet does when the counter is 2^60 - 2",
        |bench| by_counter(bench, (1 << 60) - 2),
    ),
    same(
        "before_the_count",
        "what a packet does when the counter is 2^60 - 1",
        |bench| by_counter(bench, (1 << 60) - 1),
    ),
    same(
        "at_the_count",
        "what a packet does when the counter is 2^60",
        |bench| by_counter(bench, 1 << 60),
    ),
    same(
        "last_counter",
        "what a packet does when the counter is 2^64 - 2^13 - 1",
        |bench| by_counter(bench, u64::MAX - (1 << 13)),
    ),
];

/// A session, and some time after it began; what the device said meanwhile is not looked at.
fn quiet(bench: &Bench, initiates: bool, by: Duration) -> (Stage, Session) {
    let mut stage = bench.plain();
    let session = stage.session(initiates);
    stage.advance(by);
    stage.take();
    (stage, session)
}

/// The lengths of the packets that a session opens.
fn lengths(stage: &Stage, session: &Session, sent: &[Sent]) -> Vec<u16> {
    sent.iter()
        .filter_map(|sent| stage.probe.open(session, &sent.datagram))
        .filter_map(|message| message.content.get(2..)?.first_chunk().copied())
        .map(u16::from_be_bytes)
        .collect()
}

fn name(stage: &Stage, session: &Session, sent: &Sent) -> String {
    match stage.probe.open(session, &sent.datagram) {
        Some(message) if message.content.is_empty() => "keepalive".to_owned(),
        Some(_) => "data".to_owned(),
        None if stage.probe.kind(&sent.datagram) == Some(MessageType::Initiation) => {
            "initiation".to_owned()
        }
        None => format!("{} bytes", sent.datagram.len()),
    }
}

/// What was sent when: whole seconds since `from`, jitter within the range that both may draw from left out.
fn told(stage: &Stage, session: &Session, sent: &[Sent], from: Duration) -> String {
    let words: Vec<_> = sent
        .iter()
        .map(|each| {
            let after = each.at.saturating_sub(from);
            format!("{} after {} s", name(stage, session, each), after.as_secs())
        })
        .collect();
    words.join(", ")
}

/// What was sent, whatever the order.
fn sorted(stage: &Stage, session: &Session, sent: &[Sent]) -> String {
    let mut words: Vec<_> = sent.iter().map(|each| name(stage, session, each)).collect();
    words.sort();
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        format!("sends {}", words.join(" and "))
    }
}

/// A packet to send so long after the session began.
fn packet_after(bench: &Bench, initiates: bool, by: Duration) -> String {
    let (mut stage, session) = quiet(bench, initiates, by);
    let deeds = stage.send(20);
    sorted(&stage, &session, &deeds.sent)
}

/// A packet to send when so many have been sent.
fn by_counter(bench: &Bench, counter: u64) -> String {
    in_both_roles(|initiates| {
        let (mut stage, session) = quiet(bench, initiates, 10 * SECOND);
        stage.end.set_counter(counter);
        let deeds = stage.send(20);
        sorted(&stage, &session, &deeds.sent)
    })
}

fn data_after(bench: &Bench, initiates: bool, by: Duration) -> String {
    let (mut stage, mut session) = quiet(bench, initiates, by);
    let data = stage.probe.seal(&mut session, &incoming(40));
    let deeds = stage.receive(&data);
    stage.words(&deeds, Some(&session))
}

fn sends_data_after(bench: &Bench, initiates: bool, by: Duration) -> String {
    let (mut stage, session) = quiet(bench, initiates, by);
    let deeds = stage.send(20);
    if lengths(&stage, &session, &deeds.sent).is_empty() {
        "it is not"
    } else {
        "it is"
    }
    .to_owned()
}

fn received_after(bench: &Bench, by: Duration) -> String {
    in_both_roles(|initiates| {
        let (mut stage, mut session) = quiet(bench, initiates, by);
        let data = stage.probe.seal(&mut session, &incoming(40));
        let deeds = stage.receive(&data);
        if deeds.delivered.is_empty() {
            "dropped"
        } else {
            "delivered"
        }
        .to_owned()
    })
}

fn keys_after(bench: &Bench, by: Duration) -> String {
    in_both_roles(|initiates| {
        let (mut stage, _) = quiet(bench, initiates, by);
        if stage.end.has_keys() {
            "it is"
        } else {
            "it is not"
        }
        .to_owned()
    })
}
