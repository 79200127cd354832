//! One TCP connection ([`TcpMachine`]): segments in, segments out, two buffers. The only place that knows smoltcp;
//! another TCP can take its place behind the same face.
//!
//! What smoltcp does: states, sequence numbers, reassembly, segments, window updates, zero-window probes, handshake
//! retransmission. What is done around it here, and why:
//! - *How much is in flight*: the congestion window is handed to it as the peer's window, by writing it over the field
//!   before a segment goes in ([`segments`], [`sender`], [`congestion`]).
//! - *When something is sent again*: three duplicate acknowledgements of ours make it send the first segment again;
//!   moving the flow's clock to its timer makes it begin anew, and what the peer has or what is still on its way is
//!   left out ([`repair`], [`outlets`], [`scoreboard`]).
//! - *Memory*: its buffers are lazily mapped and given back ([`rings`], [`ring`]).
//! - *One interface for all flows* ([`wire::Link`]), except for those on a path with smaller packets: a set of sockets
//!   is scanned at each call, so each flow has a set of one.
//!
//! Checksums are verified before a segment comes here and filled in after it left.

mod congestion;
mod forge;
mod outlets;
mod repair;
#[expect(
    unsafe_code,
    reason = "lazily mapped memory, behind a safe face but for the slice that smoltcp holds"
)]
mod ring;
mod rings;
mod scoreboard;
mod segments;
mod sender;
mod sequence;
mod wire;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use smoltcp::iface::{PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint};

use crate::packet::{Segment, TCP_HEADER};
use outlets::Tap;
pub(crate) use rings::Rings;
use sender::{Repair, Sender};
pub(crate) use wire::{Link, Outlet};
use wire::{Size, Wire};

/// An acknowledgement waits so long for more to acknowledge; a second segment, or data of ours, sends it at once.
const ACKNOWLEDGEMENT_DELAY: Duration = Duration::from_millis(5);
/// What a flow may hold unsent beyond its window, so that acknowledgements find something to release.
const AHEAD: usize = 128 * 1024;

/// What a connection is doing, as far as its owner cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// We sent a SYN.
    Connecting,
    /// We sent a SYN and an acknowledgement of the peer's.
    Accepting,
    /// Data may flow at least one way.
    Open,
    /// Both ends finished; ours did so first, and waits for strays.
    TimeWait,
    /// Both ends finished, or the connection was reset.
    Closed,
}

/// The two ends of a connection.
pub(crate) struct Ends {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// One connection.
pub(crate) struct TcpMachine {
    // Declared before the rings: it is dropped first, and holds their bytes.
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    rings: Option<Rings>,
    ends: Ends,
    size: Size,
    /// How far this flow's clock runs ahead.
    lead: Duration,
    /// Where it stopped.
    stopped: Option<smoltcp::time::Instant>,
    /// How many more of its timers it may be moved to, so that everything is sent again.
    rewinds: u8,
    /// While it sends again what was sent before: the end of that.
    walking: Option<u32>,
    sender: Sender,
    /// The peer's sequence number before its data, once known.
    peer_initial: Option<u32>,
    peer_scale: u8,
    peer_window: usize,
    /// Since when it has been shut.
    shut_since: Option<Instant>,
    /// The window field last handed in.
    shown: u16,
    /// The window field last sent.
    offered: u16,
    started: bool,
    /// Bytes taken by the owner, and how far beyond the rest something was received.
    taken: u32,
    received_to: u32,
    /// Where in its ring the next byte is read, and the next one written.
    read_at: usize,
    write_at: usize,
    released: Instant,
    /// Whether the last `send` filled what there was.
    starved: bool,
    reset_by_peer: bool,
    dead: bool,
    /// Times that the first segment, or more than that, was sent again since the owner asked.
    pub(crate) fast_retransmits: u64,
    pub(crate) walks: u64,
}

impl TcpMachine {
    fn new(link: &Link, mut rings: Rings, ends: Ends, now: Instant) -> Self {
        #[expect(unsafe_code, reason = "smoltcp wants to borrow its buffers for ever")]
        // SAFETY: one slice of each ring, used by the socket alone, which is dropped before them: by order of
        // declaration, and in `into_rings`.
        let (receive, send) = unsafe { (rings.receive.bytes(), rings.send.bytes()) };
        let mut socket = Socket::new(SocketBuffer::new(receive), SocketBuffer::new(send));
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(Some(ACKNOWLEDGEMENT_DELAY.into()));
        socket.set_congestion_control(CongestionControl::None);
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let handle = sockets.add(socket);
        let segment = largest_segment(link.full_mtu(), &ends);
        Self {
            sockets,
            handle,
            rings: Some(rings),
            ends,
            size: Size::Full,
            lead: Duration::ZERO,
            stopped: None,
            rewinds: 0,
            walking: None,
            sender: Sender::new(segment, now),
            peer_initial: None,
            peer_scale: 0,
            peer_window: 0,
            shut_since: None,
            shown: 0,
            offered: 0,
            started: false,
            taken: 0,
            received_to: 0,
            read_at: 0,
            write_at: 0,
            released: now,
            starved: false,
            reset_by_peer: false,
            dead: false,
            fast_retransmits: 0,
            walks: 0,
        }
    }

    /// Opens a connection: the SYN leaves with the next [`poll_transmit`](Self::poll_transmit). `None` if the ends do
    /// not fit each other.
    pub(crate) fn connect(link: &mut Link, rings: Rings, ends: Ends, now: Instant) -> Option<Self> {
        let mut machine = Self::new(link, rings, ends, now);
        let (local, remote) = (endpoint(machine.ends.local), endpoint(machine.ends.remote));
        let context = machine.size.interface(link).context();
        let socket = machine.sockets.get_mut::<Socket>(machine.handle);
        socket.connect(context, remote, local).ok()?;
        Some(machine)
    }

    /// Takes a connection that the peer opens with the SYN in `packet`: the answer leaves with the next
    /// [`poll_transmit`](Self::poll_transmit). `None` if the SYN is not acceptable.
    pub(crate) fn accept(
        link: &mut Link,
        rings: Rings,
        ends: Ends,
        packet: &mut [u8],
        segment: &Segment,
        now: Instant,
    ) -> Option<Self> {
        let mut machine = Self::new(link, rings, ends, now);
        let local = machine.ends.local;
        let listen = IpListenEndpoint {
            addr: Some(address(local)),
            port: local.port(),
        };
        let socket = machine.sockets.get_mut::<Socket>(machine.handle);
        socket.listen(listen).ok()?;
        machine.handle_segment(link, now, packet, segment, &mut Vec::new());
        (machine.state() == State::SynReceived).then_some(machine)
    }

    /// Sends what there is, `quantum` packets at most. Returns whether there may be more.
    pub(crate) fn poll_transmit(
        &mut self,
        link: &mut Link,
        now: Instant,
        quantum: usize,
        outlet: &mut dyn Outlet,
    ) -> bool {
        let mut left = quantum;
        let mut scratch = Vec::new();
        loop {
            let clock = self.clock(link, now);
            // A reset waits for nobody.
            let closed = self.state() == State::Closed;
            let mut tap = Tap {
                inner: outlet,
                sender: &mut self.sender,
                started: &mut self.started,
                offered: &mut self.offered,
                rewinds: &mut self.rewinds,
                shut: self.peer_window == 0,
                now,
                limit: usize::from(self.shown) << self.peer_scale,
                walking: &mut self.walking,
                scratch: &mut scratch,
            };
            let mtu = self.size.mtu(link);
            let interface = self.size.interface(link);
            loop {
                if left == 0 || !tap.has_room() {
                    return true;
                }
                if tap.must_wait() && !closed {
                    return false;
                }
                left -= 1;
                let mut wire = Wire {
                    mtu,
                    inbound: None,
                    outlet: &mut tap,
                };
                if interface.poll_egress(clock, &mut wire, &mut self.sockets) == PollResult::None {
                    break;
                }
            }
            // Other timers may come before the one that sends everything again.
            if self.rewinds == 0 {
                return false;
            }
            self.rewinds -= 1;
            if !self.advance_clock(link, now) {
                self.rewinds = 0;
                return false;
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout). To be asked after [`poll_transmit`](Self::poll_transmit)
    /// has nothing more.
    pub(crate) fn next_timeout(&mut self, link: &mut Link, now: Instant) -> Option<Instant> {
        let clock = self.clock(link, now);
        let own = if self.started && self.is_synchronized() && self.peer_window > 0 {
            self.sender.next_timeout()
        } else {
            None
        };
        if own.is_some() && self.must_wait() {
            // smoltcp has more to repeat, and would have us come back at once; nothing of it may leave until the peer is
            // heard or the timer begins anew.
            return own;
        }
        let smoltcp = self
            .size
            .interface(link)
            .poll_at(clock, &self.sockets)
            .map(|at| {
                let wait = if at > clock {
                    (at - clock).total_micros()
                } else {
                    0
                };
                // "Now" after everything was sent would have us spin.
                now + Duration::from_micros(wait.max(1_000))
            });
        [own, smoltcp].into_iter().flatten().min()
    }

    /// Since when the peer's window has been shut, if something waits for it to open.
    pub(crate) fn shut_out_since(&self) -> Option<Instant> {
        self.shut_since
            .filter(|_| self.started && self.socket().send_queue() > 0)
    }

    /// Does what is due. [`poll_transmit`](Self::poll_transmit) has something afterwards. Since when large segments have
    /// been sent in vain, if that was so often that the path may take none.
    pub(crate) fn handle_timeout(&mut self, link: &mut Link, now: Instant) -> Option<Instant> {
        if !self.started || !self.is_synchronized() || self.peer_window == 0 {
            return None;
        }
        let repair = self.sender.on_timeout(now);
        self.repair(link, now, repair);
        if repair == Repair::Walk {
            self.sender.clogged_since()
        } else {
            None
        }
    }

    /// The largest packet on this flow's path is `mtu`. Returns whether that is news.
    pub(crate) fn lower_mtu(&mut self, link: &mut Link, now: Instant, mtu: u16) -> bool {
        if mtu >= self.size.mtu(link) {
            return false;
        }
        self.size = link.narrow(mtu);
        let segment = largest_segment(mtu, &self.ends);
        self.sender.limit_segment(segment);
        if self.is_synchronized() && self.sender.in_flight() > 0 {
            self.repair(link, now, Repair::First);
        }
        true
    }

    /// Whether a quoted sequence number is one of ours that is on its way (RFC 5927 section 4).
    pub(crate) fn has_in_flight(&self, sequence: u32) -> bool {
        self.started
            && (sequence.wrapping_sub(self.sender.first()) as usize)
                < self.sender.in_flight().max(1)
    }

    /// Lets `fill` write into the free part of the send buffer; it returns how many bytes it wrote.
    pub(crate) fn send(&mut self, fill: &mut dyn FnMut(&mut [u8]) -> usize) -> usize {
        let room = self.sendable();
        if room == 0 {
            self.starved = true;
            return 0;
        }
        let handle = self.handle;
        let socket = self.sockets.get_mut::<Socket>(handle);
        let Some(rings) = &mut self.rings else {
            return 0;
        };
        let ring = &mut rings.send;
        let sent = socket.send(|free| {
            let start = ring.position(free);
            let length = free.len().min(room);
            let written = free.get_mut(..length).map_or(0, fill).min(length);
            (written, (start, written))
        });
        let Ok((start, written)) = sent else { return 0 };
        ring.touch(written);
        self.write_at = start + written;
        if written == room {
            self.starved = true;
        }
        written
    }

    /// Lets `take` read from the receive buffer; it returns how many bytes it is done with.
    pub(crate) fn receive(&mut self, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        if self.receivable() == 0 {
            return 0;
        }
        let handle = self.handle;
        let socket = self.sockets.get_mut::<Socket>(handle);
        let Some(rings) = &self.rings else { return 0 };
        let taken = socket.recv(|held| {
            let start = rings.receive.position(held);
            let taken = take(held).min(held.len());
            (taken, (start, taken))
        });
        let Ok((start, taken)) = taken else { return 0 };
        self.read_at = start + taken;
        self.taken = self.taken.wrapping_add(taken as u32);
        taken
    }

    /// Bytes that [`send`](Self::send) takes.
    pub(crate) fn sendable(&self) -> usize {
        let socket = self.socket();
        if !socket.may_send() || self.dead {
            return 0;
        }
        let most = (self.sender.window() + AHEAD).min(socket.send_capacity());
        most.saturating_sub(socket.send_queue())
    }

    /// Bytes that [`receive`](Self::receive) has.
    pub(crate) fn receivable(&self) -> usize {
        self.socket().recv_queue()
    }

    /// Whether a flow that was full has room worth telling of. Asking makes it forget.
    pub(crate) fn take_writable(&mut self) -> bool {
        let room = self.sendable();
        let enough = AHEAD / 4;
        let writable =
            self.starved && (room >= enough || (room > 0 && self.socket().send_queue() == 0));
        if writable {
            self.starved = false;
        }
        writable
    }

    /// We send no more than what is buffered.
    pub(crate) fn shutdown(&mut self) {
        self.socket_mut().close();
    }

    /// Resets the connection: the RST leaves with the next [`poll_transmit`](Self::poll_transmit).
    pub(crate) fn abort(&mut self) {
        self.dead = true;
        self.socket_mut().abort();
    }

    /// Whether bytes were sent, or are to be, that the peer has not acknowledged.
    pub(crate) fn has_unacknowledged(&self) -> bool {
        self.is_synchronized() && self.socket().send_queue() > 0
    }

    /// What the connection is doing.
    pub(crate) fn phase(&self) -> Phase {
        match self.state() {
            State::SynSent => Phase::Connecting,
            State::Listen | State::SynReceived => Phase::Accepting,
            State::TimeWait => Phase::TimeWait,
            State::Closed => Phase::Closed,
            _ => Phase::Open,
        }
    }

    /// Whether the peer sends no more.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(
            self.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait
        )
    }

    /// Whether the peer reset the connection.
    pub(crate) fn was_reset(&self) -> bool {
        self.reset_by_peer
    }

    /// Whether the connection was reset from this side, or its peer is gone.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead
    }

    /// The next sequence numbers of ours and of the peer: all that a tombstone keeps.
    pub(crate) fn sequences(&self) -> (u32, u32) {
        let next = self
            .sender
            .first()
            .wrapping_add(self.sender.in_flight() as u32);
        (next, self.expected())
    }

    /// Our first sequence number that the peer has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> u32 {
        self.sender.first()
    }

    /// The window that the peer was offered last, as the field has it.
    pub(crate) fn offered(&self) -> u16 {
        self.offered
    }

    /// The shortest round trip of late, if data was acknowledged.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.sender.round_trip()
    }

    /// Whether a repair goes on only with the peer's next segment.
    fn must_wait(&self) -> bool {
        self.walking.is_some() && self.rewinds == 0 && self.sender.must_wait()
    }

    fn is_synchronized(&self) -> bool {
        !matches!(
            self.state(),
            State::Closed | State::Listen | State::SynSent | State::SynReceived
        )
    }

    fn state(&self) -> State {
        self.socket().state()
    }

    fn socket(&self) -> &Socket<'static> {
        self.sockets.get::<Socket>(self.handle)
    }

    fn socket_mut(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut::<Socket>(self.handle)
    }
}

/// The largest segment that packets of `mtu` carry between these ends.
fn largest_segment(mtu: u16, ends: &Ends) -> u16 {
    let header = if ends.local.is_ipv4() { 20 } else { 40 };
    mtu.saturating_sub(header + TCP_HEADER as u16)
}

fn address(end: SocketAddr) -> IpAddress {
    IpAddress::from(end.ip())
}

fn endpoint(end: SocketAddr) -> IpEndpoint {
    IpEndpoint::new(address(end), end.port())
}
