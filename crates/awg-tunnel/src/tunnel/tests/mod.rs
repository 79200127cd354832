//! Two ends of a tunnel without a network: recordings, and a simulated link with a clock of its own.

mod failures;
mod hostile;
mod hours;
mod link;
mod load;
mod obfuscated;
mod peers;
mod recorded;
mod timers;
