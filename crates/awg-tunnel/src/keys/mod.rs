//! Keys: Curve25519 pairs and preshared keys, as bytes and as the base64 of configuration files.
//!
//! Secrets have no `Debug` of their content and are overwritten when dropped; base64 runs in constant time.

mod curve;
mod derive;
mod error;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use rand::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

pub(crate) use curve::{public, shared};
pub use error::KeyError;

/// Bytes in every kind of key.
pub const KEY_SIZE: usize = 32;
/// Characters of a key in base64.
const TEXT_SIZE: usize = 44;

fn decode(text: &str) -> Result<Zeroizing<[u8; KEY_SIZE]>, KeyError> {
    if text.len() != TEXT_SIZE {
        return Err(KeyError::Length {
            found: text.chars().count(),
        });
    }
    let mut bytes = Zeroizing::new([0; KEY_SIZE]);
    match Base64::decode(text, bytes.as_mut_slice()) {
        Ok(decoded) if decoded.len() == KEY_SIZE => {}
        _ => return Err(KeyError::Base64),
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(KeyError::Zero);
    }
    Ok(bytes)
}

/// The name of a peer: a Curve25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; KEY_SIZE]);

impl PublicKey {
    /// Takes the bytes as they are.
    pub const fn from_bytes(bytes: [u8; KEY_SIZE]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; KEY_SIZE] {
        &self.0
    }

    /// Whether a secret can be agreed with this key.
    ///
    /// # Errors
    /// [`KeyError::Zero`] and [`KeyError::LowOrder`].
    pub fn check(&self) -> Result<(), KeyError> {
        if self.0 == [0; KEY_SIZE] {
            return Err(KeyError::Zero);
        }
        if curve::is_low_order(&self.0) {
            return Err(KeyError::LowOrder);
        }
        Ok(())
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = Self(*decode(text)?);
        key.check()?;
        Ok(key)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Base64::encode_string(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({self})")
    }
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name([u8; KEY_SIZE]);

        impl $name {
            /// Takes the bytes as they are.
            pub const fn from_bytes(bytes: [u8; KEY_SIZE]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; KEY_SIZE] {
                &self.0
            }

            /// The key as text for a configuration file.
            pub fn to_base64(&self) -> Zeroizing<String> {
                Zeroizing::new(Base64::encode_string(&self.0))
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }

        impl FromStr for $name {
            type Err = KeyError;

            fn from_str(text: &str) -> Result<Self, KeyError> {
                Ok(Self(*decode(text)?))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(secret)"))
            }
        }
    };
}

secret! {
    /// A Curve25519 private key. Clamping (RFC 7748) is done where it is used, so the text stays as it was read.
    PrivateKey
}

secret! {
    /// A key that both ends share beside their pairs (the `psk2` of the Noise pattern).
    PresharedKey
}

impl PrivateKey {
    /// A new key, clamped as `wg genkey` does.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut key = Self([0; KEY_SIZE]);
        rng.fill_bytes(&mut key.0);
        key.0[0] &= 0b1111_1000;
        key.0[31] = (key.0[31] & 0b0111_1111) | 0b0100_0000;
        key
    }

    /// The public key that goes with it.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(public(&self.0))
    }
}

impl PresharedKey {
    /// What Noise mixes in where none is configured.
    pub const ABSENT: Self = Self([0; KEY_SIZE]);

    /// A new key.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut key = Self([0; KEY_SIZE]);
        rng.fill_bytes(&mut key.0);
        key
    }
}
