//! The packets of carriers: whose one is that arrives, and in which order they leave.

use std::net::SocketAddr;
use std::time::Instant;

use super::guard::BARRED;
use super::{Carriers, udp};
use crate::event::CarrierLoss;
use crate::flow::Peer;
use crate::icmp::{ReceivedError, Report};
use crate::sink::PacketSink;

/// Datagrams of one turn on their way into the sink.
#[derive(Default)]
pub(super) struct Outgoing {
    pub(super) bytes: Vec<u8>,
    /// Where the next one begins.
    next: usize,
    /// The length of each but the last.
    segment: usize,
    peer: Option<Peer>,
    ends: Option<(SocketAddr, SocketAddr)>,
}

impl Carriers {
    /// Whether a datagram from a peer to an own address is a carrier's.
    pub(crate) fn claims(&self, peer: Peer, to: SocketAddr) -> bool {
        let Some(config) = &self.config else {
            return false;
        };
        if config.listen == Some(to.port()) {
            return self.size(to.ip()).is_some();
        }
        self.links
            .of(peer)
            .and_then(|place| self.links.get(place))
            .is_some_and(|link| link.own == to)
    }

    /// Takes a datagram's payload that [`claims`](Self::claims) said is a carrier's.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        peer: Peer,
        from: SocketAddr,
        to: SocketAddr,
        payload: &[u8],
    ) {
        self.now = now;
        self.shared.counters.received += 1;
        let mut place = self.links.of(peer);
        if place.is_none() && !self.is_barred(now, peer) && self.allowances.take(now, peer) {
            place = self.add(now, peer, to, from, false);
        }
        let Some(place) = place else { return };
        let data = self.arena.keep(payload);
        let handled = self.with(place, |link, shared| {
            link.handle(now, from, to, data, shared)
        });
        if let Some(Err(why)) = handled {
            if self.links.get(place).is_some_and(|link| link.is_barred) {
                self.barred.insert(peer, now + BARRED);
            }
            return self.lose(now, place, why);
        }
        match self.links.get(place) {
            // Nothing came of it.
            Some(link) if link.wire.is_none() && link.call.is_none() => self.remove(place),
            Some(_) => self.hear(place),
            None => {}
        }
    }

    /// Counts a datagram for a carrier that is broken.
    pub(crate) fn count_malformed(&mut self) {
        self.shared.counters.malformed += 1;
    }

    /// Takes an ICMP error; whether it is about a carrier's datagram.
    pub(crate) fn handle_error(&mut self, now: Instant, peer: Peer, error: &ReceivedError) -> bool {
        let Some(place) = self.links.of(peer) else {
            return false;
        };
        let fits = self
            .links
            .get(place)
            .is_some_and(|link| link.own == error.source && link.remote == error.destination);
        if fits && error.report == Report::PortUnreachable {
            self.lose(now, place, CarrierLoss::Unreachable);
        }
        fits
    }

    /// Moves what waits into `sink`; `true` when the sink was full before the end.
    pub(crate) fn poll_transmit(&mut self, now: Instant, sink: &mut dyn PacketSink) -> bool {
        self.now = now;
        self.settle();
        loop {
            if !self.drain(sink) {
                return true;
            }
            let Some(place) = self.dirty.pop_front() else {
                return false;
            };
            let mut bytes = std::mem::take(&mut self.outgoing.bytes);
            bytes.clear();
            let sent = self.with(place, |link, shared| {
                let segment = link.transmit(now, &mut bytes, shared);
                segment.map(|segment| (segment, link.peer, (link.own, link.remote)))
            });
            self.outgoing.bytes = bytes;
            if let Some(Some((segment, peer, ends))) = sent {
                self.outgoing.segment = segment;
                self.outgoing.peer = Some(peer);
                self.outgoing.ends = Some(ends);
                self.dirty.push_back(place);
            } else {
                self.outgoing.bytes.clear();
                if let Some(link) = self.links.get_mut(place) {
                    link.is_dirty = false;
                }
                // Polling may have found the end of a connection.
                self.hear_only(place);
            }
            self.arm(place);
        }
    }

    /// Moves what was written into the sink. `false` when that was full before the end.
    fn drain(&mut self, sink: &mut dyn PacketSink) -> bool {
        while let Some(reply) = self.shared.replies.front() {
            if !sink.has_room() {
                return false;
            }
            let length = udp::headers(reply.to.ip()) + reply.payload.len();
            if length <= usize::from(self.mtu) {
                self.shared.counters.sent += 1;
                sink.packet(reply.peer, length, &mut |packet| {
                    udp::write(packet, reply.from, reply.to, &reply.payload);
                });
            }
            self.shared.replies.pop_front();
        }
        let Outgoing {
            bytes,
            next,
            segment,
            peer: Some(peer),
            ends: Some((from, to)),
        } = &mut self.outgoing
        else {
            return true;
        };
        let headers = udp::headers(to.ip());
        while let Some(rest) = bytes.get(*next..).filter(|rest| !rest.is_empty()) {
            if !sink.has_room() {
                return false;
            }
            let payload = rest.get(..*segment).unwrap_or(rest);
            self.shared.counters.sent += 1;
            sink.packet(*peer, headers + payload.len(), &mut |packet| {
                udp::write(packet, *from, *to, payload);
            });
            *next += payload.len();
        }
        bytes.clear();
        *next = 0;
        true
    }
}
