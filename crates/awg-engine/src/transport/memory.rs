//! A pair of transports without sockets, for tests: what one sends the other receives, less a seeded loss.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{
    LARGEST_DATAGRAM, ReceiveBatch, SendBatch, SendProgress, Transport, TransportCounters,
};

/// Datagrams on the way in one direction; more are refused, as by a full socket buffer.
const QUEUE: usize = 4096;

type Wire = Arc<Mutex<VecDeque<(SocketAddr, Vec<u8>)>>>;

/// One end of a pair; see the module.
#[derive(Debug)]
pub(crate) struct MemoryTransport {
    address: SocketAddr,
    incoming: Wire,
    outgoing: Wire,
    loss: f64,
    rng: StdRng,
    counters: TransportCounters,
    lost: u64,
}

impl MemoryTransport {
    /// Two ends at `addresses`. A datagram is lost with probability `loss` (0.0 to 1.0), the same ones for one `seed`.
    pub(crate) fn pair(addresses: [SocketAddr; 2], loss: f64, seed: [u8; 32]) -> (Self, Self) {
        let [left, right] = addresses;
        let (there, back) = (Wire::default(), Wire::default());
        let mut rng = StdRng::from_seed(seed);
        let mut end = |address, incoming: &Wire, outgoing: &Wire| Self {
            address,
            incoming: Arc::clone(incoming),
            outgoing: Arc::clone(outgoing),
            loss: loss.clamp(0.0, 1.0),
            rng: StdRng::from_rng(&mut rng),
            counters: TransportCounters::default(),
            lost: 0,
        };
        (end(left, &back, &there), end(right, &there, &back))
    }

    /// What has come for this end, for a test that is the wire itself.
    pub(crate) fn take(&mut self) -> Vec<Vec<u8>> {
        let mut wire = lock(&self.incoming);
        wire.drain(..).map(|(_, datagram)| datagram).collect()
    }

    /// Puts a datagram where the other end finds it, as from `from`.
    pub(crate) fn give(&mut self, from: SocketAddr, datagram: Vec<u8>) {
        lock(&self.outgoing).push_back((from, datagram));
    }

    /// Datagrams that this end sent and the wire lost.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

fn lock(wire: &Wire) -> MutexGuard<'_, VecDeque<(SocketAddr, Vec<u8>)>> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Transport for MemoryTransport {
    fn receive(&mut self, batch: &mut ReceiveBatch) -> io::Result<usize> {
        batch.clear();
        let mut wire = lock(&self.incoming);
        let arrived = wire.len().min(batch.capacity());
        let mut senders = Vec::with_capacity(arrived);
        for (buffer, (from, datagram)) in batch.buffers().zip(wire.drain(..arrived)) {
            if let Some(room) = buffer.get_mut(..datagram.len()) {
                room.copy_from_slice(&datagram);
            }
            self.counters.received_bytes += datagram.len() as u64;
            senders.push((from, datagram.len()));
        }
        for (from, len) in senders {
            batch.push(from, len, len);
        }
        self.counters.received += arrived as u64;
        self.counters.receive_calls += u64::from(arrived > 0);
        Ok(arrived)
    }

    fn send(&mut self, batch: &mut SendBatch) -> SendProgress {
        let mut gone = 0;
        let mut progress = SendProgress::Complete;
        let mut wire = lock(&self.outgoing);
        for group in batch.groups(1) {
            if wire.len() >= QUEUE {
                progress = SendProgress::Congested;
                break;
            }
            gone += 1;
            if group.bytes.len() > LARGEST_DATAGRAM {
                self.counters.unsendable += 1;
            } else if self.loss > 0.0 && self.rng.random_bool(self.loss) {
                self.lost += 1;
            } else {
                self.counters.sent += 1;
                self.counters.sent_bytes += group.bytes.len() as u64;
                wire.push_back((self.address, group.bytes.to_vec()));
            }
        }
        drop(wire);
        self.counters.send_calls += u64::from(gone > 0);
        batch.advance(gone);
        progress
    }

    fn local_address(&self) -> SocketAddr {
        self.address
    }

    fn descriptor(&self) -> Option<RawFd> {
        None
    }

    fn counters(&self) -> TransportCounters {
        self.counters
    }
}
