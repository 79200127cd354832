//! IP packets to flows and back.

mod checksum;
mod datagram;
mod deadlines;
mod flow;
mod fragment;
mod icmp;
#[cfg(test)]
mod memory;
mod sink;

pub use datagram::{DatagramCounters, DatagramDrop};
pub use flow::{FlowId, Kind, Peer};
pub use fragment::{FragmentCounters, FragmentLimits};
pub use icmp::IcmpCounters;
pub use sink::PacketSink;
