//! `<dz N>`: the data's length in N bytes, big-endian. Reference: `device/obf_datasize.go`.
//!
//! A signature packet carries no data, so the length is 0.

use rand_core::CryptoRng;

use super::argument::{ArgumentError, size};
use super::tag::{Moment, Tag};

/// A length of 0 in this many bytes.
#[derive(Debug)]
pub(super) struct DataSize(usize);

impl DataSize {
    /// In as many bytes as `argument` says.
    pub(super) fn parse(argument: &str) -> Result<Self, ArgumentError> {
        size(argument).map(Self)
    }
}

impl Tag for DataSize {
    fn size(&self) -> usize {
        self.0
    }

    fn write(&self, part: &mut [u8], _: Moment, _: &mut dyn CryptoRng) {
        part.fill(0);
    }

    fn carries_data(&self) -> bool {
        true
    }
}
