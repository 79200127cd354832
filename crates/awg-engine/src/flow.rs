//! What the embedder calls a flow, and the words for how flows fail and end.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The engine's number for a flow: a connection or a stream of datagrams. Numbers are never given out twice by one engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FlowId(pub u64);

/// Why a flow was refused. The names are those of the boundary; the documents list what they are on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The target answered with a reset: nothing listens there.
    Refused,
    /// No way to that network, or the tunnel has no peer or no address for it.
    NetworkUnreachable,
    /// The host cannot be reached.
    HostUnreachable,
    /// A policy forbids it.
    Prohibited,
    /// Nothing answered in time.
    TimedOut,
    /// Something else: a bound was reached, or the engine stops.
    Failed,
}

impl Refusal {
    /// Its name at the boundary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NetworkUnreachable => "network-unreachable",
            Self::HostUnreachable => "host-unreachable",
            Self::Prohibited => "prohibited",
            Self::TimedOut => "timed-out",
            Self::Failed => "failed",
        }
    }

    /// How much it tells about the target, compared with other attempts of the same connection: an answer of the target
    /// itself says more than one of a router, and that says more than silence.
    pub(crate) fn weight(self) -> u8 {
        match self {
            Self::Failed => 0,
            Self::TimedOut => 1,
            Self::NetworkUnreachable => 2,
            Self::HostUnreachable => 3,
            Self::Prohibited => 4,
            Self::Refused => 5,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A text that names no reason to refuse.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error(
    "unknown reason: use refused, network-unreachable, host-unreachable, prohibited, timed-out or failed"
)]
pub struct UnknownRefusal;

impl FromStr for Refusal {
    type Err = UnknownRefusal;

    fn from_str(text: &str) -> Result<Self, UnknownRefusal> {
        [
            Self::Refused,
            Self::NetworkUnreachable,
            Self::HostUnreachable,
            Self::Prohibited,
            Self::TimedOut,
            Self::Failed,
        ]
        .into_iter()
        .find(|refusal| refusal.name() == text)
        .ok_or(UnknownRefusal)
    }
}

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
