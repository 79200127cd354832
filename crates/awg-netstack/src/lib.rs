//! IP packets to flows and back.

mod flow;
mod sink;

pub use flow::{FlowId, Kind, Peer};
pub use sink::PacketSink;
