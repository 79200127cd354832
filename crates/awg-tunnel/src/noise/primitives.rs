//! What `snow` is given to compute with.

use std::sync::Mutex;

use snow::Error;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};
use zeroize::Zeroizing;

use super::blake2s::Blake2s;
use super::chacha20poly1305::ChaChaPoly;
use super::x25519::X25519;

/// The primitives of one handshake, with its ephemeral private key.
pub(super) struct Primitives {
    // The trait hands out the generator through a shared reference.
    ephemeral: Mutex<Option<Zeroizing<[u8; 32]>>>,
}

impl Primitives {
    pub(super) fn new(ephemeral: Zeroizing<[u8; 32]>) -> Self {
        Self {
            ephemeral: Mutex::new(Some(ephemeral)),
        }
    }
}

impl CryptoResolver for Primitives {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(OneKey(self.ephemeral.lock().ok()?.take())))
    }

    fn resolve_dh(&self, _: &DHChoice) -> Option<Box<dyn Dh>> {
        Some(Box::<X25519>::default())
    }

    fn resolve_hash(&self, _: &HashChoice) -> Option<Box<dyn Hash>> {
        Some(Box::<Blake2s>::default())
    }

    fn resolve_cipher(&self, _: &CipherChoice) -> Option<Box<dyn Cipher>> {
        Some(Box::<ChaChaPoly>::default())
    }
}

/// A generator that gives one key, which is all that one side of a handshake draws.
struct OneKey(Option<Zeroizing<[u8; 32]>>);

impl Random for OneKey {
    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Error> {
        match self.0.take() {
            Some(key) if key.len() == destination.len() => {
                destination.copy_from_slice(key.as_slice());
                Ok(())
            }
            _ => Err(Error::Rng),
        }
    }
}
