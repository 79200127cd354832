//! `<r N>`: N random bytes. Reference: `device/obf_rand.go`.

use rand_core::CryptoRng;

use super::argument::{ArgumentError, size};
use super::tag::{Moment, Tag};

/// This many random bytes.
#[derive(Debug)]
pub(super) struct Random(usize);

impl Random {
    /// As many as `argument` says.
    pub(super) fn parse(argument: &str) -> Result<Self, ArgumentError> {
        size(argument).map(Self)
    }
}

impl Tag for Random {
    fn size(&self) -> usize {
        self.0
    }

    fn write(&self, part: &mut [u8], _: Moment, rng: &mut dyn CryptoRng) {
        rng.fill_bytes(part);
    }
}
