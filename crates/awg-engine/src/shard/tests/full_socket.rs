//! A socket that takes no more for a while.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest};

use super::ends::{outer, peer, prepare, start, take_turns};
use crate::shard::{REPORTS, socket_token};
use crate::transport::memory::MemoryTransport;
use crate::transport::{ReceiveBatch, SendBatch, SendProgress, Transport, TransportCounters};

/// A wire in memory that takes as much as a socket beside it does: nothing, where that is full.
#[derive(Debug)]
struct Narrow(MemoryTransport, UnixStream);

impl Transport for Narrow {
    fn receive(&mut self, batch: &mut ReceiveBatch) -> io::Result<usize> {
        self.0.receive(batch)
    }

    fn send(&mut self, batch: &mut SendBatch) -> SendProgress {
        match self.1.write_all(&[0]) {
            Ok(()) => self.0.send(batch),
            Err(_) => SendProgress::Blocked,
        }
    }

    fn local_address(&self) -> SocketAddr {
        self.0.local_address()
    }

    fn descriptor(&self) -> Option<RawFd> {
        Some(self.1.as_raw_fd())
    }

    fn counters(&self) -> TransportCounters {
        self.0.counters()
    }
}

#[test]
fn a_shard_sends_on_when_its_socket_takes_more_and_hears_of_that_no_longer() {
    let (left, right) = MemoryTransport::pair([outer(0), outer(1)], 0.0, [5; 32]);
    let (mut gate, mut drain) = UnixStream::pair().unwrap();
    for end in [&gate, &drain] {
        end.set_nonblocking(true).unwrap();
    }
    while gate.write_all(&[0; 1]).is_ok() {}
    let descriptor = gate.as_raw_fd();
    let mut shards = [
        start(prepare(0, peer(1, None)), Narrow(left, gate)),
        start(prepare(1, peer(0, None)), right),
    ];
    shards[0]
        .poll
        .registry()
        .register(
            &mut SourceFd(&descriptor),
            socket_token(0),
            Interest::READABLE,
        )
        .unwrap();

    for _ in 0..10 {
        take_turns(&mut shards);
        assert_ne!(shards[0].patience(), Some(Duration::ZERO), "it spins");
    }
    assert_eq!(shards[0].wire.sockets.counters().sent, 0);

    while drain.read_exact(&mut [0; 1]).is_ok() {}
    for _ in 0..10 {
        take_turns(&mut shards);
    }
    assert!(shards[1].tunnel.counters().initiations_received > 0);
    // The socket has room, and more and more of it.
    while drain.read_exact(&mut [0; 1]).is_ok() {}
    let mut reports = Events::with_capacity(REPORTS);
    let poll = &mut shards[0].poll;
    poll.poll(&mut reports, Some(Duration::ZERO)).unwrap();
    assert!(reports.is_empty());
}
