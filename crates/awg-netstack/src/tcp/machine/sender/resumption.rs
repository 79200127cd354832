//! A peer that is back after it was gone, and one that is there and gets nothing large.

use std::time::Instant;

use super::{LONGEST_TIMEOUT, Repair, Sender};

/// Timeouts in a row after which segments of full size are suspected to be too large for the path.
const CLOGGED: u32 = 3;

impl Sender {
    /// The peer is back after it was gone. What it has left unacknowledged for longer than a round trip takes is sent again, and
    /// the timeouts begin anew. `is_open` where the handshake is over; `is_lost` where what was sent before is lost for certain:
    /// otherwise it is done ever less often while nothing is acknowledged.
    pub(in crate::tcp::machine) fn resume(
        &mut self,
        now: Instant,
        is_open: bool,
        is_lost: bool,
    ) -> Repair {
        let since = self
            .resumed
            .map_or(self.waiting_since, |at| at.max(self.waiting_since));
        let patience = if is_lost {
            self.patience()
        } else {
            let longer = self.patience() * 2_u32.saturating_pow(self.resumptions.min(10));
            longer.min(LONGEST_TIMEOUT)
        };
        if self.in_flight() == 0 || now.saturating_duration_since(since) < patience {
            return Repair::None;
        }
        self.progress = now;
        self.resumed = Some(now);
        self.resumptions += 1;
        self.duplicates = 0;
        self.rounds.forget();
        let attempts = std::mem::take(&mut self.attempts);
        if is_open {
            if attempts < 2 {
                self.congestion.on_timeout(self.in_flight());
            }
            self.recover(self.next, self.next, true);
        }
        Repair::Walk
    }

    /// Since when full segments have been sent in vain, [`CLOGGED`] times at least.
    pub(in crate::tcp::machine) fn clogged_since(&self) -> Option<Instant> {
        let clogged = self.misses >= CLOGGED && self.in_flight() >= usize::from(self.segment);
        clogged.then_some(self.waiting_since)
    }
}
