//! A connection's relay: bytes go from the socket straight into the stack's send buffer and from its receive buffer
//! straight into the socket, each way with its own end (half-close).
//!
//! Backpressure is what is left out: no read without room in the stack, no take out of the stack without the socket
//! accepting it. What the socket refuses stays in the stack, whose window tells the far end.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use awg_netstack::{FlowId as StackFlow, Stack};
use mio::event::Event as Readiness;
use socket2::SockRef;

use super::Pumped;
use crate::flow::Traffic;

/// Which side of a relay began the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Opener {
    /// The application on the socket: we are the client.
    Socket,
    /// The peer in the tunnel: we are the server.
    Tunnel,
}

/// A relay between a stream socket (TCP, or one end of a pair) and a TCP flow of the stack.
#[derive(Debug)]
pub(crate) struct StreamRelay {
    flow: StackFlow,
    socket: TcpStream,
    opener: Opener,
    /// Bytes that go into the tunnel before those of the socket.
    early: Vec<u8>,
    /// Bytes that go to the socket before those of the tunnel.
    reply: Vec<u8>,
    ready: Ready,
    ended: Ended,
    unfinished: Unfinished,
    /// Why the relay fails, once what the socket had was read.
    failed: Option<&'static str>,
    from_socket: u64,
    to_socket: u64,
}

/// Bytes that may be moved in one turn, each way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Budget {
    /// Out of the tunnel, to the socket.
    pub(crate) to_socket: usize,
    /// From the socket, into the tunnel.
    pub(crate) from_socket: usize,
}

impl Budget {
    /// So much each way.
    pub(crate) fn both(bytes: usize) -> Self {
        Self {
            to_socket: bytes,
            from_socket: bytes,
        }
    }
}

/// Which ways had more to move than the last turn's budget.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Unfinished {
    pub(crate) to_socket: bool,
    pub(crate) from_socket: bool,
}

/// What is known of the socket's readiness.
#[derive(Debug)]
struct Ready {
    to_read: bool,
    to_write: bool,
    /// The socket's other side has closed its writing: read on until the end shows.
    end_ahead: bool,
}

/// Which ends were seen, and passed on.
#[derive(Debug, Default)]
struct Ended {
    /// Nothing more comes from the socket, and the stack was told.
    socket: bool,
    /// Nothing more comes from the far end but what the stack holds.
    far_end: bool,
    /// The socket was told that nothing more comes.
    told_socket: bool,
}

/// What one call into a socket gave.
enum Call {
    Not,
    Moved,
    Blocked,
    Ended,
    Failed(io::Error),
}

impl Call {
    fn of(result: io::Result<usize>) -> (usize, Self) {
        match result {
            Ok(0) => (0, Self::Ended),
            Ok(length) => (length, Self::Moved),
            Err(error) if error.kind() == ErrorKind::WouldBlock => (0, Self::Blocked),
            // Nothing moved, and the flag still stands: the next round repeats it.
            Err(error) if error.kind() == ErrorKind::Interrupted => (0, Self::Moved),
            Err(error) => (0, Self::Failed(error)),
        }
    }
}

impl StreamRelay {
    /// A relay that first sends `early` into the tunnel and `reply` to the socket. The socket must not block.
    ///
    /// From now on the system resets the socket, however it comes to be closed (the process may be killed), unless
    /// [`close`](Self::close) does it: what was cut off must not look complete.
    pub(crate) fn new(
        flow: StackFlow,
        socket: TcpStream,
        opener: Opener,
        early: Vec<u8>,
        reply: Vec<u8>,
    ) -> Self {
        reset_when_closed(&socket);
        Self {
            flow,
            socket,
            opener,
            early,
            reply,
            // Not known: a call will tell.
            ready: Ready {
                to_read: true,
                to_write: true,
                end_ahead: true,
            },
            ended: Ended::default(),
            unfinished: Unfinished::default(),
            failed: None,
            from_socket: 0,
            to_socket: 0,
        }
    }

    /// So many of the early bytes are in the tunnel already.
    pub(crate) fn skip_early(&mut self, length: usize) {
        let ahead = length.min(self.early.len());
        self.early.drain(..ahead);
        self.from_socket += ahead as u64;
    }

    pub(crate) fn flow(&self) -> StackFlow {
        self.flow
    }

    pub(crate) fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    pub(crate) fn traffic(&self) -> Traffic {
        match self.opener {
            Opener::Socket => Traffic {
                sent: self.from_socket,
                received: self.to_socket,
            },
            Opener::Tunnel => Traffic {
                sent: self.to_socket,
                received: self.from_socket,
            },
        }
    }

    /// Takes a report of the socket.
    pub(crate) fn handle_readiness(&mut self, readiness: &Readiness) {
        self.ready.to_read |= readiness.is_readable();
        self.ready.to_write |= readiness.is_writable();
        self.ready.end_ahead |= readiness.is_read_closed();
        if readiness.is_error()
            && let Ok(Some(error)) = self.socket.take_error()
        {
            self.note_failure(error.kind());
        }
    }

    /// The socket failed: what it has is still read.
    fn note_failure(&mut self, error: ErrorKind) {
        self.failed.get_or_insert(self.blame(error));
        self.ready.to_read = true;
        self.ready.end_ahead = true;
    }

    /// The far end has sent all that it will.
    pub(crate) fn handle_far_end(&mut self) {
        self.ended.far_end = true;
    }

    /// Which ways the last [`pump`](Self::pump) left unfinished.
    pub(crate) fn unfinished(&self) -> Unfinished {
        self.unfinished
    }

    /// Moves up to `budget`.
    pub(crate) fn pump(&mut self, stack: &mut Stack, budget: Budget) -> Pumped {
        // Out of the tunnel first: it makes room in the stack, and somebody waits for it.
        let down = self.pump_down(stack, budget.to_socket);
        let up = self.pump_up(stack, budget.from_socket);
        self.unfinished = Unfinished {
            to_socket: down == Pumped::Unfinished,
            from_socket: up == Pumped::Unfinished,
        };
        match up {
            Pumped::Waiting => down,
            up => up,
        }
    }

    fn pump_down(&mut self, stack: &mut Stack, mut budget: usize) -> Pumped {
        if self.failed.is_some() {
            // Nobody reads it.
            stack.receive_parts(self.flow, budget, &mut |parts| {
                parts.iter().map(|part| part.len()).sum()
            });
            return Pumped::Waiting;
        }
        while self.ready.to_write && !self.reply.is_empty() {
            match Call::of((&self.socket).write(&self.reply)) {
                (length, Call::Moved) => drop(self.reply.drain(..length)),
                (_, Call::Failed(error)) => {
                    self.note_failure(error.kind());
                    return Pumped::Waiting;
                }
                _ => self.ready.to_write = false,
            }
        }
        while self.ready.to_write && self.reply.is_empty() {
            if budget == 0 {
                if stack.receivable(self.flow) == 0 {
                    break;
                }
                return Pumped::Unfinished;
            }
            let mut call = Call::Not;
            let mut offered = 0;
            let socket = &self.socket;
            let moved = stack.receive_parts(self.flow, budget, &mut |parts| {
                offered = parts.iter().map(|part| part.len()).sum();
                let (length, result) = Call::of((&mut &*socket).write_vectored(parts));
                call = result;
                length
            });
            self.to_socket += moved as u64;
            budget = budget.saturating_sub(moved);
            match call {
                Call::Not => break,
                // A stream socket that takes less than it was offered is full.
                Call::Moved => self.ready.to_write = moved == offered || moved == 0,
                Call::Blocked | Call::Ended => self.ready.to_write = false,
                Call::Failed(error) => {
                    self.note_failure(error.kind());
                    return Pumped::Waiting;
                }
            }
        }
        if self.ended.far_end
            && !self.ended.told_socket
            && self.reply.is_empty()
            && stack.receivable(self.flow) == 0
        {
            self.ended.told_socket = true;
            // It fails where the socket is closed already; then reading tells.
            let _ = self.socket.shutdown(Shutdown::Write);
        }
        Pumped::Waiting
    }

    fn pump_up(&mut self, stack: &mut Stack, mut budget: usize) -> Pumped {
        while !self.early.is_empty() {
            let early = &self.early;
            let moved = stack.send(self.flow, &mut |room| {
                let mut early = &early[..];
                // A slice takes what it can and does not fail.
                early.read(room).unwrap_or(0)
            });
            if moved == 0 {
                return self.wait_for_room();
            }
            self.from_socket += moved as u64;
            self.early.drain(..moved);
        }
        while self.ready.to_read && !self.ended.socket {
            if budget == 0 {
                return Pumped::Unfinished;
            }
            let mut call = Call::Not;
            let mut room = 0;
            let socket = &self.socket;
            let moved = stack.send(self.flow, &mut |free| {
                room = free.len().min(budget);
                let Some(free) = free.get_mut(..room).filter(|free| !free.is_empty()) else {
                    return 0;
                };
                let (length, result) = Call::of((&mut &*socket).read(free));
                call = result;
                length
            });
            self.from_socket += moved as u64;
            budget = budget.saturating_sub(moved);
            match call {
                Call::Not => return self.wait_for_room(),
                // A stream socket that gives less than there was room for is empty (epoll(7), question 9), unless
                // its end is known to be ahead, which the system reports no second time.
                Call::Moved => {
                    self.ready.to_read = moved == room || moved == 0 || self.ready.end_ahead;
                }
                // Nothing more comes of a socket that failed.
                Call::Blocked | Call::Ended if self.failed.is_some() => break,
                Call::Blocked => {
                    self.ready.to_read = false;
                    self.ready.end_ahead = false;
                }
                Call::Ended => {
                    self.ended.socket = true;
                    stack.shutdown(self.flow);
                }
                Call::Failed(error) => {
                    self.note_failure(error.kind());
                    break;
                }
            }
        }
        self.failed.map_or(Pumped::Waiting, Pumped::Failed)
    }

    /// There is no room in the stack: it will say when there is.
    fn wait_for_room(&self) -> Pumped {
        self.failed.map_or(Pumped::Waiting, |_| Pumped::Failing)
    }

    /// Why the socket failed, if it did.
    pub(crate) fn failed(&self) -> Option<&'static str> {
        self.failed
    }

    /// Closes the socket so that its other side sees a reset.
    pub(crate) fn reset(self) {
        reset(self.socket);
    }

    /// Closes the socket in order: what it still has to send is sent.
    pub(crate) fn close(self) {
        // It fails on sockets that know no linger.
        let _ = SockRef::from(&self.socket).set_linger(None);
    }

    fn blame(&self, error: ErrorKind) -> &'static str {
        match (self.opener, error) {
            (Opener::Socket, ErrorKind::ConnectionReset) => "the application reset the connection",
            (Opener::Socket, ErrorKind::BrokenPipe) => "the application closed the connection",
            (Opener::Socket, _) => "the application's socket failed",
            (Opener::Tunnel, ErrorKind::ConnectionReset) => "the target reset the connection",
            (Opener::Tunnel, ErrorKind::BrokenPipe) => "the target closed the connection",
            (Opener::Tunnel, ErrorKind::TimedOut) => "the target fell silent",
            (Opener::Tunnel, _) => "the target's socket failed",
        }
    }
}

/// Closes a TCP socket with a reset (RFC 9293, section 3.10.4). A pair has none: its other end sees the end, or a reset
/// if it had written what nobody read.
pub(crate) fn reset(socket: TcpStream) {
    reset_when_closed(&socket);
    drop(socket);
}

fn reset_when_closed(socket: &TcpStream) {
    // It fails on sockets that know no linger.
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}
