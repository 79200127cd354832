//! `<rc N>`: N random letters a–z and A–Z. Reference: `device/obf_randchars.go`.

use rand_core::CryptoRng;

use super::argument::{ArgumentError, size};
use super::tag::{Moment, Tag};
use crate::uniform::uniform;

/// This many random letters, in ASCII.
#[derive(Debug)]
pub(super) struct RandomLetters(usize);

impl RandomLetters {
    /// As many as `argument` says.
    pub(super) fn parse(argument: &str) -> Result<Self, ArgumentError> {
        size(argument).map(Self)
    }
}

impl Tag for RandomLetters {
    fn size(&self) -> usize {
        self.0
    }

    fn write(&self, part: &mut [u8], _: Moment, rng: &mut dyn CryptoRng) {
        for byte in part {
            *byte = match uniform(0, 51, rng) as u8 {
                small @ 0..26 => b'a' + small,
                capital => b'A' + capital - 26,
            };
        }
    }
}
