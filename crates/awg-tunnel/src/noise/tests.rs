//! Handshakes made again out of recorded ephemeral keys: the same bytes, hashes and keys.

use zeroize::Zeroizing;

use super::{Identity, Initiator, Responder, SessionKeys};
use crate::keys::{PrivateKey, PublicKey};
use crate::recording::{self, Recording};
use crate::tai64n::Timestamp;

fn check(recording: &Recording) {
    let (a, b) = (recording.identity("A"), recording.identity("B"));
    let preshared = recording.preshared_key();
    let mut sessions = 0;
    for response in recording.all("response_created") {
        let initiation = recording
            .all("initiation_created")
            .find(|line| line.number("sender_index") == response.number("receiver_index"))
            .expect("a response answers an initiation");
        let timestamp = Timestamp(initiation.array("timestamp"));
        let (initiator, first) = Initiator::begin(
            &a,
            &b.public,
            &preshared,
            Zeroizing::new(initiation.array("ephemeral_private")),
            timestamp,
        )
        .unwrap();
        assert_eq!(initiator.hash(), initiation.bytes("hash"));

        let ephemeral = Zeroizing::new(response.array("ephemeral_private"));
        let (responder, key, seen) = Responder::read(&b, ephemeral, &first).unwrap();
        assert_eq!(key, a.public);
        assert_eq!(seen, timestamp);
        assert_eq!(responder.hash(), initiation.bytes("hash"));
        let (second, theirs) = responder.respond(&preshared).unwrap();
        let ours = initiator.finish(&second).unwrap();

        for session in recording.all("session") {
            let (local, remote) = match session.text("role") {
                "initiator" => ("local_index", "remote_index"),
                _ => ("remote_index", "local_index"),
            };
            if session.number(local) != initiation.number("sender_index")
                || session.number(remote) != response.number("sender_index")
            {
                continue;
            }
            sessions += 1;
            let same = |keys: &SessionKeys| {
                let (send, receive) = match session.text("role") {
                    "initiator" => (&keys.initiator_to_responder, &keys.responder_to_initiator),
                    _ => (&keys.responder_to_initiator, &keys.initiator_to_responder),
                };
                send.to_vec() == session.bytes("send_key")
                    && receive.to_vec() == session.bytes("receive_key")
            };
            assert!(same(&ours) && same(&theirs));
        }
    }
    assert!(sessions > 0, "nothing was compared");
}

#[test]
fn recorded_handshakes_give_the_same_keys() {
    check(&recording::a_plain());
    check(&recording::b_everything());
    check(&recording::e_cookie_initiation());
    check(&recording::e_cookie_response());
    check(&recording::e_rate_limit());
}

fn pair(byte: u8) -> Identity {
    let private = PrivateKey::from_bytes([byte; 32]);
    Identity {
        public: private.public_key(),
        private,
    }
}

fn ephemeral(byte: u8) -> Zeroizing<[u8; 32]> {
    Zeroizing::new([byte; 32])
}

#[test]
fn a_low_order_point_is_refused_at_both_ends() {
    let (a, b) = (pair(1), pair(2));
    let psk = crate::keys::PresharedKey::ABSENT;
    for point in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let peer = PublicKey::from_bytes(point);
        assert!(Initiator::begin(&a, &peer, &psk, ephemeral(3), Timestamp::default()).is_err());
        // As somebody's ephemeral key.
        let mut message = [0; super::FIRST_SIZE];
        message[..32].copy_from_slice(&point);
        assert!(Responder::read(&b, ephemeral(4), &message).is_err());
    }
}

#[test]
fn another_preshared_key_does_not_open() {
    let (a, b) = (pair(1), pair(2));
    let psk = crate::keys::PresharedKey::from_bytes([9; 32]);
    let none = crate::keys::PresharedKey::ABSENT;
    let (initiator, first) =
        Initiator::begin(&a, &b.public, &psk, ephemeral(3), Timestamp::default()).unwrap();
    let (responder, _, _) = Responder::read(&b, ephemeral(4), &first).unwrap();
    let (second, _) = responder.respond(&none).unwrap();
    assert!(initiator.finish(&second).is_err());
}

#[test]
fn any_flipped_bit_is_refused() {
    let (a, b) = (pair(1), pair(2));
    let psk = crate::keys::PresharedKey::ABSENT;
    let begin =
        || Initiator::begin(&a, &b.public, &psk, ephemeral(3), Timestamp::default()).unwrap();
    let (_, first) = begin();
    // The uppermost bit of an X25519 key is not part of the point, but of the transcript.
    for bit in (0..first.len() * 8).step_by(7) {
        let mut bad = first;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(
            Responder::read(&b, ephemeral(4), &bad).is_err(),
            "bit {bit}"
        );
    }
    let (responder, _, _) = Responder::read(&b, ephemeral(4), &first).unwrap();
    let (second, _) = responder.respond(&psk).unwrap();
    for bit in (0..second.len() * 8).step_by(7) {
        let mut bad = second;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(begin().0.finish(&bad).is_err(), "bit {bit}");
    }
    assert!(begin().0.finish(&second).is_ok());
}
