//! The handshake response: type word, sender, receiver, Noise's second message, mac1, mac2.

use super::{MAC_SIZE, field, word};
use crate::noise;

/// A handshake response, 92 bytes.
pub(crate) struct Response(pub(crate) [u8; Response::SIZE]);

impl Response {
    pub(crate) const SIZE: usize = 92;
    const SENDER: usize = 4;
    const RECEIVER: usize = 8;
    const NOISE: usize = 12;
    const MAC1: usize = Self::SIZE - 2 * MAC_SIZE;

    /// All but the MACs, which cover what is written here.
    pub(crate) fn new(
        type_word: u32,
        sender: u32,
        receiver: u32,
        noise: &[u8; noise::SECOND_SIZE],
    ) -> Self {
        let mut message = [0; Self::SIZE];
        message[..Self::SENDER].copy_from_slice(&type_word.to_le_bytes());
        message[Self::SENDER..Self::RECEIVER].copy_from_slice(&sender.to_le_bytes());
        message[Self::RECEIVER..Self::NOISE].copy_from_slice(&receiver.to_le_bytes());
        message[Self::NOISE..Self::MAC1].copy_from_slice(noise);
        Self(message)
    }

    /// The index of the responder's new session.
    pub(crate) fn sender(&self) -> u32 {
        word(&self.0, Self::SENDER)
    }

    /// The index of the initiation that it answers.
    pub(crate) fn receiver(&self) -> u32 {
        word(&self.0, Self::RECEIVER)
    }

    /// Noise's part.
    pub(crate) fn noise(&self) -> &[u8; noise::SECOND_SIZE] {
        field(&self.0, Self::NOISE)
    }
}
