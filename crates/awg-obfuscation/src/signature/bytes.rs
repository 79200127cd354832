//! `<b 0xHEX>`: fixed bytes. Reference: `device/obf_bytes.go`.

use rand_core::CryptoRng;

use super::argument::{ArgumentError, hexadecimal};
use super::tag::{Moment, Tag};

/// The same bytes in every packet.
#[derive(Debug)]
pub(super) struct Bytes(Vec<u8>);

impl Bytes {
    /// The bytes of `argument`.
    pub(super) fn parse(argument: &str) -> Result<Self, ArgumentError> {
        hexadecimal(argument).map(Self)
    }
}

impl Tag for Bytes {
    fn size(&self) -> usize {
        self.0.len()
    }

    fn write(&self, part: &mut [u8], _: Moment, _: &mut dyn CryptoRng) {
        part.copy_from_slice(&self.0);
    }
}
