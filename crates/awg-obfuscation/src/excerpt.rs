//! Foreign text as it may stand in an error: short and printable.

/// The most characters of foreign text that an error repeats.
const LONGEST: usize = 40;

/// The beginning of `text`, with control characters escaped; an ellipsis says that more followed.
pub(crate) fn excerpt(text: &str) -> String {
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
