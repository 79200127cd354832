//! The handshake initiation.

use zeroize::Zeroizing;

use super::{Mac, SessionKeys, Unreadable, authenticate, identity, macs, type_word};
use crate::message::{Initiation as Message, Response as ResponseMessage};
use crate::noise::{Initiator, Responder};
use crate::tai64n::Timestamp;
use crate::{PresharedKey, PrivateKey, PublicKey};

/// What an initiation says, with the key that it was made for known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initiation {
    /// The type word as it is on the wire.
    pub type_word: u32,
    /// The initiator's index.
    pub sender: u32,
    /// The initiator's ephemeral public key.
    pub ephemeral: [u8; 32],
    /// The initiator.
    pub initiator: PublicKey,
    /// When it was made, TAI64N.
    pub timestamp: [u8; 12],
    /// The first MAC.
    pub mac1: Mac,
    /// The second MAC: zero without a cookie.
    pub mac2: Mac,
}

/// An initiation that was made and waits for its response.
pub struct Pending(Initiator);

impl Initiation {
    /// Reads the message (148 bytes, without padding) as its responder does. MACs are not judged.
    ///
    /// # Errors
    /// [`Unreadable`]: another size, or made for another key.
    pub fn read(message: &[u8], responder: &PrivateKey) -> Result<Self, Unreadable> {
        let message: &[u8; Message::SIZE] = message.try_into().map_err(|_| Unreadable)?;
        let (mac1, mac2) = macs(message);
        let parsed = Message(*message);
        let unused = Zeroizing::new([1; 32]);
        let (_, initiator, timestamp) =
            Responder::read(&identity(responder), unused, parsed.noise())
                .map_err(|_| Unreadable)?;
        Ok(Self {
            type_word: type_word(message)?,
            sender: parsed.sender(),
            ephemeral: *parsed.noise().first_chunk().ok_or(Unreadable)?,
            initiator,
            timestamp: timestamp.0,
            mac1,
            mac2,
        })
    }

    /// Makes an initiation of `initiator` to `responder`; mac2 is zero without a cookie.
    ///
    /// # Errors
    /// [`Unreadable`] where `responder` is a low-order point.
    #[allow(clippy::too_many_arguments)] // They are the message's fields.
    pub fn make(
        type_word: u32,
        sender: u32,
        ephemeral_private: &[u8; 32],
        initiator: &PrivateKey,
        responder: &PublicKey,
        preshared: &PresharedKey,
        timestamp: &[u8; 12],
        cookie: Option<&Mac>,
    ) -> Result<([u8; Message::SIZE], Pending), Unreadable> {
        let (pending, noise) = Initiator::begin(
            &identity(initiator),
            responder,
            preshared,
            Zeroizing::new(*ephemeral_private),
            Timestamp(*timestamp),
        )
        .map_err(|_| Unreadable)?;
        let mut message = Message::new(type_word, sender, &noise).0;
        authenticate(&mut message, responder, cookie);
        Ok((message, Pending(pending)))
    }
}

impl Pending {
    /// The session that a response (92 bytes, without padding) makes.
    ///
    /// # Errors
    /// [`Unreadable`]: no answer to this initiation.
    pub fn finish(self, response: &[u8]) -> Result<SessionKeys, Unreadable> {
        let response: &[u8; ResponseMessage::SIZE] = response.try_into().map_err(|_| Unreadable)?;
        let keys = self
            .0
            .finish(ResponseMessage(*response).noise())
            .map_err(|_| Unreadable)?;
        Ok(SessionKeys(keys))
    }
}
