//! One session: its keys, counters and age.

use std::time::{Duration, Instant};

use super::Role;
use super::replay::ReplayWindow;
use crate::cipher::Cipher;
use crate::entropy::Entropy;
use crate::limits::{REJECT_AFTER_MESSAGES, REKEY_AFTER_MESSAGES};
use crate::message::{TAG_SIZE, transport};
use crate::noise::SessionKeys;
use crate::times::Times;
use crate::wiped::Wiped;

/// A session. Sealing and opening happen in place and allocate nothing.
pub(crate) struct Keypair {
    keys: Wiped<Keys>,
    replay: ReplayWindow,
    /// The counter of the next message.
    counter: u64,
    role: Role,
    created: Instant,
    expires: Instant,
    /// What the peer puts into its messages.
    local_index: u32,
    /// What we put into ours.
    remote_index: u32,
}

struct Keys {
    send: Cipher,
    receive: Cipher,
}

/// Why a transport message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The session is older than it may be.
    Expired,
    /// Its counter is past the limit.
    CounterLimit,
    /// Its counter came before, or is too old to tell.
    Replayed,
    /// It does not authenticate.
    Forged,
}

impl Keypair {
    pub(crate) fn new(
        keys: &SessionKeys,
        role: Role,
        created: Instant,
        times: &Times,
        local_index: u32,
        remote_index: u32,
    ) -> Self {
        let (send, receive) = match role {
            Role::Initiator => (&keys.initiator_to_responder, &keys.responder_to_initiator),
            Role::Responder => (&keys.responder_to_initiator, &keys.initiator_to_responder),
        };
        Self {
            keys: Wiped::new(Keys {
                send: Cipher::new(send),
                receive: Cipher::new(receive),
            }),
            replay: ReplayWindow::new(),
            counter: 0,
            role,
            created,
            expires: created + times.session(),
            local_index,
            remote_index,
        }
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// When it stops sending and receiving.
    pub(crate) fn expires(&self) -> Instant {
        self.expires
    }

    pub(crate) fn local_index(&self) -> u32 {
        self.local_index
    }

    /// Whether it may still send.
    pub(crate) fn is_usable(&self, now: Instant) -> bool {
        now < self.expires && self.counter < REJECT_AFTER_MESSAGES
    }

    /// Whether an end that sends should renew it.
    pub(crate) fn wants_rekey_on_send(
        &self,
        now: Instant,
        times: &Times,
        entropy: &mut Entropy,
    ) -> bool {
        self.counter > REKEY_AFTER_MESSAGES
            || self.role == Role::Initiator && times.renews_on_send(self.age(now), entropy)
    }

    /// Whether an end that receives should renew it.
    pub(crate) fn wants_rekey_on_receive(
        &self,
        now: Instant,
        times: &Times,
        entropy: &mut Entropy,
    ) -> bool {
        self.role == Role::Initiator && times.renews_on_receive(self.age(now), entropy)
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.created)
    }

    /// Makes a transport message of its own content, in place: `message` is header, content, room for the tag. The session
    /// must be usable.
    pub(crate) fn seal(&mut self, type_word: u32, message: &mut [u8]) {
        let header = transport::header(type_word, self.remote_index, self.counter);
        let (head, rest) = message.split_at_mut(transport::HEADER_SIZE);
        head.copy_from_slice(&header);
        let (content, tag) = rest.split_at_mut(rest.len() - TAG_SIZE);
        tag.copy_from_slice(&self.keys.send.seal(self.counter, content));
        self.counter += 1;
    }

    /// Opens what follows a transport message's header, in place.
    pub(crate) fn open<'m>(
        &mut self,
        now: Instant,
        counter: u64,
        sealed: &'m mut [u8],
    ) -> Result<&'m mut [u8], Refusal> {
        if now > self.expires {
            return Err(Refusal::Expired);
        }
        if counter >= REJECT_AFTER_MESSAGES {
            return Err(Refusal::CounterLimit);
        }
        // Looked at first, since it costs less than opening; noted after, since only authentic counters move the window.
        if !self.replay.is_fresh(counter) {
            return Err(Refusal::Replayed);
        }
        let content = self
            .keys
            .receive
            .open(counter, sealed)
            .ok_or(Refusal::Forged)?;
        self.replay.accept(counter);
        Ok(content)
    }

    #[cfg(any(test, feature = "inspection"))]
    pub(crate) fn set_counter(&mut self, counter: u64) {
        self.counter = counter;
    }
}
