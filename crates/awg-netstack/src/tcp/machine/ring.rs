//! The memory of a flow's two buffers: pages that exist only once they are written, and that can be given back while
//! the buffer stays ([`Ring`]). The crate's only `unsafe`.
//!
//! smoltcp cannot resize a buffer and derives the window scale from its size, so a buffer is as large as the largest
//! window; and it walks a ring from end to end, so a busy one touches all of its pages. What lies outside of the bytes
//! it holds is given back now and then.

use std::io;
use std::ptr::NonNull;

/// Linux gives the pages back at once; elsewhere that advice is only a hint for paging, and this one frees them when
/// memory runs short.
#[cfg(target_os = "linux")]
const GIVE_BACK: libc::c_int = libc::MADV_DONTNEED;
#[cfg(not(target_os = "linux"))]
const GIVE_BACK: libc::c_int = libc::MADV_FREE;

/// The bytes of one ring buffer, mapped lazily.
pub(super) struct Ring {
    base: NonNull<u8>,
    capacity: usize,
    /// How much may be in memory: what was written since the last return, at most `capacity`.
    touched: usize,
}

// SAFETY: the mapping is owned by this value alone and has no thread affinity.
unsafe impl Send for Ring {}

impl Ring {
    /// `capacity` in whole pages, at least one.
    pub(super) fn round(capacity: usize) -> usize {
        let page = page_size();
        // A capacity that no address space has stays one.
        capacity
            .max(1)
            .checked_next_multiple_of(page)
            .unwrap_or(capacity)
    }

    /// Reserves `capacity` bytes (rounded up to pages) of address space; none of it is memory yet.
    pub(super) fn new(capacity: usize) -> io::Result<Self> {
        let capacity = Self::round(capacity);
        // SAFETY: a fresh anonymous mapping aliases nothing.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                capacity,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self {
            base,
            capacity,
            touched: 0,
        })
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that may be in memory.
    pub(super) fn touched(&self) -> usize {
        self.touched
    }

    /// `count` more bytes were written.
    pub(super) fn touch(&mut self, count: usize) {
        self.touched = (self.touched + count).min(self.capacity);
    }

    /// The buffer, for one socket.
    ///
    /// # Safety
    /// There may be one such slice at a time, and it may not be used after the ring was dropped.
    pub(super) unsafe fn bytes(&mut self) -> &'static mut [u8] {
        // SAFETY: the mapping is `capacity` readable and writable bytes, zero at first; the caller keeps it alive and
        // alone.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.capacity) }
    }

    /// Where in the buffer `part` begins.
    pub(super) fn position(&self, part: &[u8]) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.base.as_ptr() as usize)
    }

    /// Gives back all memory but the `length` bytes from `start` (they may wrap around): what was elsewhere reads as
    /// anything from now on, and costs nothing until it is written again.
    pub(super) fn release_except(&mut self, start: usize, length: usize) {
        let page = page_size();
        let length = length.min(self.capacity);
        let start = start % self.capacity;
        let end = start + length;
        if length == 0 {
            self.release(0, self.capacity);
        } else if end <= self.capacity {
            self.release(0, start / page * page);
            self.release(end.next_multiple_of(page), self.capacity);
        } else {
            let wrapped = (end - self.capacity).next_multiple_of(page);
            self.release(wrapped, start / page * page);
        }
        self.touched = length;
    }

    fn release(&mut self, from: usize, to: usize) {
        let to = to.min(self.capacity);
        if from >= to {
            return;
        }
        // SAFETY: whole pages inside the mapping, in which the socket holds no bytes: it writes there before it reads.
        // The call only fails for ranges that are not mapped.
        unsafe {
            libc::madvise(self.base.as_ptr().add(from).cast(), to - from, GIVE_BACK);
        }
    }

    /// Bytes of the buffer that are in memory, as the kernel has it.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn resident(&self) -> usize {
        let page = page_size();
        let mut pages = vec![0_u8; self.capacity / page];
        // SAFETY: the vector has one byte for each page of the mapping.
        let result =
            unsafe { libc::mincore(self.base.as_ptr().cast(), self.capacity, pages.as_mut_ptr()) };
        assert_eq!(result, 0);
        pages.iter().filter(|page| **page & 1 != 0).count() * page
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and whoever used its bytes was dropped before.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.capacity) };
    }
}

fn page_size() -> usize {
    use std::sync::OnceLock;
    static PAGE: OnceLock<usize> = OnceLock::new();
    *PAGE.get_or_init(|| {
        // SAFETY: no preconditions.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(size)
            .ok()
            .filter(|size| size.is_power_of_two())
            .unwrap_or(16_384)
    })
}

#[cfg(test)]
mod tests;
