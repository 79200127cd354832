//! Datagrams that came to the wrong shard, on their way to the right one: a ring of fixed memory for each pair of shards and
//! direction, with one producer and one consumer. What finds no room is dropped, as by a socket whose buffer is full.

use awg_tunnel::{Endpoint, Local};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::transport::{MESSAGE_SIZE, ReceiveBatch};

/// What lies in the ring of bytes.
#[derive(Clone, Copy, Debug)]
struct Parcel {
    from: Endpoint,
    size: usize,
}

/// Where a shard puts what is another one's.
#[derive(Debug)]
pub(crate) struct Outlet {
    parcels: Producer<Parcel>,
    bytes: Producer<u8>,
}

/// Where a shard takes what another one has put there.
#[derive(Debug)]
pub(crate) struct Inlet {
    parcels: Consumer<Parcel>,
    bytes: Consumer<u8>,
}

/// A ring for so many datagrams and bytes; memory is committed as it is first used.
pub(crate) fn ring(datagrams: usize, bytes: usize) -> (Outlet, Inlet) {
    let (parcels, taken_parcels) = RingBuffer::new(datagrams);
    let (bytes, taken_bytes) = RingBuffer::new(bytes);
    let outlet = Outlet { parcels, bytes };
    let inlet = Inlet {
        parcels: taken_parcels,
        bytes: taken_bytes,
    };
    (outlet, inlet)
}

impl Outlet {
    /// Puts a datagram in; whether there was room. One that no batch would ever take out again finds none.
    pub(crate) fn push(&mut self, from: Endpoint, datagram: &[u8]) -> bool {
        let size = datagram.len();
        // The bytes first: whoever sees a parcel finds its bytes.
        size <= MESSAGE_SIZE
            && !self.parcels.is_full()
            && self.bytes.push_entire_slice(datagram).is_ok()
            && self.parcels.push(Parcel { from, size }).is_ok()
    }
}

impl Inlet {
    /// Whether nothing is here.
    pub(crate) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// Takes what came in by one and the same way, as much as `batch` holds, and says which way that was. What the batch had is
    /// forgotten. Datagrams of one sender and one size make one message, as those that the kernel coalesces.
    pub(crate) fn receive(&mut self, batch: &mut ReceiveBatch) -> Option<Local> {
        batch.clear();
        let way = self.parcels.peek().ok()?.from.local;
        while batch.messages() < batch.capacity()
            && let Ok(&first) = self.parcels.peek()
            && first.from.local == way
        {
            let Some(buffer) = batch.vacant() else {
                break;
            };
            let mut filled = 0;
            while let Ok(&Parcel { from, size }) = self.parcels.peek()
                && from == first.from
                && (size == first.size || filled > 0 && (1..first.size).contains(&size))
                && let Some(room) = buffer.get_mut(filled..filled + size)
                && self.bytes.pop_entire_slice(room).is_ok()
            {
                let _ = self.parcels.pop();
                filled += size;
                if size < first.size || size == 0 {
                    break;
                }
            }
            batch.push(first.from.remote, filled, first.size.max(1));
        }
        Some(way)
    }
}

#[cfg(test)]
mod tests;
