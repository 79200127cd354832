//! Obfuscation settings as text, a line each: refused in short printable words, or ready for use.

use awg_obfuscation::{Obfuscation, Parameters, Path};

use crate::memory;
use crate::tag_specs::printable;

/// Reads `data` as lines of `name=value`.
///
/// # Panics
/// Where what was taken is not valid, or what is told of an error is long or not printable.
pub fn parameters(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let settings: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let allowed = (1 << 15) + text.len() * 256;
    let parameters = memory::within(allowed, || Parameters::from_settings(settings));
    match parameters {
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                printable(&error.to_string());
            }
        }
        Ok(parameters) => {
            assert_eq!(parameters.validate(), Ok(()));
            for ipv6 in [false, true] {
                for warning in parameters.warnings(&Path { mtu: 1500, ipv6 }) {
                    printable(&warning.to_string());
                }
            }
            assert!(Obfuscation::new(parameters).is_ok());
        }
    }
}
