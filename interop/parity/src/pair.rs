//! Two devices that talk to each other, with a link between them that loses what it is told to lose.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use awg_tunnel::PrivateKey;

use crate::end::{End, Happening, Peer, Setup};
use crate::packets::{packet, packet6};
use crate::wish::{Wish, probe_key, subject_key};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The device at 192.0.2.1, which knows where the other is.
    A,
    /// The device at 192.0.2.2.
    B,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its key: A has that of a stage's device, B the probe's.
    pub fn key(self) -> PrivateKey {
        match self {
            Self::A => subject_key(),
            Self::B => probe_key(),
        }
    }

    fn address(self) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, self.number()], 51820))
    }

    /// Its inner IPv4 address.
    fn inner(self) -> [u8; 4] {
        [10, 0, 0, self.number()]
    }

    /// Its inner IPv6 address.
    fn inner6(self) -> Ipv6Addr {
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, self.number().into())
    }

    fn number(self) -> u8 {
        match self {
            Self::A => 1,
            Self::B => 2,
        }
    }
}

/// A datagram that went over the link.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Whose it was.
    pub by: Side,
    /// When it was sent, by its device's clock.
    pub at: Duration,
    /// Its content.
    pub datagram: Vec<u8>,
}

/// The two devices and the link. It takes no time; what is sent in answer is sent in the same moment.
pub struct Pair {
    ends: [Box<dyn End>; 2],
    setups: [Setup; 2],
    /// How many of the next datagrams are lost, whoever sends them.
    pub losing: usize,
    /// All that went over the link or was lost there.
    pub passed: Vec<Passed>,
    /// The 32-byte secrets that each drew; only the reference tells.
    pub secrets: [Vec<[u8; 32]>; 2],
    delivered: [Vec<Vec<u8>>; 2],
    numbers: u32,
}

const SLICE: Duration = Duration::from_millis(250);
/// More rounds of answers in one moment than any exchange has.
const MOST_ROUNDS: usize = 50;

impl Pair {
    /// What both are given: the wish's parameters, each the other's peer.
    pub fn setups(wish: &Wish) -> [Setup; 2] {
        Side::BOTH.map(|side| {
            let [inner, inner6] = [
                Ipv4Addr::from(side.other().inner()).to_string(),
                side.other().inner6().to_string(),
            ];
            Setup {
                private_key: side.key(),
                mtu: wish.mtu(),
                parameters: wish.parameters.clone(),
                peers: vec![Peer {
                    public_key: side.other().key().public_key(),
                    preshared_key: wish.preshared.clone(),
                    endpoint: Some(side.other().address()),
                    allowed_ips: vec![format!("{inner}/32"), format!("{inner6}/128")],
                    persistent_keepalive: wish.keepalive,
                }],
                seed: wish.seed + u64::from(side.number()),
            }
        })
    }

    /// Opens both.
    ///
    /// # Errors
    /// Which one refuses its setup, and why.
    pub fn open(mut ends: [Box<dyn End>; 2], setups: [Setup; 2]) -> Result<Self, String> {
        for (side, (end, setup)) in Side::BOTH.iter().zip(ends.iter_mut().zip(&setups)) {
            end.open(setup)
                .map_err(|error| format!("{side:?}: {error}"))?;
        }
        Ok(Self {
            ends,
            setups,
            losing: 0,
            passed: Vec::new(),
            secrets: [Vec::new(), Vec::new()],
            delivered: [Vec::new(), Vec::new()],
            numbers: 0,
        })
    }

    /// One device ends and a new one takes its place.
    ///
    /// # Panics
    /// Where the implementation refuses what it took before.
    pub fn restart(&mut self, side: Side) {
        let setup = &mut self.setups[side as usize];
        setup.seed += 1000;
        self.ends[side as usize]
            .open(setup)
            .expect("it was taken before");
    }

    /// A device sends an IPv4 packet of so many bytes (24 at least), numbered so that no two are alike; gives the packet.
    ///
    /// # Panics
    /// Where it does not survive that.
    pub fn send(&mut self, by: Side, length: usize) -> Vec<u8> {
        let made = packet(by.inner(), by.other().inner(), length.max(24));
        self.send_numbered(by, made, 20)
    }

    /// As `send`, an IPv6 packet (44 bytes at least).
    ///
    /// # Panics
    /// Where it does not survive that.
    pub fn send6(&mut self, by: Side, length: usize) -> Vec<u8> {
        let made = packet6(by.inner6(), by.other().inner6(), length.max(44) - 40);
        self.send_numbered(by, made, 40)
    }

    fn send_numbered(&mut self, by: Side, mut packet: Vec<u8>, at: usize) -> Vec<u8> {
        self.numbers += 1;
        packet[at..at + 4].copy_from_slice(&self.numbers.to_be_bytes());
        self.ends[by as usize]
            .send(std::slice::from_ref(&packet))
            .expect("the device goes on");
        self.exchange();
        packet
    }

    /// Lets time pass, and what becomes due in it be answered.
    pub fn advance(&mut self, by: Duration) {
        let mut left = by;
        while !left.is_zero() {
            let step = left.min(SLICE);
            for end in &mut self.ends {
                end.advance(step);
            }
            left -= step;
            self.exchange();
        }
    }

    /// What a device has delivered since this was last asked.
    pub fn delivered(&mut self, at: Side) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.delivered[at as usize])
    }

    /// Carries datagrams until both have nothing more to say.
    ///
    /// # Panics
    /// Where they never do.
    fn exchange(&mut self) {
        for _ in 0..MOST_ROUNDS {
            let mut quiet = true;
            for by in Side::BOTH {
                let mut arriving = Vec::new();
                for happening in self.ends[by as usize].take() {
                    match happening {
                        Happening::Sent { at, datagram, .. } => {
                            self.passed.push(Passed {
                                by,
                                at,
                                datagram: datagram.clone(),
                            });
                            if self.losing > 0 {
                                self.losing -= 1;
                            } else {
                                arriving.push(datagram);
                            }
                        }
                        Happening::Delivered { packet, .. } => {
                            self.delivered[by as usize].push(packet);
                        }
                        Happening::Secret(secret) => self.secrets[by as usize].push(secret),
                    }
                }
                if !arriving.is_empty() {
                    quiet = false;
                    self.ends[by.other() as usize].receive(by.address(), &arriving);
                }
            }
            if quiet {
                return;
            }
        }
        panic!("the two answer each other for ever");
    }
}
