//! A descriptor that becomes readable when the machine wakes from sleep, so that a loop that waits for nothing else notices. What
//! it says is only "look at the clocks": it also speaks when the time of day is set. Linux has one; elsewhere the loop notices
//! with whatever wakes it next.

use std::os::fd::OwnedFd;

/// A timer of the time of day that is far away and is cancelled when that time jumps, as it does on waking (`timerfd_create(2)`,
/// `TFD_TIMER_CANCEL_ON_SET`). `None` where the system gives none.
#[cfg(target_os = "linux")]
pub(crate) fn descriptor() -> Option<OwnedFd> {
    use std::os::fd::{AsRawFd, FromRawFd};

    // SAFETY: no pointers; the result is checked, and nobody else owns the descriptor.
    let timer = unsafe {
        let timer =
            libc::timerfd_create(libc::CLOCK_REALTIME, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC);
        (timer >= 0).then(|| OwnedFd::from_raw_fd(timer))
    }?;
    let never = libc::timespec {
        tv_sec: libc::time_t::MAX / 2_000_000_000,
        tv_nsec: 0,
    };
    let setting = libc::itimerspec {
        it_interval: libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        },
        it_value: never,
    };
    let flags = libc::TFD_TIMER_ABSTIME | libc::TFD_TIMER_CANCEL_ON_SET;
    // SAFETY: the descriptor is ours, the setting outlives the call, and the old setting is not wanted.
    let status = unsafe {
        libc::timerfd_settime(
            timer.as_raw_fd(),
            flags,
            &raw const setting,
            std::ptr::null_mut(),
        )
    };
    (status == 0).then_some(timer)
}

/// Other systems have none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn descriptor() -> Option<OwnedFd> {
    None
}

/// Takes what the descriptor has said, so that it can speak again.
pub(crate) fn take(descriptor: OwnedFd) -> OwnedFd {
    use std::io::Read;

    let mut timer = std::fs::File::from(descriptor);
    // It says by an error that it was cancelled, and is set again by that.
    let _ = timer.read(&mut [0; 8]);
    timer.into()
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
