//! One TCP flow of the table: what the embedder was told of it, and the connection or the SYN behind it.

use std::net::SocketAddr;
use std::time::Instant;

use super::ends::Key;
use super::machine::{Ends, TcpMachine};
use crate::packet::Segment;

/// What is behind a flow.
pub(super) enum Stage {
    /// A SYN that waits for the embedder.
    HalfOpen(HeldSyn),
    /// A connection.
    Open(Box<TcpMachine>),
}

/// A SYN as it arrived: the connection is made of it once the embedder accepts, and an ICMP error quotes it if not.
pub(super) struct HeldSyn {
    pub(super) packet: Vec<u8>,
    pub(super) segment: Segment,
}

impl HeldSyn {
    /// A copy of a SYN, unless its packet is longer than `most`: one that was made of pieces may be, and no SYN needs to.
    pub(super) fn copy(packet: &[u8], segment: &Segment, most: u16) -> Option<Self> {
        // What follows is padding.
        let packet = packet.get(..segment.options.end + segment.length)?;
        (packet.len() <= usize::from(most)).then(|| Self {
            packet: packet.to_vec(),
            segment: segment.clone(),
        })
    }
}

/// What the embedder was told, or has waiting in the queue of events.
#[derive(Default)]
pub(super) struct Told {
    pub(super) established: bool,
    pub(super) finished: bool,
    /// In the queue now.
    pub(super) readable: bool,
    pub(super) writable: bool,
}

/// Questions whether the other end is there, none of them answered.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// How many were sent.
    pub(super) times: u8,
    /// When one was tried last, sent or not.
    pub(super) at: Instant,
}

/// A flow.
pub(super) struct Flow {
    pub(super) key: Key,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) stage: Stage,
    pub(super) told: Told,
    /// Whether we opened it.
    pub(super) ours: bool,
    /// Whether it waits in the queue of flows that may have something to send.
    pub(super) queued: bool,
    /// The embedder sends no more, said before the flow was established.
    pub(super) shutdown: bool,
    /// The embedder reset it.
    pub(super) aborted: bool,
    /// The embedder gave it up: it is reset once what was sent has arrived.
    pub(super) lingers: bool,
    /// Until when that may take, or the reading of what had arrived before the other end's reset.
    pub(super) linger_until: Option<Instant>,
    /// When it must be accepted or established.
    pub(super) answer_by: Option<Instant>,
    /// When something is due.
    pub(super) due: Option<Instant>,
    /// When it last did something.
    pub(super) active: Instant,
    /// How often its other end was asked since then whether it is there, and when last.
    pub(super) asked: Option<Asked>,
    /// Bytes of buffers that are accounted for it.
    pub(super) bytes: usize,
}

impl Flow {
    /// A flow that must be accepted or established by `answer_by`.
    pub(super) fn new(
        key: Key,
        ends: &Ends,
        stage: Stage,
        now: Instant,
        answer_by: Instant,
    ) -> Self {
        let &Ends { local, remote } = ends;
        Self {
            key,
            local,
            remote,
            stage,
            told: Told::default(),
            ours: false,
            queued: false,
            shutdown: false,
            aborted: false,
            lingers: false,
            linger_until: None,
            answer_by: Some(answer_by),
            due: Some(answer_by),
            active: now,
            asked: None,
            bytes: 0,
        }
    }

    /// Resets the connection, if it is one: the RST leaves with the next packets.
    pub(super) fn reset(&mut self) {
        if let Stage::Open(machine) = &mut self.stage {
            self.aborted = true;
            machine.abort();
        }
    }

    pub(super) fn machine(&mut self) -> Option<&mut TcpMachine> {
        match &mut self.stage {
            Stage::HalfOpen(_) => None,
            Stage::Open(machine) => Some(machine),
        }
    }
}
