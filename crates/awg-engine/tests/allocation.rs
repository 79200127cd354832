//! Bytes move through two engines without an allocation, once they move: between the application's socket and the target's
//! nothing is made per packet.

mod pair;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use pair::Pair;
use pair::target::Target;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const BLOCK: usize = 64 << 10;
/// Until queues and tables have the sizes that they keep.
const BEFORE: usize = 32 << 20;
const COUNTED: usize = 32 << 20;
/// Bytes of a packet at most.
const PACKET: usize = 1420;

/// Reads so much, into memory that is there.
fn take(stream: &mut impl Read, block: &mut [u8], mut left: usize) {
    while left > 0 {
        let part = left.min(block.len());
        let read = stream.read(&mut block[..part]).unwrap();
        assert!(read > 0, "the end, {left} bytes too early");
        left -= read;
    }
}

#[test]
fn bytes_pass_without_an_allocation() {
    let pair = Pair::new();
    let (mut connected, mut outer) = pair.connect_to(&Target::new(), b"");
    for way in ["down", "up"] {
        let (from, to): (&mut (dyn Write + Send), &mut dyn Read) = match way {
            "down" => (&mut outer, &mut connected.application),
            _ => (&mut connected.application, &mut outer),
        };
        let allocated = thread::scope(|scope| {
            scope.spawn(move || {
                let block = vec![7; BLOCK];
                for _ in 0..(BEFORE + COUNTED) / BLOCK {
                    from.write_all(&block).unwrap();
                }
            });
            let mut block = vec![0; BLOCK];
            let mut to = to;
            take(&mut to, &mut block, BEFORE);
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            take(&mut to, &mut block, COUNTED);
            ALLOCATIONS.load(Ordering::Relaxed) - before
        });
        // A timer or a hole now and then may need room; a packet does not.
        let packets = (COUNTED / PACKET) as u64;
        assert!(
            allocated < packets / 100,
            "{way}: {allocated} allocations for {packets} packets"
        );
    }
}
