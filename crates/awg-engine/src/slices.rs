//! How the loop's thread shares its processor with others: in short turns, so that a packet does not wait for a whole
//! turn of somebody else's work. Where the system does not know that wish, nothing changes.

/// What a turn of the calling thread should last, in nanoseconds: the shortest that Linux takes.
#[cfg(target_os = "linux")]
const SLICE: u64 = 100_000;

/// Asks for short turns for the calling thread (Linux 6.12 and newer: `sched_setattr(2)`, `sched_runtime` of a normal
/// thread). Needs no privilege: turns become more and shorter, the share stays the same.
#[cfg(target_os = "linux")]
pub(crate) fn ask_for_short_slices() {
    /// `struct sched_attr` of the kernel, first version.
    #[repr(C)]
    #[derive(Default)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    let mut attributes = Attributes::default();
    let size = std::mem::size_of::<Attributes>() as u32;
    // SAFETY: both calls get a structure of the size that they are told; 0 is the calling thread.
    unsafe {
        if libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, size, 0) != 0 {
            return;
        }
        attributes.size = size;
        attributes.runtime = SLICE;
        // Refused by older kernels, which then share as they always did.
        libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0);
    }
}

/// Other systems have no such wish.
#[cfg(not(target_os = "linux"))]
pub(crate) fn ask_for_short_slices() {}
