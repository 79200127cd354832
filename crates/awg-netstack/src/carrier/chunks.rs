//! Memory for what the embedder sends ([`Chunks`]): QUIC keeps it until the other end has it, and then it is used again, so that
//! none is cleared for each chunk anew.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Bytes that are offered to the embedder, or taken from it, at a time.
pub(super) const CHUNK: usize = 128 << 10;

/// Below this the bytes are copied into memory of their own: none keep more than twice as much as they are.
const SMALL: usize = CHUNK / 2;

/// Chunks that are kept for the next ones; more are freed.
const SPARE: usize = 16;

/// Those that nobody uses.
type Spare = Arc<Mutex<Vec<Vec<u8>>>>;

/// See the module.
#[derive(Default)]
pub(super) struct Chunks {
    spare: Spare,
}

/// One that is in use. It is shared, and so read only, until the last one who reads it lets it go.
struct Lent {
    memory: Vec<u8>,
    home: Spare,
}

impl Chunks {
    /// Lets `fill` write up to [`CHUNK`] bytes; it returns how many.
    pub(super) fn fill(&mut self, fill: &mut dyn FnMut(&mut [u8]) -> usize) -> Bytes {
        let spare = self
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut memory = spare.unwrap_or_else(|| vec![0; CHUNK]);
        let written = fill(&mut memory).min(CHUNK);
        let lent = Lent {
            memory,
            home: Arc::clone(&self.spare),
        };
        if written < SMALL {
            return Bytes::copy_from_slice(lent.memory.get(..written).unwrap_or_default());
        }
        Bytes::from_owner(lent).slice(..written)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.memory
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut spare = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(std::mem::take(&mut self.memory));
        }
    }
}

#[cfg(test)]
mod tests;
