//! Memory that flows have let go of goes back to the system ([`Trimming`]). The C library's allocator keeps what is free in the
//! midst of its heaps, and of packets that lie among others that is most: a client whose applications left some hundred
//! megabytes unread would stay as large for good.
//!
//! When flows have ended, the process is looked at once they may be gone. Where what it holds and does not use grew by [`WORTH`]
//! since the last time, the allocator is asked for it; no more often than once in [`BETWEEN`], since the loop stands still meanwhile,
//! some 15 ms for 100 MB, and what is needed again has to be got anew. Each loop looks for itself. Where neither can be asked,
//! nothing is done.

use std::time::{Duration, Instant};

/// Flows that ended have let go of what they held by then.
const AFTER: Duration = Duration::from_secs(2);
/// The least time between two looks.
const BETWEEN: Duration = Duration::from_secs(10);
/// Less is not asked for.
const WORTH: u64 = 32 << 20;

/// The memory of a process.
pub(crate) trait Memory {
    /// Bytes that it holds beyond those that its allocator has given out; `None` where the system does not say.
    fn spare(&self) -> Option<u64>;
    /// Gives back what is free.
    fn trim(&mut self);
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Trimming {
    due: Option<Instant>,
    looked: Option<Instant>,
    /// What was spare when nothing more could be given back, or less: code, stacks, other allocators' memory.
    least: u64,
}

impl Trimming {
    /// A flow ended.
    pub(crate) fn handle_end(&mut self, now: Instant) {
        if self.due.is_none() {
            let allowed = self.looked.map(|last| last + BETWEEN);
            self.due = Some((now + AFTER).max(allowed.unwrap_or(now)));
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) may have something to do.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Has given back what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, memory: &mut impl Memory) {
        if self.due.is_none_or(|at| at > now) {
            return;
        }
        self.due = None;
        self.looked = Some(now);
        let Some(before) = memory.spare() else {
            return;
        };
        if before < self.least.saturating_add(WORTH) {
            self.least = self.least.min(before);
            return;
        }
        memory.trim();
        self.least = memory.spare().unwrap_or(before);
        if before.saturating_sub(self.least) >= WORTH {
            // Some of what ended may have held on to its own for longer.
            self.least = 0;
            self.due = Some(now + BETWEEN);
        }
    }
}

/// This process.
#[derive(Debug)]
pub(crate) struct Process;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
impl Memory for Process {
    fn spare(&self) -> Option<u64> {
        let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
        let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
        // SAFETY: it takes a number and gives one.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let resident = pages.checked_mul(u64::try_from(page).ok()?)?;
        // SAFETY: the allocator locks what it looks at, and gives numbers.
        let given = unsafe { libc::mallinfo() };
        // They are counted modulo 2³².
        let given = [given.uordblks, given.hblkhd].map(|bytes| u64::from(bytes.cast_unsigned()));
        Some(resident.saturating_sub(given.iter().sum()))
    }

    fn trim(&mut self) {
        // SAFETY: the allocator locks what it looks at, and takes nothing that is in use.
        unsafe { libc::malloc_trim(0) };
    }
}

/// Other systems' allocators do it by themselves, or cannot be asked.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
impl Memory for Process {
    fn spare(&self) -> Option<u64> {
        None
    }

    fn trim(&mut self) {}
}

#[cfg(test)]
mod tests;
