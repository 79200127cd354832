//! The keys of a session.

/// The two keys of a session.
pub struct SessionKeys(pub(super) crate::noise::SessionKeys);

impl SessionKeys {
    /// The key of what the initiator sends.
    pub fn initiator_to_responder(&self) -> &[u8; 32] {
        &self.0.initiator_to_responder
    }

    /// The key of what the responder sends.
    pub fn responder_to_initiator(&self) -> &[u8; 32] {
        &self.0.responder_to_initiator
    }
}
