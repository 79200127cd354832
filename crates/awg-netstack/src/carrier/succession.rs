//! A connection that a client begins while another one is up: its own after it began anew, or a late packet of one that it gave up.
//! Which of them it is shows once its client is heard again; until then the one that is up stays.

use std::num::NonZeroUsize;
use std::time::Instant;

use noq_proto::EndpointEvent;

use super::link::{Link, Wire};
use super::shared::Shared;
use crate::event::Closure;

impl Link {
    /// Hears the connection that its client began anew, and answers it.
    pub(super) fn hear_coming(&mut self, now: Instant, shared: &mut Shared) {
        let Some((Wire { handle, connection }, to, from)) = &mut self.coming else {
            return;
        };
        let (to, from) = (*to, *from);
        connection.handle_timeout(now);
        if connection.is_closed() {
            // In the handshake: see `last_word`.
            return self.drop_coming();
        }
        while let Some(event) = connection.poll_endpoint_events() {
            self.endpoint.handle_event(*handle, event);
        }
        let mut replies = Vec::new();
        let mut payload = Vec::new();
        while connection
            .poll_transmit(now, NonZeroUsize::MIN, &mut payload)
            .is_some()
        {
            replies.push(std::mem::take(&mut payload));
        }
        let is_up = !connection.is_handshaking();
        for payload in replies {
            self.answer(from, to, payload, shared);
        }
        if is_up {
            self.hang_up(shared, Closure::Reset);
            self.promote(now, shared);
        }
    }

    /// What was begun anew takes the place of what is no more.
    pub(super) fn promote(&mut self, now: Instant, shared: &Shared) {
        if let Some((wire, to, from)) = self.coming.take() {
            self.wire = Some(wire);
            (self.own, self.remote) = (to, from);
            self.begin(now, shared);
        }
    }

    pub(super) fn drop_coming(&mut self) {
        if let Some((wire, ..)) = self.coming.take() {
            self.endpoint
                .handle_event(wire.handle, EndpointEvent::drained());
        }
    }
}
