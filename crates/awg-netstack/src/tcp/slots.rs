//! The table of flows by number ([`Slots`]). A slot whose flow is over is kept until the embedder was told, so that a
//! name never means two flows.

use super::flow::Flow;
use crate::flow::{FlowId, Kind};

struct Slot {
    generation: u32,
    flow: Option<Flow>,
}

/// Flows, and the free places among them.
#[derive(Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Slots {
    /// Places in use, those of flows that are over but not yet reported among them.
    pub(super) fn used(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, flow: Flow) -> (u32, FlowId) {
        let number = self.free.pop().unwrap_or(self.slots.len() as u32);
        match self.slots.get_mut(number as usize) {
            Some(slot) => slot.flow = Some(flow),
            None => self.slots.push(Slot {
                generation: 0,
                flow: Some(flow),
            }),
        }
        (number, self.name(number))
    }

    /// The name of the flow in a slot.
    pub(super) fn name(&self, number: u32) -> FlowId {
        let generation = self
            .slots
            .get(number as usize)
            .map_or(0, |slot| slot.generation);
        FlowId::new(Kind::Tcp, number, generation)
    }

    pub(super) fn get(&mut self, number: u32) -> Option<&mut Flow> {
        self.slots.get_mut(number as usize)?.flow.as_mut()
    }

    /// The slot of a flow that is not over.
    pub(super) fn find(&mut self, name: FlowId) -> Option<(u32, &mut Flow)> {
        let number = name.slot();
        if self.name(number) != name {
            return None;
        }
        self.get(number).map(|flow| (number, flow))
    }

    /// Takes a flow that is over out of its slot, which is not free yet.
    pub(super) fn end(&mut self, number: u32) -> Option<Flow> {
        self.slots.get_mut(number as usize)?.flow.take()
    }

    /// The embedder knows that this flow is over.
    pub(super) fn free(&mut self, name: FlowId) {
        let number = name.slot();
        if self.name(number) != name {
            return;
        }
        if let Some(slot) = self.slots.get_mut(number as usize)
            && slot.flow.is_none()
        {
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(number);
        }
    }
}

#[cfg(test)]
mod tests;
