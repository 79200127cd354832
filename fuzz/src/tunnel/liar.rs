//! One who talks to the tunnel: knows keys, remembers sessions.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use awg_obfuscation::MessageType;
use awg_parity::probe::{Offer, Probe, Session};
use awg_parity::wish::Wish;
use awg_tunnel::inspection::{CookieReply, Mac, authenticate_message};
use awg_tunnel::{PresharedKey, PrivateKey, PublicKey};

use super::moves::Lie;

/// Sessions that are remembered.
const SESSIONS: usize = 6;

/// A peer of the tunnel, or nobody it knows.
pub(super) struct Liar {
    pub(super) probe: Probe,
    pub(super) sessions: VecDeque<Session>,
    pub(super) cookie: Option<Mac>,
    /// Its initiation that waits for a response.
    offer: Option<Offer>,
    /// The tunnel's last initiation to it, with padding.
    pub(super) asked: Option<Vec<u8>>,
}

impl Liar {
    /// The liar of this number. Its key, addresses and what it draws follow from that.
    pub(super) fn new(
        number: u8,
        subject: PublicKey,
        preshared: Option<PresharedKey>,
        settings: &[(String, String)],
    ) -> Self {
        let key = Self::key(number);
        let wish = Wish {
            parameters: settings.to_vec(),
            preshared,
            ..Wish::default()
        };
        Self {
            probe: Probe::new(key, subject, address(number), &wish),
            sessions: VecDeque::new(),
            cookie: None,
            offer: None,
            asked: None,
        }
    }

    pub(super) fn key(number: u8) -> PrivateKey {
        PrivateKey::from_bytes([0x21 + number; 32])
    }

    /// The public half of its key. Computed once: it is most of what a short scenario costs.
    pub(super) fn public(number: u8) -> PublicKey {
        static KEYS: LazyLock<[PublicKey; 3]> =
            LazyLock::new(|| [0, 1, 2].map(|number| Liar::key(number).public_key()));
        KEYS[usize::from(number % 3)]
    }

    /// Keeps a session; the oldest makes room.
    pub(super) fn remember(&mut self, session: Session) {
        if self.sessions.len() == SESSIONS {
            self.sessions.pop_front();
        }
        self.sessions.push_back(session);
    }

    /// Waits for the response to an initiation.
    pub(super) fn wait_for(&mut self, offer: Offer) {
        self.offer = Some(offer);
    }

    /// Listens to what the tunnel sent to it.
    pub(super) fn hear(&mut self, datagram: &[u8]) {
        match self.probe.kind(datagram) {
            Some(MessageType::Initiation) => self.asked = Some(datagram.to_vec()),
            Some(MessageType::Response) => {
                let offer = self.offer.take();
                if let Some(session) = offer.and_then(|offer| self.probe.finish(offer, datagram)) {
                    self.remember(session);
                }
            }
            Some(MessageType::CookieReply) => {
                let message = self.probe.message(MessageType::CookieReply, datagram);
                if let (Some(offer), Some(message)) = (&self.offer, message)
                    && let Some(mac1) = offer.message.get(116..132)
                    && let Ok(mac1) = mac1.try_into()
                    && let Ok(reply) = CookieReply::read(&message, &self.probe.subject, mac1)
                {
                    self.cookie = Some(reply.cookie);
                }
            }
            _ => {}
        }
    }

    /// Does to a datagram what is done to it.
    pub(super) fn lie(&self, lie: &Lie, kind: MessageType, datagram: &mut Vec<u8>) {
        let obfuscation = &self.probe.obfuscation;
        let padding = obfuscation.padding(kind);
        obfuscation.toggle_protection(kind, padding, datagram);
        if let Some(message) = datagram.get_mut(padding..) {
            if let Some((at, xor)) = lie.change
                && let Some(byte) = message.get_mut(usize::from(at))
            {
                *byte ^= xor;
            }
            if lie.authenticate {
                // Nothing but a handshake message has MACs.
                let _ = authenticate_message(message, &self.probe.subject, self.cookie.as_ref());
            }
        }
        obfuscation.toggle_protection(kind, padding, datagram);
        if let Some(cut) = lie.cut {
            datagram.truncate(datagram.len().saturating_sub(cut.into()));
        }
    }
}

/// One of sixteen outer addresses; ports of two of them are no ports.
pub(super) fn address(number: u8) -> SocketAddr {
    let number = number % 16;
    let port = if number > 13 { 0 } else { 1000 };
    if number % 4 == 3 {
        ([0xfd00, 0, 0, 0, 0, 0, 0, number.into()], port).into()
    } else {
        ([192, 0, 2, number], port).into()
    }
}

/// The inner addresses of a liar.
pub(super) fn inner(number: u8, ipv6: bool) -> IpAddr {
    if ipv6 {
        [0xfd01, 0, 0, 0, 0, 0, 0, number.into()].into()
    } else {
        [10, 0, 0, number].into()
    }
}
