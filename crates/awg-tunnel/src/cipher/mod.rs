//! ChaCha20-Poly1305 (RFC 8439) as transport messages use it: no additional data, a counter for a nonce, in place.
//!
//! Two that do the same: `ring`'s, everywhere, and one of ours for processors with AVX-512 and its 52-bit multiplication
//! ([`wide`]), which takes 0.6 times as long for a full packet; `ring` uses registers of 256 bits at most. Which one it is
//! shows nowhere but in time.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)] // Vectors to and from memory.
mod wide;

#[cfg(test)]
mod tests;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

#[cfg(target_arch = "x86_64")]
use wide::Wide;

use crate::message::TAG_SIZE;

/// Below this `ring` is as fast: the vectors would be mostly empty.
#[cfg(target_arch = "x86_64")]
const WORTH_IT: usize = 256;

/// A key of one direction. It allocates nothing.
pub(crate) struct Cipher {
    ring: LessSafeKey,
    #[cfg(target_arch = "x86_64")]
    wide: Option<Wide>,
}

impl Cipher {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            wide: Wide::new(key),
            ..Self::portable(key)
        }
    }

    /// The same, computed by `ring` whatever the processor.
    fn portable(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has 32 bytes");
        Self {
            ring: LessSafeKey::new(key),
            #[cfg(target_arch = "x86_64")]
            wide: None,
        }
    }

    /// Encrypts `content` in place, and gives its tag. A counter is for one message alone.
    pub(crate) fn seal(&self, counter: u64, content: &mut [u8]) -> [u8; TAG_SIZE] {
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = &self.wide
            && content.len() >= WORTH_IT
        {
            return wide.seal(counter, content);
        }
        let sealed = self
            .ring
            .seal_in_place_separate_tag(nonce(counter), Aad::empty(), content)
            .expect("a datagram is far below the cipher's limit");
        let mut tag = [0; TAG_SIZE];
        tag.copy_from_slice(sealed.as_ref());
        tag
    }

    /// Decrypts what is before the tag in place. `None` if it is not authentic; what it then holds means nothing.
    pub(crate) fn open<'m>(&self, counter: u64, sealed: &'m mut [u8]) -> Option<&'m mut [u8]> {
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = &self.wide
            && sealed.len() >= WORTH_IT + TAG_SIZE
        {
            let (content, tag) = sealed.split_last_chunk_mut()?;
            return wide.open(counter, content, tag).then_some(content);
        }
        self.ring
            .open_in_place(nonce(counter), Aad::empty(), sealed)
            .ok()
    }
}

fn nonce(counter: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}
