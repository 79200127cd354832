//! Two tunnels, a link between them that loses, doubles and reorders by a seed, and a clock that jumps from event to event.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant};

use awg_obfuscation::Parameters;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::{
    Endpoint, Event, Inbound, Interval, Local, Now, PeerConfig, PeerId, PortHop, PresharedKey,
    PrivateKey, Seal, Tunnel, TunnelConfig,
};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MTU: u16 = 1420;

/// What the link does to a datagram.
pub(super) struct Faults {
    pub(super) loss: f64,
    pub(super) doubling: f64,
    pub(super) delay: Range<Duration>,
}

impl Faults {
    pub(super) fn none() -> Self {
        let delay = Duration::from_millis(15);
        Self {
            loss: 0.0,
            doubling: 0.0,
            delay: delay..delay + Duration::from_nanos(1),
        }
    }
}

/// How an end is set up.
#[derive(Clone, Default)]
pub(super) struct Setup {
    pub(super) parameters: Parameters,
    pub(super) preshared: Option<PresharedKey>,
    pub(super) keepalive: Option<Interval>,
    pub(super) further: Vec<Parameters>,
    /// Further ports at which it listens, with the obfuscation that is spoken there. The first is 51820 with the first one.
    pub(super) doors: Vec<(u16, u16)>,
    /// Where it looks for the other end, if not at 51820.
    pub(super) port: Option<u16>,
    pub(super) hop: Option<PortHop>,
    pub(super) last_timestamp: Option<[u8; 12]>,
}

/// One end.
pub(super) struct End {
    pub(super) tunnel: Tunnel,
    pub(super) peer: PeerId,
    pub(super) address: SocketAddr,
    /// Sockets beside the one at that address.
    pub(super) doors: Vec<(u16, u16)>,
    /// Subtracted from the wall clock.
    pub(super) clock_back: Duration,
    /// Whether anything reaches it.
    pub(super) deaf: bool,
}

/// A datagram that an end gave out.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) at: Duration,
    pub(super) by: usize,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) datagram: Vec<u8>,
}

pub(super) struct World {
    start: Instant,
    pub(super) elapsed: Duration,
    pub(super) ends: [End; 2],
    pub(super) faults: Faults,
    rng: StdRng,
    wire: BTreeMap<(Duration, u64), Sent>,
    sequence: u64,
    /// Packets delivered: at which end, when, what.
    pub(super) delivered: Vec<(usize, Duration, Vec<u8>)>,
    pub(super) events: Vec<(usize, Duration, Event)>,
    /// Everything given out, also what was lost.
    pub(super) sent: Vec<Sent>,
    pub(super) keep_sent: bool,
}

pub(super) fn key(end: usize) -> PrivateKey {
    PrivateKey::from_bytes([end as u8 + 1; 32])
}

pub(super) fn outer(end: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, end as u8 + 1], 51820))
}

pub(super) fn inner(end: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, end as u8 + 1)
}

/// An IPv4 packet of `length` bytes that carries a number.
pub(super) fn packet(from: Ipv4Addr, to: Ipv4Addr, length: usize, number: u32) -> Vec<u8> {
    let mut packet = vec![0xa5; length.max(24)];
    packet[0] = 0x45;
    let total = packet.len() as u16;
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    packet[12..16].copy_from_slice(&from.octets());
    packet[16..20].copy_from_slice(&to.octets());
    packet[20..24].copy_from_slice(&number.to_be_bytes());
    packet
}

pub(super) fn number_of(packet: &[u8]) -> u32 {
    u32::from_be_bytes(*packet[20..].first_chunk().unwrap())
}

impl End {
    /// The socket at an address, if it is one of this end's.
    fn door(&self, address: SocketAddr) -> Option<Local> {
        if address == self.address {
            return Some(Local::default());
        }
        let place = self
            .doors
            .iter()
            .position(|(port, _)| *port == address.port())
            .filter(|_| address.ip() == self.address.ip())?;
        Some(Local {
            socket: place as u16 + 1,
            obfuscation: self.doors[place].1,
        })
    }

    /// Where what leaves by a socket comes from.
    fn address_of(&self, local: Local) -> SocketAddr {
        match usize::from(local.socket).checked_sub(1) {
            None => self.address,
            Some(place) => SocketAddr::new(self.address.ip(), self.doors[place].0),
        }
    }
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self::with(seed, &Setup::default(), &Setup::default())
    }

    pub(super) fn with(seed: u64, first: &Setup, second: &Setup) -> Self {
        let start = Instant::now();
        let mut world = Self {
            start,
            elapsed: Duration::ZERO,
            ends: [
                make(start, Duration::ZERO, seed, 0, first),
                make(start, Duration::ZERO, seed, 1, second),
            ],
            faults: Faults::none(),
            rng: StdRng::seed_from_u64(seed),
            wire: BTreeMap::new(),
            sequence: 0,
            delivered: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
            keep_sent: true,
        };
        world.pump();
        world
    }

    pub(super) fn now(&self, end: usize) -> Now {
        Now {
            instant: self.start + self.elapsed,
            unix: wall_clock(self.elapsed) - self.ends[end].clock_back,
        }
    }

    /// Starts an end anew, with nothing but its configuration.
    pub(super) fn restart(&mut self, end: usize, setup: &Setup) {
        let address = self.ends[end].address;
        let seed = self.rng.random();
        self.ends[end] = make(self.start, self.elapsed, seed, end, setup);
        self.ends[end].address = address;
        self.pump();
    }

    /// Sends a packet with a number from an end to the other.
    pub(super) fn send(&mut self, end: usize, length: usize, number: u32) -> Seal {
        let packet = packet(inner(end), inner(1 - end), length, number);
        self.send_packet(end, &packet)
    }

    pub(super) fn send_packet(&mut self, end: usize, packet: &[u8]) -> Seal {
        let now = self.now(end);
        let End { tunnel, peer, .. } = &mut self.ends[end];
        let headroom = tunnel.headroom(*peer);
        let mut datagram = vec![0xee; tunnel.sealed_len(*peer, packet.len()) + 7];
        datagram[headroom..headroom + packet.len()].copy_from_slice(packet);
        let seal = tunnel.seal(now, *peer, &mut datagram, packet.len());
        if let Seal::Sealed { to, len } = seal {
            datagram.truncate(len);
            self.give_out(end, to, datagram);
        }
        self.pump();
        seal
    }

    pub(super) fn connect(&mut self, end: usize) {
        let now = self.now(end);
        let End { tunnel, peer, .. } = &mut self.ends[end];
        tunnel.connect(now, *peer);
        self.pump();
    }

    pub(super) fn handshake(&mut self, end: usize) {
        let now = self.now(end);
        let End { tunnel, peer, .. } = &mut self.ends[end];
        tunnel.handshake(now, *peer);
        self.pump();
    }

    /// Gives an end a datagram at once. Says whether it gave out anything for it, or delivered a packet.
    pub(super) fn inject(
        &mut self,
        end: usize,
        from: impl Into<Endpoint>,
        datagram: &[u8],
    ) -> (usize, bool) {
        let now = self.now(end);
        let mut datagram = datagram.to_vec();
        let inbound = self.ends[end]
            .tunnel
            .handle_datagram(now, from, &mut datagram);
        let delivered = inbound.is_some();
        if let Some(Inbound { packet, .. }) = inbound {
            self.delivered.push((end, self.elapsed, packet.to_vec()));
        }
        (self.pump(), delivered)
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.elapsed + time;
        loop {
            let flight = self.wire.first_key_value().map(|((at, _), _)| *at);
            let timeouts = self.ends.iter().filter_map(|end| end.tunnel.next_timeout());
            let timeout = timeouts
                .min()
                .map(|at| at.saturating_duration_since(self.start));
            let Some(next) = flight
                .into_iter()
                .chain(timeout)
                .min()
                .filter(|at| *at <= end)
            else {
                break;
            };
            self.elapsed = self.elapsed.max(next);
            if flight == Some(next) {
                let (_, sent) = self.wire.pop_first().unwrap();
                let doors = self.ends.iter().map(|end| end.door(sent.to));
                if let Some((to, local)) = (0..).zip(doors).find_map(|(end, at)| Some((end, at?)))
                    && !self.ends[to].deaf
                {
                    let remote = sent.from;
                    self.inject(to, Endpoint { remote, local }, &sent.datagram);
                }
            } else {
                for end in 0..2 {
                    let now = self.now(end);
                    self.ends[end].tunnel.handle_timeout(now);
                    let next = self.ends[end].tunnel.next_timeout();
                    assert!(
                        next.is_none_or(|next| next > now.instant),
                        "a deadline stands still"
                    );
                }
                self.pump();
            }
        }
        self.elapsed = end;
    }

    /// Polls both ends until they have nothing; gives how many datagrams came out.
    fn pump(&mut self) -> usize {
        let mut count = 0;
        let mut datagram = Vec::new();
        for end in 0..2 {
            let now = self.now(end);
            while let Some(to) = self.ends[end].tunnel.poll_transmit(now, &mut datagram) {
                count += 1;
                self.give_out(end, to, datagram.clone());
            }
            while let Some(event) = self.ends[end].tunnel.poll_event() {
                self.events.push((end, self.elapsed, event));
            }
        }
        count
    }

    fn give_out(&mut self, by: usize, to: Endpoint, datagram: Vec<u8>) {
        let sent = Sent {
            at: self.elapsed,
            by,
            from: self.ends[by].address_of(to.local),
            to: to.remote,
            datagram,
        };
        let copies = if self.rng.random_bool(self.faults.loss) {
            0
        } else {
            1 + usize::from(self.rng.random_bool(self.faults.doubling))
        };
        for _ in 0..copies {
            let arrives = self.elapsed + self.rng.random_range(self.faults.delay.clone());
            self.sequence += 1;
            self.wire.insert((arrives, self.sequence), sent.clone());
        }
        if self.keep_sent {
            self.sent.push(sent);
        }
    }

    /// What an end gave out from some time on, by size.
    pub(super) fn sent_by(&self, end: usize, size: usize) -> Vec<Sent> {
        let fits = |sent: &&Sent| sent.by == end && sent.datagram.len() == size;
        self.sent.iter().filter(fits).cloned().collect()
    }

    pub(super) fn numbers_at(&self, end: usize) -> Vec<u32> {
        let here = self.delivered.iter().filter(|(at, ..)| *at == end);
        here.map(|(_, _, packet)| number_of(packet)).collect()
    }

    pub(super) fn has_event(&self, end: usize, fits: impl Fn(&Event) -> bool) -> bool {
        self.events
            .iter()
            .any(|(at, _, event)| *at == end && fits(event))
    }

    pub(super) fn count_events(&self, end: usize, fits: impl Fn(&Event) -> bool) -> usize {
        self.events
            .iter()
            .filter(|(at, _, event)| *at == end && fits(event))
            .count()
    }

    pub(super) fn tunnel(&mut self, end: usize) -> &mut Tunnel {
        &mut self.ends[end].tunnel
    }

    /// All counters of drops that are not zero.
    pub(super) fn drops(&self, end: usize) -> Vec<(&'static str, u64)> {
        drops(&self.ends[end].tunnel)
    }
}

pub(super) fn drops(tunnel: &Tunnel) -> Vec<(&'static str, u64)> {
    let all = tunnel.counters().iter();
    all.filter(|(name, count)| name.starts_with("dropped_") && *count > 0)
        .collect()
}

pub(super) fn wall_clock(elapsed: Duration) -> Duration {
    Duration::from_secs(1_800_000_000) + elapsed
}

fn make(start: Instant, elapsed: Duration, seed: u64, end: usize, setup: &Setup) -> End {
    let now = Now {
        instant: start + elapsed,
        unix: wall_clock(elapsed),
    };
    let mut bytes = [end as u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut config = TunnelConfig::new(key(end), setup.parameters.clone(), MTU);
    config.further_obfuscation.clone_from(&setup.further);
    let mut other = outer(1 - end);
    other.set_port(setup.port.unwrap_or(other.port()));
    let mut tunnel = Tunnel::new(config, bytes, now).unwrap();
    let peer = tunnel
        .add_peer(
            now,
            PeerConfig {
                preshared_key: setup.preshared.clone(),
                endpoint: Some(other.into()),
                hop: setup.hop.clone(),
                last_timestamp: setup.last_timestamp,
                allowed_ips: vec![ipnet::IpNet::from(std::net::IpAddr::from(inner(1 - end)))],
                persistent_keepalive: setup.keepalive,
                ..PeerConfig::new(key(1 - end).public_key())
            },
        )
        .unwrap();
    End {
        tunnel,
        peer,
        address: outer(end),
        doors: setup.doors.clone(),
        clock_back: Duration::ZERO,
        deaf: false,
    }
}
