//! What the engine tells its embedder: [`Event`], and the bounded queue that they wait in.
//!
//! The queue is bounded by the flow table. Whoever begins a flow [`admit`](EventQueue::admit)s it first, which books a
//! place for each of the at most three events that a flow ever causes; so none of them is dropped, nor are those of a failed engine and of a spent quota. Everything else may
//! be dropped when nobody takes events, and is counted.

use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use awg_netstack::{Kind, Target};
use awg_tunnel::PublicKey;

use crate::flow::{FlowId, Outcome, Traffic};
use crate::refusal::Refusal;

/// Something that happened. The last event of every flow is exactly one [`FlowClosed`](Event::FlowClosed).
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A peer begins a flow; it waits for `attach` or `reject`. Of a UDP source this comes once.
    FlowIncoming {
        /// The new flow.
        flow: FlowId,
        /// TCP or UDP.
        kind: Kind,
        /// Who sends it.
        peer: PublicKey,
        /// Its address inside the tunnel.
        source: SocketAddr,
        /// Where it wants to go; of a UDP source, where its first datagram wants to go. A name is for the embedder to look up.
        destination: Target,
        /// Whether the destination is the tunnel address of this end.
        to_self: bool,
    },
    /// A connection stands: the destination accepted.
    FlowConnected {
        /// Which flow.
        flow: FlowId,
        /// Which of its destinations, as it was asked for.
        destination: Target,
    },
    /// A connection did not come to stand.
    FlowRefused {
        /// Which flow.
        flow: FlowId,
        /// The most telling reason, where several destinations were tried.
        reason: Refusal,
    },
    /// An association's datagrams wait for the addresses of a name; answered by `name_found`. Asked again when it is
    /// wanted again, so that it does no harm if it is dropped.
    NameWanted {
        /// Which association.
        flow: FlowId,
        /// The name, as the application gave it: visible ASCII characters, 255 at most.
        name: String,
    },
    /// The name of a connection cannot go to the peer that it was meant for, whose carrier is not up. Its addresses are wanted
    /// instead: by `name_found`, or `reject` where there are none. What is left of the time that the dial may take, which began with
    /// the connection's `open`, is for the look-up and the addresses together. Told of a flow once.
    AddressesWanted {
        /// Which connection.
        flow: FlowId,
        /// The name and the port, as they were asked for.
        destination: Target,
    },
    /// A flow ended; its last event.
    FlowClosed {
        /// Which flow.
        flow: FlowId,
        /// How.
        outcome: Outcome,
        /// Bytes that it carried.
        traffic: Traffic,
        /// What happened, for people.
        reason: &'static str,
    },
    /// A session with a peer stands.
    HandshakeCompleted {
        /// Whose.
        peer: PublicKey,
        /// A random name for the session, to find it in logs; it has nothing to do with its keys.
        session: String,
        /// Who began it: `initiator` (this end) or `responder`.
        role: &'static str,
        /// Whether it replaces a session that still stood.
        rekey: bool,
    },
    /// An initiation was accepted. Given back in the peer's configuration, its timestamp has replays refused after a restart too.
    InitiationAccepted {
        /// Whose.
        peer: PublicKey,
        /// Its TAI64N timestamp; those of one peer rise.
        timestamp: [u8; 12],
    },
    /// An initiation was not answered in time; another one follows, or has found a session meanwhile. Told of each of them.
    HandshakeUnanswered {
        /// With whom.
        peer: PublicKey,
        /// How many were not answered, in a row.
        tries: u32,
    },
    /// A handshake failed.
    HandshakeFailed {
        /// With whom, if that is known.
        peer: Option<PublicKey>,
        /// A word for the cause.
        cause: &'static str,
        /// What people may want to look at.
        hint: &'static str,
    },
    /// A peer has no session any more.
    SessionEnded {
        /// Whose.
        peer: PublicKey,
    },
    /// A peer sends from another address than before.
    PeerRoamed {
        /// Which one.
        peer: PublicKey,
        /// Where it is now.
        endpoint: SocketAddr,
    },
    /// The carrier to a peer stands: carried connections to it need not wait.
    CarrierUp {
        /// Which one.
        peer: PublicKey,
    },
    /// The carrier to a peer is gone, or did not come to stand; it is tried again by itself.
    CarrierDown {
        /// Which one.
        peer: PublicKey,
        /// What happened, for people.
        reason: &'static str,
    },
    /// A peer has spent its quota: its flows end, and it opens no others until `set_peers` gives it more. Told once.
    QuotaSpent {
        /// Which one.
        peer: PublicKey,
    },
    /// Something for the log.
    Log(LogRecord),
    /// The engine's thread met a defect of its own and is gone. All flows have ended; `stop` still works.
    EngineFailed {
        /// What the thread said.
        message: String,
    },
}

impl Event {
    /// Whether it is the last one of a flow.
    pub fn ends_flow(&self) -> bool {
        matches!(self, Self::FlowClosed { .. })
    }

    /// Whether it is never dropped: its place in the queue is booked, or there are no more of it than the embedder asks for.
    fn has_its_place(&self) -> bool {
        matches!(
            self,
            Self::FlowIncoming { .. }
                | Self::FlowConnected { .. }
                | Self::FlowRefused { .. }
                | Self::AddressesWanted { .. }
                | Self::FlowClosed { .. }
                | Self::QuotaSpent { .. }
                | Self::EngineFailed { .. }
        )
    }
}

/// How much a log record matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something does not work.
    Error,
}

impl Level {
    /// Its name at the boundary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A line for the log; never a key, never a payload.
#[derive(Clone, PartialEq, Debug)]
pub struct LogRecord {
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub message: &'static str,
    /// Details, by name.
    pub fields: Vec<(&'static str, String)>,
}

/// Bounds of an [`EventQueue`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Flows at once, counted until their last event was taken; [`EventQueue::bound_flows`] changes it.
    pub(crate) flows: usize,
    /// Other events that wait.
    pub(crate) others: usize,
}

/// The events that wait to be taken, and the descriptor that is readable while there are any.
#[derive(Debug)]
pub(crate) struct EventQueue {
    /// The most events of other things than flows.
    others: usize,
    reader: PipeReader,
    writer: PipeWriter,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Event>,
    flows: usize,
    /// The most flows.
    most_flows: usize,
    others: usize,
    dropped: u64,
    /// Whether the pipe holds a byte; it never holds more than one, so writing it never blocks.
    signalled: bool,
}

impl EventQueue {
    /// # Errors
    /// No descriptor is left for the pipe.
    pub(crate) fn new(bounds: Bounds) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self {
            others: bounds.others,
            reader,
            writer,
            waiting: Mutex::new(Waiting {
                most_flows: bounds.flows,
                ..Waiting::default()
            }),
        })
    }

    /// From now on there may be so many flows at once.
    pub(crate) fn bound_flows(&self, flows: usize) {
        self.lock().most_flows = flows;
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Books the places of one flow's events; `false` = there are as many flows as there may be.
    pub(crate) fn admit(&self) -> bool {
        let mut waiting = self.lock();
        let admitted = waiting.flows < waiting.most_flows;
        waiting.flows += usize::from(admitted);
        admitted
    }

    /// Gives back the places of a flow that caused no event after all.
    pub(crate) fn cancel(&self) {
        let mut waiting = self.lock();
        waiting.flows = waiting.flows.saturating_sub(1);
    }

    pub(crate) fn push(&self, event: Event) {
        let mut waiting = self.lock();
        if !event.has_its_place() {
            if waiting.others >= self.others {
                waiting.dropped += 1;
                return;
            }
            waiting.others += 1;
        }
        waiting.events.push_back(event);
        if !waiting.signalled {
            // A failure here has one cause, a closed reader, and the reader lives as long as the writer.
            waiting.signalled = (&self.writer).write_all(&[1]).is_ok();
        }
    }

    /// Takes all that wait, and the byte out of the pipe.
    pub(crate) fn take(&self) -> Vec<Event> {
        let mut waiting = self.lock();
        if waiting.signalled {
            waiting.signalled = (&self.reader).read_exact(&mut [0]).is_err();
        }
        let events: Vec<Event> = waiting.events.drain(..).collect();
        let ended = events.iter().filter(|event| event.ends_flow()).count();
        waiting.flows = waiting.flows.saturating_sub(ended);
        waiting.others = 0;
        events
    }

    /// How many events were dropped since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

#[cfg(test)]
mod tests;
