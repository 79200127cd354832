//! The loop that moves packets between sockets, tunnel and network stack.

pub mod clock;
pub mod descriptors;
pub mod transport;
