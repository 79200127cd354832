//! Keys as text: made, checked, turned into public ones.

use std::fmt::Display;
use std::str::FromStr;

use awg_tunnel::{KeyError, PresharedKey, PrivateKey, PublicKey};
use pyo3::prelude::*;
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

use crate::errors::Failure;

/// A key from its text; the error names `argument` and does not repeat the text.
pub(crate) fn parse<K: FromStr<Err = KeyError>>(
    argument: impl Display,
    text: &str,
) -> Result<K, Failure> {
    text.parse()
        .map_err(|error: KeyError| Failure::invalid(argument, error))
}

/// A generator that is seeded by the system.
fn generator() -> Result<StdRng, Failure> {
    StdRng::try_from_rng(&mut SysRng).map_err(|error| Failure::System {
        errno: libc::EIO,
        text: error.to_string(),
    })
}

/// See the stub file.
#[pyfunction]
pub(crate) fn generate_private_key() -> Result<String, Failure> {
    Ok(PrivateKey::generate(&mut generator()?)
        .to_base64()
        .to_string())
}

/// See the stub file.
#[pyfunction]
pub(crate) fn public_key(private: &str) -> Result<String, Failure> {
    Ok(parse::<PrivateKey>("private", private)?
        .public_key()
        .to_string())
}

/// See the stub file.
#[pyfunction]
pub(crate) fn generate_preshared_key() -> Result<String, Failure> {
    Ok(PresharedKey::generate(&mut generator()?)
        .to_base64()
        .to_string())
}

/// See the stub file.
#[pyfunction]
pub(crate) fn check_key(text: &str) -> Result<(), Failure> {
    // The caller knows which key it asked about, and shows the text to people: no argument's name.
    text.parse::<PublicKey>()
        .map(drop)
        .map_err(|error| Failure::Invalid(error.to_string()))
}
