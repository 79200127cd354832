//! The stack: packets of every kind, and TCP segments in hostile sequences.

mod application;
mod host;
mod packets;
mod segments;
#[cfg(test)]
mod tests;

pub use packets::packets;
pub use segments::segments;
