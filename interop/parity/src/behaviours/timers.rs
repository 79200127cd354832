//! What time brings: retries, rekeys, keepalives, ends of sessions.

use std::time::Duration;

use awg_obfuscation::MessageType;

use super::{Behaviour, in_both_roles, plain, same};
use crate::packets::incoming;
use crate::probe::Session;
use crate::stage::{Implementation, MILLISECOND, SECOND, Sent, Stage};
use crate::wish::Wish;

pub(super) const ROWS: &[Behaviour] = &[
    plain(
        "retries",
        "when an unanswered initiation is sent again",
        |stage| {
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
    plain(
        "run_over",
        "what a packet does after the last retry",
        |stage| {
            stage.send(20);
            stage.advance(200 * SECOND);
            stage.take();
            let deeds = stage.send(20);
            stage.words(&deeds, None)
        },
    ),
    plain(
        "staged_dropped",
        "which of the packets of 100, 200 and 300 bytes that waited through a run of retries are sent, when one of 400 follows",
        |stage| {
            for length in [100, 200, 300] {
                stage.send(length);
            }
            stage.advance(200 * SECOND);
            stage.take();
            let deeds = stage.send(400);
            let initiation = stage.initiation(&deeds);
            let (response, session) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            format!("{:?}", lengths(stage, &session, &deeds.sent))
        },
    ),
    plain(
        "staged_kept",
        "which of 200 packets of 100 to 299 bytes that waited for a session are sent",
        |stage| {
            let deeds = stage.send(100);
            let initiation = stage.initiation(&deeds);
            for length in 101..300 {
                stage.send(length);
            }
            let (response, session) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            let sent = lengths(stage, &session, &deeds.sent);
            let all = sent.windows(2).all(|two| two[1] == two[0] + 1);
            match sent.as_slice() {
                [first, .., last] if all => {
                    format!("{} of {first} to {last} bytes, in order", sent.len())
                }
                _ => format!("{sent:?}"),
            }
        },
    ),
    plain(
        "no_second_initiation",
        "what a second packet does 4 s after the initiation",
        |stage| {
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
        |implementation| packet_after(implementation, true, 119 * SECOND),
    ),
    same(
        "rekey",
        "what a packet does 121 s after a session began that the device made",
        |implementation| packet_after(implementation, true, 121 * SECOND),
    ),
    same(
        "no_rekey",
        "what a packet does 121 s after a session began that the other end made",
        |implementation| packet_after(implementation, false, 121 * SECOND),
    ),
    same(
        "receive_before",
        "what data does that comes 164 s after a session began",
        |implementation| {
            in_both_roles(|initiates| data_after(implementation, initiates, 164 * SECOND))
        },
    ),
    same(
        "receive",
        "what data does that comes 166 s after a session began",
        |implementation| {
            in_both_roles(|initiates| data_after(implementation, initiates, 166 * SECOND))
        },
    ),
    same(
        "receive_once",
        "how many initiations ten data messages cause after 166 s",
        |implementation| {
            let (mut stage, mut session) = quiet(implementation, true, 166 * SECOND);
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
        |implementation| {
            in_both_roles(|initiates| sends_data_after(implementation, initiates, 179 * SECOND))
        },
    ),
    same(
        "reject",
        "whether a packet is sent by a session of 181 s",
        |implementation| {
            in_both_roles(|initiates| sends_data_after(implementation, initiates, 181 * SECOND))
        },
    ),
    same(
        "reject_received_before",
        "data that comes by a session of 179 s",
        |implementation| received_after(implementation, 179 * SECOND),
    ),
    same(
        "reject_received",
        "data that comes by a session of 181 s",
        |implementation| received_after(implementation, 181 * SECOND),
    ),
    same(
        "keepalive",
        "when data that was not answered is answered by a keepalive",
        |implementation| {
            in_both_roles(|initiates| {
                let (mut stage, mut session) = quiet(implementation, initiates, SECOND);
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
        |implementation| {
            let (mut stage, mut session) = quiet(implementation, false, SECOND);
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
    plain(
        "keepalive_spared",
        "what is sent where the device answered data with data",
        |stage| {
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
        |implementation| {
            let (mut stage, mut session) = quiet(implementation, false, SECOND);
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
        |implementation| {
            in_both_roles(|initiates| {
                let (mut stage, mut session) = quiet(implementation, initiates, SECOND);
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
        |implementation| {
            let (mut stage, mut session) = quiet(implementation, false, SECOND);
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
        |implementation| {
            let mut stage = implementation.stage(&Wish {
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
        |implementation| {
            let mut stage = implementation.stage(&Wish {
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
        "keys",
        "which sessions are in memory 539 s and 541 s after the first handshake",
        |implementation| {
            in_both_roles(|initiates| {
                let (mut stage, _) = quiet(implementation, initiates, Duration::ZERO);
                held_over(&mut stage)
            })
        },
    ),
    same(
        "keys_previous",
        "which sessions are in memory 539 s and 541 s after the second handshake",
        |implementation| {
            in_both_roles(|initiates| held_over(&mut renewed(implementation, initiates)))
        },
    ),
    same(
        "keys_unconfirmed",
        "which sessions are in memory 539 s and 541 s after a third handshake, with a response that the other end never used",
        |implementation| {
            in_both_roles(|initiates| {
                let mut stage = renewed(implementation, initiates);
                stage.advance(SECOND);
                stage.offered();
                held_over(&mut stage)
            })
        },
    ),
    plain(
        "keys_unconfirmed_alone",
        "which sessions are in memory 539 s and 541 s after the first handshake, with a response that the other end never used",
        |stage| {
            stage.offered();
            held_over(stage)
        },
    ),
    same(
        "rekey_by_count",
        "what a packet does when the counter is 2^60 + 1",
        |implementation| by_counter(implementation, (1 << 60) + 1),
    ),
    same(
        "not_yet_by_count",
        "what a packet does when the counter is 2^60 - 2",
        |implementation| by_counter(implementation, (1 << 60) - 2),
    ),
    same(
        "before_the_count",
        "what a packet does when the counter is 2^60 - 1",
        |implementation| by_counter(implementation, (1 << 60) - 1),
    ),
    same(
        "at_the_count",
        "what a packet does when the counter is 2^60",
        |implementation| by_counter(implementation, 1 << 60),
    ),
    same(
        "last_counter",
        "what a packet does when the counter is 2^64 - 2^13 - 1",
        |implementation| by_counter(implementation, u64::MAX - (1 << 13)),
    ),
];

/// A session, and some time after it began; what the device said meanwhile is not looked at.
fn quiet(implementation: &Implementation, initiates: bool, by: Duration) -> (Stage, Session) {
    let mut stage = implementation.plain();
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
fn packet_after(implementation: &Implementation, initiates: bool, by: Duration) -> String {
    let (mut stage, session) = quiet(implementation, initiates, by);
    let deeds = stage.send(20);
    sorted(&stage, &session, &deeds.sent)
}

/// A packet to send when so many have been sent.
fn by_counter(implementation: &Implementation, counter: u64) -> String {
    in_both_roles(|initiates| {
        let (mut stage, session) = quiet(implementation, initiates, 10 * SECOND);
        stage.end.set_counter(counter);
        let deeds = stage.send(20);
        sorted(&stage, &session, &deeds.sent)
    })
}

fn data_after(implementation: &Implementation, initiates: bool, by: Duration) -> String {
    let (mut stage, mut session) = quiet(implementation, initiates, by);
    let data = stage.probe.seal(&mut session, &incoming(40));
    let deeds = stage.receive(&data);
    stage.words(&deeds, Some(&session))
}

fn sends_data_after(implementation: &Implementation, initiates: bool, by: Duration) -> String {
    let (mut stage, session) = quiet(implementation, initiates, by);
    let deeds = stage.send(20);
    if lengths(&stage, &session, &deeds.sent).is_empty() {
        "it is not"
    } else {
        "it is"
    }
    .to_owned()
}

fn received_after(implementation: &Implementation, by: Duration) -> String {
    in_both_roles(|initiates| {
        let (mut stage, mut session) = quiet(implementation, initiates, by);
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

/// A device with a current and a previous session, and nothing that waits for an answer.
fn renewed(implementation: &Implementation, initiates: bool) -> Stage {
    let (mut stage, mut session) = quiet(implementation, initiates, SECOND);
    let keepalive = stage.probe.seal(&mut session, &[]);
    stage.receive(&keepalive);
    // Past the age at which a packet brings about the next.
    stage.advance(121 * SECOND);
    stage.take();
    stage.session(initiates);
    stage
}

/// Which sessions are in memory a second before nine minutes are over, and a second after.
fn held_over(stage: &mut Stage) -> String {
    let held = [539 * SECOND, 2 * SECOND].map(|by| {
        stage.advance(by);
        stage.take();
        let held = stage.end.held();
        let all = [
            (held.current, "current"),
            (held.previous, "previous"),
            (held.next, "unconfirmed"),
        ];
        let names: Vec<_> = all
            .into_iter()
            .filter_map(|(is, name)| is.then_some(name))
            .collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(" and ")
        }
    });
    held.join(", then ")
}
