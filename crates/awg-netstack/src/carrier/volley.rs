//! How many datagrams a link writes in one go.
//!
//! What a timer asks for leaves one by one. It is two probes (RFC 9002 section 6.2.4), and `noq-proto` 1.3 makes all datagrams of one
//! call as long as the first: where that is short, what the second probe is to repeat may not fit, and the call is filled up with
//! datagrams that have nothing in them.

use std::num::NonZeroUsize;

/// Datagrams of one peer before the next one's turn.
const MOST: NonZeroUsize = NonZeroUsize::new(32).expect("not 0");

/// Probes that a timer asks for.
const PROBES: usize = 2;

/// What a link may write in its next call.
#[derive(Default)]
pub(super) struct Volley {
    /// Datagrams that may be probes still.
    probes: usize,
}

impl Volley {
    /// A timer of QUIC's is due.
    pub(super) fn timer_fired(&mut self) {
        self.probes = (self.probes + PROBES).min(MOST.get());
    }

    /// Datagrams to ask for in one call.
    pub(super) fn most(&self) -> NonZeroUsize {
        if self.probes > 0 {
            NonZeroUsize::MIN
        } else {
            MOST
        }
    }

    /// A call wrote something.
    pub(super) fn written(&mut self) {
        self.probes = self.probes.saturating_sub(1);
    }
}
