//! A SOCKS5 UDP association (RFC 1928, section 7): datagrams go between an application's socket, with the header that says
//! where to, and flows of the stack.
//!
//! All of an association's datagrams that one peer carries leave from one inner port, wherever they go, so the far end of the
//! tunnel sees one source (endpoint-independent mapping, RFC 4787, section 4.1). What comes back is given to the application
//! if it comes from an address that it has sent to (address-dependent filtering, REQ-8).
//!
//! Only the application may send: from the address of its connection, and from one port. The association ends with that
//! connection, and when no datagram went either way for long. What does not fit is dropped and counted, as UDP is; only for
//! the look-up of a name a few are held.

mod counters;
mod header;
mod names;

use std::io::{ErrorKind, IoSlice};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use awg_netstack::{FlowId as StackFlow, Peer, Stack};
use socket2::{SockAddr, SockRef};

pub(crate) use self::counters::AssociationCounters;
use self::header::{Destination, Header, Invalid};
use self::names::{Known, Names};
use super::correspondents::Correspondents;
use super::{Pumped, discard};
use crate::flow::Traffic;
use crate::policy::EgressPolicy;
use crate::settings::Carrier;

/// Failures in a row, over several turns, after which the socket counts as broken.
const FAILURES: u8 = 64;
/// Lanes at once: peers times families, of which there are hardly ever more than one and two.
const LANES: usize = 16;

/// What an association sends through.
pub(crate) struct Ways<'a> {
    pub(crate) now: Instant,
    pub(crate) stack: &'a mut Stack,
    /// Where datagrams may go.
    pub(crate) policy: &'a EgressPolicy,
    /// The peer that an address is behind.
    pub(crate) route: &'a dyn Fn(IpAddr) -> Option<Peer>,
    /// Whether a peer's datagrams ride on its carrier while that is up, and what they do while it is not.
    pub(crate) carrier: Carrier,
    pub(crate) counters: &'a mut AssociationCounters,
}

/// A flow of the stack: the association's inner port, towards one peer by one family. On a carrier too: the far end has a
/// socket for each flow, which is of one family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Lane {
    peer: Peer,
    ipv4: bool,
    flow: StackFlow,
}

/// Why a destination is not reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NoLane {
    /// No peer is for it, this end has no address of its family, or there is no room for another flow.
    Unroutable,
    /// The carrier to its peer is not up, and nothing else is to carry it.
    Uncarried,
}

/// Who may use an association.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    /// Where its connection comes from.
    pub(crate) address: IpAddr,
    /// The port that it sends from; 0 = the first one that it does.
    pub(crate) port: u16,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Association {
    control: TcpStream,
    socket: UdpSocket,
    client: Client,
    /// Where the application's datagrams come from, as the socket says it.
    application: Option<SockAddr>,
    /// Whether the connection or the socket may have something to read.
    control_readable: bool,
    readable: bool,
    /// Times that nothing but a failure was received, since it last was something else.
    failures: u8,
    lanes: Vec<Lane>,
    /// Lanes that were opened since the shard last asked, names that are wanted since.
    opened: Vec<StackFlow>,
    wanted: Vec<Box<str>>,
    names: Names,
    correspondents: Correspondents,
    /// The last destination that the policy allowed.
    allowed: Option<SocketAddr>,
    idle: Duration,
    last: Instant,
    sent: u64,
    received: u64,
}

impl Association {
    /// An association that ends after `idle` without a datagram. Neither descriptor may block.
    pub(crate) fn new(
        now: Instant,
        control: TcpStream,
        socket: UdpSocket,
        client: Client,
        idle: Duration,
    ) -> Self {
        Self {
            control,
            socket,
            client: Client {
                address: client.address.to_canonical(),
                ..client
            },
            application: None,
            // Not known: a call will tell.
            control_readable: true,
            readable: true,
            failures: 0,
            lanes: Vec::new(),
            opened: Vec::new(),
            wanted: Vec::new(),
            names: Names::default(),
            correspondents: Correspondents::default(),
            allowed: None,
            idle,
            last: now,
            sent: 0,
            received: 0,
        }
    }

    /// The descriptors of the connection and of the datagrams.
    pub(crate) fn descriptors(&self) -> [RawFd; 2] {
        [self.control.as_raw_fd(), self.socket.as_raw_fd()]
    }

    pub(crate) fn lanes(&self) -> impl Iterator<Item = StackFlow> {
        self.lanes.iter().map(|lane| lane.flow)
    }

    pub(crate) fn traffic(&self) -> Traffic {
        Traffic {
            sent: self.sent,
            received: self.received,
        }
    }

    /// The connection has something to read, or its end.
    pub(crate) fn handle_control(&mut self) {
        self.control_readable = true;
    }

    /// The socket has something to read.
    pub(crate) fn handle_socket(&mut self) {
        self.readable = true;
    }

    /// The stack has ended a lane; the next datagram opens another one.
    pub(crate) fn forget_lane(&mut self, flow: StackFlow) {
        self.lanes.retain(|lane| lane.flow != flow);
    }

    /// Lanes that are to be bound to this association.
    pub(crate) fn take_opened(&mut self) -> Vec<StackFlow> {
        std::mem::take(&mut self.opened)
    }

    /// Names that are to be looked up.
    pub(crate) fn take_wanted(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.wanted)
    }

    /// Drops what waits for too long; whether the association itself is over, since nothing was said for long.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        counters: &mut AssociationCounters,
    ) -> bool {
        counters.dropped_name_late += self.names.handle_timeout(now) as u64;
        self.last + self.idle <= now
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn next_timeout(&self) -> Instant {
        let idle = self.last + self.idle;
        self.names
            .next_timeout()
            .map_or(idle, |names| names.min(idle))
    }

    /// Takes the address of a name, `None` = it has none that can be reached, and sends what waited for it.
    pub(crate) fn handle_name(&mut self, ways: &mut Ways<'_>, name: &str, address: Option<IpAddr>) {
        for (port, payload) in self.names.answer(ways.now, name, address) {
            match address {
                Some(address) => self.send(ways, SocketAddr::new(address, port), &payload),
                None => ways.counters.dropped_name_missing += 1,
            }
        }
    }

    /// Gives the application a datagram that came out of the tunnel.
    pub(crate) fn deliver(
        &mut self,
        now: Instant,
        source: SocketAddr,
        payload: &[u8],
        counters: &mut AssociationCounters,
    ) {
        let known = self.correspondents.know(source.ip());
        let Some(application) = self.application.as_ref().filter(|_| known) else {
            counters.dropped_unsolicited += 1;
            return;
        };
        let header = Header::of(source);
        let parts = [IoSlice::new(header.bytes()), IoSlice::new(payload)];
        match SockRef::from(&self.socket).send_to_vectored(&parts, application) {
            Ok(_) => {
                counters.delivered += 1;
                self.received += payload.len() as u64;
                self.last = now;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => counters.dropped_overflow += 1,
            Err(_) => counters.dropped_unsendable += 1,
        }
    }

    /// Moves up to `budget` datagrams from the application into the tunnel, by way of `buffer`, which holds the largest.
    pub(crate) fn pump(&mut self, ways: &mut Ways<'_>, buffer: &mut [u8], budget: usize) -> Pumped {
        if self.control_readable {
            match discard(&self.control) {
                Pumped::Waiting => self.control_readable = false,
                Pumped::Unfinished => {}
                _ => return Pumped::Ended("the application closed its connection"),
            }
        }
        for _ in 0..budget {
            if !self.readable {
                break;
            }
            match self.socket.recv_from(buffer) {
                Ok((length, source)) => {
                    self.failures = 0;
                    if let Some(datagram) = buffer.get(..length) {
                        self.take(ways, source, datagram);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.failures = 0;
                    self.readable = false;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A report of an earlier datagram that met nobody (ICMP); where nothing else comes the socket is broken.
                Err(_) if self.failures == FAILURES => return Pumped::Failed("its socket failed"),
                Err(_) => self.failures += 1,
            }
        }
        if self.readable || self.control_readable {
            Pumped::Unfinished
        } else {
            Pumped::Waiting
        }
    }

    /// Takes a datagram that arrived from `source`.
    fn take(&mut self, ways: &mut Ways<'_>, source: SocketAddr, datagram: &[u8]) {
        if !self.is_application(source) {
            ways.counters.dropped_stranger += 1;
            return;
        }
        match header::parse(datagram) {
            Ok((Destination::Address(destination), payload)) => {
                self.send(ways, destination, payload);
            }
            Ok((Destination::Name(name, port), payload)) => {
                match self.names.look_up(ways.now, name, port, payload) {
                    Known::Address(address) => {
                        self.send(ways, SocketAddr::new(address, port), payload);
                    }
                    Known::Wanted => self.wanted.push(name.into()),
                    Known::Waits => {}
                    Known::Missing => ways.counters.dropped_name_missing += 1,
                    Known::Full => ways.counters.dropped_name_full += 1,
                }
            }
            Err(Invalid::Fragment) => ways.counters.dropped_fragment += 1,
            Err(Invalid::Malformed) => ways.counters.dropped_malformed += 1,
        }
    }

    /// Whether `source` may send; the first that may is the only one from then on.
    fn is_application(&mut self, source: SocketAddr) -> bool {
        let allowed = source.ip().to_canonical() == self.client.address
            && (self.client.port == 0 || self.client.port == source.port());
        if allowed && self.application.is_none() {
            self.client.port = source.port();
            self.application = Some(source.into());
        }
        allowed
    }

    /// Sends a datagram into the tunnel.
    fn send(&mut self, ways: &mut Ways<'_>, destination: SocketAddr, payload: &[u8]) {
        if self.allowed != Some(destination) {
            if ways.policy.verdict(destination).is_some() {
                ways.counters.dropped_forbidden += 1;
                return;
            }
            self.allowed = Some(destination);
        }
        let flow = match self.lane(ways, destination.ip()) {
            Ok(flow) => flow,
            Err(NoLane::Unroutable) => {
                ways.counters.dropped_unroutable += 1;
                return;
            }
            Err(NoLane::Uncarried) => {
                ways.counters.dropped_uncarried += 1;
                return;
            }
        };
        // The stack counts what it drops, and why.
        let sent = ways
            .stack
            .send_datagram(ways.now, flow, destination, payload);
        if sent.is_err() {
            ways.counters.dropped_unsent += 1;
            return;
        }
        ways.counters.sent += 1;
        self.correspondents.note(destination.ip());
        self.sent += payload.len() as u64;
        self.last = ways.now;
    }

    /// The flow of the stack by which a destination is reached, opened if there is none yet. It stays what it began as for as long
    /// as it is used: on another one the far end would see another source.
    fn lane(&mut self, ways: &mut Ways<'_>, destination: IpAddr) -> Result<StackFlow, NoLane> {
        let peer = (ways.route)(destination).ok_or(NoLane::Unroutable)?;
        let ipv4 = destination.is_ipv4();
        let fits = |lane: &&Lane| lane.peer == peer && lane.ipv4 == ipv4;
        if let Some(lane) = self.lanes.iter().find(fits) {
            return Ok(lane.flow);
        }
        if self.lanes.len() >= LANES {
            return Err(NoLane::Unroutable);
        }
        let opened = match (ways.carrier, ways.stack.is_carried(peer)) {
            (Carrier::Auto | Carrier::Quic, true) => {
                ways.stack.open_carried_datagrams(ways.now, peer)
            }
            (Carrier::Quic, false) => return Err(NoLane::Uncarried),
            (Carrier::Ip, _) | (Carrier::Auto, false) => {
                ways.stack.open_datagrams(ways.now, peer, None, destination)
            }
        };
        let flow = opened.map_err(|_| NoLane::Unroutable)?;
        self.lanes.push(Lane { peer, ipv4, flow });
        self.opened.push(flow);
        Ok(flow)
    }
}

#[cfg(test)]
mod tests;
