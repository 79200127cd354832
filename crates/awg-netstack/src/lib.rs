//! IP packets to flows and back.

mod checksum;
mod deadlines;
mod flow;
mod sink;

pub use flow::{FlowId, Kind, Peer};
pub use sink::PacketSink;
