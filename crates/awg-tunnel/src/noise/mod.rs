//! The Noise handshake `IKpsk2` (whitepaper section 5.4, `device/noise-protocol.go`), by `snow`.
//!
//! Pure: keys, ephemeral and timestamp in, bytes and session keys out. Type words, indices and MACs are not Noise's; they are in
//! `message` and `mac`. The primitives are given to `snow` by this module, so that the ephemeral key is the caller's, keys are
//! wiped, and low-order points are refused.

mod blake2s;
mod chacha20poly1305;
mod initiator;
mod primitives;
mod responder;
#[cfg(test)]
mod tests;
mod x25519;

use std::sync::LazyLock;

use snow::Builder;
use snow::params::NoiseParams;
use zeroize::Zeroizing;

use crate::keys::{PrivateKey, PublicKey};
use primitives::Primitives;

pub(crate) use initiator::Initiator;
pub(crate) use responder::Responder;

/// Bytes of Noise's first message: ephemeral, sealed static key, sealed timestamp.
pub(crate) const FIRST_SIZE: usize = 32 + 48 + 28;
/// Bytes of Noise's second message: ephemeral, sealed nothing.
pub(crate) const SECOND_SIZE: usize = 32 + 16;

const PROLOGUE: &[u8] = b"WireGuard v1 zx2c4 Jason@zx2c4.com";
static PATTERN: LazyLock<NoiseParams> = LazyLock::new(|| {
    "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
        .parse()
        .expect("the name of a pattern that snow has")
});

/// Our own pair.
pub(crate) struct Identity {
    pub(crate) private: PrivateKey,
    pub(crate) public: PublicKey,
}

/// The two keys that a handshake gives.
pub(crate) struct SessionKeys {
    /// Seals what the initiator sends.
    pub(crate) initiator_to_responder: Zeroizing<[u8; 32]>,
    /// Seals what the responder sends.
    pub(crate) responder_to_initiator: Zeroizing<[u8; 32]>,
}

impl SessionKeys {
    fn of(state: &mut snow::HandshakeState) -> Self {
        let (initiator_to_responder, responder_to_initiator) = state.dangerously_get_raw_split();
        Self {
            initiator_to_responder: Zeroizing::new(initiator_to_responder),
            responder_to_initiator: Zeroizing::new(responder_to_initiator),
        }
    }
}

/// The message does not open, or a key in it is a low-order point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the handshake message does not open")]
pub(crate) struct Unopened;

impl From<snow::Error> for Unopened {
    fn from(_: snow::Error) -> Self {
        Self
    }
}

fn builder(
    ephemeral: Zeroizing<[u8; 32]>,
    identity: &Identity,
) -> Result<Builder<'_>, snow::Error> {
    Builder::with_resolver(PATTERN.clone(), Box::new(Primitives::new(ephemeral)))
        .prologue(PROLOGUE)?
        .local_private_key(identity.private.as_bytes())
}
