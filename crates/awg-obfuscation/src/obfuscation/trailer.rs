//! Random trailers (AmneziaWG 3.1): bytes behind handshake messages, so that their sizes tell nothing. Known from recordings of
//! v3.1.20260814.
//!
//! A trailer makes a datagram at most as long as what else was sent to the same peer lately, which the window remembers.

use rand_core::CryptoRng;

use super::Obfuscation;
use crate::message::MessageType;
use crate::uniform::uniform;

/// The least window, in bytes.
const LEAST_WINDOW: usize = 500;

/// How long a datagram to one peer may be made. One for each peer; a cookie reply, which goes to nobody in particular, has a new
/// one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrailerWindow {
    /// The largest inner packet, without what was added to it.
    largest: usize,
}

impl TrailerWindow {
    /// An inner packet of this size is being sent; asked of every packet before its padding is drawn.
    #[inline]
    pub fn sent(&mut self, packet: usize) {
        self.largest = self.largest.max(packet);
    }

    /// A datagram of the peer was accepted: the window is the least one again.
    #[inline]
    pub fn received(&mut self) {
        self.largest = 0;
    }
}

impl Obfuscation {
    /// The size of a window, in bytes of a datagram.
    pub fn window(&self, window: TrailerWindow) -> usize {
        let message = self.padding(MessageType::Transport) + MessageType::Transport.bare_size();
        LEAST_WINDOW.max(message + window.largest)
    }

    /// How many random bytes stand behind a handshake message that makes a datagram of `size` bytes with its padding; none without
    /// random trailers.
    pub fn trailer<R: CryptoRng + ?Sized>(
        &self,
        window: TrailerWindow,
        size: usize,
        rng: &mut R,
    ) -> usize {
        if !self.parameters.random_trailers {
            return 0;
        }
        below(self.window(window).saturating_sub(size), rng)
    }
}

/// A number below `end`; 0 where there is none.
pub(super) fn below<R: CryptoRng + ?Sized>(end: usize, rng: &mut R) -> usize {
    match u32::try_from(end) {
        Ok(0) | Err(_) => 0,
        Ok(end) => uniform(0, end - 1, rng) as usize,
    }
}
