//! Every datagram that the reference emits, read with the keys and made again by our code: the same bytes.
//!
//! Nothing that it sends in these scenes is left out: what cannot be read, or was not expected, fails. Padding is random, has the
//! size that the settings say, and stands before a message as it is.

mod drawn;

use awg_obfuscation::{MessageType, SignatureCounter};
use awg_parity::end::START;
use awg_parity::probe::Session;
use awg_parity::reference::{Version, needed};
use awg_parity::stage::{Bench, Deeds, SECOND, Stage, Wish, incoming, probe_key, subject_key};
use awg_tunnel::PresharedKey;
use awg_tunnel::inspection::{
    CookieReply, Initiation, Mac, Response, Transport, cookie, ephemeral_public,
};

fn wishes() -> Vec<Wish> {
    let everything = Wish {
        preshared: Some(PresharedKey::from_bytes([0x77; 32])),
        ..Wish::everything()
    };
    vec![Wish::default(), everything, Wish::colliding()]
}

/// The secret among what was drawn whose public half stands in the message.
fn ephemeral(deeds: &Deeds, public: &[u8; 32]) -> [u8; 32] {
    let found = deeds
        .secrets
        .iter()
        .find(|secret| ephemeral_public(secret) == *public);
    *found.expect("the ephemeral key was drawn")
}

/// Reads the signature and junk packets that precede an initiation as the settings describe them, and makes them again; nothing
/// follows it.
fn preamble(stage: &Stage, wish: &Wish, deeds: &Deeds) {
    let (initiation, before) = deeds.sent.split_last().expect("an initiation");
    let kind = stage.probe.kind(&initiation.datagram);
    assert_eq!(kind, Some(MessageType::Initiation));
    let datagrams: Vec<_> = before.iter().map(|sent| sent.datagram.as_slice()).collect();
    let mut drawn = drawn::read(&wish.parameters, &datagrams);
    let obfuscation = &stage.probe.obfuscation;
    let (mut preamble, mut counter) = (obfuscation.preamble(), SignatureCounter::default());
    let mut made = Vec::new();
    for sent in before {
        let unix = START + sent.at;
        preamble
            .poll_datagram(obfuscation, &mut counter, unix, &mut drawn, &mut made)
            .expect("more than the settings ask for");
        assert_eq!(made, sent.datagram);
    }
    let more = preamble.poll_datagram(obfuscation, &mut counter, START, &mut drawn, &mut made);
    assert_eq!(more, None);
}

/// Reads the initiation among what was done, makes it again, and gives it without padding.
fn initiation(stage: &Stage, deeds: &Deeds, cookie: Option<&Mac>) -> Vec<u8> {
    let datagram = stage.initiation(deeds);
    let message = stage
        .probe
        .message(MessageType::Initiation, &datagram)
        .expect("an initiation");
    let read = Initiation::read(&message, &probe_key()).expect("for this probe");
    assert_eq!(read.initiator, subject_key().public_key());
    let (made, _) = Initiation::make(
        read.type_word,
        read.sender,
        &ephemeral(deeds, &read.ephemeral),
        &subject_key(),
        &probe_key().public_key(),
        &stage.probe.preshared,
        &read.timestamp,
        cookie,
    )
    .expect("good keys");
    assert_eq!(made.as_slice(), message);
    assert_eq!(cookie.is_some(), read.mac2 != [0; 16]);
    message
}

/// Reads each transport message among what was done and makes it again; says how many there were with and without content.
fn transport(stage: &Stage, session: &Session, deeds: &Deeds) -> (usize, usize) {
    let (mut data, mut keepalives) = (0, 0);
    for sent in &deeds.sent {
        let read = stage.probe.open(session, &sent.datagram);
        let read = read.expect("a message of this session");
        let made = read.make(&session.receive);
        assert!(sent.datagram.ends_with(&made));
        let padding = sent.datagram.len() - made.len();
        if read.content.is_empty() {
            keepalives += 1;
            // v0.2.16 sends them bare.
            assert_eq!(padding, 0);
        } else {
            data += 1;
            assert_eq!(
                padding,
                stage.probe.obfuscation.padding(MessageType::Transport)
            );
        }
        assert_eq!(Transport::read(&made, &session.receive), Ok(read));
    }
    (data, keepalives)
}

#[test]
fn what_an_initiator_sends() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let mut stage = Bench::Reference(program.clone()).stage(&wish);
        let deeds = stage.send(100);
        preamble(&stage, &wish, &deeds);
        let first = initiation(&stage, &deeds, None);
        // With a cookie the next one has a mac2.
        let given = [7; 16];
        let reply = stage.probe.cookie_reply(&first, given);
        stage.receive(&reply);
        stage.advance(6 * SECOND);
        let deeds = stage.take();
        preamble(&stage, &wish, &deeds);
        initiation(&stage, &deeds, Some(&given));

        let datagram = stage.initiation(&deeds);
        let (response, mut session) = stage.probe.answer(&datagram).expect("for this probe");
        let deeds = stage.receive(&response);
        let (data, _) = transport(&stage, &session, &deeds);
        assert_eq!(data, 1);
        let answered = stage.probe.seal(&mut session, &incoming(100));
        stage.receive(&answered);
        stage.advance(11 * SECOND);
        let deeds = stage.take();
        assert_eq!(transport(&stage, &session, &deeds), (0, 1));
    }
}

#[test]
fn what_a_responder_sends() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let mut stage = Bench::Reference(program.clone()).stage(&wish);
        let offer = stage.probe.initiation(stage.clock);
        let asked = offer.message.clone();
        let deeds = stage.receive(&offer.datagram);
        let datagram = only(&deeds);
        let message = response(&stage, &deeds);
        let read = Response::read(&message).expect("a response");
        let (made, _) = Response::make(
            read.type_word,
            read.sender,
            &ephemeral(&deeds, &read.ephemeral),
            &subject_key(),
            &stage.probe.preshared,
            &asked,
            None,
        )
        .expect("an initiation for it");
        assert_eq!(made.as_slice(), message);

        let mut session = stage
            .probe
            .finish(offer, &datagram)
            .expect("a response to this");
        let data = stage.probe.seal(&mut session, &incoming(100));
        let deeds = stage.receive(&data);
        assert_eq!(deeds.delivered, [incoming(100)]);
        let deeds = stage.send(333);
        assert_eq!(transport(&stage, &session, &deeds), (1, 0));
    }
}

#[test]
fn a_response_with_a_cookie() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let mut stage = Bench::Reference(program.clone()).stage(&wish);
        let (_, deeds) = stage.offered();
        let first = response(&stage, &deeds);
        let given = [7; 16];
        let reply = stage.probe.cookie_reply(&first, given);
        stage.receive(&reply);
        stage.advance(SECOND);
        let (offer, deeds) = stage.offered();
        let message = response(&stage, &deeds);
        let read = Response::read(&message).expect("a response");
        assert_ne!(read.mac2, [0; 16]);
        let (made, _) = Response::make(
            read.type_word,
            read.sender,
            &ephemeral(&deeds, &read.ephemeral),
            &subject_key(),
            &stage.probe.preshared,
            &offer.message,
            Some(&given),
        )
        .expect("an initiation for it");
        assert_eq!(made.as_slice(), message);
    }
}

/// The only datagram that was sent.
fn only(deeds: &Deeds) -> Vec<u8> {
    let [sent] = deeds.sent.as_slice() else {
        panic!("{} datagrams", deeds.sent.len());
    };
    sent.datagram.clone()
}

/// The response that was sent and nothing else, without padding.
fn response(stage: &Stage, deeds: &Deeds) -> Vec<u8> {
    let message = stage.probe.message(MessageType::Response, &only(deeds));
    message.expect("a response")
}

#[test]
fn a_cookie_reply() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for wish in wishes() {
        let mut stage = Bench::Reference(program.clone()).stage(&wish);
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
