//! How fast a carrier sends and how much it has on its way ([`Congestion`]): after a model of the path, as BBR does
//! (draft-ietf-ccwg-bbr), and not after its losses, so that links that lose packets at random are used.
//!
//! - *The model* ([`Model`]) is the best delivery rate of late, the shortest round trip of late, and what the path loses while
//!   nobody strains it. Datagrams leave at that rate, and so much faster as is lost on the way.
//! - *Start*: the rate doubles and more each round trip, until it does not grow any more or a queue is seen.
//! - *From then on* one round in eight or so is sent a little faster, to see whether there is more, and the next one slower,
//!   until no more is on its way than the path holds without a queue. What is lost in that one is the path's own loss.
//!   While more is found the next rounds go up by half at a time.
//! - *Late*: where the embedder's loop stands still for more than the pacer saves up, less leaves than was meant, and a round says
//!   nothing of the path but that it has so much. Whoever looks for more sends the faster in the time that is left; what was
//!   missed otherwise is not made up for, since it would only stand in a queue.
//! - *Beside* a bulk transfer somebody may send little ([`company`](super::company)). On a very short path the bulk transfer then
//!   has hardly more on its way than the path holds.
//! - *A queue* that stands in between is drained at once. One as long as the path itself, or losses far beyond the path's
//!   own, mean that the rate fell: what was measured last is the rate then.
//!
//! Not here: pacing and what is lost, which are the library's; limits of what flows hold, which are [`credit`](super::credit)'s.

mod departures;
mod model;
mod round;

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use noq_proto::RttEstimator;
use noq_proto::congestion::{Controller, ControllerFactory, ControllerMetrics};

use super::company::Mixed;
use departures::Departures;
use model::Model;
use round::Round;

/// What the rate is multiplied by at the start: it doubles each round trip with that (draft-ietf-ccwg-bbr section 5.3.1).
const START: f64 = 2.77;
/// And while a round is looked for that has more, or finds it.
const PROBE: f64 = 1.15;
const CLIMB: f64 = 1.5;
/// While a queue is drained, and one that came of a rate that fell or of the start.
const EASE: f64 = 0.85;
const DRAIN: f64 = 0.35;
const DRAIN_ROUNDS: u64 = 4;
/// Otherwise: a hair below the rate, so that errors of measurement build no queue.
const CRUISE: f64 = 0.99;
/// Rounds between two probes, and the least time.
const CRUISE_ROUNDS: u32 = 6;
const CRUISE_TIME: Duration = Duration::from_millis(100);
/// Rounds without growth that end the start, and what growth is.
const START_ROUNDS: u32 = 3;
const GROWTH: f64 = 1.25;
/// An embedder that sends less in a round trip says nothing of the path.
const TELLING_PACKETS: u64 = 100;
/// Growth that a probe is repeated for.
const FOUND: f64 = 1.05;
/// Loss beyond the path's own that means more than chance, over so many bytes.
const EXCESS: f64 = 0.15;
const EXCESS_PACKETS: u64 = 8;
/// What may be on its way, as a multiple of what the path holds, and beyond, in bytes: delayed acknowledgements and the other
/// end's scheduling need it. On a path that holds nothing others wait behind it: behind 256 KiB three times as long, for the same
/// rate.
const HELD: f64 = 2.0;
const SLACK: f64 = 96.0 * 1024.0;
/// The same on a path of one machine or room, where somebody sends little beside a bulk transfer: what the path holds, and one batch
/// of the tunnel's, if that is more than what is sent at the beginning. Between two namespaces of one machine the little waits
/// half as long, and the bulk transfer has two thirds of its rate. Where round trips vary it would lose far more: with 1 ms at
/// best and 4 as a rule, three quarters.
const BESIDE: Duration = Duration::from_micros(500);
const HELD_BESIDE: f64 = 1.0;
const SLACK_BESIDE: f64 = 32.0 * 1024.0;
/// Paths shorter than that are not paced: timers are coarser.
const UNPACED: Duration = Duration::from_millis(2);
/// One batch for the system is so much time of the rate.
const BATCH: Duration = Duration::from_millis(1);
const LEAST_BATCH: u64 = 2;
/// However little a path seems to deliver, it is so many packets in a round trip.
const LEAST_PACKETS: u64 = 4;
/// What the library's pacer saves up while nobody sends (`rate_capacity` of noq-proto's `connection/pacing.rs`): so much time, or
/// so many packets if that is longer, but no longer than the last; and always one packet.
const SAVED: Duration = Duration::from_millis(2);
const SAVED_PACKETS: u64 = 10;
const MOST_SAVED: Duration = Duration::from_millis(10);
/// How much one round counts for what is expected of the next.
const DUTY_WEIGHT: f64 = 0.25;
/// The shortest round trip is looked for again when it was not seen for so long.
const ROUND_TRIP_AGE: Duration = Duration::from_secs(10);

/// Makes controllers.
#[derive(Debug)]
pub(super) struct Settings {
    /// Datagrams that may be on their way before anything is known of the path.
    pub(super) initial: u64,
    /// Whether somebody sends little beside a bulk transfer.
    pub(super) mixed: Mixed,
}

impl ControllerFactory for Settings {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        let initial = self.initial * u64::from(mtu);
        Box::new(Congestion::new(now, mtu, initial, self.mixed.clone()))
    }
}

/// What a sender is about.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The rate grows as fast as it can.
    Start { best: f64, still: u32 },
    /// What is on its way is to become what the path holds, half of that if `deep`: within some rounds, or the path is longer
    /// than it is taken for.
    Drain { hard: bool, deep: bool, until: u64 },
    /// What is on its way fills the path and no queue: what this round takes is the path's own.
    Settle,
    /// The rate as it is, until a round and a time.
    Cruise { until: (u64, Instant) },
    /// More than the rate; what it was before.
    Probe { before: f64, climbs: bool },
    /// The round in which what was sent so is heard of.
    Judge { before: f64 },
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Congestion {
    mtu: u64,
    initial: u64,
    mixed: Mixed,
    phase: Phase,
    model: Model,
    departures: Departures,
    round: Round,
    in_flight: u64,
    /// When something left last, and whether there was nothing more to send when something was heard since.
    sent_at: Instant,
    is_idle: bool,
    /// The part of the time that was not late in the last rounds.
    duty: f64,
}

impl Congestion {
    fn new(now: Instant, mtu: u16, initial: u64, mixed: Mixed) -> Self {
        Self {
            mtu: u64::from(mtu),
            initial,
            mixed,
            phase: Phase::Start {
                best: 0.0,
                still: 0,
            },
            model: Model::default(),
            departures: Departures::new(now),
            round: Round::new(0, 0, now),
            in_flight: 0,
            sent_at: now,
            is_idle: true,
            duty: 1.0,
        }
    }

    /// Bytes that the path holds without a queue.
    fn held(&self) -> f64 {
        self.model.held()
    }

    fn gain(&self) -> f64 {
        match self.phase {
            Phase::Start { .. } => START,
            Phase::Drain { hard, deep, .. } if hard || deep => DRAIN,
            Phase::Drain { .. } => EASE,
            Phase::Settle | Phase::Cruise { .. } | Phase::Judge { .. } => CRUISE,
            Phase::Probe { climbs: true, .. } => CLIMB,
            Phase::Probe { .. } => PROBE,
        }
    }

    /// Whether what leaves now strains nothing, so that what is lost of it is the path's own loss.
    fn is_calm(&self) -> bool {
        matches!(self.phase, Phase::Drain { hard: false, .. } | Phase::Settle)
    }

    /// A round trip is over.
    fn end_round(&mut self, now: Instant) {
        let round = self.round;
        let (number, end) = (round.number + 1, self.departures.delivered());
        self.round = Round::new(number, end, now);
        let behind = round.was_behind(now);
        if !round.limited && !behind {
            self.model.end_round(now);
        }
        let duty = if behind { round.duty(now) } else { 1.0 };
        self.duty += (duty - self.duty) * DUTY_WEIGHT;
        let total = (round.delivered + round.lost) as f64;
        let excess = round.lost > EXCESS_PACKETS * self.mtu
            && round.lost as f64 > (self.model.loss() + EXCESS) * total;
        let (stands, overfull) = self.queue(&round);
        let starting = matches!(self.phase, Phase::Start { .. });
        if !starting
            && !round.limited
            && (excess || overfull && !behind)
            && !matches!(self.phase, Phase::Drain { .. } | Phase::Settle)
        {
            self.fell(round.rate);
            self.phase = self.drain(overfull, false);
            return;
        }
        self.phase = match self.phase {
            Phase::Start { best, still } => {
                let rate = self.model.rate();
                let grew = rate >= best * GROWTH;
                // What was sent less than all the time tells the path's rate if it was much, and some of it waited.
                let tells = !round.limited
                    || round.delivered > TELLING_PACKETS * self.mtu && self.waited(round.longest);
                let still = if grew || !tells || behind {
                    0
                } else {
                    still + 1
                };
                let full = !round.limited && (stands && !behind || excess && !grew);
                if full || still >= START_ROUNDS {
                    self.drain(true, false)
                } else {
                    Phase::Start {
                        best: if grew { rate } else { best },
                        still,
                    }
                }
            }
            Phase::Drain { until, .. } if self.round.number >= until => Phase::Settle,
            Phase::Settle => {
                if let Some(shortest) = round.shortest
                    && !round.limited
                    && (stands && !behind || self.model.is_old(now))
                {
                    // No queue is ours: the path itself is that long, or others keep one.
                    self.model.set_round_trip(now, shortest);
                }
                self.cruise(now)
            }
            Phase::Cruise { .. } if stands && !round.limited && !behind => self.drain(false, false),
            Phase::Cruise {
                until: (number, at),
            } if self.round.number >= number && now >= at => {
                if self.model.is_old(now) {
                    self.drain(false, true)
                } else {
                    self.probe(false)
                }
            }
            Phase::Drain { .. } | Phase::Cruise { .. } => self.phase,
            Phase::Probe { before, .. } => Phase::Judge { before },
            Phase::Judge { before } => {
                if self.model.rate() > before * FOUND && (!stands || behind) {
                    self.probe(true)
                } else {
                    self.drain(false, false)
                }
            }
        };
    }

    /// Bytes per second that leave now, once something is known of the path.
    fn pace(&self) -> Option<f64> {
        let round_trip = self.model.round_trip()?;
        let rate = self.model.rate();
        if rate <= 0.0 {
            return None;
        }
        let pace = if round_trip < UNPACED {
            rate * 4.0
        } else {
            rate * self.gain() * self.model.compensation()
        };
        let pace = pace / self.time_share();
        Some(match self.phase {
            // What little was sent so far says little.
            Phase::Start { .. } => {
                pace.max(self.initial as f64 / round_trip.as_secs_f64().max(1e-3))
            }
            _ => pace,
        })
    }

    /// The part of the time that what is sent has to make do with: less than all where more is looked for.
    fn time_share(&self) -> f64 {
        match self.phase {
            Phase::Start { .. } | Phase::Probe { .. } => self.duty,
            _ => 1.0,
        }
    }

    /// What leaves now could have left before, if it is so late that the pacer forgot.
    fn note_gap(&mut self, now: Instant) {
        let gap = now.saturating_duration_since(self.sent_at);
        self.sent_at = now;
        if gap <= SAVED || self.is_idle {
            return;
        }
        if let Some(pace) = self.pace() {
            let packets = (SAVED_PACKETS * self.mtu) as f64;
            let saved = (packets / pace).clamp(SAVED.as_secs_f64(), MOST_SAVED.as_secs_f64());
            let one = self.mtu as f64 / pace;
            let saved = Duration::try_from_secs_f64(saved.max(one)).unwrap_or(Duration::MAX);
            self.round.late += gap.saturating_sub(saved);
        }
    }

    /// The path delivers no more than that, but a few packets in a round trip.
    fn fell(&mut self, rate: f64) {
        let round_trip = self.model.round_trip().unwrap_or_default();
        let least = (LEAST_PACKETS * self.mtu) as f64 / round_trip.as_secs_f64().max(1e-3);
        self.model.fell(rate.max(least));
    }

    fn drain(&self, hard: bool, deep: bool) -> Phase {
        let until = self.round.number + DRAIN_ROUNDS;
        Phase::Drain { hard, deep, until }
    }

    fn cruise(&self, now: Instant) -> Phase {
        Phase::Cruise {
            until: (
                self.round.number + u64::from(CRUISE_ROUNDS),
                now + CRUISE_TIME,
            ),
        }
    }

    fn probe(&self, climbs: bool) -> Phase {
        Phase::Probe {
            before: self.model.rate(),
            climbs,
        }
    }

    /// Whether a packet that took so long waited on its way.
    fn waited(&self, round_trip: Duration) -> bool {
        let path = self.model.round_trip().unwrap_or(round_trip);
        round_trip.saturating_sub(path) > path / 4 + Duration::from_millis(5)
    }

    /// Whether a queue stood for the whole round, and whether it was as long as the path.
    fn queue(&self, round: &Round) -> (bool, bool) {
        let (Some(shortest), Some(path)) = (round.shortest, self.model.round_trip()) else {
            return (false, false);
        };
        let waited = shortest.saturating_sub(path);
        (
            waited > (path / 8).max(Duration::from_millis(5)),
            waited > path + Duration::from_millis(20),
        )
    }
}

impl Controller for Congestion {
    fn on_packet_sent(&mut self, now: Instant, bytes: u16, _: u64) {
        let calm = self.is_calm();
        let round_trip = self.model.round_trip().unwrap_or_default();
        self.departures
            .sent(now, self.in_flight == 0, calm, round_trip);
        self.note_gap(now);
        self.is_idle = false;
        self.in_flight += u64::from(bytes);
    }

    fn on_cwnd_limited(&mut self) {
        self.round.filled = true;
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        _: u64,
        _: bool,
        _: &RttEstimator,
    ) {
        self.departures.acknowledged(now, sent, bytes);
        let round_trip = now.saturating_duration_since(sent);
        self.model.took(now, round_trip);
        self.round.delivered += bytes;
        let shortest = self.round.shortest.get_or_insert(round_trip);
        *shortest = round_trip.min(*shortest);
        self.round.longest = round_trip.max(self.round.longest);
        if self.departures.was_calm(sent) {
            self.model.calm(bytes, 0, self.mtu);
        }
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, _: Option<u64>) {
        self.in_flight = in_flight;
        self.is_idle = app_limited;
        let Some(sample) = self.departures.sample(now) else {
            return;
        };
        self.round.limited |= sample.limited;
        if let Some(rate) = sample.rate(self.model.round_trip()) {
            self.round.rate = self.round.rate.max(rate);
            if !sample.limited || rate > self.model.rate() {
                self.model.delivered(rate);
            }
        }
        if app_limited {
            self.departures.limited(in_flight);
        }
        if sample.before >= self.round.end {
            self.end_round(now);
        }
        if let Phase::Drain { deep, .. } = self.phase {
            let aim = self.held() * if deep { 0.5 } else { 1.0 };
            if in_flight as f64 <= aim.max((4 * self.mtu) as f64) {
                // Judged by a round of its own.
                self.round.end = self.departures.delivered() + in_flight;
                self.round.shortest = None;
                self.phase = Phase::Settle;
            }
        }
        let oldest = self.model.round_trip().unwrap_or_default();
        self.departures.forget(oldest);
    }

    fn on_congestion_event(
        &mut self,
        _: Instant,
        sent: Instant,
        persistent: bool,
        is_ecn: bool,
        lost: u64,
        _: u64,
    ) {
        if is_ecn {
            return;
        }
        self.round.lost += lost;
        self.in_flight = self.in_flight.saturating_sub(lost);
        if self.departures.was_calm(sent) {
            self.model.calm(0, lost, self.mtu);
        }
        if persistent {
            // Nothing passed for long: what passes now is looked for from the start.
            self.fell(self.model.rate() / 2.0);
            self.phase = Phase::Start {
                best: 0.0,
                still: 0,
            };
        }
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.mtu = u64::from(mtu);
    }

    fn window(&self) -> u64 {
        let Some(round_trip) = self.model.round_trip().filter(|_| self.model.rate() > 0.0) else {
            return self.initial;
        };
        let (times, slack) = if round_trip < BESIDE && self.mixed.get() {
            (HELD_BESIDE, SLACK_BESIDE)
        } else {
            (HELD, SLACK)
        };
        let held = self.held() * times * self.model.compensation();
        let window = held / self.time_share() + slack;
        whole(window).max(self.initial)
    }

    fn metrics(&self) -> ControllerMetrics {
        let mut metrics = ControllerMetrics::default();
        metrics.congestion_window = self.window();
        let Some(pace) = self.pace() else {
            return metrics;
        };
        metrics.pacing_rate = Some(whole(pace));
        let batch = whole(pace * BATCH.as_secs_f64());
        metrics.send_quantum = Some(batch.max(LEAST_BATCH * self.mtu));
        metrics
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.initial
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[expect(clippy::cast_sign_loss, reason = "numbers of bytes")]
fn whole(bytes: f64) -> u64 {
    bytes as u64
}

#[cfg(test)]
mod tests;
