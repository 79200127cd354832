//! Our end: a tunnel of `awg-tunnel`, its clock a number.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use awg_tunnel::{Interval, Now, PeerConfig, PeerId, Seal, Tunnel, TunnelConfig};

use crate::end::{End, Happening, Held, START, Setup};
use crate::wish::parameters;

/// A tunnel, and what surrounds it.
pub struct Ours {
    start: Instant,
    elapsed: Duration,
    tunnel: Option<Tunnel>,
    peers: Vec<PeerId>,
    happened: Vec<Happening>,
}

impl Default for Ours {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            elapsed: Duration::ZERO,
            tunnel: None,
            peers: Vec::new(),
            happened: Vec::new(),
        }
    }
}

impl Ours {
    fn now(&self) -> Now {
        Now {
            instant: self.start + self.elapsed,
            unix: START + self.elapsed,
        }
    }

    fn drain(&mut self) {
        let now = self.now();
        let Some(tunnel) = &mut self.tunnel else {
            return;
        };
        let mut datagram = Vec::new();
        while let Some(to) = tunnel.poll_transmit(now, &mut datagram) {
            self.happened.push(Happening::Sent {
                at: self.elapsed,
                to: to.remote,
                datagram: datagram.clone(),
            });
        }
        while tunnel.poll_event().is_some() {}
    }
}

fn destination(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => Some(IpAddr::from(*packet.get(16..)?.first_chunk::<4>()?)),
        6 => Some(IpAddr::from(*packet.get(24..)?.first_chunk::<16>()?)),
        _ => None,
    }
}

impl End for Ours {
    fn open(&mut self, setup: &Setup) -> Result<(), String> {
        self.tunnel = None;
        self.peers.clear();
        let parameters = parameters(&setup.parameters)?;
        let config = TunnelConfig::new(setup.private_key.clone(), parameters, setup.mtu);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&setup.seed.to_le_bytes());
        let now = self.now();
        let mut tunnel = Tunnel::new(config, seed, now).map_err(|error| error.to_string())?;
        for peer in &setup.peers {
            let networks: Result<Vec<_>, _> =
                peer.allowed_ips.iter().map(|text| text.parse()).collect();
            let config = PeerConfig {
                preshared_key: peer.preshared_key.clone(),
                endpoint: peer.endpoint.map(Into::into),
                allowed_ips: networks.map_err(|_| "not a network".to_owned())?,
                persistent_keepalive: peer
                    .persistent_keepalive
                    .and_then(|seconds| Interval::every(seconds.into())),
                ..PeerConfig::new(peer.public_key)
            };
            let id = tunnel
                .add_peer(now, config)
                .map_err(|error| error.to_string())?;
            self.peers.push(id);
        }
        self.tunnel = Some(tunnel);
        self.drain();
        Ok(())
    }

    fn advance(&mut self, by: Duration) {
        let end = self.elapsed + by;
        while let Some(at) = self
            .tunnel
            .as_ref()
            .and_then(Tunnel::next_timeout)
            .filter(|at| *at <= self.start + end)
        {
            self.elapsed = self.elapsed.max(at - self.start);
            let now = self.now();
            if let Some(tunnel) = &mut self.tunnel {
                tunnel.handle_timeout(now);
            }
            self.drain();
        }
        self.elapsed = end;
    }

    fn receive(&mut self, from: SocketAddr, datagrams: &[Vec<u8>]) {
        let now = self.now();
        for datagram in datagrams {
            let mut datagram = datagram.clone();
            if let Some(tunnel) = &mut self.tunnel
                && let Some(inbound) = tunnel.handle_datagram(now, from, &mut datagram)
            {
                self.happened.push(Happening::Delivered {
                    at: self.elapsed,
                    packet: inbound.packet.to_vec(),
                });
            }
            self.drain();
        }
    }

    fn send(&mut self, packets: &[Vec<u8>]) -> Result<(), String> {
        let now = self.now();
        for packet in packets {
            let Some(tunnel) = &mut self.tunnel else {
                return Err("nothing is open".to_owned());
            };
            let Some(peer) = destination(packet).and_then(|address| tunnel.route(address)) else {
                continue;
            };
            let headroom = tunnel.headroom(peer);
            let mut datagram = vec![0; tunnel.sealed_len(peer, packet.len())];
            datagram[headroom..headroom + packet.len()].copy_from_slice(packet);
            if let Seal::Sealed { to, len } = tunnel.seal(now, peer, &mut datagram, packet.len()) {
                datagram.truncate(len);
                self.happened.push(Happening::Sent {
                    at: self.elapsed,
                    to: to.remote,
                    datagram,
                });
            }
            self.drain();
        }
        Ok(())
    }

    fn set_counter(&mut self, counter: u64) {
        if let (Some(tunnel), Some(peer)) = (&mut self.tunnel, self.peers.first()) {
            assert!(tunnel.set_counter(*peer, counter), "there is no session");
        }
    }

    fn held(&mut self) -> Held {
        let (Some(tunnel), Some(peer)) = (&self.tunnel, self.peers.first()) else {
            return Held::default();
        };
        tunnel.held(*peer)
    }

    fn take(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happened)
    }
}
