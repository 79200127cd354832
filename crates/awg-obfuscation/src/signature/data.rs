//! `<d>`: the data, as it is. Reference: `device/obf_data.go`.
//!
//! A signature packet carries no data, so the tag gives no bytes.

use rand_core::CryptoRng;

use super::tag::{Moment, Tag};

/// The data's place, empty.
#[derive(Debug)]
pub(super) struct Data;

impl Tag for Data {
    fn size(&self) -> usize {
        0
    }

    fn write(&self, _: &mut [u8], _: Moment, _: &mut dyn CryptoRng) {}

    fn carries_data(&self) -> bool {
        true
    }
}
