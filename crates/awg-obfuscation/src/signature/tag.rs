//! What every tag of a signature packet can do, and the table of tags. Reference: `device/obf.go`.

use std::fmt::Debug;
use std::sync::Arc;

use rand_core::CryptoRng;

use super::argument::ArgumentError;
use super::bytes::Bytes;
use super::counter::Counter;
use super::data::Data;
use super::data_size::DataSize;
use super::data_string::DataString;
use super::random::Random;
use super::random_digits::RandomDigits;
use super::random_letters::RandomLetters;
use super::timestamp::Timestamp;

/// What the tags of one signature packet may show of the moment in which it leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Unix time in seconds, cut to 32 bits as on the wire.
    pub(crate) unix: u32,
    /// How many signature packets the device has sent before.
    pub(crate) counter: u32,
}

/// A part of a signature packet: always the same number of bytes, made anew for every packet.
pub(crate) trait Tag: Debug + Send + Sync {
    /// How many bytes [`Tag::write`] writes.
    fn size(&self) -> usize;

    /// Writes the tag's bytes; `part` is [`Tag::size`] bytes long.
    fn write(&self, part: &mut [u8], moment: Moment, rng: &mut dyn CryptoRng);

    /// Whether the tag stands for data, of which a signature packet has none.
    fn carries_data(&self) -> bool {
        false
    }
}

/// A row of the table of tags.
pub(super) struct TagKind {
    /// What stands first between the angle brackets.
    pub(super) key: &'static str,
    /// Whether an argument belongs to the tag; of one that takes none, an argument is ignored.
    pub(super) takes_argument: bool,
    /// Makes the tag; the argument is empty where none was given.
    pub(super) build: fn(argument: &str) -> Result<Arc<dyn Tag>, ArgumentError>,
}

/// Every tag there is.
pub(super) const TAGS: [TagKind; 9] = [
    TagKind {
        key: "b",
        takes_argument: true,
        build: |argument| Ok(Arc::new(Bytes::parse(argument)?)),
    },
    TagKind {
        key: "r",
        takes_argument: true,
        build: |argument| Ok(Arc::new(Random::parse(argument)?)),
    },
    TagKind {
        key: "rd",
        takes_argument: true,
        build: |argument| Ok(Arc::new(RandomDigits::parse(argument)?)),
    },
    TagKind {
        key: "rc",
        takes_argument: true,
        build: |argument| Ok(Arc::new(RandomLetters::parse(argument)?)),
    },
    TagKind {
        key: "t",
        takes_argument: false,
        build: |_| Ok(Arc::new(Timestamp)),
    },
    TagKind {
        key: "c",
        takes_argument: false,
        build: |_| Ok(Arc::new(Counter)),
    },
    TagKind {
        key: "d",
        takes_argument: false,
        build: |_| Ok(Arc::new(Data)),
    },
    TagKind {
        key: "ds",
        takes_argument: false,
        build: |_| Ok(Arc::new(DataString)),
    },
    TagKind {
        key: "dz",
        takes_argument: true,
        build: |argument| Ok(Arc::new(DataSize::parse(argument)?)),
    },
];
