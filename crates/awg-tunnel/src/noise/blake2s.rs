//! BLAKE2s for `snow`, wiped on drop.

use blake2::{Blake2s256, Digest};
use snow::types::Hash;

use crate::wiped::Wiped;

/// A running hash.
pub(super) struct Blake2s(Wiped<Blake2s256>);

impl Default for Blake2s {
    fn default() -> Self {
        Self(Wiped::new(Blake2s256::new()))
    }
}

impl Hash for Blake2s {
    fn name(&self) -> &'static str {
        "BLAKE2s"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        Digest::reset(&mut *self.0);
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        let hash = self.0.finalize_reset();
        out[..32].copy_from_slice(&hash);
    }
}
