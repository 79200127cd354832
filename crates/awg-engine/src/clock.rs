//! The engine's clock: an [`Instant`] that goes on while the machine sleeps, and the time of day.
//!
//! The age of a key counts time asleep (a peer has long forgotten a session of before the night), but `Instant` stands
//! still meanwhile. So an instant here is that of the start plus what a clock that includes sleep says has passed since:
//! `CLOCK_BOOTTIME` on Linux; on macOS `CLOCK_MONOTONIC_RAW`, which is `mach_continuous_time`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[cfg(target_os = "linux")]
const WITH_SLEEP: libc::clockid_t = libc::CLOCK_BOOTTIME;
#[cfg(not(target_os = "linux"))]
const WITH_SLEEP: libc::clockid_t = libc::CLOCK_MONOTONIC_RAW;

/// A clock; see the module. Instants of different clocks must not be compared.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    start_with_sleep: Duration,
}

impl Clock {
    /// Starts at the present.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            start_with_sleep: with_sleep().unwrap_or_default(),
        }
    }

    /// The present; never before an earlier answer.
    pub fn instant(&self) -> Instant {
        match with_sleep() {
            Some(now) => self.start + now.saturating_sub(self.start_with_sleep),
            // The system lacks the clock: time asleep does not count, the rest does.
            None => Instant::now(),
        }
    }

    /// How long the machine has slept since the start, as far as it tells.
    pub fn slept(&self) -> Duration {
        // In this order: a thread that is held up between the two has slept less, not more.
        let with_sleep = with_sleep().map(|now| now.saturating_sub(self.start_with_sleep));
        with_sleep
            .unwrap_or_default()
            .saturating_sub(self.start.elapsed())
    }

    /// The time of day since 1970; zero if the system's clock is set to a time before.
    pub fn unix(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

fn with_sleep() -> Option<Duration> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a `timespec` that outlives the call.
    let status = unsafe { libc::clock_gettime(WITH_SLEEP, &raw mut time) };
    if status != 0 {
        return None;
    }
    Some(Duration::new(
        u64::try_from(time.tv_sec).ok()?,
        u32::try_from(time.tv_nsec).ok()?,
    ))
}

#[cfg(test)]
mod tests;
