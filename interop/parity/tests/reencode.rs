//! Every datagram that the reference emits, read with the keys and made again by our code: the same bytes.
//!
//! Nothing that it sends in these scenes is left out: what cannot be read, or was not expected, fails. `random` does the same in
//! scenes that are drawn.

use std::path::Path;

use awg_obfuscation::MessageType;
use awg_parity::packets::incoming;
use awg_parity::probe::Session;
use awg_parity::reencode::Reencoder;
use awg_parity::reference::{Version, needed};
use awg_parity::stage::{Deeds, Implementation, SECOND, Stage};
use awg_parity::wish::{Wish, probe_key, subject_key};
use awg_tunnel::PresharedKey;
use awg_tunnel::inspection::{CookieReply, Mac, cookie};

fn wishes() -> Vec<Wish> {
    let everything = Wish {
        preshared: Some(PresharedKey::from_bytes([0x77; 32])),
        ..Wish::everything()
    };
    vec![Wish::default(), everything, Wish::colliding()]
}

/// A device of the reference, and what reads it.
fn begin(program: &Path, wish: &Wish) -> (Stage, Reencoder) {
    let stage = Implementation::Reference(program.to_owned()).stage(wish);
    (stage, Reencoder::new(subject_key(), probe_key(), wish))
}

/// The initiation that was sent, without padding, with what precedes it; nothing follows it.
fn initiation(again: &mut Reencoder, deeds: &Deeds, cookie: Option<&Mac>) -> Vec<u8> {
    again.drew(&deeds.secrets);
    let (last, before) = deeds.sent.split_last().expect("an initiation");
    let before: Vec<_> = before
        .iter()
        .map(|sent| (sent.at, sent.datagram.as_slice()))
        .collect();
    again.preamble(&before);
    let read = again.initiation(&last.datagram, cookie);
    read.expect("for this probe").1
}

/// The response that was sent and nothing else, without padding.
fn response(again: &mut Reencoder, deeds: &Deeds, asked: &[u8], cookie: Option<&Mac>) -> Vec<u8> {
    again.drew(&deeds.secrets);
    let read = again.response(&only(deeds), asked, cookie);
    read.expect("a response to this").1
}

/// How many messages of a session there were with and without content, and nothing else.
fn transport(again: &Reencoder, session: &Session, deeds: &Deeds) -> (usize, usize) {
    let (mut data, mut keepalives) = (0, 0);
    for sent in &deeds.sent {
        let read = again.transport(&sent.datagram, session.local, &session.receive);
        if read.expect("of this session").content.is_empty() {
            keepalives += 1;
        } else {
            data += 1;
        }
    }
    (data, keepalives)
}

#[test]
fn what_an_initiator_sends() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let (mut stage, mut again) = begin(&program, &wish);
        let deeds = stage.send(100);
        let first = initiation(&mut again, &deeds, None);
        // With a cookie the next one has a mac2.
        let given = [7; 16];
        let reply = stage.probe.cookie_reply(&first, given);
        stage.receive(&reply);
        stage.advance(6 * SECOND);
        let deeds = stage.take();
        initiation(&mut again, &deeds, Some(&given));

        let datagram = stage.initiation(&deeds);
        let (response, mut session) = stage.probe.answer(&datagram).expect("for this probe");
        let deeds = stage.receive(&response);
        let (data, _) = transport(&again, &session, &deeds);
        assert_eq!(data, 1);
        let answered = stage.probe.seal(&mut session, &incoming(100));
        stage.receive(&answered);
        stage.advance(11 * SECOND);
        let deeds = stage.take();
        assert_eq!(transport(&again, &session, &deeds), (0, 1));
    }
}

#[test]
fn what_a_responder_sends() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let (mut stage, mut again) = begin(&program, &wish);
        let offer = stage.probe.initiation(stage.clock);
        let asked = offer.message.clone();
        let deeds = stage.receive(&offer.datagram);
        let datagram = only(&deeds);
        response(&mut again, &deeds, &asked, None);

        let mut session = stage
            .probe
            .finish(offer, &datagram)
            .expect("a response to this");
        let data = stage.probe.seal(&mut session, &incoming(100));
        let deeds = stage.receive(&data);
        assert_eq!(deeds.delivered, [incoming(100)]);
        let deeds = stage.send(333);
        assert_eq!(transport(&again, &session, &deeds), (1, 0));
    }
}

#[test]
fn a_response_with_a_cookie() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let (mut stage, mut again) = begin(&program, &wish);
        let (offer, deeds) = stage.offered();
        let first = response(&mut again, &deeds, &offer.message, None);
        let given = [7; 16];
        let reply = stage.probe.cookie_reply(&first, given);
        stage.receive(&reply);
        stage.advance(SECOND);
        let (offer, deeds) = stage.offered();
        response(&mut again, &deeds, &offer.message, Some(&given));
    }
}

/// The only datagram that was sent.
fn only(deeds: &Deeds) -> Vec<u8> {
    let [sent] = deeds.sent.as_slice() else {
        panic!("{} datagrams", deeds.sent.len());
    };
    sent.datagram.clone()
}

#[test]
fn a_cookie_reply() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let (mut stage, _) = begin(&program, &wish);
        stage.flood();
        let offer = stage.probe.initiation(stage.clock);
        // The secret was drawn when the flood got its first reply; the flood's deeds are gone, so it is drawn anew.
        stage.advance(121 * SECOND);
        let secrets = stage.flood();
        let deeds = stage.receive(&offer.datagram);
        let message = stage
            .probe
            .message(MessageType::CookieReply, &only(&deeds))
            .expect("a cookie reply");
        let mut mac1 = [0; 16];
        mac1.copy_from_slice(&offer.message[116..132]);
        let read = CookieReply::read(&message, &stage.probe.subject, &mac1).expect("readable");
        assert_eq!(read.make(&stage.probe.subject, &mac1).as_slice(), message);
        let known = secrets
            .iter()
            .any(|secret| cookie(secret, stage.probe.address) == read.cookie);
        assert!(known, "the cookie is not of a secret that was drawn");
    }
}
