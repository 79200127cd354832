//! The links by place and by peer ([`Links`]), and the guard around all that happens in one.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::call::Call;
use super::flows::Stage;
use super::link::Link;
use super::shared::Shared;
use crate::event::{Closure, Event, Refusal};
use crate::flow::Peer;

/// What it takes to call again: our end, the other, and how often it failed.
pub(super) type Again = (SocketAddr, SocketAddr, Call);

/// Why nothing was done with a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It is not there.
    Gone,
    /// Its code panicked.
    Panicked,
}

/// See the module.
#[derive(Default)]
pub(super) struct Links {
    places: Vec<Option<Box<Link>>>,
    free: Vec<u32>,
    by_peer: HashMap<Peer, u32>,
}

impl Links {
    pub(super) fn len(&self) -> usize {
        self.by_peer.len()
    }

    pub(super) fn of(&self, peer: Peer) -> Option<u32> {
        self.by_peer.get(&peer).copied()
    }

    pub(super) fn get(&self, place: u32) -> Option<&Link> {
        self.places.get(place as usize)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Link> {
        self.places.get_mut(place as usize)?.as_deref_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.places.iter().flatten().map(Box::as_ref)
    }

    /// The places of some of them.
    pub(super) fn some(&self, most: usize) -> Vec<u32> {
        self.by_peer.values().copied().take(most).collect()
    }

    /// Takes a link of a peer that has none.
    pub(super) fn insert(&mut self, mut link: Link) -> u32 {
        let place = self.free.pop().unwrap_or(self.places.len() as u32);
        link.place = place;
        self.by_peer.insert(link.peer, place);
        let link = Some(Box::new(link));
        match self.places.get_mut(place as usize) {
            Some(empty) => *empty = link,
            None => self.places.push(link),
        }
        place
    }

    /// Does something with a link.
    ///
    /// # Errors
    /// There is none, or that panicked.
    pub(super) fn guard<R>(
        &mut self,
        place: u32,
        shared: &mut Shared,
        work: impl FnOnce(&mut Link, &mut Shared) -> R,
    ) -> Result<R, Fault> {
        let link = self.get_mut(place).ok_or(Fault::Gone)?;
        catch_unwind(AssertUnwindSafe(|| work(link, shared))).map_err(|_| Fault::Panicked)
    }

    /// Removes a link; its flows are over already.
    pub(super) fn remove(&mut self, place: u32, shared: &mut Shared) {
        let was = self.places.get_mut(place as usize).and_then(Option::take);
        let Some(link) = was else { return };
        self.by_peer.remove(&link.peer);
        self.free.push(place);
        // Letting go of it is its own code too.
        if catch_unwind(AssertUnwindSafe(move || drop(link))).is_err() {
            shared.counters.panics += 1;
        }
    }

    /// Removes a link that panicked, and ends its flows by what the table of flows knows. Whose it was, and if it is ours to
    /// keep up, what it takes to call again.
    pub(super) fn abandon(
        &mut self,
        place: u32,
        shared: &mut Shared,
    ) -> Option<(Peer, Option<Again>)> {
        let link = self.get(place)?;
        let peer = link.peer;
        let again = link.call.map(|call| (link.own, link.remote, call));
        for number in shared.flows.of(place) {
            let name = shared.flows.name(number);
            shared.deadlines.disarm(number);
            let Some(flow) = shared.flows.end(number) else {
                continue;
            };
            if flow.half_open {
                shared.half_open = shared.half_open.saturating_sub(1);
            }
            let Some(name) = name else { continue };
            let mut how = Closure::Reset;
            if flow.stage == Stage::Asking {
                how = Closure::Refused;
                let why = Refusal::Failed;
                shared.events.push_back(Event::Refused { flow: name, why });
            }
            shared.events.push_back(Event::Closed { flow: name, how });
        }
        self.remove(place, shared);
        Some((peer, again))
    }
}
