//! Header protection (AmneziaWG 3.0): what of a message is not sealed looks random too. Known from recordings of v3.1.20260814.
//!
//! The first 12 bytes of the padding are the nonce of a keystream of `ChaCha20` (RFC 8439, counter 0), which is put over the whole
//! handshake message by exclusive or, or over the header of a transport message, after MACs and sealing. It authenticates nothing.

use chacha20::ChaChaCore;
use chacha20::cipher::consts::U10;
use chacha20::cipher::{Block, KeyIvInit, StreamCipher, StreamCipherCore, StreamCipherCoreWrapper};

use super::Obfuscation;
use crate::message::MessageType;
use crate::parameters::HeaderProtectionKey;

/// Type word, receiver and counter of a transport message.
const HEADER_SIZE: usize = 16;

/// The first bytes of a datagram's keystream: enough for a type word and for the header of a transport message. All zeros, which
/// change nothing, without header protection.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeaderMask([u8; HEADER_SIZE]);

impl HeaderMask {
    /// The mask of the datagram that begins with `start`; nothing for one that is too short for a nonce.
    pub(super) fn new(key: &HeaderProtectionKey, datagram: &[u8]) -> Option<Self> {
        let mut block = Block::<Keystream>::default();
        keystream(key, datagram)?.write_keystream_block(&mut block);
        Some(Self(*block.first_chunk()?))
    }

    /// The mask of a type word.
    #[inline]
    pub(super) fn word(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_le_bytes([a, b, c, d])
    }

    /// Puts header protection on the transport message `message`, or takes it off, which is the same. Of one that is too short
    /// nothing is changed.
    #[inline]
    pub fn apply(self, message: &mut [u8]) {
        if let Some(header) = message.first_chunk_mut::<HEADER_SIZE>() {
            *header = (u128::from_ne_bytes(*header) ^ u128::from_ne_bytes(self.0)).to_ne_bytes();
        }
    }
}

impl Obfuscation {
    /// Whether headers are protected.
    #[inline]
    pub fn protects_headers(&self) -> bool {
        self.parameters.header_protection_key.is_some()
    }

    /// Puts header protection on the `message` that begins at `offset` in `datagram`, whose padding is filled; or takes it off,
    /// which is the same. Without header protection, and where the datagram is too short, nothing is changed.
    pub fn toggle_protection(&self, message: MessageType, offset: usize, datagram: &mut [u8]) {
        let Some(key) = &self.parameters.header_protection_key else {
            return;
        };
        if message == MessageType::Transport {
            let mask = HeaderMask::new(key, datagram);
            if let (Some(mask), Some(message)) = (mask, datagram.get_mut(offset..)) {
                mask.apply(message);
            }
            return;
        }
        let keystream = keystream(key, datagram);
        let message = datagram
            .get_mut(offset..)
            .and_then(|rest| rest.get_mut(..message.bare_size()));
        if let (Some(keystream), Some(message)) = (keystream, message) {
            StreamCipherCoreWrapper::from_core(keystream).apply_keystream(message);
        }
    }
}

/// `ChaCha20`, by whole blocks.
type Keystream = ChaChaCore<U10>;

/// The keystream of a datagram; nothing for one that is too short for a nonce.
fn keystream(key: &HeaderProtectionKey, datagram: &[u8]) -> Option<Keystream> {
    let nonce: &[u8; HeaderProtectionKey::NONCE_SIZE] = datagram.first_chunk()?;
    Some(Keystream::new(key.as_bytes().into(), nonce.into()))
}
