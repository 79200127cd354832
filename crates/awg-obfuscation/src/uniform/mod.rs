//! Numbers drawn evenly from an inclusive range: type words, junk sizes, digits and letters.
//!
//! The method is Lemire's ("Fast Random Integer Generation in an Interval", 2019): one multiplication, and in the
//! common case neither a division nor a second draw.

#[cfg(test)]
mod tests;

use rand_core::CryptoRng;

/// A number from `first` to `last`, both included, each as likely as any other.
///
/// Nothing is taken from `rng` where there is nothing to choose. `last` below `first` counts as `first`.
#[inline]
pub(crate) fn uniform<R: CryptoRng + ?Sized>(first: u32, last: u32, rng: &mut R) -> u32 {
    let span = last.saturating_sub(first);
    if span == 0 {
        return first;
    }
    let Some(width) = span.checked_add(1) else {
        return rng.next_u32(); // the whole of u32
    };
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(width);
        let fraction = product as u32;
        // The draws that would favour some numbers all lie below 2^32 mod width, which is below width.
        if fraction >= width || fraction >= width.wrapping_neg() % width {
            return first + (product >> 32) as u32;
        }
    }
}
