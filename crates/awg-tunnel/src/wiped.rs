//! A value whose memory is overwritten when it is dropped.
//!
//! For types of other crates that hold keys and do not wipe them (`ring`'s and `snow`'s). The value stays at one address,
//! so that moves leave no copies behind; copies that its own methods leave on the stack are out of reach.

use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use zeroize::Zeroize;

/// A boxed `T`, overwritten with zeros after its own drop.
pub(crate) struct Wiped<T>(Box<MaybeUninit<T>>);

impl<T> Wiped<T> {
    /// Moves the value to its final place.
    pub(crate) fn new(value: T) -> Self {
        Self(Box::new(MaybeUninit::new(value)))
    }
}

impl<T> Deref for Wiped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: initialised in `new`, and only `drop` ends that.
        unsafe { self.0.assume_init_ref() }
    }
}

impl<T> DerefMut for Wiped<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        unsafe { self.0.assume_init_mut() }
    }
}

impl<T> Drop for Wiped<T> {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, dropped here once and not looked at again.
        unsafe { self.0.assume_init_drop() };
        self.0.zeroize();
    }
}
