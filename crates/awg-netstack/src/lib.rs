//! IP packets to flows and back.

mod allowance;
mod checksum;
mod counters;
mod datagram;
mod deadlines;
mod error;
mod event;
mod flow;
mod fragment;
mod icmp;
mod limits;
#[cfg(test)]
mod memory;
mod packet;
mod silence;
mod sink;
mod stack;
mod tcp;

pub use counters::{Counters, TcpCounters};
pub use datagram::{DatagramCounters, DatagramDrop};
pub use error::{AcceptError, ConnectError};
pub use event::{Closure, Event, Refusal, Rejection};
pub use flow::{FlowId, Kind, Peer};
pub use fragment::{FragmentCounters, FragmentLimits};
pub use icmp::IcmpCounters;
pub use limits::Limits;
pub use sink::PacketSink;
pub use stack::{Datagram, Stack, StackConfig};
