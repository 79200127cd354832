//! The up to three sessions of a peer: the one in use, the one before it, whose last messages may still come, and the one that a
//! responder made and the initiator has not used yet (`BeginSymmetricSession`, `ReceivedWithKeypair`).

use super::{Keypair, Role};

/// Which session a message came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The one that sends.
    Current,
    /// The one before.
    Previous,
    /// Made by us as responder, not confirmed by a message yet.
    Next,
}

/// A peer's sessions.
#[derive(Default)]
pub(crate) struct Rotation {
    current: Option<Box<Keypair>>,
    previous: Option<Box<Keypair>>,
    next: Option<Box<Keypair>>,
}

impl Rotation {
    /// The session that sends.
    pub(crate) fn current(&self) -> Option<&Keypair> {
        self.current.as_deref()
    }

    /// The session that sends.
    pub(crate) fn current_mut(&mut self) -> Option<&mut Keypair> {
        self.current.as_deref_mut()
    }

    /// The session whose index the peer sent.
    pub(crate) fn find_mut(&mut self, local_index: u32) -> Option<(Slot, &mut Keypair)> {
        [
            (Slot::Current, &mut self.current),
            (Slot::Next, &mut self.next),
            (Slot::Previous, &mut self.previous),
        ]
        .into_iter()
        .find_map(|(slot, keypair)| {
            keypair
                .as_deref_mut()
                .filter(|keypair| keypair.local_index() == local_index)
                .map(|keypair| (slot, keypair))
        })
    }

    /// Puts a new session in its place. Gives the indices of those that end by it.
    pub(crate) fn begin(&mut self, keypair: Box<Keypair>) -> impl Iterator<Item = u32> + use<> {
        let ended = match keypair.role() {
            // The response proves that the peer has it: it is used at once. An unconfirmed one of ours may be the peer's current.
            Role::Initiator => {
                let old = self.current.replace(keypair);
                match self.next.take() {
                    Some(next) => [old, self.previous.replace(next)],
                    None => [std::mem::replace(&mut self.previous, old), None],
                }
            }
            // It is not known yet whether the initiator got our response.
            Role::Responder => [self.next.replace(keypair), self.previous.take()],
        };
        ended
            .map(|keypair| keypair.map(|keypair| keypair.local_index()))
            .into_iter()
            .flatten()
    }

    /// The initiator used the next session: it becomes the current one. Gives the index of the one that ends by it.
    pub(crate) fn confirm(&mut self) -> Option<u32> {
        let next = self.next.take()?;
        let old = self.current.replace(next);
        let ended = std::mem::replace(&mut self.previous, old);
        ended.map(|keypair| keypair.local_index())
    }

    /// Which there are.
    #[cfg(feature = "inspection")]
    pub(crate) fn held(&self) -> crate::inspection::Held {
        crate::inspection::Held {
            current: self.current.is_some(),
            previous: self.previous.is_some(),
            next: self.next.is_some(),
        }
    }

    /// Ends all; gives their indices.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = u32> + use<> {
        [self.current.take(), self.previous.take(), self.next.take()]
            .map(|keypair| keypair.map(|keypair| keypair.local_index()))
            .into_iter()
            .flatten()
    }
}
