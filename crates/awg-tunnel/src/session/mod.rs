//! Sessions: a pair of keys, its counters and its age, and the rotation of up to three of them per peer
//! (whitepaper section 6, `device/keypair.go`, `device/noise-protocol.go`).

mod keypair;
mod replay;
mod rotation;
#[cfg(test)]
mod tests;

pub(crate) use keypair::{Keypair, Refusal};
pub(crate) use rotation::{Rotation, Slot};

/// Which end of a handshake this was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It sent the initiation, and renews the session by time.
    Initiator,
    /// It answered.
    Responder,
}
