//! What a packet costs beyond its encryption: seals and opens packets of 1,420 bytes, and prints the times as multiples of what
//! `ring` alone takes for the same bytes in the same run.
//!
//! `cargo run --release -p awg-tunnel --example packet_cost [peers]`

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use awg_tunnel::{Now, Parameters, PeerConfig, PeerId, PrivateKey, Seal, Tunnel, TunnelConfig};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

const PACKET: usize = 1420;
/// Few enough to stay in the cache, as the batches of a loop do.
const BATCH: usize = 64;
const ROUNDS: usize = 3000;
/// Above the packet, so that there is room for what content is padded with.
const MTU: u16 = 1480;
const VERSION_3: [(&str, &str); 8] = [
    (
        "HeaderProtectionKey",
        "cLfc8enkw2a01FGI5gD9Gv69+49YuvNioq96svN59MA=",
    ),
    ("ContentPaddingAddition", "0-60"),
    ("RandomTrailers", "true"),
    ("S1", "16"),
    ("S2", "16"),
    ("S3", "16"),
    ("S4", "16"),
    ("H4", "3000000000-4294967295"),
];

fn main() {
    let peers = std::env::args()
        .nth(1)
        .map_or(1, |count| count.parse().expect("a number of peers"));
    let now = Now {
        instant: Instant::now(),
        unix: Duration::from_hours(500_000),
    };
    let mut pairs = [
        ("plain", Pair::new(now, &[], peers)),
        (
            "S4 = 16 and an H4 range",
            Pair::new(now, &[("S4", "16"), ("H4", "3000000000-4294967295")], peers),
        ),
        ("the same and all of 3.x", Pair::new(now, &VERSION_3, peers)),
    ];
    let mut bare = Bare::new();
    let mut alone = Times::NONE;
    let mut times = [Times::NONE; 3];
    // Interleaved, and the least of many: what disturbs one round does not disturb all.
    for _ in 0..ROUNDS {
        alone = alone.least(bare.round());
        for ((_, pair), times) in pairs.iter_mut().zip(&mut times) {
            *times = times.least(pair.round(now));
        }
    }
    println!(
        "ring alone: seal {:.0} ns, open {:.0} ns for {PACKET} bytes",
        alone.seal, alone.open
    );
    for ((name, _), times) in pairs.iter().zip(times) {
        println!(
            "{name}, {peers} peers: seal {:.2} times, open {:.2} times that ({:+.0} ns, {:+.0} ns)",
            times.seal / alone.seal,
            times.open / alone.open,
            times.seal - alone.seal,
            times.open - alone.open
        );
    }
}

/// Nanoseconds for a packet.
#[derive(Clone, Copy)]
struct Times {
    seal: f64,
    open: f64,
}

impl Times {
    const NONE: Self = Self {
        seal: f64::INFINITY,
        open: f64::INFINITY,
    };

    fn least(self, other: Self) -> Self {
        Self {
            seal: self.seal.min(other.seal),
            open: self.open.min(other.open),
        }
    }
}

fn each(start: Instant) -> f64 {
    start.elapsed().as_nanos() as f64 / BATCH as f64
}

/// The cipher and nothing else.
struct Bare {
    key: LessSafeKey,
    buffers: Vec<Vec<u8>>,
}

impl Bare {
    fn new() -> Self {
        Self {
            key: LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).expect("32 bytes")),
            buffers: vec![vec![0; PACKET + 16]; BATCH],
        }
    }

    fn round(&mut self) -> Times {
        let start = Instant::now();
        for buffer in &mut self.buffers {
            let (content, tag) = buffer.split_at_mut(PACKET);
            let nonce = Nonce::assume_unique_for_key([0; 12]);
            let made = self
                .key
                .seal_in_place_separate_tag(nonce, Aad::empty(), content)
                .expect("sealed");
            tag.copy_from_slice(made.as_ref());
        }
        let seal = each(start);
        let start = Instant::now();
        for buffer in &mut self.buffers {
            let nonce = Nonce::assume_unique_for_key([0; 12]);
            let opened = self.key.open_in_place(nonce, Aad::empty(), buffer);
            black_box(opened.expect("opened"));
        }
        Times {
            seal,
            open: each(start),
        }
    }
}

/// Two tunnels with a session.
struct Pair {
    sender: Tunnel,
    receiver: Tunnel,
    to: PeerId,
    packet: Vec<u8>,
    datagrams: Vec<Vec<u8>>,
    /// Of the datagrams as they were sealed.
    sizes: [usize; BATCH],
}

impl Pair {
    fn new(now: Now, settings: &[(&str, &str)], peers: u32) -> Self {
        let mut sender = tunnel(now, settings, 0);
        let mut receiver = tunnel(now, settings, 1);
        let to = add(&mut sender, now, 1, Ipv4Addr::new(10, 1, 0, 1));
        add(&mut receiver, now, 0, Ipv4Addr::new(10, 0, 0, 1));
        for number in 1..peers {
            let inner = Ipv4Addr::from_bits(0x0b00_0000 + number);
            add(&mut receiver, now, number + 1, inner);
        }
        let mut datagram = Vec::new();
        sender.connect(now, to);
        for _ in 0..2 {
            while sender.poll_transmit(now, &mut datagram).is_some() {
                receiver.handle_datagram(now, address(0), &mut datagram);
            }
            while receiver.poll_transmit(now, &mut datagram).is_some() {
                sender.handle_datagram(now, address(1), &mut datagram);
            }
        }
        let mut packet = vec![0; PACKET];
        packet[0] = 0x45;
        packet[2..4].copy_from_slice(&(PACKET as u16).to_be_bytes());
        packet[12..16].copy_from_slice(&[10, 0, 0, 1]);
        let datagrams = vec![vec![0; sender.sealed_len(to, PACKET)]; BATCH];
        Self {
            sender,
            receiver,
            to,
            packet,
            datagrams,
            sizes: [0; BATCH],
        }
    }

    fn round(&mut self, now: Now) -> Times {
        let headroom = self.sender.headroom(self.to);
        for datagram in &mut self.datagrams {
            datagram[headroom..headroom + PACKET].copy_from_slice(&self.packet);
        }
        let start = Instant::now();
        for (datagram, size) in self.datagrams.iter_mut().zip(&mut self.sizes) {
            let seal = self.sender.seal(now, self.to, datagram, PACKET);
            let Seal::Sealed { len, .. } = seal else {
                panic!("{seal:?}");
            };
            *size = len;
        }
        let seal = each(start);
        let start = Instant::now();
        for (datagram, size) in self.datagrams.iter_mut().zip(&self.sizes) {
            let datagram = &mut datagram[..*size];
            let inbound = self.receiver.handle_datagram(now, address(0), datagram);
            assert!(inbound.is_some());
        }
        Times {
            seal,
            open: each(start),
        }
    }
}

fn tunnel(now: Now, settings: &[(&str, &str)], end: u32) -> Tunnel {
    let parameters = Parameters::from_settings(settings.iter().copied()).expect("sound parameters");
    Tunnel::new(TunnelConfig::new(key(end), parameters, MTU), [7; 32], now)
        .expect("a sound configuration")
}

fn add(tunnel: &mut Tunnel, now: Now, number: u32, inner: Ipv4Addr) -> PeerId {
    let config = PeerConfig {
        endpoint: Some(address(number).into()),
        allowed_ips: vec![IpAddr::from(inner).into()],
        ..PeerConfig::new(key(number).public_key())
    };
    tunnel.add_peer(now, config).expect("a sound peer")
}

fn key(number: u32) -> PrivateKey {
    let mut bytes = [0x42; 32];
    bytes[4..8].copy_from_slice(&number.to_le_bytes());
    PrivateKey::from_bytes(bytes)
}

fn address(number: u32) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from_bits(0xc000_0200 + number), 51820))
}
