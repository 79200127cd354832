//! What the reference sent, read with the keys and made again by our code: the same bytes, or it panics.
//!
//! What cannot be read is no message of that kind, and the caller's business. Padding is random, has the size that the settings say,
//! and stands before a message as it is.

mod drawn;
mod talk;

use std::collections::HashMap;
use std::time::Duration;

use awg_obfuscation::{MessageType, Obfuscation, SignatureCounter};
use awg_tunnel::inspection::{
    Initiation, Mac, Pending, Response, SessionKeys, Transport, ephemeral_public,
};
use awg_tunnel::{PresharedKey, PrivateKey};

use crate::end::START;
use crate::probe;
use crate::wish::Wish;

pub use talk::all;

/// Reads what a device of the reference sends to its peer, and makes it again.
pub struct Reencoder {
    own: PrivateKey,
    other: PrivateKey,
    preshared: PresharedKey,
    parameters: Vec<(String, String)>,
    obfuscation: Obfuscation,
    /// What the device drew, by its public half.
    secrets: HashMap<[u8; 32], [u8; 32]>,
}

impl Reencoder {
    /// For the device with the key `own` whose peer has the key `other`.
    ///
    /// # Panics
    /// With parameters that our own code refuses.
    pub fn new(own: PrivateKey, other: PrivateKey, wish: &Wish) -> Self {
        Self {
            own,
            other,
            preshared: wish.preshared(),
            parameters: wish.parameters.clone(),
            obfuscation: wish.obfuscation(),
            secrets: HashMap::new(),
        }
    }

    /// The device drew these: its ephemeral keys are among them.
    pub fn drew(&mut self, secrets: &[[u8; 32]]) {
        let by_public = secrets.iter().map(|each| (ephemeral_public(each), *each));
        self.secrets.extend(by_public);
    }

    /// The signature and junk packets that precede an initiation, as the settings describe them, with the times at which they were
    /// sent.
    ///
    /// # Panics
    /// Where our code makes others, or more, or fewer.
    pub fn preamble(&self, sent: &[(Duration, &[u8])]) {
        let datagrams: Vec<_> = sent.iter().map(|(_, datagram)| *datagram).collect();
        let mut drawn = drawn::read(&self.parameters, &datagrams);
        let (mut preamble, mut counter) =
            (self.obfuscation.preamble(), SignatureCounter::default());
        let mut made = Vec::new();
        let mut poll = |at, made: &mut Vec<u8>| {
            preamble.poll_datagram(
                &self.obfuscation,
                &mut counter,
                START + at,
                &mut drawn,
                made,
            )
        };
        for (at, datagram) in sent {
            poll(*at, &mut made).expect("more than the settings ask for");
            assert_eq!(made, *datagram);
        }
        let more = poll(Duration::ZERO, &mut made);
        assert_eq!(more, None, "fewer than the settings ask for");
    }

    /// An initiation that was sent at a time: what it says, the message without padding, and what reads its response.
    ///
    /// # Panics
    /// Where our code makes another.
    pub fn initiation(
        &self,
        datagram: &[u8],
        cookie: Option<&Mac>,
    ) -> Option<(Initiation, Vec<u8>, Pending)> {
        let message = probe::message(&self.obfuscation, MessageType::Initiation, datagram)?;
        let read = Initiation::read(&message, &self.other).ok()?;
        assert_eq!(read.initiator, self.own.public_key());
        let ephemeral = self.secrets.get(&read.ephemeral);
        let (made, pending) = Initiation::make(
            read.type_word,
            read.sender,
            ephemeral.expect("the ephemeral key was drawn"),
            &self.own,
            &self.other.public_key(),
            &self.preshared,
            &read.timestamp,
            cookie,
        )
        .expect("good keys");
        assert_eq!(made.as_slice(), message);
        assert_eq!(cookie.is_some(), read.mac2 != [0; 16]);
        Some((read, message, pending))
    }

    /// A response to an initiation (148 bytes, without padding): what it says, the message without padding, and the session.
    ///
    /// # Panics
    /// Where our code makes another.
    pub fn response(
        &self,
        datagram: &[u8],
        asked: &[u8],
        cookie: Option<&Mac>,
    ) -> Option<(Response, Vec<u8>, SessionKeys)> {
        let message = probe::message(&self.obfuscation, MessageType::Response, datagram)?;
        let read = Response::read(&message).ok()?;
        if asked[4..8] != read.receiver.to_le_bytes() {
            return None;
        }
        let ephemeral = self.secrets.get(&read.ephemeral)?;
        let (made, keys) = Response::make(
            read.type_word,
            read.sender,
            ephemeral,
            &self.own,
            &self.preshared,
            asked,
            cookie,
        )
        .expect("an initiation for it");
        assert_eq!(made.as_slice(), message);
        assert_eq!(cookie.is_some(), read.mac2 != [0; 16]);
        Some((read, message, keys))
    }

    /// A message of a session: its receiver's index and the key of this direction. v0.2.16 pads what has content and nothing else.
    ///
    /// # Panics
    /// Where our code makes another.
    pub fn transport(&self, datagram: &[u8], receiver: u32, key: &[u8; 32]) -> Option<Transport> {
        let read = probe::opened(&self.obfuscation, datagram, receiver, key)?;
        let made = read.make(key);
        assert!(datagram.ends_with(&made));
        let padding = if read.content.is_empty() {
            0
        } else {
            self.obfuscation.padding(MessageType::Transport)
        };
        assert_eq!(datagram.len() - made.len(), padding);
        let fits = |found: awg_obfuscation::Classified| {
            (found.message, found.offset) == (MessageType::Transport, padding)
        };
        assert!(
            self.obfuscation.classify(datagram).any(fits),
            "another type word"
        );
        Some(read)
    }
}
