//! From content to datagram: padding before, header, content, zeros, tag; from handshake message to datagram: padding before,
//! message, trailer (`RoutineEncryption`, `RoutineSequentialSender`, `SendHandshakeInitiation` in `device/send.go`). Header
//! protection comes last. Everything about sizes is here.

use awg_obfuscation::{LARGEST_DATAGRAM, MessageType, Obfuscation, Parameters, TrailerWindow};

use super::config::{TunnelConfig, TunnelError};
use crate::endpoint::Local;
use crate::entropy::Entropy;
use crate::message::{TAG_SIZE, transport};
use crate::peer::{PacketKind, Peer};
use crate::session::Keypair;
use crate::time::Now;
use crate::times::Times;

/// One framing for each obfuscation of a tunnel: at least one.
pub(super) struct Framings(pub(super) Vec<Framing>);

impl Framings {
    /// The least MTU: what every IPv4 host takes (RFC 791).
    const LEAST_MTU: u16 = 68;

    /// Checks a tunnel's obfuscations and its MTU, which must do for each.
    pub(super) fn new(config: &TunnelConfig) -> Result<Self, TunnelError> {
        let sets = 1 + config.further_obfuscation.len();
        if sets > usize::from(u16::MAX) + 1 {
            return Err(TunnelError::TooManyObfuscations(sets));
        }
        let mut framings = Vec::with_capacity(sets);
        let further = &config.further_obfuscation;
        for (place, parameters) in std::iter::once(&config.obfuscation)
            .chain(further)
            .enumerate()
        {
            let obfuscation = obfuscation(place, parameters)?;
            framings.push(Framing::new(obfuscation, config.mtu)?);
        }
        Ok(Self(framings))
    }

    /// Whether there is such a place.
    #[inline]
    pub(super) fn has(&self, local: Local) -> bool {
        usize::from(local.obfuscation) < self.0.len()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// That of a place which [is there](Self::has): every endpoint of a peer and every sender was asked.
    #[inline]
    pub(super) fn at(&self, local: Local) -> &Framing {
        &self.0[usize::from(local.obfuscation)]
    }

    /// The times of a peer: those of the place where it was last heard.
    pub(super) fn times_of(&self, peer: &Peer) -> &Times {
        let local = peer.endpoint.map_or(Local::default(), |to| to.local);
        &self.at(local).times
    }

    /// The most bytes of a datagram with content within the MTU, whatever the obfuscation.
    pub(super) fn largest_sealed(&self) -> usize {
        let full = |framing: &Framing| framing.headroom() + framing.mtu + TAG_SIZE;
        let sizes = self.0.iter().map(full);
        sizes.max().unwrap_or(0)
    }
}

fn obfuscation(place: usize, parameters: &Parameters) -> Result<Obfuscation, TunnelError> {
    Obfuscation::new(parameters.clone()).map_err(|errors| match place {
        0 => TunnelError::Parameters(errors),
        _ => TunnelError::FurtherParameters { place, errors },
    })
}

/// The obfuscation, its times, and the MTU.
pub(super) struct Framing {
    pub(super) obfuscation: Obfuscation,
    pub(super) times: Times,
    pub(super) mtu: usize,
}

impl Framing {
    fn new(obfuscation: Obfuscation, mtu: u16) -> Result<Self, TunnelError> {
        let overhead =
            obfuscation.padding(MessageType::Transport) + transport::HEADER_SIZE + TAG_SIZE;
        let most = LARGEST_DATAGRAM.saturating_sub(overhead as u16);
        if mtu < Framings::LEAST_MTU || mtu > most {
            return Err(TunnelError::Mtu {
                mtu,
                least: Framings::LEAST_MTU,
                most,
            });
        }
        Ok(Self {
            times: Times::new(&obfuscation.parameters().timing),
            obfuscation,
            mtu: usize::from(mtu),
        })
    }

    /// Bytes before the content.
    pub(super) fn headroom(&self) -> usize {
        self.obfuscation.padding(MessageType::Transport) + transport::HEADER_SIZE
    }

    /// The most bytes that the datagram for so much content has.
    #[inline]
    pub(super) fn sealed_len(&self, content: usize, window: TrailerWindow) -> usize {
        let zeros = self
            .obfuscation
            .most_content_padding(content, self.mtu, window);
        self.headroom() + content + zeros + TAG_SIZE
    }

    /// Makes a datagram of the packet that lies at `headroom`, in place; gives its size. The datagram is at least `sealed_len`
    /// long. Nothing is done where the peer has no session.
    #[inline]
    pub(super) fn seal_packet(
        &self,
        now: Now,
        entropy: &mut Entropy,
        peer: &mut Peer,
        datagram: &mut [u8],
        content: usize,
    ) -> Option<usize> {
        let keypair = peer.sessions.current_mut()?;
        peer.window.sent(content);
        let kind = PacketKind {
            at: now.instant,
            obfuscation: peer.endpoint.map_or(0, |to| to.local.obfuscation),
            length: content,
            most: self
                .obfuscation
                .most_content_padding(content, self.mtu, peer.window),
        };
        let zeros = peer.padding.next(kind, || {
            self.obfuscation
                .content_padding(content, self.mtu, peer.window, entropy.rng())
        });
        let headroom = self.headroom();
        let size = headroom + content + zeros + TAG_SIZE;
        let datagram = datagram.get_mut(..size)?;
        datagram[headroom + content..size - TAG_SIZE].fill(0);
        self.seal(
            entropy,
            keypair,
            datagram,
            headroom - transport::HEADER_SIZE,
        );
        Some(size)
    }

    /// Makes a keepalive.
    pub(super) fn seal_keepalive(
        &self,
        entropy: &mut Entropy,
        keypair: &mut Keypair,
        window: TrailerWindow,
        datagram: &mut Vec<u8>,
    ) {
        let padding = self.obfuscation.keepalive_padding();
        let zeros = self
            .obfuscation
            .content_padding(0, self.mtu, window, entropy.rng());
        datagram.clear();
        datagram.resize(padding + transport::KEEPALIVE_SIZE + zeros, 0);
        self.seal(entropy, keypair, datagram, padding);
    }

    /// A handshake message with what is before and behind it.
    pub(super) fn pad(
        &self,
        entropy: &mut Entropy,
        kind: MessageType,
        message: &[u8],
        window: TrailerWindow,
        datagram: &mut Vec<u8>,
    ) {
        let padding = self.obfuscation.padding(kind);
        datagram.clear();
        datagram.resize(padding, 0);
        self.obfuscation.fill_padding(datagram, entropy.rng());
        datagram.extend_from_slice(message);
        self.obfuscation.toggle_protection(kind, padding, datagram);
        let size = datagram.len();
        let trailer = self.obfuscation.trailer(window, size, entropy.rng());
        datagram.resize(size + trailer, 0);
        self.obfuscation
            .fill_padding(&mut datagram[size..], entropy.rng());
    }

    #[inline]
    fn seal(
        &self,
        entropy: &mut Entropy,
        keypair: &mut Keypair,
        datagram: &mut [u8],
        padding: usize,
    ) {
        let size = datagram.len();
        let (before, message) = datagram.split_at_mut(padding);
        self.obfuscation
            .fill_transport_padding(size, before, entropy.rng());
        let type_word = self
            .obfuscation
            .type_word(MessageType::Transport, entropy.rng());
        keypair.seal(type_word, message);
        self.obfuscation
            .toggle_protection(MessageType::Transport, padding, datagram);
    }
}
