//! The table of carried flows ([`Flows`]): by number, each with the link that it is on. A place whose flow is over is kept until
//! the embedder was told, so that a name never means two flows.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use noq_proto::StreamId;

use super::company::Volume;
use super::pieces::Pieces;
use crate::flow::{FlowId, Kind};

/// Smaller parts are merged.
const PART: usize = 1 << 10;

/// How far a flow is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// A peer's: its request is not there as a whole.
    Requesting,
    /// A peer's: it waits for the embedder.
    Waiting,
    /// Ours: the answer is not there.
    Asking,
    /// A connection.
    Open,
    /// A peer's: a source of UDP datagrams, which are on flows of their own on the same stream.
    Source,
    /// UDP datagrams.
    Datagrams,
}

/// What the embedder was told and has not looked at yet, or never will again.
#[derive(Clone, Copy, Default)]
pub(super) struct Told {
    pub(super) readable: bool,
    pub(super) writable: bool,
    pub(super) finished: bool,
}

/// One flow.
pub(super) struct Flow {
    /// The place of its link.
    pub(super) link: u32,
    pub(super) stream: StreamId,
    pub(super) stage: Stage,
    pub(super) told: Told,
    /// Bytes that leave before any that the embedder sends: a request with early bytes, a status byte.
    pub(super) first: Bytes,
    /// Bytes that arrived and were not taken.
    pub(super) held: VecDeque<Bytes>,
    /// How many these are.
    pub(super) held_bytes: usize,
    /// Of these, those that were taken only since they came in many pieces.
    pub(super) gathered: usize,
    /// How far the stream was read.
    pub(super) read: u64,
    /// How far it arrived, gaps or not.
    pub(super) arrived: u64,
    /// When bytes of it were taken last, in seconds of its link's [`Backlog`](super::backlog::Backlog), and when something was
    /// asked on it that nothing came for since.
    pub(super) taken_at: u32,
    pub(super) asked_at: Option<u32>,
    /// What may be left there.
    pub(super) pieces: Pieces,
    /// Whether its pieces cost more than may be.
    pub(super) costs: bool,
    /// Whether there may be more to read than what is held.
    pub(super) unread: bool,
    /// The embedder sends no more; its last byte is said to be that.
    pub(super) shutdown: bool,
    /// All that the peer sends was read.
    pub(super) ended: bool,
    /// All that we sent arrived.
    pub(super) acknowledged: bool,
    /// The other end's side failed: once what it had sent is read, the flow is over, as one that was reset.
    pub(super) failed_there: bool,
    /// The embedder found no room.
    pub(super) blocked: bool,
    /// Too little is left of what the other end takes.
    pub(super) starved: bool,
    /// When it sent last, counted in what its link sent.
    pub(super) turn: u64,
    /// Bytes sent without a pause: what tells a bulk transfer from a question.
    pub(super) sent: u64,
    /// And of late.
    pub(super) volume: Volume,
    /// When the last of them left its hands, in seconds as `taken_at`.
    pub(super) sent_at: u32,
    /// Of datagrams: the last one, and whether there was one to another port than DNS's.
    pub(super) active: Instant,
    pub(super) only_dns: bool,
    /// Of datagrams: the other end's address, which [`Datagram`](crate::Datagram) tells.
    pub(super) source: SocketAddr,
    /// Whether the request was read, or was ours. Datagrams may come before it.
    pub(super) requested: bool,
    /// A peer's, and nothing came of it yet: it is counted by its link, and waits no longer than its deadline.
    pub(super) half_open: bool,
    /// Of datagrams of a peer's: the flow of the stream that they are on.
    pub(super) part_of: Option<u32>,
    /// Of those that go to an address of ours: that address, which answers.
    pub(super) own: Option<SocketAddr>,
    /// Of datagrams that came by the stream: the beginning of one.
    pub(super) partial: Vec<u8>,
    /// Bytes of one that is dropped and still to come.
    pub(super) dropping: usize,
}

impl Flow {
    pub(super) fn new(
        link: u32,
        stream: StreamId,
        stage: Stage,
        source: SocketAddr,
        now: Instant,
    ) -> Self {
        Self {
            link,
            stream,
            stage,
            told: Told::default(),
            first: Bytes::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            gathered: 0,
            read: 0,
            arrived: 0,
            taken_at: 0,
            asked_at: None,
            pieces: Pieces::default(),
            costs: false,
            unread: false,
            shutdown: false,
            ended: false,
            acknowledged: false,
            failed_there: false,
            blocked: false,
            starved: false,
            turn: 0,
            sent: 0,
            volume: Volume::default(),
            sent_at: 0,
            active: now,
            only_dns: true,
            source,
            requested: stage != Stage::Requesting,
            half_open: false,
            part_of: None,
            own: None,
            partial: Vec::new(),
            dropping: 0,
        }
    }

    /// Keeps bytes that arrived.
    pub(super) fn hold(&mut self, bytes: Bytes) {
        self.held_bytes += bytes.len();
        self.read += bytes.len() as u64;
        self.held.push_back(bytes);
    }

    /// Makes one of small parts that are held.
    pub(super) fn merge(&mut self) {
        let mut merged = BytesMut::new();
        for part in std::mem::take(&mut self.held) {
            if part.len() < PART {
                merged.extend_from_slice(&part);
            }
            if !merged.is_empty() && (merged.len() >= PART || part.len() >= PART) {
                self.held.push_back(merged.split().freeze());
            }
            if part.len() >= PART {
                self.held.push_back(part);
            }
        }
        if !merged.is_empty() {
            self.held.push_back(merged.freeze());
        }
    }

    /// Lets go of the first bytes that are held.
    pub(super) fn release(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let Some(front) = self.held.front_mut() else {
                break;
            };
            let part = left.min(front.len());
            front.advance(part);
            left -= part;
            if front.is_empty() {
                self.held.pop_front();
            }
        }
        self.held_bytes -= count - left;
        if self.held.is_empty() && self.held.capacity() > 64 {
            self.held = VecDeque::new();
        }
    }

    pub(super) fn kind(&self) -> Kind {
        if self.stage == Stage::Datagrams {
            Kind::Udp
        } else {
            Kind::Tcp
        }
    }
}

#[derive(Default)]
struct Place {
    generation: u32,
    /// The name under which the embedder knows the flow that is or was here.
    name: Option<FlowId>,
    flow: Option<Box<Flow>>,
}

/// All flows.
#[derive(Default)]
pub(super) struct Flows {
    places: Vec<Place>,
    free: Vec<u32>,
}

impl Flows {
    /// Places in use, those of flows that are over but not yet reported among them.
    pub(super) fn used(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Takes a flow that has no name yet.
    pub(super) fn insert(&mut self, flow: Flow) -> u32 {
        let flow = Some(Box::new(flow));
        if let Some(number) = self.free.pop() {
            if let Some(place) = self.places.get_mut(number as usize) {
                place.flow = flow;
            }
            return number;
        }
        self.places.push(Place {
            flow,
            ..Place::default()
        });
        (self.places.len() - 1) as u32
    }

    /// The numbers of a link's flows.
    pub(super) fn of(&self, link: u32) -> Vec<u32> {
        (0..)
            .zip(&self.places)
            .filter(|(_, place)| place.flow.as_ref().is_some_and(|flow| flow.link == link))
            .map(|(number, _)| number)
            .collect()
    }

    /// Gives a flow the name by which the embedder knows it from now on.
    pub(super) fn christen(&mut self, number: u32) -> Option<FlowId> {
        let place = self.places.get_mut(number as usize)?;
        let kind = place.flow.as_ref()?.kind();
        let name = FlowId::carried(kind, number, place.generation);
        place.name = Some(name);
        Some(name)
    }

    /// The name of the flow in a place, if the embedder knows of it.
    pub(super) fn name(&self, number: u32) -> Option<FlowId> {
        self.places.get(number as usize)?.name
    }

    pub(super) fn get(&mut self, number: u32) -> Option<&mut Flow> {
        self.places.get_mut(number as usize)?.flow.as_deref_mut()
    }

    /// The flow of a name, if it is not over.
    pub(super) fn find(&mut self, name: FlowId) -> Option<(u32, &mut Flow)> {
        let number = name.slot();
        let place = self.places.get_mut(number as usize)?;
        if place.name != Some(name) {
            return None;
        }
        place.flow.as_deref_mut().map(|flow| (number, flow))
    }

    /// Takes a flow that is over out of its place. The place is free if the embedder never knew of the flow.
    pub(super) fn end(&mut self, number: u32) -> Option<Box<Flow>> {
        let place = self.places.get_mut(number as usize)?;
        let flow = place.flow.take();
        if flow.is_some() && place.name.is_none() {
            self.free.push(number);
        }
        flow
    }

    /// The embedder knows that this flow is over.
    pub(super) fn free(&mut self, name: FlowId) {
        let number = name.slot();
        if let Some(place) = self.places.get_mut(number as usize)
            && place.name == Some(name)
            && place.flow.is_none()
        {
            place.name = None;
            place.generation = place.generation.wrapping_add(1);
            self.free.push(number);
        }
    }
}
