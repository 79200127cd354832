//! What the embedder calls a flow, and the words for how flows end.

use std::fmt;

/// The engine's number for a flow: a connection or a stream of datagrams. Numbers are never given out twice by one engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FlowId(pub u64);

/// How a flow ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// Both sides said that they were done, and everything was delivered.
    Orderly,
    /// One side failed; the other one got a reset, or learns by the end of its socket where datagrams have none.
    Reset,
    /// The far end of the tunnel fell silent in the middle of a connection.
    TimedOut,
    /// Nothing was said for so long that the flow was given up.
    Expired,
    /// It was refused, as the event before said, and never stood; of datagrams: nothing was ever answered.
    Refused,
    /// The application hung up before its connection stood.
    HungUp,
    /// The peer is no longer configured, or was unheard of for too long.
    PeerGone,
    /// The peer that opened it has spent its quota.
    Quota,
    /// The embedder closed it.
    Closed,
    /// The engine stopped.
    Stopped,
}

impl Outcome {
    /// Its name at the boundary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Orderly => "orderly",
            Self::Reset => "reset",
            Self::TimedOut => "timed-out",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::HungUp => "hung-up",
            Self::PeerGone => "peer-gone",
            Self::Quota => "quota",
            Self::Closed => "closed",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Bytes that a flow has carried. The directions are seen from whoever opened the flow, so that they mean the same on
/// the client and on the server.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Traffic {
    /// Bytes from the opener towards the destination.
    pub sent: u64,
    /// Bytes from the destination back.
    pub received: u64,
}
