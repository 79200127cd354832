//! What stands between a descriptor and a flow of the stack: [`StreamRelay`] for connections, [`DatagramRelay`] for UDP,
//! [`Association`] for a SOCKS5 application's UDP.
//!
//! A relay knows readiness as flags, since the loop is told of it once per change: a flag falls when the system said
//! that it would block, and rises with the next report. Relays decide nothing about connections; the shard does.

mod association;
mod correspondents;
mod datagram;
mod discard;
mod stream;

pub(crate) use association::{Association, AssociationCounters, Client, Ways};
pub(crate) use datagram::{Channel, DatagramRelay, Delivery, Turn, Undelivered};
pub(crate) use discard::discard;
pub(crate) use stream::{Budget, Opener, StreamRelay, reset};

/// How a turn of a relay ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pumped {
    /// Nothing more can be done until a descriptor or the stack says so.
    Waiting,
    /// The budget is used up; there is more to do.
    Unfinished,
    /// The application is done, for the reason given; the flow ends.
    Ended(&'static str),
    /// The descriptor failed, and what it had waits for room in the stack.
    Failing,
    /// The descriptor failed, for the reason given, and what it had was read; the flow must end.
    Failed(&'static str),
}
