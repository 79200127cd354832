//! The cookie reply: type word, receiver, nonce, sealed cookie.

use super::{MAC_SIZE, TAG_SIZE, field, word};

/// A cookie reply, 64 bytes.
pub(crate) struct CookieReply(pub(crate) [u8; CookieReply::SIZE]);

impl CookieReply {
    pub(crate) const SIZE: usize = 64;
    pub(crate) const NONCE_SIZE: usize = 24;
    pub(crate) const SEALED_SIZE: usize = MAC_SIZE + TAG_SIZE;
    const RECEIVER: usize = 4;
    const NONCE: usize = 8;
    const SEALED: usize = 32;

    /// The whole message.
    pub(crate) fn new(
        type_word: u32,
        receiver: u32,
        nonce: &[u8; Self::NONCE_SIZE],
        sealed: &[u8; Self::SEALED_SIZE],
    ) -> Self {
        let mut message = [0; Self::SIZE];
        message[..Self::RECEIVER].copy_from_slice(&type_word.to_le_bytes());
        message[Self::RECEIVER..Self::NONCE].copy_from_slice(&receiver.to_le_bytes());
        message[Self::NONCE..Self::SEALED].copy_from_slice(nonce);
        message[Self::SEALED..].copy_from_slice(sealed);
        Self(message)
    }

    /// The sender index of the message that it answers.
    pub(crate) fn receiver(&self) -> u32 {
        word(&self.0, Self::RECEIVER)
    }

    /// The nonce of XChaCha20-Poly1305.
    pub(crate) fn nonce(&self) -> &[u8; Self::NONCE_SIZE] {
        field(&self.0, Self::NONCE)
    }

    /// The cookie and its tag.
    pub(crate) fn sealed(&self) -> &[u8; Self::SEALED_SIZE] {
        field(&self.0, Self::SEALED)
    }
}
