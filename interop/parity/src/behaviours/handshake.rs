//! Handshakes: what is accepted, what is not, and what is said about it.

use std::net::SocketAddr;
use std::time::Duration;

use awg_obfuscation::MessageType;
use awg_tunnel::{PresharedKey, PrivateKey};

use super::headers::sign;
use super::{Behaviour, differs, plain, same};
use crate::packets::incoming;
use crate::probe::Probe;
use crate::stage::{Implementation, MILLISECOND, SECOND, Stage};
use crate::wish::{Wish, probe_key, subject_key};

pub(super) const ROWS: &[Behaviour] = &[
    plain("accepted", "an initiation of a known peer", |stage| {
        reaction_to_initiation(stage, |_| {})
    }),
    same(
        "carried_out",
        "data both ways, handshake begun by the device",
        |implementation| whole(implementation, true, None),
    ),
    same(
        "carried_out_by_the_probe",
        "data both ways, handshake begun by the other end",
        |implementation| whole(implementation, false, None),
    ),
    same(
        "preshared",
        "data both ways with a preshared key",
        |implementation| {
            let key = Some(PresharedKey::from_bytes([0x77; 32]));
            format!(
                "{}; {}",
                whole(implementation, true, key.clone()),
                whole(implementation, false, key)
            )
        },
    ),
    plain(
        "confirmation",
        "what the device says when its handshake is answered and nothing waits",
        |stage| {
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
    plain(
        "first_packet",
        "what the device says when its handshake is answered and a packet waits",
        |stage| {
            let (session, deeds) = stage.begun_by_the_device();
            stage.words(&deeds, Some(&session))
        },
    ),
    plain("replayed", "the same initiation again", |stage| {
        let offer = stage.probe.initiation(stage.clock);
        stage.receive(&offer.datagram);
        stage.advance(SECOND);
        let deeds = stage.receive(&offer.datagram);
        stage.words(&deeds, None)
    }),
    same(
        "too_early",
        "another initiation 19 ms after one",
        |implementation| second_after(implementation, 19 * MILLISECOND, 300 * MILLISECOND),
    ),
    same(
        "at_the_limit",
        "another initiation 20 ms after one",
        |implementation| second_after(implementation, 20 * MILLISECOND, 300 * MILLISECOND),
    ),
    same(
        "late_enough",
        "another initiation 21 ms after one",
        |implementation| second_after(implementation, 21 * MILLISECOND, 300 * MILLISECOND),
    ),
    same(
        "same_timestamp",
        "another initiation with the timestamp of the last",
        |implementation| second_after(implementation, SECOND, Duration::ZERO),
    ),
    plain(
        "old_timestamp",
        "an initiation with an older timestamp than the last",
        |stage| {
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
    plain(
        "future_timestamp",
        "an initiation a year ahead of the device's clock",
        |stage| {
            let offer = stage.probe.initiation(Duration::from_hours(24 * 365));
            let deeds = stage.receive(&offer.datagram);
            stage.words(&deeds, None)
        },
    ),
    plain(
        "blurred_timestamp",
        "how fine the timestamp of an initiation is",
        |stage| {
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
    plain("mac1", "an initiation with a wrong mac1", |stage| {
        reaction_to_initiation(stage, |message| message[120] ^= 1)
    }),
    plain(
        "mac2_ignored",
        "an initiation with a wrong mac2, without load",
        |stage| reaction_to_initiation(stage, |message| message[140] ^= 1),
    ),
    same(
        "ephemeral",
        "an initiation with a changed ephemeral key, signed again",
        |implementation| changed(implementation, 20),
    ),
    same(
        "static",
        "an initiation with a changed static key, signed again",
        |implementation| changed(implementation, 50),
    ),
    same(
        "timestamp",
        "an initiation with a changed timestamp, signed again",
        |implementation| changed(implementation, 100),
    ),
    plain(
        "low_order",
        "an initiation whose ephemeral key is a low-order point",
        |stage| {
            let subject = stage.probe.subject;
            reaction_to_initiation(stage, |message| {
                message[8..40].fill(0);
                sign(message, &subject);
            })
        },
    ),
    plain(
        "for_another",
        "an initiation for another server's key",
        |stage| {
            let mut probe = probe_of(probe_key());
            probe.subject = PrivateKey::from_bytes([0x44; 32]).public_key();
            let offer = probe.initiation(stage.clock);
            let deeds = stage.receive(&offer.datagram);
            stage.words(&deeds, None)
        },
    ),
    plain("unknown_peer", "an initiation of a stranger", |stage| {
        let offer = probe_of(PrivateKey::from_bytes([0x55; 32])).initiation(stage.clock);
        let deeds = stage.receive(&offer.datagram);
        stage.words(&deeds, None)
    }),
    same(
        "other_preshared",
        "an initiation of a peer with another preshared key",
        |implementation| {
            let mut stage = implementation.stage(&Wish {
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
    plain(
        "response_other_preshared",
        "a response made with another preshared key",
        |stage| {
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
    plain(
        "response_after_a_bad_one",
        "the right response after a forged one",
        |stage| {
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
    plain("response_replayed", "the same response again", |stage| {
        let (response, session) = stage.answer();
        stage.receive(&response);
        let deeds = stage.receive(&response);
        stage.words(&deeds, Some(&session))
    }),
    plain(
        "response_to_an_old_initiation",
        "a response to an initiation that a retry has replaced",
        |stage| {
            let initiation = stage.asked();
            stage.advance(6 * SECOND);
            stage.take();
            let (response, session) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            stage.words(&deeds, Some(&session))
        },
    ),
    differs(
        "response_to_a_crossed_initiation",
        "a response to an initiation after which the other end's came",
        "the reference forgets its own; we keep both sessions, so that two ends that begin at once need one try, not 5 s",
        |implementation| {
            let mut stage = implementation.plain();
            let initiation = stage.asked();
            stage.offered();
            let (response, session) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            stage.words(&deeds, Some(&session))
        },
    ),
    plain(
        "response_for_another_index",
        "a response to an index that is not the device's",
        |stage| {
            let (mut response, _) = stage.answer();
            response[8] ^= 1;
            sign(&mut response, &stage.probe.subject);
            let deeds = stage.receive(&response);
            stage.words(&deeds, None)
        },
    ),
    plain("response_mac1", "a response with a wrong mac1", |stage| {
        let (mut response, _) = stage.answer();
        response[65] ^= 1;
        let deeds = stage.receive(&response);
        stage.words(&deeds, None)
    }),
    plain(
        "unconfirmed",
        "whether the responder sends by a session that the initiator has not used",
        |stage| {
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
    plain(
        "previous_session",
        "data by the session before the current one",
        |stage| {
            let mut old = stage.begun_by_the_probe();
            stage.advance(SECOND);
            stage.begun_by_the_probe();
            let data = stage.probe.seal(&mut old, &incoming(40));
            let deeds = stage.receive(&data);
            stage.words(&deeds, None)
        },
    ),
    plain(
        "session_before_that",
        "data by the session before the one before",
        |stage| {
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
    plain(
        "roams_by_handshake",
        "where data goes after an initiation from another address",
        |stage| {
            stage.begun_by_the_probe();
            stage.probe.address = SocketAddr::from(([198, 51, 100, 9], 4000));
            stage.advance(SECOND);
            // Not confirmed: the session before it still sends.
            stage.offered();
            destination(stage)
        },
    ),
    plain(
        "roams_by_data",
        "where data goes after data from another address",
        |stage| {
            let mut session = stage.begun_by_the_probe();
            stage.probe.address = SocketAddr::from(([198, 51, 100, 9], 4000));
            let data = stage.probe.seal(&mut session, &incoming(40));
            stage.receive(&data);
            destination(stage)
        },
    ),
    plain(
        "does_not_roam",
        "where data goes after forged data from another address",
        |stage| {
            let mut session = stage.begun_by_the_probe();
            stage.probe.address = SocketAddr::from(([198, 51, 100, 9], 4000));
            let mut data = stage.probe.seal(&mut session, &incoming(40));
            data[20] ^= 1;
            stage.receive(&data);
            destination(stage)
        },
    ),
    plain(
        "restarted",
        "an initiation of the device after its restart",
        |stage| {
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
    Probe::new(key, subject_key().public_key(), address, &Wish::default())
}

fn reaction_to_initiation(stage: &mut Stage, change: impl FnOnce(&mut [u8])) -> String {
    let mut offer = stage.probe.initiation(stage.clock);
    change(&mut offer.message);
    let deeds = stage.receive(&offer.message);
    stage.words(&deeds, None)
}

fn changed(implementation: &Implementation, at: usize) -> String {
    let mut stage = implementation.plain();
    let subject = stage.probe.subject;
    reaction_to_initiation(&mut stage, |message| {
        message[at] ^= 1;
        sign(message, &subject);
    })
}

/// A second initiation some time after a first; its timestamp is later by `stamp`.
fn second_after(implementation: &Implementation, wait: Duration, stamp: Duration) -> String {
    let mut stage = implementation.plain();
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

fn whole(
    implementation: &Implementation,
    initiates: bool,
    preshared: Option<PresharedKey>,
) -> String {
    let mut stage = implementation.stage(&Wish {
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
