//! Messages taken apart and put together by somebody who knows the keys: for tests against other implementations and for tools
//! that look into a recording. Behind the feature `inspection`, which no part of a product turns on.
//!
//! The bytes are made by the same code as a tunnel's own (`message`, `noise`, `mac`): a message that was read and
//! is made again of what was read is the same to the last byte, or one of the two is wrong. What a message has around it, padding
//! and the place where it begins, is [`awg_obfuscation`]'s business. Specification: the WireGuard whitepaper, section 5.4.

mod cookie_reply;
mod initiation;
mod response;
mod session;
mod transport;

pub use cookie_reply::CookieReply;
pub use initiation::{Initiation, Pending};
pub use response::Response;
pub use session::{Held, SessionKeys};
pub use transport::Transport;

use crate::mac;
use crate::message::MAC_SIZE;
use crate::noise::Identity;
use crate::{PrivateKey, PublicKey};

/// The bytes are no message of that kind, or not made with these keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message of that kind, or other keys")]
pub struct Unreadable;

/// A MAC or a cookie.
pub type Mac = [u8; MAC_SIZE];

/// Fills in mac1 of a handshake message for the owner of `to`, and mac2 where there is a cookie; else mac2 is zero.
///
/// # Errors
/// [`Unreadable`]: the message is neither an initiation nor a response by its size.
pub fn authenticate_message(
    message: &mut [u8],
    to: &PublicKey,
    cookie: Option<&Mac>,
) -> Result<(), Unreadable> {
    if let Ok(message) = <&mut [u8; crate::message::Initiation::SIZE]>::try_from(&mut *message) {
        authenticate(message, to, cookie);
    } else {
        let message: &mut [u8; crate::message::Response::SIZE] =
            message.try_into().map_err(|_| Unreadable)?;
        authenticate(message, to, cookie);
    }
    Ok(())
}

/// The public key that belongs to an ephemeral private key, as it stands in a message.
pub fn ephemeral_public(private: &[u8; 32]) -> [u8; 32] {
    *PrivateKey::from_bytes(*private).public_key().as_bytes()
}

/// The timestamp of an initiation made at a Unix time, blurred as on the wire.
pub fn timestamp(unix: std::time::Duration) -> [u8; 12] {
    crate::tai64n::Timestamp::from_unix(unix).0
}

/// The cookie that the holder of `secret` gives to `source`.
pub fn cookie(secret: &[u8; 32], source: std::net::SocketAddr) -> Mac {
    crate::cookie::cookie(secret, source)
}

fn identity(private: &PrivateKey) -> Identity {
    Identity {
        private: private.clone(),
        public: private.public_key(),
    }
}

/// Fills in mac1 for the owner of `to`, and mac2 where there is a cookie; else mac2 is zero.
fn authenticate<const SIZE: usize>(message: &mut [u8; SIZE], to: &PublicKey, cookie: Option<&Mac>) {
    let (mac1_at, mac2_at) = (SIZE - 2 * MAC_SIZE, SIZE - MAC_SIZE);
    let mac1 = mac::mac(&mac::mac1_key(to), &message[..mac1_at]);
    message[mac1_at..mac2_at].copy_from_slice(&mac1);
    let mac2 = cookie.map_or([0; MAC_SIZE], |cookie| {
        mac::mac(cookie, &message[..mac2_at])
    });
    message[mac2_at..].copy_from_slice(&mac2);
}

/// The last two fields of a handshake message.
fn macs<const SIZE: usize>(message: &[u8; SIZE]) -> (Mac, Mac) {
    let mut mac1 = [0; MAC_SIZE];
    let mut mac2 = [0; MAC_SIZE];
    mac1.copy_from_slice(&message[SIZE - 2 * MAC_SIZE..SIZE - MAC_SIZE]);
    mac2.copy_from_slice(&message[SIZE - MAC_SIZE..]);
    (mac1, mac2)
}

fn type_word(message: &[u8]) -> Result<u32, Unreadable> {
    let word = message.first_chunk().ok_or(Unreadable)?;
    Ok(u32::from_le_bytes(*word))
}
