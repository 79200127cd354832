//! Header ranges, H1 to H4: which type words a message may carry. Reference: `device/magic-header.go`.

use std::fmt;
use std::str::FromStr;

use rand_core::CryptoRng;

use crate::excerpt::excerpt;
use crate::uniform::uniform;

/// The type words of one message type: an inclusive range of u32 from which every message draws its own.
///
/// Written as `x` or `x-y` in decimal, without blanks, as the reference demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeaderRange {
    first: u32,
    last: u32,
}

/// Why a header range was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderRangeError {
    /// A bound is not a decimal u32.
    #[error(
        "`{0}` is not a number from 0 to 4294967295; allowed is one such number, or a range `x-y` of two without blanks"
    )]
    NotANumber(String),
    /// The bounds are the wrong way round.
    #[error(
        "{first}-{last} runs backwards; the first number of a range must not be above the last"
    )]
    Backwards {
        /// The bound that was given first.
        first: u32,
        /// The bound that was given last.
        last: u32,
    },
}

impl HeaderRange {
    /// The range from `first` to `last`, both included.
    ///
    /// # Errors
    /// [`HeaderRangeError::Backwards`] where `first` is above `last`.
    pub const fn new(first: u32, last: u32) -> Result<Self, HeaderRangeError> {
        if first > last {
            return Err(HeaderRangeError::Backwards { first, last });
        }
        Ok(Self { first, last })
    }

    /// The range of this one word.
    pub const fn single(word: u32) -> Self {
        Self {
            first: word,
            last: word,
        }
    }

    /// The lowest word of the range.
    pub const fn first(self) -> u32 {
        self.first
    }

    /// The highest word of the range.
    pub const fn last(self) -> u32 {
        self.last
    }

    /// Whether `word` lies in the range.
    #[inline]
    pub const fn contains(self, word: u32) -> bool {
        self.first <= word && word <= self.last
    }

    /// Whether any word lies in both ranges.
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// A word of the range, each as likely as any other; a range of one word takes nothing from `rng`.
    #[inline]
    pub fn draw<R: CryptoRng + ?Sized>(self, rng: &mut R) -> u32 {
        uniform(self.first, self.last, rng)
    }
}

impl FromStr for HeaderRange {
    type Err = HeaderRangeError;

    /// Reads `x` or `x-y`.
    ///
    /// # Errors
    /// Any [`HeaderRangeError`].
    fn from_str(text: &str) -> Result<Self, HeaderRangeError> {
        match text.split_once('-') {
            // A further hyphen ends up in the second part and makes it no number.
            Some((first, last)) => Self::new(word(first, text)?, word(last, text)?),
            None => word(text, text).map(Self::single),
        }
    }
}

/// Reads one bound; `text` is the whole value, for the error.
fn word(bound: &str, text: &str) -> Result<u32, HeaderRangeError> {
    // The standard parser would take a plus sign, which the reference refuses.
    if bound.starts_with('+') {
        return Err(HeaderRangeError::NotANumber(excerpt(text)));
    }
    bound
        .parse()
        .map_err(|_| HeaderRangeError::NotANumber(excerpt(text)))
}

impl fmt::Display for HeaderRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(formatter, "{}", self.first)
        } else {
            write!(formatter, "{}-{}", self.first, self.last)
        }
    }
}
