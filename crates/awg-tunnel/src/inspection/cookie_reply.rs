//! The cookie reply.

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305};

use super::{Mac, Unreadable, type_word};
use crate::message::{CookieReply as Message, MAC_SIZE};
use crate::{PublicKey, mac};

/// What a cookie reply says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieReply {
    /// The type word as it is on the wire.
    pub type_word: u32,
    /// The sender index of the message that it answers.
    pub receiver: u32,
    /// The nonce.
    pub nonce: [u8; Message::NONCE_SIZE],
    /// The cookie.
    pub cookie: Mac,
}

impl CookieReply {
    /// Opens the message (64 bytes, without padding): the reply of the owner of `from` to a message whose mac1 was `mac1`.
    ///
    /// # Errors
    /// [`Unreadable`]: another size, another message, or another key.
    pub fn read(message: &[u8], from: &PublicKey, mac1: &Mac) -> Result<Self, Unreadable> {
        let message: &[u8; Message::SIZE] = message.try_into().map_err(|_| Unreadable)?;
        let parsed = Message(*message);
        let (sealed, tag) = parsed.sealed().split_at(MAC_SIZE);
        let mut cookie = [0; MAC_SIZE];
        cookie.copy_from_slice(sealed);
        XChaCha20Poly1305::new(&mac::cookie_key(from).into())
            .decrypt_in_place_detached(
                parsed.nonce().into(),
                mac1,
                &mut cookie,
                Tag::from_slice(tag),
            )
            .map_err(|_| Unreadable)?;
        Ok(Self {
            type_word: type_word(message)?,
            receiver: parsed.receiver(),
            nonce: *parsed.nonce(),
            cookie,
        })
    }

    /// Makes the message again: the reply of the owner of `from` to a message whose mac1 was `mac1`.
    ///
    /// # Panics
    /// Never: a cookie is far below the cipher's limit.
    pub fn make(&self, from: &PublicKey, mac1: &Mac) -> [u8; Message::SIZE] {
        let mut sealed = [0; Message::SEALED_SIZE];
        let (body, tag) = sealed.split_at_mut(MAC_SIZE);
        body.copy_from_slice(&self.cookie);
        let sealing = XChaCha20Poly1305::new(&mac::cookie_key(from).into())
            .encrypt_in_place_detached(&self.nonce.into(), mac1, body)
            .expect("a cookie is short");
        tag.copy_from_slice(&sealing);
        Message::new(self.type_word, self.receiver, &self.nonce, &sealed).0
    }
}
