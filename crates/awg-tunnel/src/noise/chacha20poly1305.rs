//! ChaCha20-Poly1305 for `snow`, wiped on drop.

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, Tag};
use snow::Error;
use snow::types::Cipher;
use zeroize::Zeroizing;

use crate::message::TAG_SIZE;

/// A key.
#[derive(Default)]
pub(super) struct ChaChaPoly(Zeroizing<[u8; 32]>);

impl ChaChaPoly {
    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(self.0.as_slice().into())
    }
}

fn nonce(counter: u64) -> Nonce {
    let mut nonce = Nonce::default();
    nonce[4..].copy_from_slice(&counter.to_le_bytes());
    nonce
}

impl Cipher for ChaChaPoly {
    fn name(&self) -> &'static str {
        "ChaChaPoly"
    }

    fn set(&mut self, key: &[u8; 32]) {
        self.0.copy_from_slice(key);
    }

    fn encrypt(&self, counter: u64, hash: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        let (sealed, rest) = out.split_at_mut(plaintext.len());
        sealed.copy_from_slice(plaintext);
        let tag = self
            .cipher()
            .encrypt_in_place_detached(&nonce(counter), hash, sealed)
            .expect("a handshake field is far below the cipher's limit");
        rest[..TAG_SIZE].copy_from_slice(&tag);
        plaintext.len() + TAG_SIZE
    }

    fn decrypt(
        &self,
        counter: u64,
        hash: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let (sealed, tag) = ciphertext
            .split_last_chunk::<TAG_SIZE>()
            .ok_or(Error::Decrypt)?;
        let opened = out.get_mut(..sealed.len()).ok_or(Error::Decrypt)?;
        opened.copy_from_slice(sealed);
        self.cipher()
            .decrypt_in_place_detached(&nonce(counter), hash, opened, Tag::from_slice(tag))
            .map_err(|_| Error::Decrypt)?;
        Ok(sealed.len())
    }
}
