//! What can be wrong with a key.

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not as long as 32 bytes are in base64.
    #[error("a key has 44 base64 characters (32 bytes), this has {found}")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// A character outside the base64 alphabet, `=` before the end, or bits after the 32nd byte.
    #[error("this is not base64: a key has 43 of A-Z a-z 0-9 + / and one = at the end")]
    Base64,
    /// 32 zero bytes.
    #[error("the key is all zeros")]
    Zero,
    /// A public key with which no secret can be agreed (RFC 7748, section 6.1).
    #[error("the key is a point of low order, with which no secret can be agreed")]
    LowOrder,
}
