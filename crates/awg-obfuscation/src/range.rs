//! Ranges of numbers: which type words a message may carry (H1 to H4; reference: `device/magic-header.go`), and of 3.x how many
//! zeros are added, how many seconds a timer runs, how often an initiation is repeated.

use std::fmt;
use std::str::FromStr;

use rand_core::CryptoRng;

use crate::excerpt::excerpt;
use crate::uniform::uniform;

/// An inclusive range of u32 from which a number is drawn each time one is needed.
///
/// Written as `x` or `x-y` in decimal, without blanks, as the reference demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NumberRange {
    first: u32,
    last: u32,
}

/// Why a range was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberRangeError {
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

impl NumberRange {
    /// The range from `first` to `last`, both included.
    ///
    /// # Errors
    /// [`NumberRangeError::Backwards`] where `first` is above `last`.
    pub const fn new(first: u32, last: u32) -> Result<Self, NumberRangeError> {
        if first > last {
            return Err(NumberRangeError::Backwards { first, last });
        }
        Ok(Self { first, last })
    }

    /// The range of this one number.
    pub const fn single(number: u32) -> Self {
        Self {
            first: number,
            last: number,
        }
    }

    /// The lowest number of the range.
    pub const fn first(self) -> u32 {
        self.first
    }

    /// The highest number of the range.
    pub const fn last(self) -> u32 {
        self.last
    }

    /// How many numbers lie in the range.
    pub const fn width(self) -> u64 {
        self.last as u64 - self.first as u64 + 1
    }

    /// Whether `number` lies in the range.
    #[inline]
    pub const fn contains(self, number: u32) -> bool {
        self.first <= number && number <= self.last
    }

    /// Whether any number lies in both ranges.
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// A number of the range, each as likely as any other; a range of one number takes nothing from `rng`.
    #[inline]
    pub fn draw<R: CryptoRng + ?Sized>(self, rng: &mut R) -> u32 {
        uniform(self.first, self.last, rng)
    }
}

impl FromStr for NumberRange {
    type Err = NumberRangeError;

    /// Reads `x` or `x-y`.
    ///
    /// # Errors
    /// Any [`NumberRangeError`].
    fn from_str(text: &str) -> Result<Self, NumberRangeError> {
        match text.split_once('-') {
            // A further hyphen ends up in the second part and makes it no number.
            Some((first, last)) => Self::new(bound(first, text)?, bound(last, text)?),
            None => bound(text, text).map(Self::single),
        }
    }
}

/// Reads one bound; `text` is the whole value, for the error.
fn bound(bound: &str, text: &str) -> Result<u32, NumberRangeError> {
    // The standard parser would take a plus sign, which the reference refuses.
    if bound.starts_with('+') {
        return Err(NumberRangeError::NotANumber(excerpt(text)));
    }
    bound
        .parse()
        .map_err(|_| NumberRangeError::NotANumber(excerpt(text)))
}

impl fmt::Display for NumberRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(formatter, "{}", self.first)
        } else {
            write!(formatter, "{}-{}", self.first, self.last)
        }
    }
}
