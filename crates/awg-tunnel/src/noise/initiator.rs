//! The initiator's side.

use snow::HandshakeState;
use zeroize::Zeroizing;

use super::{FIRST_SIZE, Identity, SECOND_SIZE, SessionKeys, Unopened, builder};
use crate::keys::{PresharedKey, PublicKey};
use crate::tai64n::Timestamp;
use crate::wiped::Wiped;

/// A handshake whose first message is made.
pub(crate) struct Initiator(Wiped<HandshakeState>);

impl Initiator {
    /// Makes the first message.
    ///
    /// # Errors
    /// [`Unopened`] where the peer's key is a low-order point.
    pub(crate) fn begin(
        identity: &Identity,
        peer: &PublicKey,
        preshared_key: &PresharedKey,
        ephemeral: Zeroizing<[u8; 32]>,
        timestamp: Timestamp,
    ) -> Result<(Self, [u8; FIRST_SIZE]), Unopened> {
        let mut state = Wiped::new(
            builder(ephemeral, identity)?
                .remote_public_key(peer.as_bytes())?
                .psk(2, preshared_key.as_bytes())?
                .build_initiator()?,
        );
        let mut message = [0; FIRST_SIZE];
        state.write_message(&timestamp.0, &mut message)?;
        Ok((Self(state), message))
    }

    /// Reads the second message. A state that failed to read one is spent, so this takes it.
    ///
    /// # Errors
    /// [`Unopened`]: not the peer's answer to our first message, or another preshared key.
    pub(crate) fn finish(mut self, response: &[u8; SECOND_SIZE]) -> Result<SessionKeys, Unopened> {
        self.0.read_message(response, &mut [])?;
        Ok(SessionKeys::of(&mut self.0))
    }

    #[cfg(test)]
    pub(crate) fn hash(&self) -> &[u8] {
        self.0.get_handshake_hash()
    }
}
