//! How far content is filled up with zeros before it is sealed (`calculatePaddingSize` in `device/send.go`).

const MULTIPLE: usize = 16;

/// The padded length of `length` bytes of content: the next multiple of 16, but not above the MTU.
///
/// Content longer than the MTU is filled as its last MTU-sized part would be; this crate never sends such.
pub(crate) fn padded_length(length: usize, mtu: usize) -> usize {
    let last = if length > mtu { length % mtu } else { length };
    length - last + last.next_multiple_of(MULTIPLE).min(mtu)
}
