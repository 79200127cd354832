//! Whether a peer that should have answered is gone: what a client sees from its flows long before the protocol's own timers do.
//! Of one peer; [`watch`](super::watch) asks it, and does what it says.
//!
//! | what is seen | what is done |
//! |---|---|
//! | what expects an answer is out for [`PATIENCE`] or four round trips, and nothing at all came since | a handshake; where the peer answers pings, only after half of that time a ping did not help either |
//! | the same after a handshake that changed nothing | as the protocol does by itself: 15 s after the last one |
//! | a session took over while an answer was out | what is still without one is sent again |
//! | a stream that came in has stopped | a message without content, so that a NAT on the way and the other end know where we are; then a ping, or a question to the flow |
//! | handshakes pass and nothing else does | a warning, once |
//!
//! Sans-I/O: time and what the tunnel knows are arguments, and what is to be done comes out. A handshake is never begun sooner
//! after the last one than the protocol allows.

use std::time::{Duration, Instant};

use awg_tunnel::Contact;

/// An answer is waited for at least so long, whatever the round trip.
const PATIENCE: Duration = Duration::from_millis(400);
/// Round trips that an answer may take.
const ROUND_TRIPS: u32 = 4;
/// The round trip to a peer that no handshake has measured.
const USUAL_ROUND_TRIP: Duration = Duration::from_millis(100);
/// The least time between two pings: a target that never answers is asked about no more often.
const BETWEEN_PINGS: Duration = Duration::from_secs(2);
/// A handshake that changed nothing is followed by another one no sooner.
const FRUITLESS: Duration = Duration::from_secs(15);
/// A stream has stopped when nothing came for so long, or two round trips.
const STOPPED: Duration = Duration::from_millis(150);
/// It is held to be in trouble after so long, or four round trips.
const STALLED: Duration = Duration::from_secs(1);
/// Less than so many bytes are no stream.
const STREAM: u64 = 16 << 10;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// Ping the peer.
    Ping,
    /// Begin a handshake.
    Handshake,
    /// Send a message without content.
    Show,
    /// Ping the peer, or ask a flow's other end, whether anybody is there.
    Probe,
    /// Send what the session before the present one may have swallowed again.
    Resume,
    /// Tell that handshakes pass and nothing else does.
    Warn,
}

/// What is known about a peer's surroundings at this moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// What the tunnel knows.
    pub(super) contact: Contact,
    /// Whether the peer is known to answer pings.
    pub(super) answers_pings: bool,
    /// Whether any flow is open.
    pub(super) flows_open: bool,
}

/// Something that expects an answer.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Instant,
    /// What had been received then: more than that is the answer, whoever's it is.
    received_bytes: u64,
    /// When the peer was asked since.
    pinged: Option<Instant>,
}

/// A time in which nothing but handshakes was answered.
#[derive(Clone, Copy, Debug)]
struct Barren {
    since: Instant,
    sent: u32,
    /// When the first of that was sent in the present session. Of what came before, nobody may have been there to hear it.
    asked: Option<Instant>,
    told: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Liveness {
    waiting: Option<Waiting>,
    pinged: Option<Instant>,
    /// When the last handshake was begun here.
    tried: Option<Instant>,
    /// Something comes in.
    receiving: bool,
    /// We showed ourselves at that time.
    shown: Option<Instant>,
    /// What had been received when a stream was last asked about.
    probed_bytes: u64,
    barren: Option<Barren>,
    /// When what was sent by the last session should have been answered.
    resume_at: Option<Instant>,
    patience: Duration,
    at: Option<Instant>,
}

impl Default for Liveness {
    fn default() -> Self {
        Self {
            waiting: None,
            pinged: None,
            tried: None,
            receiving: false,
            shown: None,
            probed_bytes: 0,
            barren: None,
            resume_at: None,
            patience: PATIENCE,
            at: None,
        }
    }
}

impl Liveness {
    /// Something that expects an answer leaves. Whether nothing else waits for one.
    pub(super) fn handle_sent(&mut self, now: Instant, received_bytes: u64) -> bool {
        let barren = self.barren.get_or_insert(Barren {
            since: now,
            sent: 0,
            asked: None,
            told: false,
        });
        barren.sent = barren.sent.saturating_add(1);
        barren.asked.get_or_insert(now);
        let heard = self
            .waiting
            .is_none_or(|waiting| waiting.received_bytes != received_bytes);
        if heard {
            self.waiting = Some(Waiting {
                since: now,
                received_bytes,
                pinged: None,
            });
        }
        self.wake_at(now + self.patience / 2);
        heard
    }

    /// Something with content came in.
    pub(super) fn handle_received(&mut self, now: Instant) {
        if !self.receiving {
            self.receiving = true;
            self.wake_at(now + STOPPED);
        }
    }

    /// A session stands. Whether something has waited for an answer for so long that it is lost; of what was sent only just
    /// before, [`Action::Resume`] says it later, unless its answer comes.
    pub(super) fn handle_session(&mut self, now: Instant, contact: &Contact) -> bool {
        self.wake_at(now);
        self.resume_at = None;
        if let Some(barren) = &mut self.barren {
            barren.asked = None;
        }
        let waited = self.waiting.take();
        let Some(waited) = waited.filter(|waiting| contact.content < Some(waiting.since)) else {
            return false;
        };
        let due = waited.since + self.patience / 2;
        if due > now {
            self.resume_at = Some(due);
        }
        due <= now
    }

    /// When [`handle_timeout`](Self::handle_timeout) may have something to do.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.at
    }

    /// What is due, one thing at a time.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        circumstances: &Circumstances,
    ) -> Option<Action> {
        if self.at.is_none_or(|at| at > now) {
            return None;
        }
        self.forget_what_is_over(circumstances);
        let (at, action) = self.plan(circumstances)?;
        if at > now {
            self.at = Some(at);
            return None;
        }
        // There may be more.
        self.at = Some(now);
        self.note(now, action, circumstances);
        Some(action)
    }

    fn wake_at(&mut self, at: Instant) {
        self.at = Some(self.at.map_or(at, |set| set.min(at)));
    }

    fn forget_what_is_over(&mut self, circumstances: &Circumstances) {
        let contact = &circumstances.contact;
        self.at = None;
        self.patience = PATIENCE.max(round_trip(contact) * ROUND_TRIPS);
        self.waiting
            .take_if(|waiting| waiting.received_bytes != contact.received_bytes);
        self.barren
            .take_if(|barren| contact.content.is_some_and(|at| at >= barren.since));
        let streams = contact.received_bytes.saturating_sub(self.probed_bytes) >= STREAM;
        if !streams || !circumstances.flows_open || contact.content.is_none() {
            self.receiving = false;
        }
    }

    fn plan(&self, circumstances: &Circumstances) -> Option<(Instant, Action)> {
        [
            self.plan_for_silence(circumstances),
            self.plan_for_stream(&circumstances.contact),
            self.plan_for_warning(circumstances),
            self.resume_at.map(|at| (at, Action::Resume)),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }

    /// What to do about an answer that does not come.
    fn plan_for_silence(&self, circumstances: &Circumstances) -> Option<(Instant, Action)> {
        let contact = &circumstances.contact;
        let waiting = self.waiting?;
        // The tunnel repeats it by itself; when it stands, or is given up, something is sent again.
        if contact.handshake_under_way {
            return None;
        }
        let mut missed = waiting.since + self.patience;
        if circumstances.answers_pings {
            let half = self.patience / 2;
            let Some(pinged) = waiting.pinged else {
                let allowed = self.pinged.map(|last| last + BETWEEN_PINGS);
                let at = (waiting.since + half).max(allowed.unwrap_or(waiting.since));
                return Some((at, Action::Ping));
            };
            missed = missed.max(pinged + half);
        }
        let allowed = contact
            .handshake_message
            .map(|last| last + self.between_handshakes(contact));
        Some((missed.max(allowed.unwrap_or(missed)), Action::Handshake))
    }

    /// How far apart handshakes are.
    fn between_handshakes(&self, contact: &Contact) -> Duration {
        let fruitless = self.tried.is_some_and(|tried| {
            contact.handshake_heard >= Some(tried) && contact.content < Some(tried)
        });
        if fruitless {
            contact.silence.max(FRUITLESS)
        } else {
            contact.between_initiations
        }
    }

    /// What to do about a stream that has stopped.
    fn plan_for_stream(&self, contact: &Contact) -> Option<(Instant, Action)> {
        if !self.receiving {
            return None;
        }
        let (last, round_trip) = (contact.content?, round_trip(contact));
        Some(if self.shown.is_some_and(|shown| shown > last) {
            (last + STALLED.max(round_trip * 4), Action::Probe)
        } else {
            (last + STOPPED.max(round_trip * 2), Action::Show)
        })
    }

    /// When to tell that handshakes pass and nothing else does. What is known of a peer that answers pings is certain; of another
    /// one the targets may be to blame, so it gets more time. Half of the time passes in the present session.
    fn plan_for_warning(&self, circumstances: &Circumstances) -> Option<(Instant, Action)> {
        let contact = &circumstances.contact;
        let barren = self.barren.filter(|barren| !barren.told)?;
        let (least, time) = if circumstances.answers_pings {
            (3, Duration::from_secs(6))
        } else {
            (4, Duration::from_secs(8))
        };
        let heard = contact.handshake_heard.filter(|at| *at > barren.since)?;
        if contact.handshake_under_way || barren.sent < least {
            return None;
        }
        // Of a handshake that was heard this moment the session may not have been told of yet.
        let asked = (barren.asked? + time / 2).max(heard + self.patience);
        Some(((barren.since + time).max(asked), Action::Warn))
    }

    fn note(&mut self, now: Instant, action: Action, circumstances: &Circumstances) {
        let received_bytes = circumstances.contact.received_bytes;
        match action {
            Action::Ping => self.note_ping(now),
            Action::Handshake => self.tried = Some(now),
            Action::Show => self.shown = Some(now),
            Action::Resume => self.resume_at = None,
            Action::Probe => {
                self.receiving = false;
                self.probed_bytes = received_bytes;
                self.handle_sent(now, received_bytes);
                if circumstances.answers_pings {
                    self.note_ping(now);
                }
            }
            Action::Warn => {
                if let Some(barren) = &mut self.barren {
                    barren.told = true;
                }
            }
        }
    }

    fn note_ping(&mut self, now: Instant) {
        self.pinged = Some(now);
        if let Some(waiting) = &mut self.waiting {
            waiting.pinged = Some(now);
        }
    }
}

fn round_trip(contact: &Contact) -> Duration {
    contact.round_trip.unwrap_or(USUAL_ROUND_TRIP)
}

#[cfg(test)]
mod tests;
