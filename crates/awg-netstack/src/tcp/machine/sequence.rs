//! Comparing sequence numbers.

/// Whether `left` comes after `right` (RFC 9293 section 3.4).
pub(super) fn is_after(left: u32, right: u32) -> bool {
    left.wrapping_sub(right).cast_signed() > 0
}

/// The later of two.
pub(super) fn later(left: u32, right: u32) -> u32 {
    if is_after(left, right) { left } else { right }
}
