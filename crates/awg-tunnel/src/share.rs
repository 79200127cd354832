//! One end with several tunnels: which of them a session's index names, and the secret that their cookies are made with.
//!
//! Each tunnel has some of the peers, and all receive at the same ports, so a datagram may come to one that does not have its
//! sender. A session's index is random among those that a keyed function maps to the tunnel that chose it: nobody else can tell
//! by an index which tunnel, or how many, there are. The function is made of operations that a classic BPF program has too.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::limits::COOKIE_LIFETIME;

/// A tunnel's part of an end; see the module.
#[derive(Debug, Clone)]
pub struct Share {
    number: usize,
    spread: Spread,
    pub(crate) cookies: CookieSecret,
}

impl Share {
    /// The parts of an end with so many tunnels (at least one). `seed` must be unpredictable.
    pub fn of(count: usize, seed: [u8; 32]) -> Vec<Self> {
        let mut rng = StdRng::from_seed(seed);
        let spread = Spread {
            mask: rng.next_u32(),
            factor: rng.next_u32() | 1,
            shares: u32::try_from(count).unwrap_or(u32::MAX).max(1),
        };
        let cookies = CookieSecret::default();
        let share = |number| Self {
            number,
            spread,
            cookies: cookies.clone(),
        };
        (0..count.max(1)).map(share).collect()
    }

    /// Which one it is, from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    /// How indices are spread.
    pub fn spread(&self) -> Spread {
        self.spread
    }

    /// Whose index that is, unless it is this share's own.
    #[inline]
    pub(crate) fn elsewhere(&self, index: u32) -> Option<usize> {
        let owner = self.spread.owner(index);
        (owner != self.number).then_some(owner)
    }
}

/// The keyed function from indices to tunnels: `(((index with its bytes swapped) ^ mask) * factor >> 16) % shares`.
#[derive(Clone, Copy)]
pub struct Spread {
    /// What the swapped index is combined with by exclusive or.
    pub mask: u32,
    /// What that is multiplied with, modulo 2^32; odd.
    pub factor: u32,
    /// How many tunnels there are; at least 1.
    pub shares: u32,
}

impl Spread {
    /// The number of the tunnel that an index belongs to.
    #[inline]
    pub fn owner(self, index: u32) -> usize {
        let mixed = (index.swap_bytes() ^ self.mask).wrapping_mul(self.factor);
        ((mixed >> 16) % self.shares) as usize
    }
}

impl fmt::Debug for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is a key.
        formatter
            .debug_struct("Spread")
            .field("shares", &self.shares)
            .finish_non_exhaustive()
    }
}

/// The changing secret behind cookies, which all tunnels of an end have in common: a cookie is good wherever its bearer's next
/// message arrives. It is asked for under load only.
#[derive(Clone, Default)]
pub(crate) struct CookieSecret(Arc<Mutex<Option<Made>>>);

type Made = (Zeroizing<[u8; 32]>, Instant);

impl CookieSecret {
    fn lock(&self) -> MutexGuard<'_, Option<Made>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret, unless there is none of late.
    pub(crate) fn current(&self, now: Instant) -> Option<Zeroizing<[u8; 32]>> {
        let made = self.lock();
        let (secret, made) = made.as_ref()?;
        (now.saturating_duration_since(*made) <= COOKIE_LIFETIME).then(|| secret.clone())
    }

    /// The secret; a new one where it has become too old.
    pub(crate) fn renewed(&self, now: Instant, entropy: &mut Entropy) -> Zeroizing<[u8; 32]> {
        let mut made = self.lock();
        match &*made {
            Some((secret, made)) if now.saturating_duration_since(*made) <= COOKIE_LIFETIME => {
                secret.clone()
            }
            _ => made.insert((entropy.secret(), now)).0.clone(),
        }
    }

    #[cfg(test)]
    pub(crate) fn set(&self, secret: [u8; 32], made: Instant) {
        *self.lock() = Some((Zeroizing::new(secret), made));
    }
}

impl fmt::Debug for CookieSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CookieSecret")
    }
}

#[cfg(test)]
mod tests;
