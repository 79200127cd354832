//! Time as an argument: a monotonic instant for timers, the wall clock for timestamps.

use std::time::{Duration, Instant};

/// The time of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For timers. It should count time asleep too, since the ages of keys do.
    pub instant: Instant,
    /// Since the Unix epoch: for the timestamp of an initiation and the tag `<t>`.
    pub unix: Duration,
}
