//! A UDP flow's relay: datagrams go between one socket and a flow of the stack, each for itself.
//!
//! Datagrams are not held back by either side: what does not fit is dropped and counted, as UDP is. Only until the
//! socket is there a few are held.
//!
//! The socket of an inner source is its one place in the world, whatever it sends to (endpoint-independent mapping, RFC 4787,
//! section 4.1), and passes on only what comes from addresses that it has sent to (address-dependent filtering, REQ-8).

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Instant;

use awg_netstack::{FlowId as StackFlow, Stack};
use mio::event::Event as Readiness;

use super::Pumped;
use super::correspondents::Correspondents;
use crate::flow::Traffic;
use crate::policy::EgressPolicy;
use crate::refusal::Refusal;

/// Datagrams held until there is a socket.
const HELD_DATAGRAMS: usize = 16;
/// Bytes held until there is a socket.
const HELD_BYTES: usize = 32 * 1024;

/// Why a flow ends whose application has closed its end of the pair.
const GONE: &str = "the application closed its socket";
/// Why a flow ends whose socket only fails.
const BROKEN: &str = "its socket failed";
/// Failures in a row, over several turns, after which a socket counts as broken.
const FAILURES: u8 = 64;

/// Who is on the other side of the socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Channel {
    /// Whoever a datagram names: the socket is one inner source's place in the world (RFC 4787, section 4.1), and the
    /// policy judges each destination.
    World,
    /// One program behind a connected socket, which stands for the address `own` inside the tunnel.
    Service {
        /// What the peer believes to talk to.
        own: SocketAddr,
    },
    /// An application behind one end of a socket pair, which talks to `remote` through the tunnel.
    Application {
        /// The one address that it talks to.
        remote: SocketAddr,
    },
}

/// What became of a datagram out of the tunnel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Delivery {
    /// It is in the socket.
    Done,
    /// It is held for the socket.
    Held,
    /// The policy forbids its destination.
    Forbidden,
    /// It came from elsewhere than the application talks to.
    Foreign,
    /// More are held already than may be, or the socket is full.
    Overflow,
    /// The system refuses it, since it cannot be reached.
    Unreachable(Refusal),
    /// The system refuses it.
    Unsendable,
    /// The application's end is gone.
    Gone,
}

/// A datagram that was held for a socket by which it cannot leave.
#[derive(Debug)]
pub(crate) struct Undelivered {
    /// The inner source.
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) payload: Box<[u8]>,
    pub(crate) why: Refusal,
}

/// What a relay has in one turn.
pub(crate) struct Turn<'a> {
    pub(crate) now: Instant,
    pub(crate) stack: &'a mut Stack,
    /// Room for the largest datagram.
    pub(crate) buffer: &'a mut [u8],
    /// How many datagrams it may move.
    pub(crate) budget: usize,
    /// Asked whether a datagram of so many bytes may pass; told with every one that does.
    pub(crate) admit: &'a mut dyn FnMut(usize) -> bool,
    /// Counts those from addresses that nothing was sent to.
    pub(crate) unsolicited: &'a mut u64,
}

/// A relay between a datagram socket and a UDP flow of the stack.
#[derive(Debug)]
pub(crate) struct DatagramRelay {
    flow: StackFlow,
    channel: Channel,
    socket: Option<UdpSocket>,
    readable: bool,
    /// The application's end was found to be gone.
    gone: bool,
    /// Times that nothing but a failure was received, since it last was something else.
    failures: u8,
    /// The system says that the application has closed its end; what it had sent before may still wait.
    closed: bool,
    held: Vec<(SocketAddr, Box<[u8]>)>,
    held_bytes: usize,
    /// Whom the peer has sent to: the others are not heard (RFC 4787, REQ-8).
    correspondents: Correspondents,
    /// Where the peer's datagrams come from.
    inner: Option<SocketAddr>,
    /// The last destination that the policy allowed: most datagrams have that of the one before.
    allowed: Option<SocketAddr>,
    from_socket: u64,
    to_socket: u64,
}

impl DatagramRelay {
    pub(crate) fn new(flow: StackFlow, channel: Channel) -> Self {
        Self {
            flow,
            channel,
            socket: None,
            readable: false,
            gone: false,
            failures: 0,
            closed: false,
            held: Vec::new(),
            held_bytes: 0,
            correspondents: Correspondents::default(),
            inner: None,
            allowed: None,
            from_socket: 0,
            to_socket: 0,
        }
    }

    pub(crate) fn flow(&self) -> StackFlow {
        self.flow
    }

    /// Whether an application of ours is on the other side, which talks to one address alone.
    pub(crate) fn serves_application(&self) -> bool {
        matches!(self.channel, Channel::Application { .. })
    }

    pub(crate) fn descriptor(&self) -> Option<RawFd> {
        self.socket.as_ref().map(AsRawFd::as_raw_fd)
    }

    pub(crate) fn traffic(&self) -> Traffic {
        match self.channel {
            Channel::Application { .. } => Traffic {
                sent: self.from_socket,
                received: self.to_socket,
            },
            Channel::World | Channel::Service { .. } => Traffic {
                sent: self.to_socket,
                received: self.from_socket,
            },
        }
    }

    /// Gives the relay its socket and sends what was held; gives back what the system does not send.
    ///
    /// # Errors
    /// The descriptor cannot be made non-blocking.
    pub(crate) fn attach(
        &mut self,
        socket: OwnedFd,
        policy: &EgressPolicy,
    ) -> io::Result<Vec<Undelivered>> {
        let socket = UdpSocket::from(socket);
        socket.set_nonblocking(true)?;
        self.socket = Some(socket);
        self.readable = true;
        self.held_bytes = 0;
        let mut undelivered = Vec::new();
        for (destination, payload) in std::mem::take(&mut self.held) {
            // That it is held was counted as a delivery.
            let source = self.inner.unwrap_or(destination);
            let why = match self.deliver(source, destination, &payload, policy) {
                Delivery::Unreachable(why) => why,
                Delivery::Forbidden => Refusal::Prohibited,
                _ => continue,
            };
            undelivered.push(Undelivered {
                source,
                destination,
                payload,
                why,
            });
        }
        Ok(undelivered)
    }

    /// The first datagram that was held in vain: the inner source, the destination and the content.
    pub(crate) fn held_in_vain(&self) -> Option<(SocketAddr, SocketAddr, &[u8])> {
        let (destination, payload) = self.held.first()?;
        Some((self.inner?, *destination, payload))
    }

    /// The policy may have changed.
    pub(crate) fn judge_anew(&mut self) {
        self.allowed = None;
    }

    /// Takes a report of the socket.
    pub(crate) fn handle_readiness(&mut self, readiness: &Readiness) {
        self.readable |= readiness.is_readable() || readiness.is_error();
        self.closed |= self.serves_application() && readiness.is_write_closed();
    }

    /// Passes on a datagram that came out of the tunnel.
    pub(crate) fn deliver(
        &mut self,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
        policy: &EgressPolicy,
    ) -> Delivery {
        if let Channel::Application { remote } = self.channel
            && source != remote
        {
            return Delivery::Foreign;
        }
        match self.channel {
            // The stack keeps them apart; whoever stands for one address hears nothing that is for another.
            Channel::Service { own } if destination != own => return Delivery::Forbidden,
            Channel::World if self.allowed != Some(destination) => {
                if policy.verdict(destination).is_some() {
                    return Delivery::Forbidden;
                }
                self.allowed = Some(destination);
            }
            _ => {}
        }
        let Some(socket) = &self.socket else {
            self.inner = Some(source);
            return self.hold(destination, payload);
        };
        let sent = match self.channel {
            Channel::World => socket.send_to(payload, destination),
            Channel::Service { .. } | Channel::Application { .. } => socket.send(payload),
        };
        match sent {
            Ok(_) => {
                if self.channel == Channel::World {
                    self.correspondents.note(destination.ip());
                }
                self.to_socket += payload.len() as u64;
                Delivery::Done
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Delivery::Overflow,
            Err(_) if matches!(self.channel, Channel::Application { .. }) => {
                self.gone = true;
                Delivery::Gone
            }
            Err(error) => match Refusal::from(&error) {
                Refusal::HostUnreachable if error.raw_os_error() != Some(libc::EHOSTUNREACH) => {
                    Delivery::Unsendable
                }
                refusal => Delivery::Unreachable(refusal),
            },
        }
    }

    fn hold(&mut self, destination: SocketAddr, payload: &[u8]) -> Delivery {
        if self.held.len() >= HELD_DATAGRAMS || self.held_bytes + payload.len() > HELD_BYTES {
            return Delivery::Overflow;
        }
        self.held_bytes += payload.len();
        self.held.push((destination, payload.into()));
        Delivery::Held
    }

    /// Moves datagrams from the socket into the tunnel.
    pub(crate) fn pump(&mut self, turn: Turn<'_>) -> Pumped {
        let buffer = turn.buffer;
        let Some(socket) = &self.socket else {
            return Pumped::Waiting;
        };
        if self.gone {
            return Pumped::Failed(GONE);
        }
        for _ in 0..turn.budget {
            if !self.readable {
                return Pumped::Waiting;
            }
            let received = match self.channel {
                Channel::World => socket.recv_from(buffer),
                Channel::Service { own: remote } | Channel::Application { remote } => {
                    socket.recv(buffer).map(|length| (length, remote))
                }
            };
            match received {
                // Not an empty datagram, but the end. The report of it may still be on its way.
                Ok((0, _)) if self.serves_application() && (self.closed || hung_up(socket)) => {
                    return Pumped::Failed(GONE);
                }
                Ok((length, remote)) => {
                    self.failures = 0;
                    let Some(payload) = buffer.get(..length) else {
                        continue;
                    };
                    if self.channel == Channel::World
                        && !self.correspondents.know(remote.ip().to_canonical())
                    {
                        *turn.unsolicited += 1;
                        continue;
                    }
                    if !(turn.admit)(length) {
                        continue;
                    }
                    // The stack counts what it drops.
                    let sent = turn
                        .stack
                        .send_datagram(turn.now, self.flow, remote, payload);
                    if sent.is_ok() {
                        self.from_socket += length as u64;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.failures = 0;
                    self.readable = false;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if matches!(self.channel, Channel::Application { .. }) => {
                    return Pumped::Failed(GONE);
                }
                // A report of an earlier datagram that met nobody (ICMP); the socket itself goes on, and an answer may
                // wait behind several. Where nothing but failures comes the socket itself is broken.
                Err(_) if self.failures == FAILURES => return Pumped::Failed(BROKEN),
                Err(_) => self.failures += 1,
            }
        }
        Pumped::Unfinished
    }
}

/// Whether the other end of a socket pair is gone, or will say nothing more.
fn hung_up(socket: &UdpSocket) -> bool {
    // A half-close is reported only where it is asked for; elsewhere than on Linux neither end learns of the other's.
    #[cfg(target_os = "linux")]
    const ENDS: libc::c_short = libc::POLLHUP | libc::POLLRDHUP;
    #[cfg(not(target_os = "linux"))]
    const ENDS: libc::c_short = libc::POLLHUP;
    let mut entry = libc::pollfd {
        fd: socket.as_raw_fd(),
        events: ENDS,
        revents: 0,
    };
    // SAFETY: one valid entry, and the call, which does not wait, does not keep it.
    let reported = unsafe { libc::poll(&raw mut entry, 1, 0) };
    reported > 0 && entry.revents & ENDS != 0
}

#[cfg(test)]
mod tests;
