//! Structure out of bytes.

use arbitrary::{Arbitrary, Unstructured};

/// Makes a value of the bytes. Bytes that end early make a short value; `None` where they make none.
pub(crate) fn read<'a, T: Arbitrary<'a>>(data: &'a [u8]) -> Option<T> {
    T::arbitrary_take_rest(Unstructured::new(data)).ok()
}

/// One of a few, by any number.
pub(crate) fn choose<T>(among: &[T], number: impl Into<usize>) -> Option<&T> {
    let place = number.into().checked_rem(among.len())?;
    among.get(place)
}
