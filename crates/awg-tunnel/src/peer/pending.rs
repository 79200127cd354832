//! An initiation of ours that waits for its response.

use zeroize::Zeroizing;

use crate::keys::{PresharedKey, PublicKey};
use crate::message::{Initiation, Response};
use crate::noise::{Identity, Initiator, SessionKeys, Unopened};
use crate::tai64n::Timestamp;

/// The handshake's state, and what it was made of.
pub(crate) struct Pending {
    local_index: u32,
    noise: Option<Initiator>,
    ephemeral: Zeroizing<[u8; 32]>,
    timestamp: Timestamp,
    forgeries: u8,
}

impl Pending {
    /// How many false responses one initiation survives.
    const MAX_FORGERIES: u8 = 16;

    /// Starts a handshake; gives its message without MACs.
    pub(crate) fn begin(
        identity: &Identity,
        peer: &PublicKey,
        preshared_key: &PresharedKey,
        ephemeral: Zeroizing<[u8; 32]>,
        timestamp: Timestamp,
        type_word: u32,
        local_index: u32,
    ) -> Result<(Self, Initiation), Unopened> {
        let (noise, message) =
            Initiator::begin(identity, peer, preshared_key, ephemeral.clone(), timestamp)?;
        let pending = Self {
            local_index,
            noise: Some(noise),
            ephemeral,
            timestamp,
            forgeries: 0,
        };
        Ok((pending, Initiation::new(type_word, local_index, &message)))
    }

    /// What the response must be addressed to.
    pub(crate) fn local_index(&self) -> u32 {
        self.local_index
    }

    /// Tries a response.
    ///
    /// Whoever sees the initiation can send a false response, and a Noise state that read one is spent; so the state is then made
    /// again out of the same parts, and the true response is still taken when it comes.
    pub(crate) fn finish(
        &mut self,
        identity: &Identity,
        peer: &PublicKey,
        preshared_key: &PresharedKey,
        response: &Response,
    ) -> Result<SessionKeys, Unopened> {
        let noise = self.noise.take().ok_or(Unopened)?;
        let keys = noise.finish(response.noise());
        if keys.is_err() && self.forgeries < Self::MAX_FORGERIES {
            self.forgeries += 1;
            let again = Initiator::begin(
                identity,
                peer,
                preshared_key,
                self.ephemeral.clone(),
                self.timestamp,
            );
            self.noise = again.ok().map(|(noise, _)| noise);
        }
        keys
    }
}
