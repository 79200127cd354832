//! `<ds>`: the data in unpadded base64. Reference: `device/obf_datastring.go`.
//!
//! A signature packet carries no data, so the tag gives no bytes.

use rand_core::CryptoRng;

use super::tag::{Moment, Tag};

/// The place of the data's base64, empty.
#[derive(Debug)]
pub(super) struct DataString;

impl Tag for DataString {
    fn size(&self) -> usize {
        0
    }

    fn write(&self, _: &mut [u8], _: Moment, _: &mut dyn CryptoRng) {}

    fn carries_data(&self) -> bool {
        true
    }
}
