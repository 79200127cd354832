//! The stack: packets of every kind, and TCP segments in hostile sequences.

mod application;
mod carrier;
mod host;
mod packets;
mod segments;
#[cfg(test)]
mod tests;

pub use carrier::carrier;
pub use packets::packets;
pub use segments::segments;
