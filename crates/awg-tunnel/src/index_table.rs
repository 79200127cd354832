//! Which peer a session's index belongs to (`device/indextable.go`).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::entropy::Entropy;
use crate::peer::PeerId;
use crate::share::Share;

/// Random indices in use. A look-up costs the same however many there are.
#[derive(Default)]
pub(crate) struct IndexTable(HashMap<u32, PeerId, BuildHasherDefault<Spread>>);

impl IndexTable {
    /// A new random index for a peer, of this tunnel's share if it has one.
    pub(crate) fn allocate(
        &mut self,
        entropy: &mut Entropy,
        share: Option<&Share>,
        peer: PeerId,
    ) -> u32 {
        loop {
            let index = entropy.index();
            if share.is_some_and(|share| share.elsewhere(index).is_some()) {
                continue;
            }
            if let std::collections::hash_map::Entry::Vacant(entry) = self.0.entry(index) {
                entry.insert(peer);
                return index;
            }
        }
    }

    /// The peer of an index.
    #[inline]
    pub(crate) fn find(&self, index: u32) -> Option<PeerId> {
        self.0.get(&index).copied()
    }

    /// Frees an index.
    pub(crate) fn free(&mut self, index: u32) {
        self.0.remove(&index);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A hash for keys that are random already: they are our own draws, so nobody can choose ones that collide. It only spreads the
/// bits, since the map looks at the upper ones too.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte) ^ (self.0 as u32));
        }
    }

    fn write_u32(&mut self, index: u32) {
        self.0 = u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
