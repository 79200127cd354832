//! Handshakes: what is accepted, what is not, and what is said about it.

use std::net::SocketAddr;
use std::time::Duration;

use awg_obfuscation::MessageType;
use awg_tunnel::{PresharedKey, PrivateKey};

use super::headers::sign;
use super::{Behaviour, same};
use crate::probe::Probe;
use crate::stage::{Bench, MILLISECOND, SECOND, Stage, Wish, incoming, probe_key, subject_key};

pub(super) const ROWS: &[Behaviour] = &[
    same("accepted", "an initiation of a known peer", |bench| {
        let mut stage = bench.plain();
        reaction_to_initiation(&mut stage, |_| {})
    }),
    same(
        "carried_out",
        "data both ways, handshake begun by the device",
        |bench| whole(bench, true, None),
    ),
    same(
        "carried_out_by_the_probe",
        "data both ways, handshake begun by the other end",
        |bench| whole(bench, false, None),
    ),
    same(
        "preshared",
        "data both ways with a preshared key",
        |bench| {
            let key = Some(PresharedKey::from_bytes([0x77; 32]));
            format!(
                "{}; {}",
                whole(bench, true, key.clone()),
                whole(bench, false, key)
            )
        },
    ),
    same(
        "confirmation",
        "what the device says when its handshake is answered and nothing waits",
        |bench| {
            let mut stage = bench.plain();
            let (mut session, _) = stage.begun_by_the_device();
            stage.advance(166 * SECOND);
            stage.take();
            let data = stage.probe.seal(&mut session, &incoming(40));
            let deeds = stage.receive(&data);
            let initiation = stage.initiation(&deeds);
            let (response, session) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            stage.words(&deeds, Some(&session))
        },
    ),
    same(
        "first_packet",
        "what the device says when its handshake is answered and a packet waits",
        |bench| {
            let mut stage = bench.plain();
            let (session, deeds) = stage.begun_by_the_device();
            stage.words(&deeds, Some(&session))
        },
    ),
    same("replayed", "the same initiation again", |bench| {
        let mut stage = bench.plain();
        let offer = stage.probe.initiation(stage.clock);
        stage.receive(&offer.datagram);
        stage.advance(SECOND);
        let deeds = stage.receive(&offer.datagram);
        stage.words(&deeds, None)
    }),
    same("too_early", "another initiation 19 ms after one", |bench| {
        second_after(bench, 19 * MILLISECOND, 300 * MILLISECOND)
    }),
    same(
        "at_the_limit",
        "another initiation 20 ms after one",
        |bench| second_after(bench, 20 * MILLISECOND, 300 * MILLISECOND),
    ),
    same(
        "late_enough",
        "another initiation 21 ms after one",
        |bench| second_after(bench, 21 * MILLISECOND, 300 * MILLISECOND),
    ),
    same(
        "same_timestamp",
        "another initiation with the timestamp of the last",
        |bench| second_after(bench, SECOND, Duration::ZERO),
    ),
    same(
        "old_timestamp",
        "an initiation with an older timestamp than the last",
        |bench| {
            let mut stage = bench.plain();
            stage.advance(10 * SECOND);
            let offer = stage.probe.initiation(stage.clock);
            stage.receive(&offer.datagram);
            stage.advance(SECOND);
            let offer = stage
                .probe
                .initiation(stage.clock.saturating_sub(5 * SECOND));
            let deeds = stage.receive(&offer.datagram);
            stage.words(&deeds, None)
        },
    ),
    same(
        "future_timestamp",
        "an initiation a year ahead of the device's clock",
        |bench| {
            let mut stage = bench.plain();
            let offer = stage.probe.initiation(Duration::from_hours(24 * 365));
            let deeds = stage.receive(&offer.datagram);
            stage.words(&deeds, None)
        },
    ),
    same(
        "blurred_timestamp",
        "how fine the timestamp of an initiation is",
        |bench| {
            let mut stage = bench.plain();
            stage.advance(Duration::from_nanos(123_456_789));
            let deeds = stage.send(20);
            let message = stage
                .probe
                .message(MessageType::Initiation, &stage.initiation(&deeds))
                .expect("an initiation");
            let read = awg_tunnel::inspection::Initiation::read(&message, &probe_key());
            let stamp = read.expect("for this probe").timestamp;
            let nanoseconds = u32::from_be_bytes(*stamp.last_chunk().expect("twelve bytes"));
            format!("{nanoseconds} ns of 123456789")
        },
    ),
    same("mac1", "an initiation with a wrong mac1", |bench| {
        let mut stage = bench.plain();
        reaction_to_initiation(&mut stage, |message| message[120] ^= 1)
    }),
    same(
        "mac2_ignored",
        "an initiation with a wrong mac2, without load",
        |bench| {
            let mut stage = bench.plain();
            reaction_to_initiation(&mut stage, |message| message[140] ^= 1)
        },
    ),
    same(
        "ephemeral",
        "an initiation with a changed ephemeral key, signed again",
        |bench| changed(bench, 20),
    ),
    same(
        "static",
        "an initiation with a changed static key, signed again",
        |bench| changed(bench, 50),
    ),
    same(
        "timestamp",
        "an initiation with a changed timestamp, signed again",
        |bench| changed(bench, 100),
    ),
    same(
        "low_order",
        "an initiation whose ephemeral key is a low-order point",
        |bench| {
            let mut stage = bench.plain();
            let subject = stage.probe.subject;
            reaction_to_initiation(&mut stage, |message| {
                message[8..40].fill(0);
                sign(message, &subject);
            })
        },
    ),
    same(
        "for_another",
        "an initiation for another server's key",
        |bench| {
            let mut stage = bench.plain();
            let mut probe = probe_of(probe_key());
            probe.subject = PrivateKey::from_bytes([0x44; 32]).public_key();
            let offer = probe.initiation(stage.clock);
            let deeds = stage.receive(&offer.datagram);
            stage.words(&deeds, None)
        },
    ),
    same("unknown_peer", "an initiation of a stranger", |bench| {
        let mut stage = bench.plain();
        let offer = probe_of(PrivateKey::from_bytes([0x55; 32])).initiation(stage.clock);
        let deeds = stage.receive(&offer.datagram);
        stage.words(&deeds, None)
    }),
    same(
        "other_preshared",
        "an initiation of a peer with another preshared key",
        |bench| {
            let mut stage = bench.stage(&Wish {
                preshared: Some(PresharedKey::from_bytes([0x77; 32])),
                ..Wish::default()
            });
            let mut probe = probe_of(probe_key());
            probe.preshared = PresharedKey::from_bytes([0x78; 32]);
            let offer = probe.initiation(stage.clock);
            let deeds = stage.receive(&offer.datagram);
            let response = &stage.of(MessageType::Response, &deeds)[0];
            let opens = probe.finish(offer, response).is_some();
            format!(
                "{}, which {}",
                stage.words(&deeds, None),
                if opens { "opens" } else { "does not open" }
            )
        },
    ),
    same(
        "response_other_preshared",
        "a response made with another preshared key",
        |bench| {
            let mut stage = bench.plain();
            let initiation = stage.asked();
            let other = PresharedKey::from_bytes([0x78; 32]);
            let (response, _) = stage
                .probe
                .answer_with(&initiation, &other, None)
                .expect("readable");
            let deeds = stage.receive(&response);
            stage.words(&deeds, None)
        },
    ),
    same(
        "response_after_a_bad_one",
        "the right response after a forged one",
        |bench| {
            let mut stage = bench.plain();
            let initiation = stage.asked();
            let other = PresharedKey::from_bytes([0x78; 32]);
            let (bad, _) = stage
                .probe
                .answer_with(&initiation, &other, None)
                .expect("readable");
            stage.receive(&bad);
            let (good, session) = stage.probe.answer(&initiation).expect("readable");
            let deeds = stage.receive(&good);
            stage.words(&deeds, Some(&session))
        },
    ),
    same("response_replayed", "the same response again", |bench| {
        let mut stage = bench.plain();
        let initiation = stage.asked();
        let (response, session) = stage.probe.answer(&initiation).expect("for this probe");
        stage.receive(&response);
        let deeds = stage.receive(&response);
        stage.words(&deeds, Some(&session))
    }),
    same(
        "response_to_an_old_initiation",
        "a response to an initiation that a retry has replaced",
        |bench| {
            let mut stage = bench.plain();
            let initiation = stage.asked();
            stage.advance(6 * SECOND);
            stage.take();
            let (response, session) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            stage.words(&deeds, Some(&session))
        },
    ),
    same(
        "response_for_another_index",
        "a response to an index that is not the device's",
        |bench| {
            let mut stage = bench.plain();
            let initiation = stage.asked();
            let (mut response, _) = stage.probe.answer(&initiation).expect("for this probe");
            response[8] ^= 1;
            sign(&mut response, &stage.probe.subject);
            let deeds = stage.receive(&response);
            stage.words(&deeds, None)
        },
    ),
    same("response_mac1", "a response with a wrong mac1", |bench| {
        let mut stage = bench.plain();
        let initiation = stage.asked();
        let (mut response, _) = stage.probe.answer(&initiation).expect("for this probe");
        response[65] ^= 1;
        let deeds = stage.receive(&response);
        stage.words(&deeds, None)
    }),
    same(
        "unconfirmed",
        "whether the responder sends by a session that the initiator has not used",
        |bench| {
            let mut stage = bench.plain();
            let (offer, deeds) = stage.offered();
            let response = stage.of(MessageType::Response, &deeds);
            let session = stage.probe.finish(offer, &response[0]).expect("a response");
            let deeds = stage.send(20);
            let words = stage.words(&deeds, Some(&session));
            if words.contains("data") {
                "it does"
            } else {
                "it does not"
            }
            .to_owned()
        },
    ),
    same(
        "previous_session",
        "data by the session before the current one",
        |bench| {
            let mut stage = bench.plain();
            let mut old = stage.begun_by_the_probe();
            stage.advance(SECOND);
            stage.begun_by_the_probe();
            let data = stage.probe.seal(&mut old, &incoming(40));
            let deeds = stage.receive(&data);
            stage.words(&deeds, None)
        },
    ),
    same(
        "session_before_that",
        "data by the session before the one before",
        |bench| {
            let mut stage = bench.plain();
            let mut old = stage.begun_by_the_probe();
            for _ in 0..2 {
                stage.advance(SECOND);
                stage.begun_by_the_probe();
            }
            let data = stage.probe.seal(&mut old, &incoming(40));
            let deeds = stage.receive(&data);
            stage.words(&deeds, None)
        },
    ),
    same(
        "roams_by_handshake",
        "where data goes after an initiation from another address",
        |bench| {
            let mut stage = bench.plain();
            stage.begun_by_the_probe();
            stage.probe.address = SocketAddr::from(([198, 51, 100, 9], 4000));
            stage.advance(SECOND);
            // Not confirmed: the session before it still sends.
            stage.offered();
            destination(&mut stage)
        },
    ),
    same(
        "roams_by_data",
        "where data goes after data from another address",
        |bench| {
            let mut stage = bench.plain();
            let mut session = stage.begun_by_the_probe();
            stage.probe.address = SocketAddr::from(([198, 51, 100, 9], 4000));
            let data = stage.probe.seal(&mut session, &incoming(40));
            stage.receive(&data);
            destination(&mut stage)
        },
    ),
    same(
        "does_not_roam",
        "where data goes after forged data from another address",
        |bench| {
            let mut stage = bench.plain();
            let mut session = stage.begun_by_the_probe();
            stage.probe.address = SocketAddr::from(([198, 51, 100, 9], 4000));
            let mut data = stage.probe.seal(&mut session, &incoming(40));
            data[20] ^= 1;
            stage.receive(&data);
            destination(&mut stage)
        },
    ),
    same(
        "restarted",
        "an initiation of the device after its restart",
        |bench| {
            let mut stage = bench.plain();
            stage.begun_by_the_device();
            stage.restart();
            stage.advance(SECOND);
            stage.take();
            let (session, deeds) = stage.begun_by_the_device();
            let words = stage.words(&deeds, Some(&session));
            if words.contains("data") {
                "a new session"
            } else {
                "none"
            }
            .to_owned()
        },
    ),
];

fn probe_of(key: PrivateKey) -> Probe {
    let address = SocketAddr::from(([192, 0, 2, 2], 51820));
    Probe::new(key, subject_key().public_key(), None, address, &[])
}

fn reaction_to_initiation(stage: &mut Stage, change: impl FnOnce(&mut [u8])) -> String {
    let mut offer = stage.probe.initiation(stage.clock);
    change(&mut offer.message);
    let deeds = stage.receive(&offer.message);
    stage.words(&deeds, None)
}

fn changed(bench: &Bench, at: usize) -> String {
    let mut stage = bench.plain();
    let subject = stage.probe.subject;
    reaction_to_initiation(&mut stage, |message| {
        message[at] ^= 1;
        sign(message, &subject);
    })
}

/// A second initiation some time after a first; its timestamp is later by `stamp`.
fn second_after(bench: &Bench, wait: Duration, stamp: Duration) -> String {
    let mut stage = bench.plain();
    let first = stage.probe.initiation(stage.clock);
    let second = stage.probe.initiation(stage.clock + stamp);
    stage.receive(&first.datagram);
    stage.advance(wait);
    let deeds = stage.receive(&second.datagram);
    stage.words(&deeds, None)
}

fn destination(stage: &mut Stage) -> String {
    stage.take();
    stage.send(20).sent[0].to.to_string()
}

fn whole(bench: &Bench, initiates: bool, preshared: Option<PresharedKey>) -> String {
    let mut stage = bench.stage(&Wish {
        preshared,
        ..Wish::default()
    });
    let mut session = stage.session(initiates);
    let deeds = stage.send(100);
    let sent = stage.words(&deeds, Some(&session));
    let data = stage.probe.seal(&mut session, &incoming(100));
    let deeds = stage.receive(&data);
    assert_eq!(deeds.delivered, [incoming(100)]);
    format!("{sent}, {}", stage.words(&deeds, Some(&session)))
}
