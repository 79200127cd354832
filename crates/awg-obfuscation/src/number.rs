//! Whole numbers of the configuration, with an upper bound. What is read: what Go's `strconv.Atoi` reads.

use crate::excerpt::excerpt;

/// Why a number was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a whole decimal number.
    #[error("`{value}` is not a whole number; allowed is 0 to {most}")]
    NotANumber {
        /// What was given, cut short.
        value: String,
        /// The largest number allowed.
        most: u16,
    },
    /// Negative, or larger than makes sense.
    #[error("{value} is out of range; allowed is 0 to {most}")]
    OutOfRange {
        /// What was given, cut short.
        value: String,
        /// The largest number allowed.
        most: u16,
    },
}

/// Reads a decimal number from 0 to `most`.
pub(crate) fn number(value: &str, most: u16) -> Result<u16, NumberError> {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(NumberError::NotANumber {
            value: excerpt(value),
            most,
        });
    }
    let magnitude = digits.parse::<u16>().ok().filter(|&number| number <= most);
    match magnitude {
        Some(number) if number == 0 || !value.starts_with('-') => Ok(number),
        _ => Err(NumberError::OutOfRange {
            value: excerpt(value),
            most,
        }),
    }
}
