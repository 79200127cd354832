//! All of a tunnel's randomness, from one seed.
//!
//! Tests may script what a recording fixes: ephemeral keys and session indices.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::limits::JITTER_MILLISECONDS;

/// A seeded generator with a name for each use.
pub(crate) struct Entropy {
    rng: StdRng,
    /// Handed out before anything is drawn.
    #[cfg(test)]
    pub(crate) scripted: Scripted,
}

/// What the next draws are to give.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) ephemerals: std::collections::VecDeque<[u8; 32]>,
    pub(crate) indices: std::collections::VecDeque<u32>,
}

impl Entropy {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            rng: StdRng::from_seed(seed),
            #[cfg(test)]
            scripted: Scripted::default(),
        }
    }

    /// The generator itself, for padding, type words and junk.
    pub(crate) fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    /// A private key for one handshake.
    pub(crate) fn ephemeral(&mut self) -> Zeroizing<[u8; 32]> {
        #[cfg(test)]
        if let Some(ephemeral) = self.scripted.ephemerals.pop_front() {
            return Zeroizing::new(ephemeral);
        }
        self.secret()
    }

    /// A candidate for a session's index.
    pub(crate) fn index(&mut self) -> u32 {
        #[cfg(test)]
        if let Some(index) = self.scripted.indices.pop_front() {
            return index;
        }
        self.rng.next_u32()
    }

    /// 32 secret bytes.
    pub(crate) fn secret(&mut self) -> Zeroizing<[u8; 32]> {
        let mut secret = Zeroizing::new([0; 32]);
        self.rng.fill_bytes(secret.as_mut_slice());
        secret
    }

    /// The nonce of a cookie reply.
    pub(crate) fn nonce(&mut self) -> [u8; 24] {
        let mut nonce = [0; 24];
        self.rng.fill_bytes(&mut nonce);
        nonce
    }

    /// What is added to a retry's time, so that two ends do not stay in step.
    pub(crate) fn jitter(&mut self) -> Duration {
        // The bias of the remainder is below 2^-23: nothing hangs on it.
        Duration::from_millis(u64::from(self.rng.next_u32() % (JITTER_MILLISECONDS + 1)))
    }
}
