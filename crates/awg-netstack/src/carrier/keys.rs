//! What is random or secret about a carrier's names: the key of its stateless resets (RFC 9000 section 10.3), and connection IDs.

use std::time::Duration;

use blake2::Blake2sMac;
use blake2::digest::consts::U16;
use blake2::digest::{FixedOutput, KeyInit, Update};
use noq_proto::crypto::{CryptoError, HmacKey};
use noq_proto::{ConnectionId, ConnectionIdGenerator};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Bytes of a connection ID. A peer has one connection and a dozen IDs: these are enough never to mean two.
pub(super) const ID: usize = 4;

/// Derives the token of a stateless reset from a connection ID: keyed BLAKE2s, so that an end that has forgotten
/// everything but its secret can say that it has.
pub(super) struct ResetKey([u8; 32]);

impl ResetKey {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    fn tag(&self, data: &[u8]) -> [u8; 16] {
        let Ok(mut mac) = Blake2sMac::<U16>::new_from_slice(&self.0) else {
            return [0; 16];
        };
        mac.update(data);
        mac.finalize_fixed().into()
    }
}

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        for (to, from) in signature_out.iter_mut().zip(self.tag(data)) {
            *to = from;
        }
    }

    fn signature_len(&self) -> usize {
        16
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        if self.tag(data) == signature {
            Ok(())
        } else {
            Err(CryptoError)
        }
    }
}

/// Draws connection IDs.
pub(super) struct Ids(StdRng);

impl Ids {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self(StdRng::from_seed(seed))
    }
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; ID];
        self.0.fill_bytes(&mut id);
        ConnectionId::new(&id)
    }

    fn cid_len(&self) -> usize {
        ID
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}
