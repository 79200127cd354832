//! Bytes as hex digits.

use std::fmt::Write as _;

/// Two digits a byte.
pub fn write(data: &[u8]) -> String {
    data.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of what `write` wrote.
///
/// # Panics
/// With anything else.
pub fn read(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}
