//! `<t>`: the time, Unix seconds, u32 big-endian. Reference: `device/obf_timestamp.go`.

use rand_core::CryptoRng;

use super::tag::{Moment, Tag};

/// The time in which the packet leaves.
#[derive(Debug)]
pub(super) struct Timestamp;

impl Tag for Timestamp {
    fn size(&self) -> usize {
        size_of::<u32>()
    }

    fn write(&self, part: &mut [u8], moment: Moment, _: &mut dyn CryptoRng) {
        part.copy_from_slice(&moment.unix.to_be_bytes());
    }
}
