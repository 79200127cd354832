//! The initiator's part: MACs on what we send to one peer, and the cookie that the peer gave us.

use std::time::Instant;

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::keys::PublicKey;
use crate::limits::COOKIE_LIFETIME;
use crate::mac;
use crate::message::{CookieReply, MAC_SIZE};

/// What is kept for one peer.
pub(crate) struct CookieJar {
    mac1_key: [u8; 32],
    cookie_key: [u8; 32],
    /// Of the last message sent, until a cookie came for it.
    last_mac1: Option<[u8; MAC_SIZE]>,
    cookie: Option<(Zeroizing<[u8; MAC_SIZE]>, Instant)>,
}

impl CookieJar {
    pub(crate) fn new(peer: &PublicKey) -> Self {
        Self {
            mac1_key: mac::mac1_key(peer),
            cookie_key: mac::cookie_key(peer),
            last_mac1: None,
            cookie: None,
        }
    }

    /// Fills in mac1, and mac2 where there is a cookie that is still good. They cover the type word as it is on the wire.
    pub(crate) fn authenticate<const SIZE: usize>(
        &mut self,
        now: Instant,
        message: &mut [u8; SIZE],
    ) {
        let mac1_at = SIZE - 2 * MAC_SIZE;
        let mac2_at = SIZE - MAC_SIZE;
        let mac1 = mac::mac(&self.mac1_key, &message[..mac1_at]);
        message[mac1_at..mac2_at].copy_from_slice(&mac1);
        self.last_mac1 = Some(mac1);
        if let Some((cookie, received)) = &self.cookie {
            if now.saturating_duration_since(*received) > COOKIE_LIFETIME {
                self.cookie = None;
            } else {
                let mac2 = mac::mac(cookie.as_slice(), &message[..mac2_at]);
                message[mac2_at..].copy_from_slice(&mac2);
            }
        }
    }

    /// Takes the cookie out of a reply to the last message sent. A reply is taken once. Says whether it was one.
    pub(crate) fn accept(&mut self, now: Instant, reply: &CookieReply) -> bool {
        let Some(mac1) = &self.last_mac1 else {
            return false;
        };
        let (sealed, tag) = reply.sealed().split_at(MAC_SIZE);
        let mut cookie = Zeroizing::new([0; MAC_SIZE]);
        cookie.copy_from_slice(sealed);
        let opened = XChaCha20Poly1305::new(&self.cookie_key.into()).decrypt_in_place_detached(
            reply.nonce().into(),
            mac1,
            cookie.as_mut_slice(),
            Tag::from_slice(tag),
        );
        if opened.is_err() {
            return false;
        }
        self.cookie = Some((cookie, now));
        self.last_mac1 = None;
        true
    }

    #[cfg(test)]
    pub(crate) fn cookie(&self) -> Option<&[u8; MAC_SIZE]> {
        self.cookie.as_ref().map(|(cookie, _)| &**cookie)
    }
}
