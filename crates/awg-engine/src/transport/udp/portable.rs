//! UDP on any platform, by `quinn-udp`, which uses what the system has.
//!
//! That crate is made for QUIC and forbids fragmentation; here that is undone, for the reason given in [`super`].

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

use super::super::{ReceiveBatch, SendBatch, SendProgress, Transport, TransportCounters};
use super::socket::{UdpSocket, canonical, set_option};

/// See the module.
#[derive(Debug)]
pub(super) struct PortableUdp {
    socket: UdpSocket,
    state: UdpSocketState,
    received: [RecvMeta; BATCH_SIZE],
    /// So many of the next datagrams go without segmentation, which refused them as a group.
    singly: usize,
    counters: TransportCounters,
}

impl PortableUdp {
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new(socket.as_socket().into())?;
        allow_fragments(&socket);
        let counters = TransportCounters {
            segmentation: state.max_gso_segments() > 1,
            ..Default::default()
        };
        Ok(Self {
            socket,
            state,
            received: [RecvMeta::default(); BATCH_SIZE],
            singly: 0,
            counters,
        })
    }

    fn advance(&mut self, batch: &mut SendBatch, datagrams: usize) {
        self.singly = self.singly.saturating_sub(datagrams);
        batch.advance(datagrams);
    }
}

/// Each option exists on some systems and for some families only; the system's default is right where it does not.
fn allow_fragments(socket: &UdpSocket) {
    let options: &[(libc::c_int, libc::c_int, libc::c_int)] = &[
        #[cfg(target_os = "linux")]
        (
            libc::IPPROTO_IP,
            libc::IP_MTU_DISCOVER,
            libc::IP_PMTUDISC_WANT,
        ),
        #[cfg(target_os = "linux")]
        (
            libc::IPPROTO_IPV6,
            libc::IPV6_MTU_DISCOVER,
            libc::IPV6_PMTUDISC_WANT,
        ),
        #[cfg(target_vendor = "apple")]
        (libc::IPPROTO_IP, libc::IP_DONTFRAG, 0),
        (libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, 0),
    ];
    for &(level, name, value) in options {
        let _ = set_option(socket, level, name, value);
    }
}

impl Transport for PortableUdp {
    fn receive(&mut self, batch: &mut ReceiveBatch) -> io::Result<usize> {
        batch.clear();
        let count = batch.capacity().min(BATCH_SIZE);
        let mut buffers = batch.buffers();
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(buffers.next().unwrap_or_default()));
        let messages = loop {
            match self.state.recv(
                self.socket.as_socket().into(),
                &mut slices[..count],
                &mut self.received,
            ) {
                Ok(messages) => break messages,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                // The report of a datagram that was sent earlier; reading it has cleared it.
                Err(error) if is_report(&error) => {}
                Err(error) => return Err(error),
            }
        };
        let mut datagrams = 0;
        for meta in self.received.iter().take(messages) {
            batch.push(canonical(meta.addr), meta.len, meta.stride);
            datagrams += meta.len.div_ceil(meta.stride.max(1)).max(1);
            self.counters.received_bytes += meta.len as u64;
        }
        self.counters.received += datagrams as u64;
        self.counters.receive_calls += 1;
        Ok(datagrams)
    }

    fn send(&mut self, batch: &mut SendBatch) -> SendProgress {
        let run = batch.socket();
        while run.is_some() && batch.socket() == run {
            let segments = self.state.max_gso_segments();
            self.counters.segmentation = segments > 1;
            let limit = if self.singly > 0 { 1 } else { segments };
            let Some(group) = batch.groups(limit).next() else {
                return SendProgress::Complete;
            };
            let datagrams = group.datagrams;
            let bytes = group.bytes.len() as u64;
            let sent = match self.socket.destination(group.to) {
                None => Err(io::ErrorKind::Unsupported.into()),
                Some(destination) => self.state.try_send(
                    self.socket.as_socket().into(),
                    &Transmit {
                        destination,
                        ecn: None,
                        contents: group.bytes,
                        segment_size: (datagrams > 1).then_some(group.segment),
                        src_ip: None,
                    },
                ),
            };
            match sent {
                Ok(()) => {
                    self.counters.send_calls += 1;
                    self.counters.sent += datagrams as u64;
                    self.counters.sent_bytes += bytes;
                    self.advance(batch, datagrams);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return SendProgress::Blocked;
                }
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    return SendProgress::Congested;
                }
                // If it was segmentation that failed, the state has turned it off.
                Err(_) if datagrams > 1 => self.singly = datagrams,
                Err(_) => {
                    self.counters.unsendable += 1;
                    self.advance(batch, 1);
                }
            }
        }
        SendProgress::Complete
    }

    fn local_address(&self) -> SocketAddr {
        self.socket.local_address()
    }

    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn counters(&self) -> TransportCounters {
        self.counters
    }
}

fn is_report(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::ECONNRESET
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EMSGSIZE
        )
    )
}
