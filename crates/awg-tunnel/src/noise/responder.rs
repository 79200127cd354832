//! The responder's side.

use snow::HandshakeState;
use zeroize::Zeroizing;

use super::{FIRST_SIZE, Identity, SECOND_SIZE, SessionKeys, Unopened, builder};
use crate::keys::{PresharedKey, PublicKey};
use crate::tai64n::{TIMESTAMP_SIZE, Timestamp};
use crate::wiped::Wiped;

/// A handshake whose first message was read.
pub(crate) struct Responder(Wiped<HandshakeState>);

impl Responder {
    /// Reads the first message: who sent it, and the sender's clock. Whether that peer is known is the caller's to say.
    ///
    /// # Errors
    /// [`Unopened`]: not made for our key.
    pub(crate) fn read(
        identity: &Identity,
        ephemeral: Zeroizing<[u8; 32]>,
        message: &[u8; FIRST_SIZE],
    ) -> Result<(Self, PublicKey, Timestamp), Unopened> {
        let mut state = Wiped::new(builder(ephemeral, identity)?.build_responder()?);
        let mut timestamp = [0; TIMESTAMP_SIZE];
        let length = state.read_message(message, &mut timestamp)?;
        let key = state
            .get_remote_static()
            .and_then(|key| key.first_chunk())
            .ok_or(Unopened)?;
        let key = PublicKey::from_bytes(*key);
        if length != TIMESTAMP_SIZE {
            return Err(Unopened);
        }
        Ok((Self(state), key, Timestamp(timestamp)))
    }

    /// Makes the second message and the keys.
    ///
    /// # Errors
    /// [`Unopened`] where the initiator's ephemeral key is a low-order point.
    pub(crate) fn respond(
        mut self,
        preshared_key: &PresharedKey,
    ) -> Result<([u8; SECOND_SIZE], SessionKeys), Unopened> {
        self.0.set_psk(2, preshared_key.as_bytes())?;
        let mut message = [0; SECOND_SIZE];
        self.0.write_message(&[], &mut message)?;
        Ok((message, SessionKeys::of(&mut self.0)))
    }

    #[cfg(test)]
    pub(crate) fn hash(&self) -> &[u8] {
        self.0.get_handshake_hash()
    }
}
