//! Why a command could not be carried out.

use std::io;

/// Why [`connect`](crate::Stack::connect), [`open_datagrams`](crate::Stack::open_datagrams) or what opens carried flows
/// opened none.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A table is full.
    #[error("too many flows: the stack's or the peer's limit is reached")]
    TooManyFlows,
    /// Every port is in use to this destination.
    #[error("no local port is free for this destination")]
    NoPort,
    /// None of the stack's addresses can be the source, or the destination is no host's address or name.
    #[error("no address of this stack can reach the destination")]
    Unaddressable,
    /// The system gave no address space for the buffers.
    #[error("no memory for the flow's buffers: {0}")]
    Memory(#[source] io::Error),
    /// The peer's carrier is not up.
    #[error("the peer's carrier is not up")]
    NotCarried,
    /// The peer's carrier has no room: what came by it, or went, is not read.
    #[error("the peer's carrier is full of bytes that are not read")]
    CarrierFull,
    /// The bytes that are to travel with the request are more than [`EARLY`](crate::EARLY).
    #[error("more early bytes than travel with a request")]
    TooMuchEarly,
}

/// Why [`accept`](crate::Stack::accept) did not take a flow.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// It is over, or never was.
    #[error("the flow is over")]
    Gone,
    /// It was accepted before, or is not one to accept.
    #[error("the flow is not waiting to be accepted")]
    AlreadyOpen,
    /// Its first segment was no proper one.
    #[error("the flow's first segment cannot be accepted")]
    Malformed,
    /// The system gave no address space for the buffers.
    #[error("no memory for the flow's buffers: {0}")]
    Memory(#[source] io::Error),
}
