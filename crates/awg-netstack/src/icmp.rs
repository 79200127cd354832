//! ICMP for IPv4 (RFC 792, RFC 1122 section 3.2.2) and IPv6 (RFC 4443): echo at our own addresses, echo requests that show
//! whether somebody is there, errors sent and errors received.
//!
//! Errors are sent in the name of the destination they are about: whoever sent a packet to that destination through the
//! tunnel also takes packets from it.
//!
//! Never answered: an ICMP error, anything but the first fragment, anything to or from an address that is not one
//! host's. Errors are bounded in rate per peer, and what waits to leave in bytes.
//!
//! Deliberately absent: redirects, router and neighbour discovery (a tunnel has no link layer), timestamps, and echo on
//! behalf of other hosts.

mod quotation;
mod report;

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use self::quotation::Quotation;
pub(crate) use self::report::Report;
use crate::allowance::Allowances;
use crate::checksum::{internet, transport, verify_transport};
use crate::flow::Peer;
use crate::fragment::{Outgoing, Route};
use crate::packet::{ICMP, ICMPV6, is_unicast};
use crate::sink::PacketSink;

#[cfg(test)]
mod tests;

const HEADER: usize = 8;

/// Bytes of replies and errors that may wait to leave.
const QUEUE: usize = 256 << 10;

/// What became of ICMP messages.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct IcmpCounters {
    /// Echo requests answered.
    pub echo_replies: u64,
    /// Echo requests of ours.
    pub echoes_sent: u64,
    /// Answers to these.
    pub echoes_answered: u64,
    /// Errors sent.
    pub errors_sent: u64,
    /// Errors received about packets of ours, understood.
    pub errors_received: u64,
    /// Messages that are too short, or whose checksum is wrong.
    pub malformed: u64,
    /// Messages that nothing here has a use for.
    pub ignored: u64,
    /// Errors not sent since what they are about must not be answered.
    pub unanswerable: u64,
    /// Errors not sent since the peer had its share.
    pub rate_limited: u64,
    /// Replies and errors for which the queue had no room.
    pub queue_full: u64,
}

/// An error that somebody sent about a packet of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceivedError {
    /// What is wrong.
    pub(crate) report: Report,
    /// The protocol of the packet it is about.
    pub(crate) protocol: u8,
    /// The packet's source: our end.
    pub(crate) source: SocketAddr,
    /// The packet's destination: the other end.
    pub(crate) destination: SocketAddr,
    /// The packet's sequence number, if it is TCP. An error about a byte that is not in flight is forged or stale (RFC
    /// 5927 section 4.1).
    pub(crate) sequence: Option<u32>,
}

/// The ICMP end of the stack.
pub(crate) struct Icmp {
    mtu: u16,
    outgoing: Outgoing,
    allowances: Allowances,
    /// What our echo requests are known by, and the number of the last one.
    echo: (u16, u16),
    counters: IcmpCounters,
}

impl Icmp {
    /// `errors_per_second` are for each peer; `identification` is the random number to begin numbering packets with.
    pub(crate) fn new(mtu: u16, errors_per_second: u32, identification: u32, now: Instant) -> Self {
        Self {
            mtu,
            outgoing: Outgoing::new(QUEUE, identification),
            allowances: Allowances::new(errors_per_second, now),
            echo: (identification as u16, 0),
            counters: IcmpCounters::default(),
        }
    }

    /// Takes an ICMP message out of a whole IP packet. `own` is whether `destination` is an address of the stack.
    ///
    /// An echo request is answered; an error is given back for the flow that it is about.
    pub(crate) fn handle_message(
        &mut self,
        peer: Peer,
        source: IpAddr,
        destination: IpAddr,
        own: bool,
        message: &[u8],
    ) -> Option<ReceivedError> {
        let ipv6 = source.is_ipv6();
        let intact = if ipv6 {
            verify_transport(source, destination, ICMPV6, message)
        } else {
            internet(message) == [0, 0]
        };
        let Some((&[kind, code, _, _, a, b, c, d], body)) =
            message.split_first_chunk::<HEADER>().filter(|_| intact)
        else {
            self.counters.malformed += 1;
            return None;
        };
        let rest = [a, b, c, d];
        if kind == echo_request(ipv6) && code == 0 {
            if own && is_one_host(source) {
                self.reply(peer, source, destination, rest, body);
            } else {
                self.counters.ignored += 1;
            }
            return None;
        }
        let [high, low] = self.echo.0.to_be_bytes();
        if own && code == 0 && kind == echo_reply(ipv6) && [a, b] == [high, low] {
            self.counters.echoes_answered += 1;
            return None;
        }
        let error = Self::read_error(ipv6, kind, code, rest, body);
        match error {
            Some(_) => self.counters.errors_received += 1,
            None => self.counters.ignored += 1,
        }
        error
    }

    fn read_error(
        ipv6: bool,
        kind: u8,
        code: u8,
        rest: [u8; 4],
        body: &[u8],
    ) -> Option<ReceivedError> {
        let quotation = Quotation::parse(body)?;
        if quotation.source.is_ipv6() != ipv6 || quotation.fragment_offset != 0 {
            return None;
        }
        let report = Report::read(ipv6, kind, code, rest, quotation.total_length)?;
        let (source_port, destination_port) = quotation.ports()?;
        Some(ReceivedError {
            report,
            protocol: quotation.protocol,
            source: SocketAddr::new(quotation.source, source_port),
            destination: SocketAddr::new(quotation.destination, destination_port),
            sequence: quotation.sequence(),
        })
    }

    /// Queues an echo reply: the request's identifier, number and content come back (RFC 792; RFC 4443 section 4.2).
    fn reply(
        &mut self,
        peer: Peer,
        source: IpAddr,
        destination: IpAddr,
        rest: [u8; 4],
        body: &[u8],
    ) {
        let reply = echo_reply(source.is_ipv6());
        if self.push(peer, destination, source, [reply, 0], rest, body) {
            self.counters.echo_replies += 1;
        }
    }

    /// Queues an echo request without content. Whether there was room.
    pub(crate) fn ping(&mut self, peer: Peer, source: IpAddr, destination: IpAddr) -> bool {
        self.echo.1 = self.echo.1.wrapping_add(1);
        let [a, b] = self.echo.0.to_be_bytes();
        let [c, d] = self.echo.1.to_be_bytes();
        let request = echo_request(source.is_ipv6());
        let sent = self.push(peer, source, destination, [request, 0], [a, b, c, d], &[]);
        self.counters.echoes_sent += u64::from(sent);
        sent
    }

    /// Sends an error about `packet`, a whole IP packet or the first fragment of one that `peer` sent. Whether it will
    /// leave.
    pub(crate) fn send_error(
        &mut self,
        now: Instant,
        peer: Peer,
        report: Report,
        packet: &[u8],
    ) -> bool {
        let Some(quotation) = Quotation::parse(packet)
            .filter(Quotation::may_be_answered)
            .filter(|quotation| {
                is_one_host(quotation.source) && is_one_host(quotation.destination)
            })
        else {
            self.counters.unanswerable += 1;
            return false;
        };
        if !self.allowances.take(now, peer) {
            self.counters.rate_limited += 1;
            return false;
        }
        let ipv6 = quotation.source.is_ipv6();
        let (kind, code, rest) = report.write(ipv6);
        // As much of the packet as keeps the error within what every path carries (RFC 1812 section 4.3.2.3; RFC 4443
        // section 2.4 (c)).
        let quoted = if ipv6 { 1280 - 40 } else { 576 - 20 } - HEADER;
        let packet = packet.get(..quoted).unwrap_or(packet);
        let (from, to) = (quotation.destination, quotation.source);
        let sent = self.push(peer, from, to, [kind, code], rest, packet);
        self.counters.errors_sent += u64::from(sent);
        sent
    }

    fn push(
        &mut self,
        peer: Peer,
        source: IpAddr,
        destination: IpAddr,
        [kind, code]: [u8; 2],
        [a, b, c, d]: [u8; 4],
        body: &[u8],
    ) -> bool {
        let protocol = if source.is_ipv6() { ICMPV6 } else { ICMP };
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend([kind, code, 0, 0, a, b, c, d]);
        message.extend_from_slice(body);
        let sum = if source.is_ipv6() {
            transport(source, destination, protocol, &message)
        } else {
            internet(&message)
        };
        let header = [kind, code, sum[0], sum[1], a, b, c, d];
        let route = Route {
            peer,
            source,
            destination,
            protocol,
            mtu: self.mtu,
        };
        let pushed = self.outgoing.push(route, &header, body).is_ok();
        self.counters.queue_full += u64::from(!pushed);
        pushed
    }

    /// Moves what waits into `sink`; `true` when the sink was full before the end.
    pub(crate) fn poll_transmit(&mut self, sink: &mut dyn PacketSink) -> bool {
        self.outgoing.poll_transmit(sink)
    }

    pub(crate) fn counters(&self) -> IcmpCounters {
        self.counters
    }
}

fn echo_request(ipv6: bool) -> u8 {
    if ipv6 { 128 } else { 8 }
}

fn echo_reply(ipv6: bool) -> u8 {
    if ipv6 { 129 } else { 0 }
}

/// Whether an address may stand for a single host (RFC 1122 section 3.2.2; RFC 4443 section 2.4 (e)).
fn is_one_host(address: IpAddr) -> bool {
    is_unicast(address) && !matches!(address, IpAddr::V4(address) if address.octets()[0] == 0)
}
