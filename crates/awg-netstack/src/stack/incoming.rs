//! Whose a packet from a peer is: TCP's, UDP's or ICMP's; and what the errors that come and go by ICMP mean for flows.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::{Accept, Datagram, Inner};
use crate::datagram::{Blamed, Refused, datagram_ends};
use crate::event::{Event, Refusal, Rejection};
use crate::flow::{Kind, Peer};
use crate::icmp::{Icmp, ReceivedError, Report};
use crate::packet::{ICMP, ICMPV6, IpHeader, TCP, UDP, is_unicast};
use crate::tcp::Unreachable;

impl Inner {
    pub(super) fn handle_whole<'p>(
        &'p mut self,
        now: Instant,
        peer: Peer,
        packet: &'p mut [u8],
    ) -> Option<Datagram<'p>> {
        let Some(ip) = IpHeader::parse(packet) else {
            self.counters.malformed += 1;
            return None;
        };
        if !ip.is_unicast() {
            self.counters.not_unicast += 1;
            return None;
        }
        let own = self.addresses.contains(&ip.destination);
        if !own && self.accept != Accept::Everything {
            self.counters.elsewhere += 1;
            return None;
        }
        match ip.protocol {
            TCP => self.tcp.handle_packet(now, peer, packet, &ip),
            UDP => return self.handle_datagram(now, peer, packet, &ip, own),
            ICMP if ip.source.is_ipv4() => self.handle_icmp(now, peer, packet, &ip, own),
            ICMPV6 if ip.source.is_ipv6() => self.handle_icmp(now, peer, packet, &ip, own),
            _ => self.counters.unknown_protocol += 1,
        }
        None
    }

    fn handle_datagram<'p>(
        &mut self,
        now: Instant,
        peer: Peer,
        packet: &'p [u8],
        ip: &IpHeader,
        own: bool,
    ) -> Option<Datagram<'p>> {
        let message = packet.get(ip.payload.clone())?;
        if own && self.is_carriers(peer, ip, message) {
            self.handle_carrier(now, peer, ip, message);
            return None;
        }
        match self
            .datagrams
            .handle_message(now, peer, ip.source, ip.destination, own, message)
        {
            Ok(received) => {
                if received.fresh {
                    self.events.push_back(Event::Incoming {
                        flow: received.flow,
                        peer,
                        kind: Kind::Udp,
                        source: received.source,
                        destination: received.destination,
                    });
                }
                Some(Datagram {
                    flow: received.flow,
                    source: received.source,
                    destination: received.destination,
                    payload: received.payload,
                })
            }
            Err(Refused::PortUnreachable) => {
                self.icmp
                    .send_error(now, peer, Report::PortUnreachable, packet);
                None
            }
            Err(_) => None,
        }
    }

    /// Whether a UDP message is a carrier's, by its destination.
    fn is_carriers(&self, peer: Peer, ip: &IpHeader, message: &[u8]) -> bool {
        match message {
            &[_, _, high, low, ..] => {
                let port = u16::from_be_bytes([high, low]);
                let to = SocketAddr::new(ip.destination, port);
                self.carriers.claims(peer, to)
            }
            _ => false,
        }
    }

    fn handle_carrier(&mut self, now: Instant, peer: Peer, ip: &IpHeader, message: &[u8]) {
        match datagram_ends(ip.source, ip.destination, message) {
            Some((from, to, payload)) => {
                self.carriers.handle_datagram(now, peer, from, to, payload);
            }
            None => self.carriers.count_malformed(),
        }
    }

    fn handle_icmp(&mut self, now: Instant, peer: Peer, packet: &[u8], ip: &IpHeader, own: bool) {
        let Some(message) = packet.get(ip.payload.clone()) else {
            return;
        };
        let error = self
            .icmp
            .handle_message(peer, ip.source, ip.destination, own, message);
        let Some(error) = error else { return };
        let fits = match error.protocol {
            TCP => self.tcp_error(now, peer, &error),
            UDP if self.carriers.handle_error(now, peer, &error) => true,
            UDP => {
                let blamed = self.datagrams.handle_error(peer, &error);
                if let (Some(Blamed::Flow(flow)), Some(why)) = (blamed, refusal(error.report)) {
                    self.events.push_back(Event::Refused { flow, why });
                }
                blamed.is_some()
            }
            _ => false,
        };
        self.counters.stray_errors += u64::from(!fits);
    }

    fn tcp_error(&mut self, now: Instant, peer: Peer, error: &ReceivedError) -> bool {
        let Some(sequence) = error.sequence else {
            return false;
        };
        let (local, remote) = (error.source, error.destination);
        match (error.report, refusal(error.report)) {
            (Report::TooBig { mtu }, _) => self
                .tcp
                .handle_too_big(now, peer, local, remote, sequence, mtu),
            (_, Some(why)) => self
                .tcp
                .handle_refusal(now, peer, local, remote, sequence, why),
            _ => false,
        }
    }

    /// The address of ours that a flow to `to` leaves from.
    pub(super) fn source(&self, from: Option<IpAddr>, to: IpAddr) -> Option<IpAddr> {
        if !is_unicast(to) {
            return None;
        }
        let fits = |address: &IpAddr| address.is_ipv4() == to.is_ipv4();
        match from {
            Some(from) => Some(from).filter(|from| fits(from) && self.addresses.contains(from)),
            None => self.addresses.iter().copied().find(|address| fits(address)),
        }
    }
}

/// Says that a held SYN came to nothing. What waits to leave is bounded there.
pub(super) fn send_unreachable(icmp: &mut Icmp, now: Instant, unreachable: &Unreachable) {
    let Unreachable { peer, why, packet } = unreachable;
    icmp.send_error(now, *peer, report(*why), packet);
}

/// How the wire says why a flow is turned away; a refused one is reset instead.
pub(super) fn report(why: Rejection) -> Report {
    match why {
        Rejection::Refused | Rejection::Full => Report::PortUnreachable,
        Rejection::NetworkUnreachable => Report::NetworkUnreachable,
        Rejection::HostUnreachable | Rejection::Failed => Report::HostUnreachable,
        Rejection::Prohibited => Report::Prohibited,
        Rejection::TimedOut => Report::TimedOut,
    }
}

/// What an error says to the one who opened the flow.
fn refusal(report: Report) -> Option<Refusal> {
    match report {
        Report::NetworkUnreachable => Some(Refusal::NetworkUnreachable),
        Report::HostUnreachable => Some(Refusal::HostUnreachable),
        Report::Prohibited => Some(Refusal::Prohibited),
        Report::TimedOut => Some(Refusal::TimedOut),
        Report::PortUnreachable | Report::ProtocolUnreachable => Some(Refusal::PortUnreachable),
        Report::TooBig { .. } => None,
    }
}
