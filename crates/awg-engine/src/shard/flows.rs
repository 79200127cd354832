//! The table of flows: by place (which is also the readiness token), by the engine's number and by the stack's; their
//! deadlines; and the queue of those that have work to do.

use std::collections::{BTreeSet, HashMap, VecDeque, hash_map};
use std::net::TcpStream;
use std::time::Instant;

use awg_netstack::{FlowId as StackFlow, Target};
use awg_tunnel::PeerId;
use slab::Slab;

use super::usage::Turn;
use crate::command::{Elsewhere, Replies};
use crate::dial::Dial;
use crate::flow::{FlowId, Traffic};
use crate::relay::{Association, DatagramRelay, StreamRelay};

/// A flow's place in the table. It is used again once the flow is gone, so a report may come for another flow than the
/// one meant: every handler must bear a report of readiness that is not there.
pub(super) type Place = usize;

/// The number of an entry that has none: the engine gives out numbers from 1.
const UNNAMED: FlowId = FlowId(0);

/// Where a flow stands.
///
/// ```text
///   open ──▶ Dialling ──▶ Connection ──▶ (gone)          FlowIncoming ──▶ Announced ──▶ Connecting ──▶ Connection
///               └──────▶ Leaving ──▶ (gone)               open, FlowIncoming (UDP) ──▶ Datagrams ──▶ (gone)
///   open_association ──▶ Association ──▶ (gone)
/// ```
#[derive(Debug)]
pub(super) enum State {
    /// An application waits for its connection.
    Dialling(Box<Dialling>),
    /// A peer's TCP flow waits for the embedder.
    Announced {
        flow: StackFlow,
        destination: Target,
    },
    /// A peer's TCP flow waits for the socket to its target.
    Connecting {
        flow: StackFlow,
        destination: Target,
        target: TcpStream,
    },
    /// A connection, both sides open.
    Connection(StreamRelay),
    /// A flow of datagrams.
    Datagrams(Box<DatagramRelay>),
    /// A SOCKS5 application's datagrams, to anywhere.
    Association(Box<Association>),
    /// Nothing but a socket whose application has yet to read its last words; the flow itself has ended.
    Leaving { application: TcpStream },
}

/// An application and the attempts to connect it.
#[derive(Debug)]
pub(super) struct Dialling {
    pub(super) application: TcpStream,
    pub(super) early: Vec<u8>,
    pub(super) replies: Box<Replies>,
    pub(super) dial: Dial<Target>,
    /// Whether there is a single destination.
    pub(super) alone: bool,
    /// The name whose addresses the embedder was asked for: these are dialled in its place.
    pub(super) wanted: Option<Target>,
    /// When it is to be asked whether anybody is still there who could answer.
    pub(super) ask_at: Instant,
    pub(super) elsewhere: Option<Box<Elsewhere>>,
}

impl State {
    pub(super) fn traffic(&self) -> Traffic {
        match self {
            Self::Connection(relay) => relay.traffic(),
            Self::Datagrams(relay) => relay.traffic(),
            Self::Association(association) => association.traffic(),
            _ => Traffic::default(),
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) number: FlowId,
    pub(super) state: State,
    /// The peer that opened it, if one did.
    pub(super) opener: Option<PeerId>,
    /// Where it waits for its share of that peer's bandwidth.
    pub(super) turn: Turn,
    deadline: Option<Instant>,
    queued: bool,
}

/// The table; see the module.
#[derive(Debug, Default)]
pub(super) struct Flows {
    entries: Slab<Entry>,
    by_number: HashMap<FlowId, Place>,
    by_stack: HashMap<StackFlow, Place>,
    /// How many flows each peer has opened; peers without any are not in it.
    by_opener: HashMap<PeerId, usize>,
    /// Entries without a number.
    unnamed: usize,
    deadlines: BTreeSet<(Instant, Place)>,
    ready: VecDeque<Place>,
}

impl Flows {
    /// How many flows have not ended.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.unnamed
    }

    /// The place that the next [`insert`](Self::insert) takes, to register descriptors for it.
    pub(super) fn next_place(&self) -> Place {
        self.entries.vacant_key()
    }

    /// How many flows of a peer's opening there are.
    pub(super) fn opened_by(&self, peer: PeerId) -> usize {
        self.by_opener.get(&peer).copied().unwrap_or_default()
    }

    /// How many entries have no number.
    pub(super) fn unnamed(&self) -> usize {
        self.unnamed
    }

    /// `opener`: the peer that opens the flow, if it is not an application of ours.
    pub(super) fn insert(&mut self, number: FlowId, opener: Option<PeerId>, state: State) -> Place {
        if let Some(peer) = opener {
            *self.by_opener.entry(peer).or_default() += 1;
        }
        let place = self.entries.insert(Entry {
            number,
            state,
            opener,
            turn: Turn::default(),
            deadline: None,
            queued: false,
        });
        self.by_number.insert(number, place);
        place
    }

    /// Puts in something that has no number, since no event of it is to come.
    pub(super) fn insert_unnamed(&mut self, state: State) -> Place {
        self.unnamed += 1;
        self.entries.insert(Entry {
            number: UNNAMED,
            state,
            opener: None,
            turn: Turn::default(),
            deadline: None,
            queued: false,
        })
    }

    pub(super) fn get_mut(&mut self, place: Place) -> Option<&mut Entry> {
        self.entries.get_mut(place)
    }

    pub(super) fn place_of(&self, number: FlowId) -> Option<Place> {
        self.by_number.get(&number).copied()
    }

    pub(super) fn place_of_stack(&self, flow: StackFlow) -> Option<Place> {
        self.by_stack.get(&flow).copied()
    }

    /// From now on the stack's `flow` belongs to the entry at `place`.
    pub(super) fn bind(&mut self, flow: StackFlow, place: Place) {
        self.by_stack.insert(flow, place);
    }

    /// The stack's `flow` belongs to nobody any more.
    pub(super) fn unbind(&mut self, flow: StackFlow) {
        self.by_stack.remove(&flow);
    }

    /// Takes a flow out of the table; its bindings to the stack are for the caller to undo.
    pub(super) fn remove(&mut self, place: Place) -> Option<Entry> {
        let entry = self.entries.try_remove(place)?;
        if entry.number == UNNAMED {
            self.unnamed -= 1;
        } else {
            self.by_number.remove(&entry.number);
        }
        if let Some(peer) = entry.opener
            && let hash_map::Entry::Occupied(mut opened) = self.by_opener.entry(peer)
        {
            *opened.get_mut() -= 1;
            if *opened.get() == 0 {
                opened.remove();
            }
        }
        if let Some(at) = entry.deadline {
            self.deadlines.remove(&(at, place));
        }
        Some(entry)
    }

    /// What dials at a place.
    pub(super) fn dialling(&self, place: Place) -> Option<&Dialling> {
        match &self.entries.get(place)?.state {
            State::Dialling(dialling) => Some(dialling),
            _ => None,
        }
    }

    /// The same, to change.
    pub(super) fn dialling_mut(&mut self, place: Place) -> Option<&mut Dialling> {
        match &mut self.entries.get_mut(place)?.state {
            State::Dialling(dialling) => Some(dialling),
            _ => None,
        }
    }

    /// Takes what dials out of its entry, which stays announced until the caller says what it is now.
    pub(super) fn take_dialling(
        &mut self,
        place: Place,
        winner: StackFlow,
        destination: Target,
    ) -> Option<Box<Dialling>> {
        let entry = self.entries.get_mut(place)?;
        let waiting = State::Announced {
            flow: winner,
            destination,
        };
        match std::mem::replace(&mut entry.state, waiting) {
            State::Dialling(dialling) => Some(dialling),
            other => {
                entry.state = other;
                None
            }
        }
    }

    /// Takes the target out of an entry that waits for it; the entry is announced again.
    pub(super) fn take_connecting(
        &mut self,
        place: Place,
    ) -> Option<(StackFlow, Target, TcpStream)> {
        let entry = self.entries.get_mut(place)?;
        let (flow, destination) = match &entry.state {
            State::Connecting {
                flow, destination, ..
            } => (*flow, destination.clone()),
            _ => return None,
        };
        let announced = State::Announced {
            flow,
            destination: destination.clone(),
        };
        match std::mem::replace(&mut entry.state, announced) {
            State::Connecting { target, .. } => Some((flow, destination, target)),
            _ => None,
        }
    }

    /// The flows that a peer has opened.
    pub(super) fn of_peer(&self, peer: PeerId) -> Vec<Place> {
        let all = self.entries.iter();
        all.filter(|(_, entry)| entry.opener == Some(peer))
            .map(|(place, _)| place)
            .collect()
    }

    pub(super) fn places(&self) -> Vec<Place> {
        self.entries.iter().map(|(place, _)| place).collect()
    }

    /// Sets when the flow is to be looked at, whatever happens.
    pub(super) fn set_deadline(&mut self, place: Place, deadline: Option<Instant>) {
        let Some(entry) = self.entries.get_mut(place) else {
            return;
        };
        if entry.deadline == deadline {
            return;
        }
        if let Some(former) = entry.deadline {
            self.deadlines.remove(&(former, place));
        }
        if let Some(at) = deadline {
            self.deadlines.insert((at, place));
        }
        entry.deadline = deadline;
    }

    /// When the flow is to be looked at.
    pub(super) fn deadline(&self, place: Place) -> Option<Instant> {
        self.entries.get(place)?.deadline
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// A flow whose deadline has come; the deadline is forgotten.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Place> {
        let &(at, place) = self.deadlines.first()?;
        if at > now {
            return None;
        }
        self.set_deadline(place, None);
        Some(place)
    }

    /// Queues a flow for its turn, once.
    pub(super) fn make_ready(&mut self, place: Place) {
        if let Some(entry) = self.entries.get_mut(place)
            && !entry.queued
        {
            entry.queued = true;
            self.ready.push_back(place);
        }
    }

    pub(super) fn pop_ready(&mut self) -> Option<Place> {
        let place = self.ready.pop_front()?;
        if let Some(entry) = self.entries.get_mut(place) {
            entry.queued = false;
        }
        Some(place)
    }

    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }
}
