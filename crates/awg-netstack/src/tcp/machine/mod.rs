//! One TCP connection ([`TcpMachine`]): segments in, segments out, two buffers. The only place that knows smoltcp; another TCP can take its place behind the same face.
//!
//! What smoltcp does: states, sequence numbers, reassembly, segments, window updates, zero-window probes, handshake retransmission. What is done around it here, and why:
//! - *How much is in flight*: the congestion window is handed to it as the peer's window, by writing it over the field before a segment goes in ([`sender`], [`congestion`]).
//! - *When something is sent again*: three duplicate acknowledgements of ours make it send the first segment again; moving the flow's clock to its timer makes it begin anew.
//! - *Memory*: its buffers are lazily mapped and given back ([`ring`]).
//! - *One interface for all flows* ([`wire::Link`]): a set of sockets is scanned at each call, so each flow has a set of one.
//!
//! Checksums are verified before a segment comes here and filled in after it left.

mod congestion;
mod forge;
mod ring;
mod scoreboard;
mod sender;
mod sequence;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use smoltcp::iface::{PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint};

use crate::packet::{Flags, Segment, TCP_HEADER};
use ring::Ring;
use sender::{Repair, Sender};
use sequence::is_after;
pub(crate) use wire::{Link, Outlet, SMALLEST_V4, SMALLEST_V6};
use wire::{Size, Wire};

/// An acknowledgement waits so long for more to acknowledge; a second segment, or data of ours, sends it at once.
const ACKNOWLEDGEMENT_DELAY: Duration = Duration::from_millis(5);
/// What a flow may hold unsent beyond its window, so that acknowledgements find something to release.
const AHEAD: usize = 128 * 1024;
/// Pages are given back at most so often while a flow is busy, and only this many at once.
const RELEASE_EVERY: Duration = Duration::from_millis(200);
const RELEASE_FROM: usize = 256 * 1024;
/// Timers of smoltcp that may come before its retransmission.
const REWINDS: u8 = 3;
/// Rings smaller than this are reused as they are.
const KEEP: usize = 64 * 1024;

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

/// The two buffers' memory, reused between connections.
pub(crate) struct Rings {
    receive: Ring,
    send: Ring,
}

impl Rings {
    pub(crate) fn new(capacity: usize) -> io::Result<Self> {
        Ok(Self {
            receive: Ring::new(capacity)?,
            send: Ring::new(capacity)?,
        })
    }

    /// Bytes that may be in memory.
    pub(crate) fn touched(&self) -> usize {
        self.receive.touched() + self.send.touched()
    }

    /// The bytes of each, as far as they were asked for.
    pub(crate) fn size(&self) -> usize {
        self.receive.capacity()
    }

    /// Makes them ready for another connection: little is kept, much is given back.
    pub(crate) fn recycle(&mut self) {
        for ring in [&mut self.receive, &mut self.send] {
            if ring.touched() > KEEP {
                ring.release_except(0, 0);
            }
        }
    }
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
    /// The window field last handed in.
    shown: u16,
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
        // SAFETY: one slice of each ring, used by the socket alone, which is dropped before them: by order of declaration, and in `into_rings`.
        let (receive, send) = unsafe { (rings.receive.bytes(), rings.send.bytes()) };
        let mut socket = Socket::new(SocketBuffer::new(receive), SocketBuffer::new(send));
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(Some(ACKNOWLEDGEMENT_DELAY.into()));
        socket.set_congestion_control(CongestionControl::None);
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let handle = sockets.add(socket);
        let size = Link::full();
        let segment = largest_segment(link.mtu(size), &ends);
        Self {
            sockets,
            handle,
            rings: Some(rings),
            ends,
            size,
            lead: Duration::ZERO,
            stopped: None,
            rewinds: 0,
            walking: None,
            sender: Sender::new(segment, now),
            peer_initial: None,
            peer_scale: 0,
            peer_window: 0,
            shown: 0,
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

    /// Opens a connection: the SYN leaves with the next [`poll_transmit`](Self::poll_transmit). `None` if the ends do not fit each other.
    pub(crate) fn connect(link: &mut Link, rings: Rings, ends: Ends, now: Instant) -> Option<Self> {
        let mut machine = Self::new(link, rings, ends, now);
        let (local, remote) = (endpoint(machine.ends.local), endpoint(machine.ends.remote));
        let context = link.interface(machine.size).context();
        let socket = machine.sockets.get_mut::<Socket>(machine.handle);
        socket.connect(context, remote, local).ok()?;
        Some(machine)
    }

    /// Takes a connection that the peer opens with the SYN in `packet`: the answer leaves with the next [`poll_transmit`](Self::poll_transmit). `None` if the SYN is not acceptable.
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

    /// Takes a segment of this connection. What it makes necessary at once goes to `replies`, everything else leaves with [`poll_transmit`](Self::poll_transmit).
    pub(crate) fn handle_segment(
        &mut self,
        link: &mut Link,
        now: Instant,
        packet: &mut [u8],
        segment: &Segment,
        replies: &mut Vec<Vec<u8>>,
    ) {
        let before = self.state();
        let queued = self.socket().send_queue();
        let first = self.sender.first();
        let mut repair = Repair::None;
        if segment.flags.has(Flags::SYN) {
            self.learn(now, packet, segment);
        } else if !segment.flags.has(Flags::RST) && segment.flags.has(Flags::ACK) && self.started {
            match self.judge(now, packet, segment) {
                Some(found) => repair = found,
                None => return,
            }
        }
        self.feed(link, now, packet, replies);
        let after = self.state();
        if segment.flags.has(Flags::RST)
            && matches!(after, State::Closed | State::Listen)
            && before != after
        {
            self.reset_by_peer = true;
            self.dead = true;
        }
        self.note_received(segment);
        if segment.flags.has(Flags::FIN) && self.is_finished() {
            // Nothing more comes that its acknowledgement could wait for, and in TIME-WAIT nobody would come back to send it.
            self.lead += ACKNOWLEDGEMENT_DELAY;
        }
        if self.started
            && self.sender.first() != first
            && queued > 0
            && self.socket().send_queue() == queued
        {
            // smoltcp passed over a segment out of its window, and the acknowledgement with it.
            let field = self.window_field();
            self.forge(link, now, field);
        }
        self.repair(link, now, repair);
    }

    /// Reads what a SYN says of its sender.
    fn learn(&mut self, now: Instant, packet: &mut [u8], segment: &Segment) {
        if matches!(self.state(), State::Listen | State::SynSent) {
            self.peer_initial = Some(segment.sequence);
            self.received_to = segment.sequence.wrapping_add(1);
            self.peer_scale = segment.window_scale(packet).unwrap_or(0);
            self.peer_window = usize::from(segment.window);
            if let Some(largest) = segment.maximum_segment(packet) {
                self.sender.limit_segment(largest.max(48));
            }
            if segment.flags.has(Flags::ACK)
                && segment.acknowledgement == self.sender.first().wrapping_add(1)
            {
                let _ = self.sender.on_acknowledged(now, segment.acknowledgement);
            }
            // The window of a SYN is never scaled.
            let window = self.sender.window().min(self.peer_window);
            let window = u16::try_from(window).unwrap_or(u16::MAX);
            segment.overwrite(packet, segment.acknowledgement, window);
        }
    }

    /// Reads an acknowledgement, and writes over it what smoltcp shall see. `None` if it shall see nothing of it.
    fn judge(&mut self, now: Instant, packet: &mut [u8], segment: &Segment) -> Option<Repair> {
        let delivered = self.sender.delivered();
        let window = usize::from(segment.window) << self.peer_scale;
        let shut = self.peer_window == 0;
        let first = self.sender.first();
        let mut acknowledged = segment.acknowledgement;
        let mut repair = Repair::None;
        let mut duplicate = false;
        let mut news = false;
        for (start, end) in segment.selective(packet) {
            news |= self.sender.on_selective(start, end);
        }
        if is_after(first, acknowledged) {
            // Older than what we know: its data may still be news.
            acknowledged = first;
        } else if is_after(acknowledged, first) {
            // Beyond all that could be sent: smoltcp answers that.
            let most = self.sender.in_flight().max(self.socket().send_queue() + 2);
            if acknowledged.wrapping_sub(first) as usize <= most {
                self.peer_window = window;
                repair = self.sender.on_acknowledged(now, acknowledged);
            }
        } else {
            let bare = segment.length == 0 && !segment.flags.any(Flags::FIN);
            duplicate =
                bare && self.sender.in_flight() > 0 && window == self.peer_window && window != 0;
            self.peer_window = window;
            if duplicate || news {
                repair = self.sender.on_duplicate(now);
            }
        }
        let delivered = self.sender.delivered().saturating_sub(delivered);
        self.sender.on_segment(delivered);
        if shut || self.peer_window == 0 {
            self.sender.hold(now);
        }
        let mut shown = self.window_field();
        if shown == self.shown
            && acknowledged == first
            && segment.length == 0
            && self.sender.in_flight() > 0
        {
            if duplicate && repair == Repair::None {
                // It would only be counted, which is done.
                return None;
            }
            // smoltcp does not count what comes with another window.
            shown = another(shown);
        }
        self.shown = shown;
        segment.overwrite(packet, acknowledged, shown);
        Some(repair)
    }

    /// The smaller of the peer's window and the congestion window, as the field has it.
    fn window_field(&self) -> u16 {
        if self.peer_window == 0 {
            return 0;
        }
        let field = self.sender.whole_window().min(self.peer_window) >> self.peer_scale;
        u16::try_from(field).unwrap_or(u16::MAX).max(1)
    }

    fn note_received(&mut self, segment: &Segment) {
        if segment.length == 0 || self.peer_initial.is_none() {
            return;
        }
        let end = segment.sequence.wrapping_add(segment.length as u32);
        let window = self.socket().recv_capacity() as u32;
        let ahead = end.wrapping_sub(self.expected());
        if is_after(end, self.received_to) && (ahead <= window || !is_after(end, self.expected())) {
            self.received_to = end;
        }
        if let Some(rings) = &mut self.rings {
            rings.receive.touch(segment.length);
        }
    }

    /// The next sequence number of the peer's data that we lack.
    fn expected(&self) -> u32 {
        let finished = u32::from(self.is_finished());
        self.peer_initial
            .unwrap_or(0)
            .wrapping_add(1)
            .wrapping_add(self.taken)
            .wrapping_add(self.socket().recv_queue() as u32)
            .wrapping_add(finished)
    }

    fn repair(&mut self, link: &mut Link, now: Instant, repair: Repair) {
        match repair {
            Repair::None => {}
            // A FIN alone: smoltcp would forget its timer over the duplicates.
            Repair::First if self.socket().send_queue() == 0 => self.rewinds = REWINDS,
            Repair::First => {
                self.fast_retransmits += 1;
                // Another window resets smoltcp's count of duplicates; three of the same make it send the first segment again.
                let field = self.window_field();
                let other = if field == self.shown {
                    another(field)
                } else {
                    field
                };
                for _ in 0..4 {
                    self.forge(link, now, other);
                }
            }
            Repair::Walk => {
                self.walks += 1;
                let field = self.window_field();
                if field != self.shown {
                    self.forge(link, now, field);
                }
                self.rewinds = REWINDS;
                self.walking = Some(self.sender.next());
            }
            Repair::GiveUp => {
                self.dead = true;
                self.socket_mut().abort();
            }
        }
    }

    /// Hands in an acknowledgement of nothing new, with another window.
    fn forge(&mut self, link: &mut Link, now: Instant, window: u16) {
        let mut buffer = forge::buffer();
        let packet = forge::acknowledgement(
            &mut buffer,
            &self.ends,
            self.expected(),
            self.sender.first(),
            window,
        );
        self.shown = window;
        self.feed(link, now, packet, &mut Vec::new());
    }

    /// Moves the flow's clock to its next timer. Returns whether there is one ahead.
    fn advance_clock(&mut self, link: &mut Link, now: Instant) -> bool {
        let clock = self.clock(link, now);
        let at = link.interface(self.size).poll_at(clock, &self.sockets);
        let Some(at) = at.filter(|at| *at > clock) else {
            return false;
        };
        self.lead += Duration::from_micros((at - clock).total_micros());
        true
    }

    /// The flow's time. It stands still in TIME-WAIT: smoltcp would clear the receive buffer at its end, read or not.
    fn clock(&mut self, link: &Link, now: Instant) -> smoltcp::time::Instant {
        let clock = link.clock(now, self.lead);
        if self.state() == State::TimeWait {
            *self.stopped.get_or_insert(clock)
        } else {
            clock
        }
    }

    fn feed(&mut self, link: &mut Link, now: Instant, packet: &[u8], replies: &mut Vec<Vec<u8>>) {
        let clock = self.clock(link, now);
        let mut outlet = Replies(replies);
        let mut wire = Wire {
            mtu: link.mtu(self.size),
            inbound: Some(packet),
            outlet: &mut outlet,
        };
        link.interface(self.size)
            .poll_ingress_single(clock, &mut wire, &mut self.sockets);
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
            let mut tap = Tap {
                inner: outlet,
                sender: &mut self.sender,
                started: &mut self.started,
                rewinds: &mut self.rewinds,
                shut: self.peer_window == 0,
                now,
                limit: usize::from(self.shown) << self.peer_scale,
                walking: &mut self.walking,
                scratch: &mut scratch,
            };
            let mtu = link.mtu(self.size);
            let interface = link.interface(self.size);
            loop {
                if left == 0 || !tap.has_room() {
                    return true;
                }
                if tap.must_wait() {
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

    /// When to call [`handle_timeout`](Self::handle_timeout). To be asked after [`poll_transmit`](Self::poll_transmit) has nothing more.
    pub(crate) fn next_timeout(&mut self, link: &mut Link, now: Instant) -> Option<Instant> {
        let clock = self.clock(link, now);
        let own = if self.started && self.is_synchronized() && self.peer_window > 0 {
            self.sender.next_timeout()
        } else {
            None
        };
        let smoltcp = link
            .interface(self.size)
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

    /// Does what is due. [`poll_transmit`](Self::poll_transmit) has something afterwards.
    pub(crate) fn handle_timeout(&mut self, link: &mut Link, now: Instant) {
        if self.started && self.is_synchronized() && self.peer_window > 0 {
            let repair = self.sender.on_timeout(now);
            self.repair(link, now, repair);
        }
    }

    /// The largest packet on this flow's path is `mtu`. Returns whether that is news.
    pub(crate) fn lower_mtu(&mut self, link: &mut Link, now: Instant, mtu: u16) -> bool {
        let size = link.size_within(mtu);
        if link.mtu(size) >= link.mtu(self.size) {
            return false;
        }
        self.size = size;
        let segment = largest_segment(link.mtu(size), &self.ends);
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

    /// Bytes that may be in memory.
    pub(crate) fn touched(&self) -> usize {
        self.rings.as_ref().map_or(0, Rings::touched)
    }

    /// Gives back what is not in use, if that is much and was not done just now, or if the flow is `idle`. Returns whether it did.
    pub(crate) fn release(&mut self, now: Instant, idle: bool) -> bool {
        let touched = self.touched();
        let socket = self.socket();
        let (queued, held) = (socket.send_queue(), socket.recv_queue());
        let scattered = self.received_to.wrapping_sub(self.expected());
        let scattered = if scattered.cast_signed() > 0 {
            scattered as usize
        } else {
            0
        };
        let spare = touched.saturating_sub(queued + held + scattered);
        let due = now.saturating_duration_since(self.released) >= RELEASE_EVERY;
        if spare == 0 || !(idle || (due && spare >= RELEASE_FROM)) {
            return false;
        }
        self.released = now;
        let (read_at, write_at) = (self.read_at, self.write_at);
        if let Some(Rings { receive, send }) = &mut self.rings {
            receive.release_except(read_at, held + scattered);
            send.release_except(write_at + send.capacity() - queued, queued);
        }
        true
    }

    /// The shortest round trip of late, if data was acknowledged.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.sender.round_trip()
    }

    /// The memory, for the next connection.
    pub(crate) fn into_rings(mut self) -> Option<Rings> {
        self.sockets.remove(self.handle);
        self.rings.take()
    }

    /// Bytes of buffers in memory, as the kernel has it.
    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn resident(&self) -> usize {
        self.rings
            .as_ref()
            .map_or(0, |rings| rings.receive.resident() + rings.send.resident())
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

/// What smoltcp answers to a segment at once.
struct Replies<'a>(&'a mut Vec<Vec<u8>>);

impl Outlet for Replies<'_> {
    fn has_room(&self) -> bool {
        true
    }

    fn packet(&mut self, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        let mut packet = vec![0; length];
        emit(&mut packet);
        self.0.push(packet);
    }
}

/// Sees what leaves.
struct Tap<'a> {
    inner: &'a mut dyn Outlet,
    sender: &'a mut Sender,
    started: &'a mut bool,
    rewinds: &'a mut u8,
    shut: bool,
    now: Instant,
    limit: usize,
    walking: &'a mut Option<u32>,
    scratch: &'a mut Vec<u8>,
}

impl Outlet for Tap<'_> {
    fn has_room(&self) -> bool {
        self.inner.has_room()
    }

    fn packet(&mut self, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        // What is repeated may have to be left out, which its header tells.
        let mut sent = None;
        let walking = self.walking.is_some();
        if walking {
            self.scratch.resize(length, 0);
            emit(self.scratch);
            sent = header(self.scratch);
        } else {
            self.inner.packet(length, &mut |buffer| {
                emit(buffer);
                sent = header(buffer);
            });
        }
        let Some(sent) = sent else { return };
        let leaves = self.note(&sent);
        if walking && leaves {
            let scratch = &*self.scratch;
            self.inner
                .packet(length, &mut |buffer| buffer.copy_from_slice(scratch));
        }
    }
}

impl Tap<'_> {
    /// Whether a repair goes on only with the peer's next segment.
    fn must_wait(&self) -> bool {
        self.walking.is_some() && *self.rewinds == 0 && self.sender.must_wait()
    }

    /// Notes a segment that is about to leave. Whether it shall.
    fn note(&mut self, sent: &Segment) -> bool {
        let (start, end) = (sent.sequence, sent.sequence_end());
        if sent.flags.has(Flags::SYN) {
            *self.started = true;
            self.sender.on_sent_syn(self.now, start);
            return true;
        }
        if start == end || sent.flags.has(Flags::RST) || self.shut {
            return true;
        }
        if start == self.sender.first() {
            *self.rewinds = 0;
        }
        // New data may leave before the walk begins.
        if *self.rewinds == 0 && self.walking.is_some_and(|end| !is_after(end, start)) {
            *self.walking = None;
        }
        let left = self
            .limit
            .saturating_sub(self.sender.in_flight() + sent.length);
        let limited = left < usize::from(self.sender.segment());
        let walking = self.walking.is_some();
        self.sender
            .on_sending(self.now, start, end, limited, walking)
    }
}

/// The TCP header of a packet that smoltcp made.
fn header(packet: &[u8]) -> Option<Segment> {
    let start = match packet.first()? >> 4 {
        4 => 20,
        _ => 40,
    };
    Segment::read(packet, start..packet.len())
}

/// A window field that differs as little as can be, and shuts nothing.
fn another(field: u16) -> u16 {
    if field > 1 { field - 1 } else { field + 1 }
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
