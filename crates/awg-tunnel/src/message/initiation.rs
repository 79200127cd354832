//! The handshake initiation: type word, sender, Noise's first message, mac1, mac2.

use super::{MAC_SIZE, field, word};
use crate::noise;

/// A handshake initiation, 148 bytes.
pub(crate) struct Initiation(pub(crate) [u8; Initiation::SIZE]);

impl Initiation {
    pub(crate) const SIZE: usize = 148;
    const SENDER: usize = 4;
    const NOISE: usize = 8;
    const MAC1: usize = Self::SIZE - 2 * MAC_SIZE;

    /// All but the MACs, which cover what is written here.
    pub(crate) fn new(type_word: u32, sender: u32, noise: &[u8; noise::FIRST_SIZE]) -> Self {
        let mut message = [0; Self::SIZE];
        message[..Self::SENDER].copy_from_slice(&type_word.to_le_bytes());
        message[Self::SENDER..Self::NOISE].copy_from_slice(&sender.to_le_bytes());
        message[Self::NOISE..Self::MAC1].copy_from_slice(noise);
        Self(message)
    }

    /// The index by which the initiator wants to be answered.
    pub(crate) fn sender(&self) -> u32 {
        word(&self.0, Self::SENDER)
    }

    /// Noise's part.
    pub(crate) fn noise(&self) -> &[u8; noise::FIRST_SIZE] {
        field(&self.0, Self::NOISE)
    }

    /// The first MAC.
    pub(crate) fn mac1(&self) -> &[u8; MAC_SIZE] {
        field(&self.0, Self::MAC1)
    }
}
