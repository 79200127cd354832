//! `<c>`: how many signature packets the device has sent before this one, u32 big-endian.
//!
//! The reference's README has it and its code does not: there it is an unknown tag. Accepting it breaks nothing, since
//! no receiver reads a signature packet.

use rand_core::CryptoRng;

use super::tag::{Moment, Tag};

/// The packet's number, from 0.
#[derive(Debug)]
pub(super) struct Counter;

impl Tag for Counter {
    fn size(&self) -> usize {
        size_of::<u32>()
    }

    fn write(&self, part: &mut [u8], moment: Moment, _: &mut dyn CryptoRng) {
        part.copy_from_slice(&moment.counter.to_be_bytes());
    }
}
