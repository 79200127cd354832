//! The arguments of tags: a number of bytes, or bytes in hexadecimal.

use crate::LARGEST_DATAGRAM;
use crate::excerpt::excerpt;
use crate::number::{NumberError, number};

/// Why the argument of a tag was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// The tag needs an argument and has none.
    #[error("an argument is missing; allowed is {0}")]
    Missing(&'static str),
    /// The argument is not a number of bytes that fits.
    #[error("{0}")]
    Number(#[from] NumberError),
    /// The number of hexadecimal digits is odd.
    #[error("{0} hexadecimal digits are not whole bytes; an even number of digits is needed")]
    OddDigits(usize),
    /// A character is not a hexadecimal digit.
    #[error(
        "`{0}` is not hexadecimal; allowed are the digits 0-9, a-f and A-F, and `0x` in front of them"
    )]
    NotHexadecimal(String),
}

/// Reads a number of bytes, from 0 to what fits a datagram.
pub(super) fn size(argument: &str) -> Result<usize, ArgumentError> {
    if argument.is_empty() {
        return Err(ArgumentError::Missing("a number of bytes"));
    }
    Ok(usize::from(number(argument, LARGEST_DATAGRAM)?))
}

/// Reads bytes in hexadecimal, of which there must be at least one; `0x` may stand in front.
pub(super) fn hexadecimal(argument: &str) -> Result<Vec<u8>, ArgumentError> {
    let digits = argument.strip_prefix("0x").unwrap_or(argument);
    if digits.is_empty() {
        return Err(ArgumentError::Missing(
            "bytes in hexadecimal, such as `0x00ff`",
        ));
    }
    let values: Vec<u8> = digits
        .chars()
        .map(|digit| digit.to_digit(16).map(|value| value as u8))
        .collect::<Option<_>>()
        .ok_or_else(|| ArgumentError::NotHexadecimal(excerpt(argument)))?;
    if !values.len().is_multiple_of(2) {
        return Err(ArgumentError::OddDigits(values.len()));
    }
    Ok(values
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, value| byte << 4 | value))
        .collect())
}
