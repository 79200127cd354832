//! The QUIC carrier.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::datagram::DatagramDrop;
use crate::error::{AcceptError, ConnectError};
use crate::event::{Event, Rejection};
use crate::flow::{FlowId, Peer, Target};
use crate::limits::Limits;
use crate::sink::PacketSink;
use crate::stack::Datagram;

mod counters;

pub use counters::CarrierCounters;

/// Bytes that may travel with a request.
pub const EARLY: usize = 64 << 10;

/// How the carrier is set up.
#[derive(Clone)]
pub struct CarrierConfig {
    /// The UDP port at the stack's own addresses where peers' carriers are taken; `None` on a client.
    pub listen: Option<u16>,
    /// Secret, and the same after a restart: by it the other end of a carrier that was forgotten learns that it was.
    pub reset_key: [u8; 32],
}

/// The carriers of all peers.
pub(crate) struct Carriers {
    counters: CarrierCounters,
}

#[allow(unused_variables, clippy::unused_self)]
impl Carriers {
    pub(crate) fn new(limits: &Limits, mtu: u16, seed: [u8; 32]) -> Self {
        Self {
            counters: CarrierCounters::default(),
        }
    }
    pub(crate) fn configure(&mut self, config: CarrierConfig) {}
    pub(crate) fn carry(&mut self, now: Instant, peer: Peer, ends: Option<(IpAddr, SocketAddr)>) {}
    pub(crate) fn is_up(&self, peer: Peer) -> bool {
        false
    }
    pub(crate) fn open_stream(
        &mut self,
        now: Instant,
        peer: Peer,
        target: &Target,
        early: &[u8],
    ) -> Result<FlowId, ConnectError> {
        Err(ConnectError::NotCarried)
    }
    pub(crate) fn open_datagrams(
        &mut self,
        now: Instant,
        peer: Peer,
    ) -> Result<FlowId, ConnectError> {
        Err(ConnectError::NotCarried)
    }
    pub(crate) fn poll_datagram(&mut self) -> Option<Datagram<'_>> {
        None
    }
    pub(crate) fn accept(&mut self, flow: FlowId) -> Result<(), AcceptError> {
        Err(AcceptError::Gone)
    }
    pub(crate) fn reject(&mut self, flow: FlowId, why: Rejection) {}
    pub(crate) fn send(&mut self, flow: FlowId, fill: &mut dyn FnMut(&mut [u8]) -> usize) -> usize {
        0
    }
    pub(crate) fn receive(&mut self, flow: FlowId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        0
    }
    pub(crate) fn receivable(&mut self, flow: FlowId) -> usize {
        0
    }
    pub(crate) fn shutdown(&mut self, flow: FlowId) {}
    pub(crate) fn abort(&mut self, flow: FlowId) {}
    pub(crate) fn send_datagram(
        &mut self,
        now: Instant,
        flow: FlowId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), DatagramDrop> {
        Err(DatagramDrop::NoFlow)
    }
    pub(crate) fn close_datagrams(&mut self, flow: FlowId) {}
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        None
    }
    pub(crate) fn handle_timeout(&mut self, now: Instant) {}
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        None
    }
    pub(crate) fn poll_transmit(&mut self, now: Instant, sink: &mut dyn PacketSink) -> bool {
        false
    }
    pub(crate) fn resume(&mut self, now: Instant, peer: Peer) {}
    pub(crate) fn forget_peer(&mut self, peer: Peer) {}
    pub(crate) fn peers(&self) -> impl Iterator<Item = (Peer, Instant)> {
        std::iter::empty()
    }
    pub(crate) fn counters(&self) -> CarrierCounters {
        self.counters
    }
}
