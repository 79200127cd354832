//! What the embedder does with carried flows.
//!
//! Its own code is called outside the guard: a panic there is its own.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::time::Instant;

use super::Carriers;
use super::EARLY;
use super::flows::Stage;
use super::request::{Code, Request};
use crate::datagram::DatagramDrop;
use crate::error::{AcceptError, ConnectError};
use crate::event::{Closure, Rejection};
use crate::flow::{FlowId, Kind, Peer, Target};

/// Parts of what a flow holds that are offered at a time: a chunk's, of full packets.
const PARTS: usize = 96;

impl Carriers {
    /// Opens a connection.
    pub(crate) fn open_stream(
        &mut self,
        now: Instant,
        peer: Peer,
        target: &Target,
        early: &[u8],
    ) -> Result<FlowId, ConnectError> {
        if early.len() > EARLY {
            return Err(ConnectError::TooMuchEarly);
        }
        self.open(now, peer, &Request::Connection(target.clone()), early)
    }

    /// Opens a UDP flow.
    pub(crate) fn open_datagrams(
        &mut self,
        now: Instant,
        peer: Peer,
    ) -> Result<FlowId, ConnectError> {
        self.open(now, peer, &Request::Datagrams, &[])
    }

    fn open(
        &mut self,
        now: Instant,
        peer: Peer,
        request: &Request,
        early: &[u8],
    ) -> Result<FlowId, ConnectError> {
        self.now = now;
        self.settle();
        let place = self.links.of(peer).ok_or(ConnectError::NotCarried)?;
        let opened = self.with(place, |link, shared| {
            link.open(now, place, request, early, shared)
        });
        self.stir(place);
        opened.unwrap_or(Err(ConnectError::NotCarried))
    }

    /// The place of a flow's link, and the flow's number.
    fn locate(&mut self, flow: FlowId) -> Option<(u32, u32)> {
        let (number, flow) = self.shared.flows.find(flow)?;
        Some((flow.link, number))
    }

    pub(crate) fn accept(&mut self, flow: FlowId) -> Result<(), AcceptError> {
        let (place, number) = self.locate(flow).ok_or(AcceptError::Gone)?;
        let stage = self.shared.flows.get(number).map(|flow| flow.stage);
        if stage != Some(Stage::Waiting) {
            return Err(AcceptError::AlreadyOpen);
        }
        self.with(place, |link, shared| link.accept(number, shared));
        self.stir(place);
        Ok(())
    }

    pub(crate) fn reject(&mut self, flow: FlowId, why: Rejection) {
        let Some((place, number)) = self.locate(flow) else {
            return;
        };
        let stage = self.shared.flows.get(number).map(|flow| flow.stage);
        if stage == Some(Stage::Waiting) {
            self.with(place, |link, shared| {
                link.break_off(number, why.into(), Closure::Refused, shared);
            });
            self.stir(place);
        }
    }

    pub(crate) fn send(&mut self, name: FlowId, fill: &mut dyn FnMut(&mut [u8]) -> usize) -> usize {
        let Some((place, number)) = self.locate(name) else {
            return 0;
        };
        let Some(flow) = self.shared.flows.get(number) else {
            return 0;
        };
        if flow.shutdown || !matches!(flow.stage, Stage::Open | Stage::Asking) {
            return 0;
        }
        if !flow.first.is_empty() {
            flow.blocked = true;
            self.shared.counters.send_buffer_full += 1;
            return 0;
        }
        let bytes = self.shared.chunks.fill(fill);
        let written = bytes.len();
        if written > 0 {
            self.with(place, |link, shared| link.send(number, bytes, shared));
            self.stir(place);
        }
        written
    }

    /// Lets `take` read what a flow holds, up to `most` bytes in up to [`PARTS`] parts.
    pub(crate) fn receive(
        &mut self,
        name: FlowId,
        most: usize,
        take: &mut dyn FnMut(&[IoSlice<'_>]) -> usize,
    ) -> usize {
        let Some((place, number)) = self.locate(name) else {
            return 0;
        };
        let Some(flow) = self.shared.flows.get(number) else {
            return 0;
        };
        if flow.held.is_empty() || most == 0 || flow.stage != Stage::Open {
            return 0;
        }
        let mut parts = [IoSlice::new(&[]); PARTS];
        let mut count = 0;
        let mut room = most;
        for (part, held) in parts.iter_mut().zip(&flow.held) {
            if room == 0 {
                break;
            }
            *part = IoSlice::new(held.get(..room).unwrap_or(held));
            room -= part.len();
            count += 1;
        }
        let taken = take(parts.get(..count).unwrap_or_default()).min(most - room);
        if taken > 0 {
            self.with(place, |link, shared| link.taken(number, taken, shared));
            self.stir(place);
        }
        taken
    }

    pub(crate) fn receivable(&mut self, name: FlowId) -> usize {
        self.shared
            .flows
            .find(name)
            .map_or(0, |(_, flow)| flow.held_bytes)
    }

    pub(crate) fn shutdown(&mut self, name: FlowId) {
        let Some((place, number)) = self.locate(name) else {
            return;
        };
        let Some(flow) = self.shared.flows.get(number) else {
            return;
        };
        if flow.shutdown || flow.stage == Stage::Datagrams {
            return;
        }
        flow.shutdown = true;
        if matches!(flow.stage, Stage::Open | Stage::Asking) {
            self.with(place, |link, shared| link.flush(number, shared));
            self.stir(place);
        }
    }

    pub(crate) fn abort(&mut self, name: FlowId) {
        let Some((place, number)) = self.locate(name) else {
            return;
        };
        let (code, how) = match self.shared.flows.get(number).map(|flow| flow.stage) {
            Some(Stage::Waiting) => (Code::Refused, Closure::Refused),
            _ => (Code::Aborted, Closure::Aborted),
        };
        self.with(place, |link, shared| {
            link.break_off(number, code, how, shared);
        });
        self.stir(place);
    }

    pub(crate) fn linger(&mut self, now: Instant, name: FlowId) {
        let Some((place, number)) = self.locate(name) else {
            return;
        };
        if self.shared.flows.get(number).map(|flow| flow.stage) != Some(Stage::Open) {
            return self.abort(name);
        }
        self.with(place, |link, shared| link.linger(now, number, shared));
        self.stir(place);
        self.arm(place);
    }

    pub(crate) fn send_datagram(
        &mut self,
        now: Instant,
        name: FlowId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), DatagramDrop> {
        let (place, number) = self.locate(name).ok_or(DatagramDrop::NoFlow)?;
        let sent = self.with(place, |link, shared| {
            link.send_datagram(now, number, remote, payload, shared)
        });
        self.stir(place);
        sent.unwrap_or(Err(DatagramDrop::NoFlow))
    }

    pub(crate) fn close_datagrams(&mut self, name: FlowId) {
        if name.kind() != Kind::Udp {
            return;
        }
        if let Some((place, number)) = self.locate(name) {
            self.with(place, |link, shared| link.close_datagrams(number, shared));
            self.stir(place);
        }
    }
}
