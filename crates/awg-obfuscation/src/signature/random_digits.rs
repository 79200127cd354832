//! `<rd N>`: N random decimal digits. Reference: `device/obf_randdigits.go`.

use rand_core::CryptoRng;

use super::argument::{ArgumentError, size};
use super::tag::{Moment, Tag};
use crate::uniform::uniform;

/// This many random digits, in ASCII.
#[derive(Debug)]
pub(super) struct RandomDigits(usize);

impl RandomDigits {
    /// As many as `argument` says.
    pub(super) fn parse(argument: &str) -> Result<Self, ArgumentError> {
        size(argument).map(Self)
    }
}

impl Tag for RandomDigits {
    fn size(&self) -> usize {
        self.0
    }

    fn write(&self, part: &mut [u8], _: Moment, rng: &mut dyn CryptoRng) {
        for byte in part {
            *byte = b'0' + uniform(0, 9, rng) as u8;
        }
    }
}
