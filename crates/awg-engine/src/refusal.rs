//! Why a flow is refused: one word for what targets, the network stack and the system say each in their own.

use std::fmt;
use std::io;
use std::str::FromStr;

use awg_netstack::{Closure, ConnectError, Rejection};
use thiserror::Error;

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

/// What the far end of the tunnel said of a flow of ours.
impl From<awg_netstack::Refusal> for Refusal {
    fn from(why: awg_netstack::Refusal) -> Self {
        match why {
            awg_netstack::Refusal::Reset | awg_netstack::Refusal::PortUnreachable => Self::Refused,
            awg_netstack::Refusal::NetworkUnreachable => Self::NetworkUnreachable,
            awg_netstack::Refusal::HostUnreachable => Self::HostUnreachable,
            awg_netstack::Refusal::Prohibited => Self::Prohibited,
            awg_netstack::Refusal::TimedOut => Self::TimedOut,
            awg_netstack::Refusal::Failed => Self::Failed,
        }
    }
}

/// An attempt that ended without being refused first.
impl From<Closure> for Refusal {
    fn from(how: Closure) -> Self {
        match how {
            Closure::Reset => Self::Refused,
            Closure::TimedOut | Closure::Expired => Self::TimedOut,
            Closure::PeerGone => Self::NetworkUnreachable,
            Closure::Orderly | Closure::Aborted | Closure::Refused => Self::Failed,
        }
    }
}

/// An attempt that the stack did not begin.
impl From<ConnectError> for Refusal {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Unaddressable => Self::NetworkUnreachable,
            _ => Self::Failed,
        }
    }
}

/// A failed connect or send to a target.
impl From<&io::Error> for Refusal {
    fn from(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ECONNREFUSED) => Self::Refused,
            // Without an address of its family there is no way to a network either.
            Some(libc::ENETUNREACH | libc::ENETDOWN | libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT) => {
                Self::NetworkUnreachable
            }
            Some(libc::EACCES | libc::EPERM) => Self::Prohibited,
            Some(libc::ETIMEDOUT) => Self::TimedOut,
            _ => Self::HostUnreachable,
        }
    }
}

/// What the peer is told.
impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Refused => Self::Refused,
            Refusal::NetworkUnreachable => Self::NetworkUnreachable,
            Refusal::HostUnreachable => Self::HostUnreachable,
            Refusal::Failed => Self::Failed,
            Refusal::Prohibited => Self::Prohibited,
            Refusal::TimedOut => Self::TimedOut,
        }
    }
}
