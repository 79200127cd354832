//! One direction of a link; see the crate.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::conditions::Conditions;
use crate::quantiles::Quantiles;

/// Nanoseconds since some beginning; what is given to a [`Link`] never goes back.
pub type Moment = u64;

/// How long one draw of the jitter holds, in nanoseconds.
pub const JITTER_SPELL: Moment = 10_000_000;

const SECOND: u64 = 1_000_000_000;

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output<P> {
    /// It arrives, and is done.
    Arrived(P),
    /// It arrives, and will arrive once more.
    ArrivedFirst(P),
    /// It was lost, and is done.
    Lost(P),
}

/// What a link did since its start or since [`Link::take_statistics`]. Times are in nanoseconds.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Packets that arrived, each once.
    pub passed: u64,
    /// Their bytes.
    pub passed_bytes: u64,
    /// Packets lost on the way.
    pub lost: u64,
    /// Packets that found the queue full.
    pub dropped: u64,
    /// Packets that arrived twice.
    pub duplicated: u64,
    /// Packets held back.
    pub reordered: u64,
    /// From coming in until the last bit left for the way.
    pub queue_delay: Quantiles,
    /// By how much packets arrived later than they should have: the driver's doing, not the link's.
    pub lateness: Quantiles,
    /// The most bytes that waited at once.
    pub queue_peak: usize,
}

impl Statistics {
    /// Adds what another stretch of time had.
    pub fn merge(&mut self, other: &Self) {
        self.passed += other.passed;
        self.passed_bytes += other.passed_bytes;
        self.lost += other.lost;
        self.dropped += other.dropped;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.queue_delay.merge(&other.queue_delay);
        self.lateness.merge(&other.lateness);
        self.queue_peak = self.queue_peak.max(other.queue_peak);
    }
}

#[derive(Debug, Clone, Copy)]
struct Waiting<P> {
    packet: P,
    size: usize,
    since: Moment,
}

/// Ordered by when it is due, then by when it left.
#[derive(Debug, Clone, Copy)]
struct OnTheWay<P> {
    due: Moment,
    number: u64,
    packet: P,
    size: usize,
    again: bool,
}

impl<P> PartialEq for OnTheWay<P> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<P> Eq for OnTheWay<P> {}

impl<P> PartialOrd for OnTheWay<P> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<P> Ord for OnTheWay<P> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

/// One direction. `P` is the caller's handle of a packet; the link never looks into it.
///
/// Order of calls: [`handle_packet`](Self::handle_packet) and [`set_conditions`](Self::set_conditions) at any time,
/// then [`poll_output`](Self::poll_output) until it has nothing, then wait for [`next_timeout`](Self::next_timeout).
pub struct Link<P> {
    conditions: Conditions,
    random: StdRng,
    queue: VecDeque<Waiting<P>>,
    queued: usize,
    /// When the last bit of the queue's head leaves.
    head_leaves: Moment,
    ordered: VecDeque<OnTheWay<P>>,
    held_back: BinaryHeap<Reverse<OnTheWay<P>>>,
    lost: VecDeque<P>,
    /// When the last one of `ordered` is due; nothing in order is due before it.
    last_due: Moment,
    number: u64,
    in_burst: bool,
    jitter: Moment,
    jitter_ends: Moment,
    statistics: Statistics,
}

impl<P: Copy> Link<P> {
    /// A link with nothing on it; equal seeds draw equally.
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            random: StdRng::seed_from_u64(seed),
            queue: VecDeque::new(),
            queued: 0,
            head_leaves: 0,
            ordered: VecDeque::new(),
            held_back: BinaryHeap::new(),
            lost: VecDeque::new(),
            last_due: 0,
            number: 0,
            in_burst: false,
            jitter: 0,
            jitter_ends: 0,
            statistics: Statistics::default(),
        }
    }

    /// What holds now.
    pub fn conditions(&self) -> Conditions {
        self.conditions
    }

    /// Other conditions from `now` on: what waits leaves at the new rate, what is on its way arrives as it would have.
    /// A queue that shrinks drops nothing that is in it.
    pub fn set_conditions(&mut self, now: Moment, conditions: Conditions) {
        self.leave(now);
        if let Some(head) = self.queue.front() {
            let left = self.head_leaves.saturating_sub(now);
            let whole = transmission(head.size, self.conditions.rate).max(1);
            let anew = transmission(head.size, conditions.rate);
            self.head_leaves =
                now + (u128::from(left) * u128::from(anew) / u128::from(whole)) as u64;
        }
        self.conditions = conditions;
        self.leave(now);
    }

    /// Takes a packet of `size` bytes.
    ///
    /// # Errors
    /// The queue has no room for it: here it is back.
    pub fn handle_packet(&mut self, now: Moment, packet: P, size: usize) -> Result<(), P> {
        self.leave(now);
        let waiting = Waiting {
            packet,
            size,
            since: now,
        };
        if self.conditions.rate.is_none() {
            self.send_off(now, waiting);
            return Ok(());
        }
        // What is being sent has left the queue of a real interface, which else could be too short for one packet.
        if !self.queue.is_empty() && self.queued + size > self.conditions.queue {
            self.statistics.dropped += 1;
            return Err(packet);
        }
        if self.queue.is_empty() {
            self.head_leaves = now.max(self.head_leaves) + transmission(size, self.conditions.rate);
        } else {
            self.queued += size;
            self.statistics.queue_peak = self.statistics.queue_peak.max(self.queued);
        }
        self.queue.push_back(waiting);
        Ok(())
    }

    /// What became of a packet by `now`, in order of time; `None` when nothing else did.
    pub fn poll_output(&mut self, now: Moment) -> Option<Output<P>> {
        self.leave(now);
        if let Some(packet) = self.lost.pop_front() {
            return Some(Output::Lost(packet));
        }
        let held_back_is_next = match (self.ordered.front(), self.held_back.peek()) {
            (Some(one), Some(Reverse(other))) => other < one,
            (ordered, _) => ordered.is_none(),
        };
        let arrived = if held_back_is_next {
            self.held_back.peek().filter(|first| first.0.due <= now)?;
            self.held_back.pop()?.0
        } else {
            self.ordered.front().filter(|first| first.due <= now)?;
            self.ordered.pop_front()?
        };
        self.statistics.lateness.add(now - arrived.due);
        if arrived.again {
            self.statistics.duplicated += 1;
            return Some(Output::ArrivedFirst(arrived.packet));
        }
        self.statistics.passed += 1;
        self.statistics.passed_bytes += arrived.size as u64;
        Some(Output::Arrived(arrived.packet))
    }

    /// When something may arrive; `None` = not before another packet comes. Come back then, or later.
    pub fn next_timeout(&self) -> Option<Moment> {
        let arriving = self.ordered.front().map(|first| first.due);
        let held_back = self.held_back.peek().map(|Reverse(first)| first.due);
        let leaving = self
            .queue
            .front()
            .map(|_| self.head_leaves + nanoseconds(self.conditions.delay));
        [arriving, held_back, leaving].into_iter().flatten().min()
    }

    /// What it did.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The same, and begins to count anew.
    pub fn take_statistics(&mut self) -> Statistics {
        std::mem::take(&mut self.statistics)
    }

    /// Lets everything leave for the way whose last bit is out by `now`.
    fn leave(&mut self, now: Moment) {
        while self.head_leaves <= now
            && let Some(head) = self.queue.pop_front()
        {
            let left = self.head_leaves;
            if let Some(next) = self.queue.front() {
                self.queued -= next.size;
                self.head_leaves = left + transmission(next.size, self.conditions.rate);
            }
            self.send_off(left, head);
        }
    }

    fn send_off(&mut self, at: Moment, leaving: Waiting<P>) {
        self.statistics
            .queue_delay
            .add(at.saturating_sub(leaving.since));
        if self.draw_loss() {
            self.statistics.lost += 1;
            self.lost.push_back(leaving.packet);
            return;
        }
        let again = self.draw(self.conditions.duplicate);
        let held_back = self.draw(self.conditions.reorder);
        let mut due = at + nanoseconds(self.conditions.delay) + self.draw_jitter(at);
        if held_back {
            let most = nanoseconds(self.conditions.reorder_by).max(1);
            due = due.max(self.last_due) + self.random.random_range(1..=most);
            self.statistics.reordered += 1;
        } else {
            due = due.max(self.last_due);
            self.last_due = due;
        }
        for again in [true, false].into_iter().skip(usize::from(!again)) {
            self.number += 1;
            let underway = OnTheWay {
                due,
                number: self.number,
                packet: leaving.packet,
                size: leaving.size,
                again,
            };
            if held_back {
                self.held_back.push(Reverse(underway));
            } else {
                self.ordered.push_back(underway);
            }
        }
    }

    fn draw(&mut self, share: f64) -> bool {
        share > 0.0 && self.random.random_bool(share)
    }

    /// Gilbert-Elliott with a bad state of which the mean length is `burst`, and a good one as long as `loss` asks for.
    fn draw_loss(&mut self) -> bool {
        let loss = self.conditions.loss;
        let Some(burst) = self.conditions.burst else {
            return self.draw(loss);
        };
        let changes = if loss <= 0.0 {
            // Nothing is lost, not even the rest of a burst.
            self.in_burst = false;
            0.0
        } else if self.in_burst {
            if loss >= 1.0 { 0.0 } else { 1.0 / burst }
        } else {
            (loss / (burst * (1.0 - loss))).min(1.0)
        };
        self.in_burst ^= self.draw(changes);
        self.in_burst
    }

    fn draw_jitter(&mut self, at: Moment) -> Moment {
        let most = nanoseconds(self.conditions.jitter);
        if most == 0 {
            return 0;
        }
        if at >= self.jitter_ends {
            self.jitter = self.random.random_range(0..=most);
            self.jitter_ends = at + JITTER_SPELL;
        }
        self.jitter.min(most)
    }
}

impl<P> std::fmt::Debug for Link<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("conditions", &self.conditions)
            .field("waiting", &self.queue.len())
            .field("on_the_way", &(self.ordered.len() + self.held_back.len()))
            .finish_non_exhaustive()
    }
}

fn nanoseconds(duration: std::time::Duration) -> Moment {
    duration.as_nanos() as Moment
}

/// How long `size` bytes take; rounded up, so that no rate is exceeded.
fn transmission(size: usize, rate: Option<u64>) -> Moment {
    rate.map_or(0, |rate| (size as u64 * 8 * SECOND).div_ceil(rate.max(1)))
}

#[cfg(test)]
mod tests;
