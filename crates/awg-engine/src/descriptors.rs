//! The limit of open files: each connection takes a descriptor, and the usual soft limit of 1,024 ends a proxy's day early.

use std::io;

/// What is asked for where the hard limit is "unlimited"; macOS refuses more than `OPEN_MAX` there.
const ENOUGH: libc::rlim_t = 1 << 20;
#[cfg(target_vendor = "apple")]
const FALLBACK: libc::rlim_t = 10_240;

/// The limit of open files of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DescriptorLimit {
    /// The soft limit as it was.
    pub before: u64,
    /// The soft limit as it is.
    pub now: u64,
    /// The hard limit, up to which a process may raise its own.
    pub hard: u64,
}

/// Raises the soft limit of open files (`RLIMIT_NOFILE`, `getrlimit(2)`) to the hard one, never lowers it.
///
/// # Errors
/// The system refused.
pub fn raise_descriptor_limit() -> io::Result<DescriptorLimit> {
    let before = limits()?;
    let wanted = before.rlim_max.min(ENOUGH);
    if before.rlim_cur < wanted {
        let raised = set_soft(wanted, before.rlim_max);
        #[cfg(target_vendor = "apple")]
        let raised = raised.or_else(|_| set_soft(FALLBACK.min(wanted), before.rlim_max));
        raised?;
    }
    Ok(DescriptorLimit {
        before: before.rlim_cur,
        now: limits()?.rlim_cur,
        hard: before.rlim_max,
    })
}

/// How many descriptors this process has open; `None` where the system does not show them.
pub fn open_descriptors() -> Option<usize> {
    let shown = std::fs::read_dir("/dev/fd").ok()?.count();
    // The directory itself is open while it is read.
    Some(shown.saturating_sub(1))
}

/// How many descriptors this process may still open; `None` where the system does not say.
pub fn free_descriptors() -> Option<usize> {
    let limit = usize::try_from(limits().ok()?.rlim_cur).unwrap_or(usize::MAX);
    Some(limit.saturating_sub(open_descriptors()?))
}

fn limits() -> io::Result<libc::rlimit> {
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is to a `rlimit` that outlives the call.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limits) };
    if status == 0 {
        Ok(limits)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn set_soft(soft: libc::rlim_t, hard: libc::rlim_t) -> io::Result<()> {
    let limits = libc::rlimit {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: the pointer is to a `rlimit` that outlives the call.
    let status = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
