//! The transport message.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::{Unreadable, type_word};
use crate::message::transport;

/// What a transport message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// The type word as it is on the wire.
    pub type_word: u32,
    /// The receiver's index.
    pub receiver: u32,
    /// The counter.
    pub counter: u64,
    /// What was sealed: a packet and its zeros, or nothing.
    pub content: Vec<u8>,
}

impl Transport {
    /// Opens the message (without padding) with the key of its direction.
    ///
    /// # Errors
    /// [`Unreadable`]: shorter than a keepalive, or another key.
    pub fn read(message: &[u8], key: &[u8; 32]) -> Result<Self, Unreadable> {
        let type_word = type_word(message)?;
        let mut copy = message.to_vec();
        let (receiver, counter, sealed) = transport::split(&mut copy).ok_or(Unreadable)?;
        let content = cipher(key)
            .open_in_place(nonce(counter), Aad::empty(), sealed)
            .map_err(|_| Unreadable)?
            .to_vec();
        Ok(Self {
            type_word,
            receiver,
            counter,
            content,
        })
    }

    /// Makes the message with the key of its direction.
    ///
    /// # Panics
    /// With content of 256 GiB or more.
    pub fn make(&self, key: &[u8; 32]) -> Vec<u8> {
        let mut sealed = self.content.clone();
        cipher(key)
            .seal_in_place_append_tag(nonce(self.counter), Aad::empty(), &mut sealed)
            .expect("the content is short");
        let mut message = transport::header(self.type_word, self.receiver, self.counter).to_vec();
        message.append(&mut sealed);
        message
    }
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has 32 bytes"))
}

fn nonce(counter: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}
