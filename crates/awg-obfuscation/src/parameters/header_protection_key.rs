//! The key of header protection as configurations spell it: base64 in a `.conf`, hexadecimal in the control protocol.
//!
//! It has no `Debug` of its content, no error repeats it, and it is overwritten when dropped.

use std::fmt;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// Bytes of the key.
const SIZE: usize = 32;
/// Characters of the key in base64, and digits in hexadecimal.
const BASE64_SIZE: usize = 44;
const HEX_SIZE: usize = 2 * SIZE;

/// `HeaderProtectionKey`: 32 secret bytes that both ends share.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderProtectionKey(Zeroizing<[u8; SIZE]>);

/// Why a key was refused. What was given is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProtectionKeyError {
    /// Another number of characters.
    #[error("has {found} characters; a key is {expected} in {encoding}")]
    Length {
        /// How many were given.
        found: usize,
        /// How many a key has.
        expected: usize,
        /// How it is spelled under this name.
        encoding: &'static str,
    },
    /// Characters that this encoding does not have.
    #[error("is not a key in {encoding}: 32 bytes make {expected} characters of it")]
    Encoding {
        /// How many characters a key has.
        expected: usize,
        /// How it is spelled under this name.
        encoding: &'static str,
    },
}

impl HeaderProtectionKey {
    /// So many bytes of a datagram's padding are the nonce of its keystream; each padding needs as many.
    pub const NONCE_SIZE: usize = 12;

    /// Takes the bytes as they are; 32 zero bytes are no key, and turn header protection off.
    pub fn from_bytes(bytes: [u8; SIZE]) -> Option<Self> {
        let key = Zeroizing::new(bytes);
        key.iter().any(|byte| *byte != 0).then_some(Self(key))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; SIZE] {
        &self.0
    }

    /// Reads the 44 characters of a `.conf`.
    ///
    /// # Errors
    /// Any [`HeaderProtectionKeyError`].
    pub fn from_base64(text: &str) -> Result<Option<Self>, HeaderProtectionKeyError> {
        let (expected, encoding) = (BASE64_SIZE, "base64");
        let mut bytes = Zeroizing::new([0; SIZE]);
        sized(text, expected, encoding)?;
        match Base64::decode(text, bytes.as_mut_slice()) {
            Ok(decoded) if decoded.len() == SIZE => Ok(Self::from_bytes(*bytes)),
            _ => Err(HeaderProtectionKeyError::Encoding { expected, encoding }),
        }
    }

    /// Reads the 64 digits of the control protocol.
    ///
    /// # Errors
    /// Any [`HeaderProtectionKeyError`].
    pub fn from_hex(text: &str) -> Result<Option<Self>, HeaderProtectionKeyError> {
        let (expected, encoding) = (HEX_SIZE, "hexadecimal");
        sized(text, expected, encoding)?;
        let mut bytes = Zeroizing::new([0; SIZE]);
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            for digit in digits {
                let value = char::from(*digit)
                    .to_digit(16)
                    .ok_or(HeaderProtectionKeyError::Encoding { expected, encoding })?;
                *byte = *byte << 4 | value as u8;
            }
        }
        Ok(Self::from_bytes(*bytes))
    }
}

fn sized(
    text: &str,
    expected: usize,
    encoding: &'static str,
) -> Result<(), HeaderProtectionKeyError> {
    let found = text.chars().count();
    if found == expected && text.len() == expected {
        Ok(())
    } else if found == expected {
        Err(HeaderProtectionKeyError::Encoding { expected, encoding })
    } else {
        Err(HeaderProtectionKeyError::Length {
            found,
            expected,
            encoding,
        })
    }
}

impl fmt::Debug for HeaderProtectionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HeaderProtectionKey(not shown)")
    }
}
