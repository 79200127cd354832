//! What the embedder does with its flows.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::ends::Key;
use super::flow::{Flow, Stage};
use super::machine::{Ends, Phase, TcpMachine};
use super::{Tcp, ports};
use crate::error::ConnectError;
use crate::event::Rejection;
use crate::flow::{FlowId, Peer};

impl Tcp {
    /// Opens a flow from one of our addresses.
    pub(crate) fn connect(
        &mut self,
        now: Instant,
        peer: Peer,
        from: IpAddr,
        remote: SocketAddr,
    ) -> Result<FlowId, ConnectError> {
        let any = Key::new(peer, SocketAddr::new(from, 0), remote);
        if !self.has_place(now, any) {
            return Err(ConnectError::TooManyFlows);
        }
        let (by_key, time_wait) = (&self.by_key, &mut self.time_wait);
        let port = ports::draw(&mut self.rng, |port| {
            let key = Key::new(peer, SocketAddr::new(from, port), remote);
            by_key.contains_key(&key) || time_wait.find(now, &key).is_some()
        });
        let local = SocketAddr::new(from, port.ok_or(ConnectError::NoPort)?);
        let rings = self.buffers.take(peer).map_err(ConnectError::Memory)?;
        let key = Key::new(peer, local, remote);
        let machine = TcpMachine::connect(&mut self.link, rings, Ends { local, remote }, now)
            .ok_or(ConnectError::Unaddressable)?;
        let answer_by = now + self.limits.connect_within;
        let ends = Ends { local, remote };
        let stage = Stage::Open(Box::new(machine));
        let (number, name) = self.slots.insert(Flow {
            ours: true,
            ..Flow::new(key, &ends, stage, now, answer_by)
        });
        self.by_key.insert(key, number);
        self.peers.share(now, peer).flows.insert(number);
        self.deadlines.arm(number, answer_by);
        self.mark(number);
        Ok(name)
    }

    /// Lets `fill` write into the flow's send buffer.
    pub(crate) fn send(&mut self, name: FlowId, fill: &mut dyn FnMut(&mut [u8]) -> usize) -> usize {
        let Some((number, flow)) = self.slots.find(name) else {
            return 0;
        };
        let Some(machine) = flow.machine() else {
            return 0;
        };
        let written = machine.send(fill);
        if written > 0 {
            self.mark(number);
        } else {
            self.counters.send_buffer_full += 1;
        }
        written
    }

    /// Lets `take` read from the flow's receive buffer.
    pub(crate) fn receive(&mut self, name: FlowId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        let Some((number, flow)) = self.slots.find(name) else {
            return 0;
        };
        let Some(machine) = flow.machine() else {
            return 0;
        };
        let taken = machine.receive(take);
        if taken > 0 {
            // The window opened; and a flow that is over ends with its last byte.
            self.mark(number);
        }
        taken
    }

    /// Bytes that [`receive`](Self::receive) has now.
    pub(crate) fn receivable(&mut self, name: FlowId) -> usize {
        self.flow(name)
            .and_then(Flow::machine)
            .map_or(0, |machine| machine.receivable())
    }

    /// Sends no more than what is buffered.
    pub(crate) fn shutdown(&mut self, name: FlowId) {
        let Some((number, flow)) = self.slots.find(name) else {
            return;
        };
        flow.shutdown = true;
        let Some(machine) = flow.machine() else {
            return;
        };
        if machine.phase() == Phase::Open {
            machine.shutdown();
            self.mark(number);
        }
    }

    /// Resets a flow; one that is still held is refused.
    pub(crate) fn abort(&mut self, name: FlowId) {
        let Some((number, flow)) = self.slots.find(name) else {
            return;
        };
        match &flow.stage {
            Stage::HalfOpen(_) => {
                let now = flow.active;
                // Refused is what needs no ICMP error.
                let _ = self.reject(now, name, Rejection::Refused);
            }
            Stage::Open(_) => {
                flow.reset();
                self.mark(number);
            }
        }
    }

    /// Resets a flow once all that it was given to send has arrived.
    pub(crate) fn linger(&mut self, now: Instant, name: FlowId) {
        let Some((number, flow)) = self.slots.find(name) else {
            return;
        };
        match &flow.stage {
            Stage::Open(machine) if machine.has_unacknowledged() => {
                flow.lingers = true;
                flow.linger_until = Some(now + self.limits.linger);
                self.mark(number);
            }
            _ => self.abort(name),
        }
    }
}
