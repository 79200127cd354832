//! Foreign text as it may stand in an error: short and printable, and never a key that was pasted to the wrong place.

/// The most characters of foreign text that an error repeats.
const LONGEST: usize = 40;
/// The characters of 32 bytes in base64 before the `=` at the end.
const KEY_CHARACTERS: usize = 43;
/// The digits of 32 bytes in hexadecimal.
const KEY_DIGITS: usize = 64;

/// The beginning of `text`, with control characters escaped; an ellipsis says that more followed. Of a text that holds a
/// key nothing is repeated.
pub(crate) fn excerpt(text: &str) -> String {
    if holds_key(text) {
        return "(a key, not shown)".to_owned();
    }
    let mut characters = text.chars();
    let mut short: String = characters
        .by_ref()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// Whether there is something in `text` that looks like a key in base64 or hexadecimal.
fn holds_key(text: &str) -> bool {
    let mut words = text.split(|character: char| !character.is_ascii_alphanumeric());
    let is_hex = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if words.any(|word| word.len() == KEY_DIGITS && is_hex(word)) {
        return true;
    }
    let mut run = 0;
    for byte in text.bytes() {
        match byte {
            b'=' if run >= KEY_CHARACTERS => return true,
            b'+' | b'/' => run += 1,
            _ if byte.is_ascii_alphanumeric() => run += 1,
            _ => run = 0,
        }
    }
    false
}

#[cfg(test)]
mod tests;
