#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adapter;
mod macs;
mod peer;
mod udp;

pub use adapter::Adapter;
pub use peer::{Output, Peer};
pub use udp::{Endpoint, demonstration};
