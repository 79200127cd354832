//! The responder's part: is mac1 right, is mac2 right, and what cookie answers a message without mac2.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

use crate::entropy::Entropy;
use crate::keys::PublicKey;
use crate::mac;
use crate::message::{CookieReply, MAC_SIZE};
use crate::share::CookieSecret;

/// Our key for mac1 and the changing secret behind cookies.
pub(crate) struct CookieChecker {
    mac1_key: [u8; 32],
    cookie_key: [u8; 32],
    secret: CookieSecret,
}

impl CookieChecker {
    pub(crate) fn new(public: &PublicKey) -> Self {
        Self {
            mac1_key: mac::mac1_key(public),
            cookie_key: mac::cookie_key(public),
            secret: CookieSecret::default(),
        }
    }

    /// From now on cookies are made with the secret that other tunnels of this end have too.
    pub(crate) fn share(&mut self, secret: CookieSecret) {
        self.secret = secret;
    }

    /// Whether mac1 is right: the sender knows our public key.
    pub(crate) fn check_mac1(&self, message: &[u8]) -> bool {
        split(message).is_some_and(|(body, mac1, _)| mac::verify(&self.mac1_key, body, mac1))
    }

    /// Whether mac2 is right: the sender has a cookie that we gave to this address and port within its lifetime.
    pub(crate) fn check_mac2(&self, now: Instant, message: &[u8], from: SocketAddr) -> bool {
        let Some(secret) = self.secret.current(now) else {
            return false;
        };
        let Some((covered, mac2)) = message.split_last_chunk::<MAC_SIZE>() else {
            return false;
        };
        mac::verify(&cookie(secret.as_slice(), from), covered, mac2)
    }

    /// The reply to a message from `from` whose sender index is `receiver`.
    pub(crate) fn reply(
        &mut self,
        now: Instant,
        entropy: &mut Entropy,
        type_word: u32,
        receiver: u32,
        message: &[u8],
        from: SocketAddr,
    ) -> Option<CookieReply> {
        let (_, mac1, _) = split(message)?;
        let nonce = entropy.nonce();
        let secret = self.secret.renewed(now, entropy);
        let mut sealed = [0; CookieReply::SEALED_SIZE];
        let (body, tag) = sealed.split_at_mut(MAC_SIZE);
        body.copy_from_slice(&cookie(secret.as_slice(), from));
        let sealing = XChaCha20Poly1305::new(&self.cookie_key.into())
            .encrypt_in_place_detached(&nonce.into(), mac1, body)
            .ok()?;
        tag.copy_from_slice(&sealing);
        Some(CookieReply::new(type_word, receiver, &nonce, &sealed))
    }

    #[cfg(test)]
    pub(crate) fn set_secret(&mut self, secret: [u8; 32], made: Instant) {
        self.secret.set(secret, made);
    }
}

/// What mac1 covers, mac1, mac2.
fn split(message: &[u8]) -> Option<(&[u8], &[u8; MAC_SIZE], &[u8; MAC_SIZE])> {
    let (rest, mac2) = message.split_last_chunk()?;
    let (body, mac1) = rest.split_last_chunk()?;
    Some((body, mac1, mac2))
}

/// The cookie of an address: its bytes, then the port in little-endian, as the reference has them.
pub(crate) fn cookie(secret: &[u8], from: SocketAddr) -> [u8; MAC_SIZE] {
    let mut source = [0; 18];
    let length = match from.ip() {
        IpAddr::V4(address) => {
            source[..4].copy_from_slice(&address.octets());
            4
        }
        IpAddr::V6(address) => {
            source[..16].copy_from_slice(&address.octets());
            16
        }
    };
    source[length..length + 2].copy_from_slice(&from.port().to_le_bytes());
    mac::mac(secret, &source[..length + 2])
}
