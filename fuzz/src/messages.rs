//! Each of the four messages, read by somebody who has the keys: bytes of any kind, and messages made by one who knows the
//! keys too and changed afterwards.
//!
//! Claimed: what is read is what was made; nothing that is authenticated can be changed unnoticed.

use arbitrary::Arbitrary;
use awg_tunnel::inspection::{
    CookieReply, Initiation, Mac, Response, Transport, authenticate_message,
};
use awg_tunnel::{PresharedKey, PrivateKey};

use crate::input;
use crate::memory;

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Bytes(&'a [u8]),
    Initiation {
        words: [u32; 2],
        ephemeral: [u8; 32],
        timestamp: [u8; 12],
        cookie: Option<Mac>,
        change: Change,
    },
    Response {
        words: [u32; 3],
        ephemeral: [u8; 32],
        cookie: Option<Mac>,
        change: Change,
    },
    CookieReply {
        words: [u32; 2],
        nonce: [u8; 24],
        cookie: Mac,
        change: Change,
    },
    Transport {
        words: [u32; 2],
        counter: u64,
        change: Change,
        content: &'a [u8],
    },
}

/// What was done to a message on its way: a byte, and bytes at its end.
#[derive(Debug, Arbitrary)]
struct Change {
    at: u16,
    xor: u8,
    cut: u8,
    /// Another public key's mac1 over it.
    authenticate: bool,
}

impl Change {
    /// Whether the message is another than before.
    fn apply(&self, message: &mut Vec<u8>) -> bool {
        let before = message.clone();
        message.truncate(message.len() - usize::from(self.cut).min(message.len()));
        let at = usize::from(self.at);
        if let Some(byte) = message.get_mut(at) {
            *byte ^= self.xor;
        }
        if self.authenticate {
            // Anything but a handshake message is refused.
            let _ = authenticate_message(message, &key(9).public_key(), None);
        }
        *message != before
    }
}

/// The most that reading one message may hold beside the message.
const MEMORY: usize = 1 << 14;

fn key(number: u8) -> PrivateKey {
    PrivateKey::from_bytes([number; 32])
}

/// Reads messages that `data` describes.
///
/// # Panics
/// Where a message does not read as it was made, or a forged one reads at all.
pub fn messages(data: &[u8]) {
    let Some(input) = input::read::<Input>(data) else {
        return;
    };
    memory::within(MEMORY + data.len() * 8, || match input {
        Input::Bytes(message) => bytes(message),
        Input::Initiation {
            words: [type_word, sender],
            ephemeral,
            timestamp,
            cookie,
            change,
        } => initiation(
            type_word,
            sender,
            &ephemeral,
            &timestamp,
            cookie.as_ref(),
            &change,
        ),
        Input::Response {
            words,
            ephemeral,
            cookie,
            change,
        } => response(words, &ephemeral, cookie.as_ref(), &change),
        Input::CookieReply {
            words: [type_word, receiver],
            nonce,
            cookie,
            change,
        } => cookie_reply(
            &CookieReply {
                type_word,
                receiver,
                nonce,
                cookie,
            },
            &change,
        ),
        Input::Transport {
            words: [type_word, receiver],
            counter,
            change,
            content,
        } => transport(
            &Transport {
                type_word,
                receiver,
                counter,
                content: content.to_vec(),
            },
            &change,
        ),
    });
}

/// What opens is what the holder of the key would have made, to the last byte. A fuzzer sees what is compared, so it may well
/// come across such a message; under a key with which nothing is ever sealed it does not.
fn bytes(message: &[u8]) {
    assert!(Initiation::read(message, &key(3)).is_err());
    let (from, mac1) = (key(2).public_key(), [3; 16]);
    if let Ok(fields) = CookieReply::read(message, &from, &mac1) {
        assert_eq!(&fields.make(&from, &mac1)[..], message);
    }
    if let Ok(fields) = Transport::read(message, &[4; 32]) {
        assert_eq!(fields.make(&[4; 32]), message);
    }
    match Response::read(message) {
        Ok(fields) => {
            assert_eq!(message.len(), 92);
            assert_eq!(fields.sender.to_le_bytes(), message[4..8]);
            assert_eq!(fields.receiver.to_le_bytes(), message[8..12]);
            assert_eq!(fields.ephemeral, message[12..44]);
            assert_eq!(fields.mac2, message[76..]);
        }
        Err(_) => assert_ne!(message.len(), 92),
    }
}

fn initiation(
    type_word: u32,
    sender: u32,
    ephemeral: &[u8; 32],
    timestamp: &[u8; 12],
    cookie: Option<&Mac>,
    change: &Change,
) {
    let (from, to) = (key(1), key(2));
    let (message, pending) = Initiation::make(
        type_word,
        sender,
        ephemeral,
        &from,
        &to.public_key(),
        &PresharedKey::ABSENT,
        timestamp,
        cookie,
    )
    .expect("good keys");
    let mut message = message.to_vec();
    let changed = change.apply(&mut message);
    let read = Initiation::read(&message, &to);
    match &read {
        Ok(fields) => {
            assert_eq!(fields.initiator, from.public_key());
            assert_eq!(&fields.timestamp, timestamp);
            assert!(changed || fields.sender == sender && fields.type_word == type_word);
        }
        Err(_) => assert!(changed),
    }
    // The response to what was changed on the way is none to what was sent, unless only what no handshake covers was.
    let answer = Response::make(2, 7, &[8; 32], &to, &PresharedKey::ABSENT, &message, None);
    assert_eq!(answer.is_ok(), read.is_ok());
    if let Ok((answer, theirs)) = answer {
        let ours = pending.finish(&answer).expect("it is the answer");
        assert_eq!(
            ours.initiator_to_responder(),
            theirs.initiator_to_responder()
        );
        assert_eq!(
            ours.responder_to_initiator(),
            theirs.responder_to_initiator()
        );
    }
}

fn response(words: [u32; 3], ephemeral: &[u8; 32], cookie: Option<&Mac>, change: &Change) {
    let (from, to) = (key(1), key(2));
    let [type_word, sender, receiver] = words;
    let preshared = PresharedKey::ABSENT;
    let (initiation, pending) = Initiation::make(
        1,
        receiver,
        &[5; 32],
        &from,
        &to.public_key(),
        &preshared,
        &[6; 12],
        None,
    )
    .expect("good keys");
    let (message, theirs) = Response::make(
        type_word,
        sender,
        ephemeral,
        &to,
        &preshared,
        &initiation,
        cookie,
    )
    .expect("a good initiation");
    let mut message = message.to_vec();
    let changed = change.apply(&mut message);
    if let Ok(fields) = Response::read(&message)
        && !changed
    {
        assert_eq!(
            [fields.type_word, fields.sender, fields.receiver],
            [type_word, sender, receiver]
        );
    }
    match pending.finish(&message) {
        Ok(ours) => assert_eq!(
            ours.responder_to_initiator(),
            theirs.responder_to_initiator()
        ),
        Err(_) => assert!(changed),
    }
}

fn cookie_reply(made: &CookieReply, change: &Change) {
    let (from, mac1) = (key(2).public_key(), [3; 16]);
    let mut message = made.make(&from, &mac1).to_vec();
    let changed = change.apply(&mut message);
    match CookieReply::read(&message, &from, &mac1) {
        Ok(fields) => {
            assert_eq!((fields.nonce, fields.cookie), (made.nonce, made.cookie));
            assert!(changed || fields == *made);
        }
        Err(_) => assert!(changed),
    }
}

fn transport(made: &Transport, change: &Change) {
    let key = [4; 32];
    let mut message = made.make(&key);
    let changed = change.apply(&mut message);
    match Transport::read(&message, &key) {
        Ok(fields) => {
            assert_eq!(fields.counter, made.counter);
            assert_eq!(fields.content, made.content);
            assert!(changed || fields == *made);
        }
        Err(_) => assert!(changed),
    }
}
