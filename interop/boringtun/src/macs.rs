//! mac1, mac2 and the cookie: all of WireGuard that covers a message's type word, and so has to be made again when it changes.
//!
//! It does not know what the messages are for. WireGuard whitepaper, sections 5.4.4 (MACs) and 5.4.7 (cookie reply).

use blake2::digest::consts::U16;
use blake2::digest::{Digest, FixedOutput, Mac as _};
use blake2::{Blake2s256, Blake2sMac};
use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305};

/// A MAC, or the cookie that mac2 is made with: 16 bytes.
pub(crate) type Mac = [u8; 16];

/// The size of a MAC in bytes.
const SIZE: usize = 16;
/// Where a cookie reply has its nonce: behind the type word and the receiver.
const NONCE: std::ops::Range<usize> = 8..32;

/// The keys that follow from a public key, for what is sent to its owner and for the cookies that its owner gives.
pub(crate) struct MacKeys {
    mac1: [u8; 32],
    cookie: [u8; 32],
}

impl MacKeys {
    /// The keys of this key's owner.
    pub(crate) fn of(public_key: &[u8; 32]) -> Self {
        let hash = |label: &[u8]| {
            Blake2s256::new()
                .chain_update(label)
                .chain_update(public_key)
        };
        Self {
            mac1: hash(b"mac1----").finalize().into(),
            cookie: hash(b"cookie--").finalize().into(),
        }
    }

    /// Whether a handshake message has the right mac1.
    pub(crate) fn has_mac1(&self, message: &[u8]) -> bool {
        split(message).is_some_and(|(covered, mac1, _)| {
            keyed(&self.mac1, covered).is_some_and(|mac| mac.verify_slice(mac1).is_ok())
        })
    }

    /// Makes both MACs of a handshake message; mac2 is zero without a cookie.
    pub(crate) fn authenticate(&self, message: &mut [u8], cookie: Option<&Mac>) -> Option<()> {
        let end = message.len();
        let (covered, _, _) = split(message)?;
        let mac1 = keyed(&self.mac1, covered)?.finalize_fixed();
        message
            .get_mut(end - 2 * SIZE..end - SIZE)?
            .copy_from_slice(&mac1);
        let mac2 = match cookie {
            Some(cookie) => keyed(cookie, message.get(..end - SIZE)?)?.finalize_fixed(),
            None => Mac::default().into(),
        };
        message.get_mut(end - SIZE..)?.copy_from_slice(&mac2);
        Some(())
    }

    /// The cookie in a cookie reply of this key's owner, who answers a message with this mac1.
    pub(crate) fn open_cookie(&self, reply: &[u8], mac1: &Mac) -> Option<Mac> {
        let nonce = reply.get(NONCE)?;
        let (sealed, tag) = reply.get(NONCE.end..)?.split_first_chunk::<SIZE>()?;
        let tag: &Mac = tag.try_into().ok()?;
        let mut cookie = *sealed;
        XChaCha20Poly1305::new(&self.cookie.into())
            .decrypt_in_place_detached(nonce.into(), mac1, &mut cookie, Tag::from_slice(tag))
            .ok()?;
        Some(cookie)
    }

    /// Puts a cookie into a cookie reply, under the nonce that stands there, as answer to a message with this mac1.
    pub(crate) fn seal_cookie(&self, reply: &mut [u8], mac1: &Mac, cookie: &Mac) -> Option<()> {
        let (head, sealed) = reply.split_at_mut_checked(NONCE.end)?;
        let (place, end) = sealed.split_first_chunk_mut::<SIZE>()?;
        *place = *cookie;
        let tag = XChaCha20Poly1305::new(&self.cookie.into())
            .encrypt_in_place_detached(head.get(NONCE)?.into(), mac1, place)
            .ok()?;
        let end: &mut Mac = end.try_into().ok()?;
        end.copy_from_slice(&tag);
        Some(())
    }
}

/// The mac1 of a handshake message, right or wrong.
pub(crate) fn mac1(message: &[u8]) -> Option<Mac> {
    split(message).map(|(_, mac1, _)| *mac1)
}

/// Whether a handshake message has a mac2 at all.
pub(crate) fn claims_a_cookie(message: &[u8]) -> bool {
    split(message).is_some_and(|(_, _, mac2)| *mac2 != Mac::default())
}

/// Whether the mac2 of a handshake message was made with this cookie.
pub(crate) fn has_mac2(message: &[u8], cookie: &Mac) -> bool {
    message
        .split_last_chunk::<SIZE>()
        .is_some_and(|(covered, mac2)| {
            keyed(cookie, covered).is_some_and(|mac| mac.verify_slice(mac2).is_ok())
        })
}

/// A handshake message: what mac1 covers, mac1, mac2.
fn split(message: &[u8]) -> Option<(&[u8], &Mac, &Mac)> {
    let (rest, mac2) = message.split_last_chunk()?;
    let (covered, mac1) = rest.split_last_chunk()?;
    Some((covered, mac1, mac2))
}

/// Keyed BLAKE2s with 16 bytes of output.
fn keyed(key: &[u8], data: &[u8]) -> Option<Blake2sMac<U16>> {
    let mac = <Blake2sMac<U16> as blake2::digest::KeyInit>::new_from_slice(key).ok()?;
    Some(mac.chain_update(data))
}
