//! What the kernel has of a ring, and that no byte in use is lost when memory is given back.

use super::{Ring, page_size};

const PAGES: usize = 8;

/// A ring of eight pages, all written: each byte tells its page.
fn full() -> (Ring, &'static mut [u8]) {
    let mut ring = Ring::new(PAGES * page_size()).expect("address space");
    // SAFETY: the only slice of this ring, and no test uses it once the ring is dropped.
    let bytes = unsafe { ring.bytes() };
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = page_of(place);
    }
    ring.touch(bytes.len());
    (ring, bytes)
}

/// What stands in the page of a byte; never zero, which is what fresh pages read as.
fn page_of(place: usize) -> u8 {
    (place / page_size()) as u8 + 1
}

#[test]
fn address_space_is_no_memory_until_it_is_written() {
    let mut ring = Ring::new(1).expect("address space");
    assert_eq!(ring.capacity(), page_size(), "rounded up");
    assert_eq!(ring.touched(), 0);
    ring.touch(usize::MAX);
    assert_eq!(ring.touched(), page_size(), "no more than there is");
}

#[test]
fn parts_are_found_in_the_ring() {
    let (ring, bytes) = full();
    assert_eq!(ring.position(bytes), 0);
    assert_eq!(ring.position(&bytes[5000..]), 5000);
}

/// Keeps `length` bytes from `start`, and looks at what is left: all of those, and no more than their pages.
fn keeps(start: usize, length: usize) {
    let (mut ring, bytes) = full();
    ring.release_except(start, length);
    assert_eq!(ring.touched(), length);
    for offset in 0..length {
        let place = (start + offset) % bytes.len();
        assert_eq!(
            bytes[place],
            page_of(place),
            "byte {place} of {length} from {start}"
        );
    }
    #[cfg(target_os = "linux")]
    {
        let kept: std::collections::HashSet<usize> = (0..length)
            .map(|offset| (start + offset) % bytes.len() / page_size())
            .collect();
        // Asked before anything was read that is gone: reading would bring pages back.
        let (mut again, _) = full();
        again.release_except(start, length);
        assert_eq!(
            again.resident(),
            kept.len() * page_size(),
            "{length} from {start}"
        );
    }
}

#[test]
fn what_is_in_use_stays_wherever_it_lies() {
    let page = page_size();
    let all = PAGES * page;
    for (start, length) in [
        (0, 0),
        (0, all),
        (0, 1),
        (page, page),
        (page - 1, 2),
        (3 * page + 7, 2 * page),
        (all - 1, 1),
        // Around the end: a byte before it and a byte after, and more.
        (all - 1, 2),
        (all - page, 2 * page),
        (6 * page + 100, 3 * page),
        // Nearly everything, so that the first and the last byte share a page.
        (5 * page + 10, all - 1),
        (5 * page + 10, all - page),
        // A position beyond the end counts from the beginning again, as the sum of a place and a length may.
        (all + page, page),
    ] {
        keeps(start, length);
    }
}

#[test]
fn a_ring_that_gave_its_memory_back_is_written_again() {
    let (mut ring, bytes) = full();
    ring.release_except(0, 0);
    bytes[3 * page_size()] = 9;
    ring.touch(1);
    assert_eq!(bytes[3 * page_size()], 9);
    assert_eq!(ring.touched(), 1);
    #[cfg(target_os = "linux")]
    assert_eq!(ring.resident(), page_size());
}
