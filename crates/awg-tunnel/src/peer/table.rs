//! The peers by handle.

use super::{Peer, PeerId};

/// Peers in slots; a look-up is one step.
#[derive(Default)]
pub(crate) struct PeerTable {
    slots: Vec<Slot>,
    free: Vec<u16>,
    count: usize,
}

struct Slot {
    generation: u16,
    peer: Option<Box<Peer>>,
}

impl PeerTable {
    /// As many as a handle can name.
    pub(crate) const CAPACITY: usize = 1 << 16;

    /// Adds the peer that `make` gives for its handle; nothing if the table is full.
    pub(crate) fn insert(&mut self, make: impl FnOnce(PeerId) -> Peer) -> Option<PeerId> {
        let slot = if let Some(slot) = self.free.pop() {
            slot
        } else {
            let slot = u16::try_from(self.slots.len()).ok()?;
            self.slots.push(Slot {
                generation: 0,
                peer: None,
            });
            slot
        };
        let place = self.slots.get_mut(usize::from(slot))?;
        let id = PeerId::new(slot, place.generation);
        place.peer = Some(Box::new(make(id)));
        self.count += 1;
        Some(id)
    }

    #[inline]
    pub(crate) fn get(&self, id: PeerId) -> Option<&Peer> {
        let slot = self.slots.get(id.slot())?;
        slot.peer
            .as_deref()
            .filter(|_| slot.generation == id.generation())
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        let slot = self.slots.get_mut(id.slot())?;
        slot.peer
            .as_deref_mut()
            .filter(|_| slot.generation == id.generation())
    }

    pub(crate) fn remove(&mut self, id: PeerId) -> Option<Box<Peer>> {
        let slot = self
            .slots
            .get_mut(id.slot())
            .filter(|slot| slot.generation == id.generation())?;
        let peer = slot.peer.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.slot() as u16);
        self.count -= 1;
        Some(peer)
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }
}
