//! Two ends of a tunnel without a network: recordings, and a simulated link with a clock of its own.

// A time that is wrong may panic here, and seconds are what the protocol counts in.
#![allow(clippy::unchecked_time_subtraction, clippy::duration_suboptimal_units)]

mod endpoints;
mod failures;
mod hop;
mod hostile;
mod hours;
mod link;
mod load;
mod obfuscated;
mod peers;
mod recorded;
mod recovery;
mod sharing;
mod timers;
mod version_3;
