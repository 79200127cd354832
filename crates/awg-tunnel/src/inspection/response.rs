//! The handshake response.

use zeroize::Zeroizing;

use super::{Mac, SessionKeys, Unreadable, authenticate, identity, macs, type_word};
use crate::message::{Initiation as InitiationMessage, Response as Message};
use crate::noise::Responder;
use crate::{PresharedKey, PrivateKey};

/// What stands in a response in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The type word as it is on the wire.
    pub type_word: u32,
    /// The responder's index.
    pub sender: u32,
    /// The initiator's index.
    pub receiver: u32,
    /// The responder's ephemeral public key.
    pub ephemeral: [u8; 32],
    /// The first MAC.
    pub mac1: Mac,
    /// The second MAC: zero without a cookie.
    pub mac2: Mac,
}

impl Response {
    /// Reads the message (92 bytes, without padding). MACs are not judged.
    ///
    /// # Errors
    /// [`Unreadable`]: another size.
    pub fn read(message: &[u8]) -> Result<Self, Unreadable> {
        let message: &[u8; Message::SIZE] = message.try_into().map_err(|_| Unreadable)?;
        let (mac1, mac2) = macs(message);
        let parsed = Message(*message);
        Ok(Self {
            type_word: type_word(message)?,
            sender: parsed.sender(),
            receiver: parsed.receiver(),
            ephemeral: *parsed.noise().first_chunk().ok_or(Unreadable)?,
            mac1,
            mac2,
        })
    }

    /// Makes the response of `responder` to an initiation (148 bytes, without padding), and the session.
    ///
    /// # Errors
    /// [`Unreadable`]: the initiation is none for `responder`.
    pub fn make(
        type_word: u32,
        sender: u32,
        ephemeral_private: &[u8; 32],
        responder: &PrivateKey,
        preshared: &PresharedKey,
        initiation: &[u8],
        cookie: Option<&Mac>,
    ) -> Result<([u8; Message::SIZE], SessionKeys), Unreadable> {
        let initiation: &[u8; InitiationMessage::SIZE] =
            initiation.try_into().map_err(|_| Unreadable)?;
        let initiation = InitiationMessage(*initiation);
        let (state, initiator, _) = Responder::read(
            &identity(responder),
            Zeroizing::new(*ephemeral_private),
            initiation.noise(),
        )
        .map_err(|_| Unreadable)?;
        let (noise, keys) = state.respond(preshared).map_err(|_| Unreadable)?;
        let mut message = Message::new(type_word, sender, initiation.sender(), &noise).0;
        authenticate(&mut message, &initiator, cookie);
        Ok((message, SessionKeys(keys)))
    }
}
