//! What the embedder tells the engine: [`Command`], and the bounded queue that they wait in.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use awg_netstack::Target;
use thiserror::Error;

use crate::flow::FlowId;
use crate::refusal::Refusal;
use crate::relay::Client;
use crate::snapshot::Snapshot;
use crate::terms::PeerSettings;

/// What to write to an application for each outcome of its connection, as its protocol wants it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Replies {
    /// The connection stands.
    pub succeeded: Vec<u8>,
    /// The target refused it.
    pub refused: Vec<u8>,
    /// The network cannot be reached.
    pub network_unreachable: Vec<u8>,
    /// The host cannot be reached.
    pub host_unreachable: Vec<u8>,
    /// A policy forbids it.
    pub prohibited: Vec<u8>,
    /// Nothing answered in time.
    pub timed_out: Vec<u8>,
    /// Anything else.
    pub failed: Vec<u8>,
}

impl Replies {
    pub(crate) fn into_refusal(self, refusal: Refusal) -> Vec<u8> {
        match refusal {
            Refusal::Refused => self.refused,
            Refusal::NetworkUnreachable => self.network_unreachable,
            Refusal::HostUnreachable => self.host_unreachable,
            Refusal::Prohibited => self.prohibited,
            Refusal::TimedOut => self.timed_out,
            Refusal::Failed => self.failed,
        }
    }
}

/// Destinations of one connection that belong to peers of other shards. These try them in turn, each for as long as the one
/// before, if none of those before accepts.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    /// The shards and what each is to try.
    pub(crate) groups: VecDeque<(usize, Vec<Target>)>,
    /// How long each may take.
    pub(crate) patience: Duration,
    /// What those before amount to.
    pub(crate) refusal: Refusal,
}

/// One thing to do, in the order given.
#[derive(Debug)]
pub(crate) enum Command {
    Open {
        flow: FlowId,
        destinations: Vec<Target>,
        application: OwnedFd,
        early: Vec<u8>,
        replies: Box<Replies>,
        elsewhere: Option<Box<Elsewhere>>,
    },
    OpenDatagrams {
        flow: FlowId,
        destination: SocketAddr,
        application: OwnedFd,
    },
    OpenAssociation {
        flow: FlowId,
        control: OwnedFd,
        datagrams: OwnedFd,
        client: Client,
    },
    NameFound {
        flow: FlowId,
        name: String,
        addresses: Vec<IpAddr>,
    },
    Attach {
        flow: FlowId,
        socket: OwnedFd,
    },
    Reject {
        flow: FlowId,
        reason: Refusal,
    },
    Close {
        flow: FlowId,
    },
    SetPeers {
        peers: Vec<PeerSettings>,
    },
    Handshake,
    Snapshot {
        answer: SyncSender<Snapshot>,
    },
    /// A defect, for the test of what happens then.
    #[cfg(test)]
    Panic,
}

impl Command {
    /// The flow that begins with this command.
    pub(crate) fn opens(&self) -> Option<FlowId> {
        match self {
            Self::Open { flow, .. }
            | Self::OpenDatagrams { flow, .. }
            | Self::OpenAssociation { flow, .. } => Some(*flow),
            _ => None,
        }
    }
}

/// Why a command was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CommandError {
    /// The engine has not started, or has stopped.
    #[error("the engine is not running")]
    NotRunning,
    /// The engine takes no new flows any more.
    #[error("the engine is draining and takes no new flows")]
    Draining,
    /// As many commands wait as may.
    #[error("too many commands wait for the engine")]
    QueueFull,
    /// There are as many flows as there may be.
    #[error("too many flows")]
    TooManyFlows,
    /// An `open` without anywhere to go.
    #[error("no destination")]
    NoDestination,
    /// The system gave no socket pair.
    #[error("no socket pair: {}", std::io::Error::from_raw_os_error(*.0))]
    NoSocketPair(i32),
    /// The engine's thread did not answer in time.
    #[error("the engine does not answer")]
    NoAnswer,
}

/// A command that was not taken, and the descriptor that therefore stays with the caller.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct NotTaken {
    /// Why.
    pub error: CommandError,
    /// What the caller handed over, given back.
    pub descriptor: OwnedFd,
}

/// The commands that wait for the loop.
#[derive(Debug)]
pub(crate) struct CommandQueue {
    bound: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    commands: VecDeque<Command>,
    stage: Stage,
}

/// Whether anything takes the commands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    /// Not yet.
    #[default]
    Before,
    Open,
    /// Not any more, for good: whoever opens late, when the loop has ended already, opens nothing.
    Closed,
}

impl CommandQueue {
    /// A queue that takes nothing yet.
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            bound,
            waiting: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the command made of `given`, or gives it back; `Ok(true)` = it is the first one, so wake the loop.
    pub(crate) fn push<T>(
        &self,
        given: T,
        command: impl FnOnce(T) -> Command,
    ) -> Result<bool, (CommandError, T)> {
        let mut waiting = self.lock();
        if waiting.stage != Stage::Open {
            return Err((CommandError::NotRunning, given));
        }
        if waiting.commands.len() >= self.bound {
            return Err((CommandError::QueueFull, given));
        }
        waiting.commands.push_back(command(given));
        Ok(waiting.commands.len() == 1)
    }

    /// Moves the first of those that wait to `taken`, `most` at most; whether more wait.
    pub(crate) fn take(&self, taken: &mut VecDeque<Command>, most: usize) -> bool {
        let mut waiting = self.lock();
        let count = waiting.commands.len().min(most);
        taken.extend(waiting.commands.drain(..count));
        !waiting.commands.is_empty()
    }

    /// Takes commands from now on, unless it was closed.
    pub(crate) fn open(&self) {
        let mut waiting = self.lock();
        if waiting.stage == Stage::Before {
            waiting.stage = Stage::Open;
        }
    }

    /// Takes no more commands, ever, and gives those that nobody will carry out.
    pub(crate) fn close(&self) -> VecDeque<Command> {
        let mut waiting = self.lock();
        waiting.stage = Stage::Closed;
        std::mem::take(&mut waiting.commands)
    }
}

#[cfg(test)]
mod tests;
