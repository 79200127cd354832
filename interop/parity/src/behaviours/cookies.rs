//! Cookies: given under load, asked back, and used by the device itself.

use std::net::SocketAddr;

use awg_obfuscation::MessageType;
use awg_tunnel::PresharedKey;
use awg_tunnel::inspection::{CookieReply, Mac, timestamp};

use super::{Behaviour, differs, same};
use crate::end::START;
use crate::stage::{Deeds, Implementation, MILLISECOND, SECOND, Stage};
use crate::wish::Wish;

pub(super) const ROWS: &[Behaviour] = &[
    same(
        "load",
        "an initiation under load, without a cookie",
        |implementation| {
            let mut stage = loaded(implementation);
            let (_, deeds) = stage.offered();
            format!(
                "{} of {} bytes",
                stage.words(&deeds, None),
                deeds.sent[0].datagram.len()
            )
        },
    ),
    same("reply", "what the cookie reply holds", |implementation| {
        let mut stage = loaded(implementation);
        let (offer, deeds) = stage.offered();
        let reply = read(&stage, &offer.message, &deeds);
        let sender = u32::from_le_bytes(*offer.message[4..].first_chunk().expect("a sender"));
        let known = reply.receiver == sender;
        format!(
            "a cookie for {}",
            if known {
                "the sender's index"
            } else {
                "another index"
            }
        )
    }),
    same(
        "with_cookie",
        "an initiation under load with its cookie",
        |implementation| {
            let mut stage = loaded(implementation);
            let cookie = cookie(&mut stage);
            let deeds = with_cookie(&mut stage, &cookie);
            stage.words(&deeds, None)
        },
    ),
    same(
        "wrong_cookie",
        "an initiation under load with a wrong cookie",
        |implementation| {
            let mut stage = loaded(implementation);
            let mut cookie = cookie(&mut stage);
            cookie[3] ^= 1;
            let deeds = with_cookie(&mut stage, &cookie);
            stage.words(&deeds, None)
        },
    ),
    same(
        "other_port",
        "an initiation under load with the cookie of another port",
        |implementation| {
            let mut stage = loaded(implementation);
            let cookie = cookie(&mut stage);
            stage.probe.address.set_port(9);
            let deeds = with_cookie(&mut stage, &cookie);
            stage.words(&deeds, None)
        },
    ),
    same(
        "other_address",
        "an initiation under load with the cookie of another address",
        |implementation| {
            let mut stage = loaded(implementation);
            let cookie = cookie(&mut stage);
            stage.probe.address = SocketAddr::from(([192, 0, 2, 77], 51820));
            let deeds = with_cookie(&mut stage, &cookie);
            stage.words(&deeds, None)
        },
    ),
    same(
        "second_cookie",
        "whether two cookies of one address are alike",
        |implementation| {
            let mut stage = loaded(implementation);
            let (one, two) = (cookie(&mut stage), cookie(&mut stage));
            super::preamble::alike(&one, &two)
        },
    ),
    same(
        "old_cookie",
        "an initiation under load with a cookie of 121 s ago",
        |implementation| {
            let mut stage = loaded(implementation);
            let cookie = cookie(&mut stage);
            stage.advance(121 * SECOND);
            stage.flood();
            let deeds = with_cookie(&mut stage, &cookie);
            stage.words(&deeds, None)
        },
    ),
    same(
        "load_ends",
        "an initiation without a cookie 1.1 s after the load",
        |implementation| {
            let mut stage = loaded(implementation);
            stage.advance(SECOND + SECOND / 10);
            let (_, deeds) = stage.offered();
            stage.words(&deeds, None)
        },
    ),
    same(
        "wrong_mac1",
        "an initiation under load with a wrong mac1",
        |implementation| {
            let mut stage = loaded(implementation);
            let mut offer = stage.probe.initiation(stage.clock);
            let last = offer.datagram.len();
            offer.datagram[last - 20] ^= 1;
            let deeds = stage.receive(&offer.datagram);
            stage.words(&deeds, None)
        },
    ),
    differs(
        "replayed",
        "an accepted initiation again, under load",
        "whoever replays a recorded initiation would learn that here is a server; it computes nothing and hears nothing",
        |implementation| {
            let mut stage = implementation.stage(&wish());
            let offer = stage.probe.initiation(stage.clock);
            stage.receive(&offer.datagram);
            stage.advance(SECOND);
            stage.flood();
            let deeds = stage.receive(&offer.datagram);
            stage.words(&deeds, None)
        },
    ),
    same(
        "rate",
        "how many of 40 initiations with a cookie are answered under load, 21 ms apart",
        |implementation| {
            let mut stage = loaded(implementation);
            let cookie = cookie(&mut stage);
            let answered = (0..40_u32)
                .filter(|number| {
                    // Each a second later than the last, so that only the rate is in the way.
                    let stamp = timestamp(START + stage.clock + SECOND * *number);
                    let offer = stage.probe.initiation_with(&stamp, Some(&cookie));
                    let deeds = stage.receive(&offer.datagram);
                    stage.advance(21 * MILLISECOND);
                    !deeds.sent.is_empty()
                })
                .count();
            answered.to_string()
        },
    ),
    same(
        "response_under_load",
        "a response under load, without a cookie",
        |implementation| {
            let mut stage = implementation.stage(&wish());
            let initiation = stage.asked();
            stage.flood();
            let (response, _) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            stage.words(&deeds, None)
        },
    ),
    same(
        "response_with_cookie",
        "a response under load with its cookie",
        |implementation| {
            let mut stage = implementation.stage(&wish());
            let initiation = stage.asked();
            stage.flood();
            let preshared = PresharedKey::ABSENT;
            let (response, _) = stage.probe.answer(&initiation).expect("for this probe");
            let deeds = stage.receive(&response);
            let message = stage.probe.message(MessageType::Response, &response);
            let message = message.expect("a response");
            let cookie = read(&stage, &message, &deeds).cookie;
            let (response, session) = stage
                .probe
                .answer_with(&initiation, &preshared, Some(&cookie))
                .expect("for this probe");
            let deeds = stage.receive(&response);
            let words = stage.words(&deeds, Some(&session));
            if words.contains("data") {
                "the session begins"
            } else {
                "nothing"
            }
            .to_owned()
        },
    ),
    same(
        "used",
        "the mac2 of the initiation after a cookie reply",
        |implementation| mac2_after(implementation, 6, |_| {}),
    ),
    same(
        "not_at_once",
        "what the device does at once when a cookie reply comes",
        |implementation| {
            let mut stage = implementation.stage(&wish());
            let asked = stage.asked();
            let reply = stage.probe.cookie_reply(&bare(&stage, &asked), [7; 16]);
            let deeds = stage.receive(&reply);
            stage.words(&deeds, None)
        },
    ),
    same(
        "forged_reply",
        "the mac2 of the initiation after a forged cookie reply",
        |implementation| {
            mac2_after(implementation, 6, |reply| {
                let last = reply.len() - 1;
                reply[last] ^= 1;
            })
        },
    ),
    same(
        "reply_for_another_index",
        "the mac2 of the initiation after a cookie reply to an unknown index",
        |implementation| {
            mac2_after(implementation, 6, |reply| {
                let at = reply.len() - 64 + 4;
                reply[at] ^= 1;
            })
        },
    ),
    same(
        "kept",
        "the mac2 of an initiation 100 s after the cookie reply",
        |implementation| mac2_after(implementation, 100, |_| {}),
    ),
    same(
        "too_old",
        "the mac2 of an initiation 121 s after the cookie reply",
        |implementation| mac2_after(implementation, 121, |_| {}),
    ),
];

fn wish() -> Wish {
    Wish::with(&[("S1", "31"), ("S2", "17"), ("S3", "45")])
}

fn loaded(implementation: &Implementation) -> Stage {
    let mut stage = implementation.stage(&wish());
    stage.flood();
    stage
}

fn read(stage: &Stage, message: &[u8], deeds: &Deeds) -> CookieReply {
    let found = stage.of(MessageType::CookieReply, deeds);
    let reply = stage
        .probe
        .message(
            MessageType::CookieReply,
            found.last().expect("no cookie reply"),
        )
        .expect("a cookie reply");
    let mut mac1 = [0; 16];
    mac1.copy_from_slice(&message[message.len() - 32..message.len() - 16]);
    CookieReply::read(&reply, &stage.probe.subject, &mac1).expect("for this message")
}

fn cookie(stage: &mut Stage) -> Mac {
    let (offer, deeds) = stage.offered();
    read(stage, &offer.message, &deeds).cookie
}

fn with_cookie(stage: &mut Stage, cookie: &Mac) -> Deeds {
    let stamp = timestamp(START + stage.clock);
    let offer = stage.probe.initiation_with(&stamp, Some(cookie));
    stage.receive(&offer.datagram)
}

/// An initiation of the device without its padding.
fn bare(stage: &Stage, initiation: &[u8]) -> Vec<u8> {
    let message = stage.probe.message(MessageType::Initiation, initiation);
    message.expect("an initiation")
}

/// The mac2 of the initiation some seconds after a cookie reply to the first.
fn mac2_after(
    implementation: &Implementation,
    seconds: u32,
    change: impl FnOnce(&mut Vec<u8>),
) -> String {
    let mut stage = implementation.stage(&wish());
    let asked = stage.asked();
    let mut reply = stage.probe.cookie_reply(&bare(&stage, &asked), [7; 16]);
    change(&mut reply);
    stage.receive(&reply);
    stage.advance(seconds * SECOND);
    let mut deeds = stage.take();
    if seconds > 100 {
        // The run of retries is over; a packet begins another.
        deeds = stage.send(20);
    }
    let datagram = stage.initiation(&deeds);
    let message = bare(&stage, &datagram);
    let (covered, mac2) = message.split_at(132);
    let mut expected = message.clone();
    awg_tunnel::inspection::authenticate_message(
        &mut expected,
        &crate::wish::probe_key().public_key(),
        Some(&[7; 16]),
    )
    .expect("an initiation");
    assert_eq!(&expected[..132], covered);
    if mac2 == [0; 16] {
        "zero".to_owned()
    } else if mac2 == &expected[132..] {
        "made with the cookie".to_owned()
    } else {
        "something else".to_owned()
    }
}
