//! The keys of a session, and which sessions a peer has.

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

/// Which of a peer's up to three sessions are in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// The one that sends.
    pub current: bool,
    /// The one before it.
    pub previous: bool,
    /// The one that was answered and that the initiator has not used yet.
    pub next: bool,
}
