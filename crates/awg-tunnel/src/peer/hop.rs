//! A peer that listens on a range of ports, and which of them it is spoken to at.
//!
//! Networks slow or cut what stays at one port for long, so another port is taken with every initiation, and, if that is wanted,
//! every so often while there is a session. AmneziaWG knows none of this: the other end sees a peer whose way has changed, and
//! answers by the way that the last authenticated message came.

use std::ops::RangeInclusive;
use std::time::Duration;

use awg_obfuscation::NumberRange;

use super::{Peer, PeerError};
use crate::endpoint::Endpoint;
use crate::entropy::Entropy;
use crate::times::Interval;

/// Over which ports a peer's datagrams are spread, and how often another one is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHop {
    /// The ports at which the peer listens. One of them takes the place of the endpoint's.
    pub ports: RangeInclusive<u16>,
    /// How long one port is kept while there is a session; drawn anew for each. `None`: until the next initiation.
    pub every: Option<Interval>,
}

impl PortHop {
    /// Whether there are ports, and none is 0.
    pub(crate) fn check(&self) -> Result<(), PeerError> {
        if self.ports.is_empty() || *self.ports.start() == 0 {
            return Err(PeerError::HopPorts);
        }
        Ok(())
    }

    /// Whether both are one place for this peer: the address and, of the ports, any of the range.
    fn is_same_place(&self, one: Endpoint, other: Endpoint) -> bool {
        one.remote.ip() == other.remote.ip()
            && self.ports.contains(&one.remote.port())
            && self.ports.contains(&other.remote.port())
    }

    /// A port of the range, another one than `port` if there is another.
    fn draw(&self, entropy: &mut Entropy, port: u16) -> u16 {
        let (first, last) = (*self.ports.start(), *self.ports.end());
        let leaves = first < last && self.ports.contains(&port);
        // One less to draw from; what is drawn from `port` on stands for the one above it.
        let most = last - u16::from(leaves);
        let Ok(range) = NumberRange::new(first.into(), most.into()) else {
            return port;
        };
        let drawn = range.draw(entropy.rng()) as u16;
        drawn + u16::from(leaves && drawn >= port)
    }
}

impl Peer {
    /// Takes another port of the range for what is sent from now on. A peer that was last heard at none of them stays where it is.
    pub(crate) fn hop(&mut self, entropy: &mut Entropy) {
        if let (Some(hop), Some(endpoint)) = (&self.hop, &mut self.endpoint)
            && hop.ports.contains(&endpoint.remote.port())
        {
            let port = hop.draw(entropy, endpoint.remote.port());
            endpoint.remote.set_port(port);
        }
    }

    /// Takes a port of the range in place of the one that the configuration names.
    pub(crate) fn begin_hopping(&mut self, entropy: &mut Entropy) {
        if let (Some(hop), Some(endpoint)) = (&self.hop, &mut self.endpoint) {
            let port = hop.draw(entropy, endpoint.remote.port());
            endpoint.remote.set_port(port);
        }
    }

    /// Whether a message from there is from where the peer is already: an answer may come from a port that was left a moment ago.
    #[inline]
    pub(crate) fn is_at(&self, there: Endpoint) -> bool {
        self.endpoint.is_some_and(|here| {
            here == there
                || self
                    .hop
                    .as_ref()
                    .is_some_and(|hop| here.local == there.local && hop.is_same_place(here, there))
        })
    }

    /// How long the port is kept this time, if it is to be changed at all.
    pub(crate) fn draw_stay(&self, entropy: &mut Entropy) -> Option<Duration> {
        let every = self.hop.as_ref()?.every?;
        Some(every.draw(entropy))
    }
}
