//! Two ends of a tunnel without a network: recordings, and a simulated link with a clock of its own.

mod link;
