//! Round trips of what is sent ([`Rounds`]): how long they take, and how much arrives meanwhile.
//!
//! A round begins with new data, and its time is over when the peer has the first segment of that. But acknowledgements come several
//! at an instant, and the first of them stands for a part of what arrived. So what is heard until something new leaves is measured as
//! the round's as well, over the longer time (after draft-cheng-iccrg-delivery-rate-estimation, which measures each segment).

use std::time::{Duration, Instant};

use super::is_after;
use crate::tcp::machine::congestion::{SHORTEST_ROUND_TRIP, Sample};

/// Bytes that arrived at the peer, and bytes that were sent again, since the connection began.
#[derive(Clone, Copy, Default)]
pub(super) struct Moved {
    pub(super) delivered: u64,
    pub(super) repeated: u64,
}

struct Round {
    /// The end of its first segment.
    end: u32,
    since: Instant,
    /// Bytes that had arrived when it began.
    delivered: u64,
    /// Whether the window was used up.
    limited: bool,
    is_over: bool,
}

impl Round {
    /// Bytes per second.
    fn rate(&self, took: Duration, moved: Moved) -> f64 {
        let delivered = moved.delivered.saturating_sub(self.delivered);
        delivered as f64 / took.max(SHORTEST_ROUND_TRIP).as_secs_f64()
    }
}

/// What the peer's segment says of the last round.
pub(super) enum Heard {
    Nothing,
    /// It is over.
    Round(Sample),
    /// It was over already, and has brought more: so many bytes per second altogether.
    More(f64),
}

/// See the module.
#[derive(Default)]
pub(super) struct Rounds {
    last: Option<Round>,
    /// What had moved when a round was over last; nothing if that is to be forgotten as well.
    told: Option<Moved>,
}

impl Rounds {
    /// New data has left, up to `end`; `limited` if the window leaves no room for more.
    pub(super) fn on_sent(&mut self, now: Instant, end: u32, limited: bool, moved: Moved) {
        match &mut self.last {
            Some(round) if !round.is_over => round.limited |= limited,
            last => {
                self.told.get_or_insert(moved);
                *last = Some(Round {
                    end,
                    since: now,
                    delivered: moved.delivered,
                    limited,
                    is_over: false,
                });
            }
        }
    }

    /// `start..end` has left again.
    pub(super) fn on_repeated(&mut self, start: u32, end: u32) {
        // Karn: of what was sent twice nobody knows which one arrived.
        self.last.take_if(|round| {
            !round.is_over && is_after(round.end, start) && !is_after(round.end, end)
        });
    }

    /// The peer was heard; it has the segment that ends at a sequence number if `has` says so.
    pub(super) fn on_heard(
        &mut self,
        now: Instant,
        has: impl Fn(u32) -> bool,
        moved: Moved,
    ) -> Heard {
        let Some(round) = &mut self.last else {
            return Heard::Nothing;
        };
        let took = now.saturating_duration_since(round.since);
        if round.is_over {
            return Heard::More(round.rate(took, moved));
        }
        if !has(round.end) {
            return Heard::Nothing;
        }
        round.is_over = true;
        let told = self.told.replace(moved).unwrap_or(moved);
        Heard::Round(Sample {
            round_trip: took,
            rate: round.rate(took, moved),
            limited: round.limited,
            delivered: moved.delivered.saturating_sub(told.delivered),
            repeated: moved.repeated.saturating_sub(told.repeated),
        })
    }

    /// What has moved so far tells nothing of the path, and what moves until new data leaves does not either.
    pub(super) fn forget(&mut self) {
        (self.last, self.told) = (None, None);
    }
}

#[cfg(test)]
mod tests;
