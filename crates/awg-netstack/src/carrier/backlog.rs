//! Bytes that arrived and nobody reads ([`Backlog`]). QUIC lets its other end send so many in all; once they are there, every flow
//! of the connection stands still, also those that are read. So it is known how many they are, flow by flow, and:
//!
//! - while there is hardly room, what is read makes room at once, not only when an eighth of the window was read;
//! - while there is none, no connection is opened: whoever can goes another way, and who cannot is told;
//! - after a while without room at this end, if somebody has need of some, those flows end that nobody has read from in that
//!   time, the ones that hold the most first, so that they are few. Who has need, of late: whoever asked for a connection; a flow
//!   that waits for its answer; one that was read to its end and to which nothing has come since. While nobody has, nothing ends.
//!
//! Time is counted in seconds, and looked at when there is something to send: a clock that nobody waits for while there is room.

use std::time::{Duration, Instant};

use noq_proto::{Connection, StreamId, VarInt};

use super::flows::{Flow, Stage};
use super::frames::Frame;
use super::link::Link;
use super::request::Code;
use super::settings::Windows;
use super::shared::Shared;
use crate::event::{Closure, Event};

/// How often it is looked whether there is room again.
const TICK: Duration = Duration::from_secs(1);

/// There must have been no room, and a flow not have been read from, for so many seconds.
const PATIENCE: u32 = 10;

/// Once flows were ended, more of them are after so many, if what others send has filled their room within so many.
const AGAIN: u32 = 1;
const SOON: u32 = 60;

/// Who got something so many seconds before there was no room, or since, may have been about to get more.
const RECENT: u32 = 10;

/// Who sends no more than that at a time may be asking for something.
const QUESTION: usize = 16 << 10;

/// The least for which it is told that there is room, or a 256th of the window if that is less.
const LEAST: u64 = 16 << 10;

/// See the module.
#[derive(Default)]
pub(super) struct Backlog {
    /// Bytes of all flows, and of gaps in what came of them.
    bytes: u64,
    /// What was read since that was told here; QUIC may have told it since.
    freed: u64,
    /// When this was last looked at, in seconds.
    pub(super) second: u32,
    /// Since when there has been none at this end; the other one may have none either.
    here: Option<u32>,
    /// When to look again, while there is no room.
    next: Option<Instant>,
    /// Whether it was told that there is no room.
    told: bool,
    /// When flows were ended last.
    ended: Option<u32>,
    /// When a connection was asked for.
    wanted: Option<u32>,
}

impl Backlog {
    /// How long there has been no room at this end.
    fn age(&self) -> u32 {
        self.here
            .map_or(0, |since| self.second.saturating_sub(since))
    }

    /// Whether there has been none for more than a moment.
    pub(super) fn is_full(&self) -> bool {
        self.told
    }

    pub(super) fn next_look(&self) -> Option<Instant> {
        self.next
    }

    /// Tells the other end what room there is, where QUIC would wait until it is much.
    pub(super) fn tell(&mut self, connection: &mut Connection, window: u64) {
        let room = window.saturating_sub(self.bytes);
        if room < window / 2 && self.freed >= LEAST.min(window / 256).max(room / 4) {
            self.freed = 0;
            // It says where the window ends whenever that becomes larger.
            for window in [window - 1, window] {
                connection.set_receive_window(VarInt::from_u64(window).unwrap_or(VarInt::MAX));
            }
        }
    }
}

impl Flow {
    /// Bytes that lie in its stream.
    pub(super) fn backlog(&self) -> u64 {
        self.arrived.saturating_sub(self.read)
    }
}

impl Link {
    /// Notes how far a frame brings the stream of a flow.
    pub(super) fn note_arrival(&mut self, number: u32, frame: &Frame, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        // QUIC takes nothing that is further; what it does not take says whatever it likes.
        let end = frame
            .end
            .min(flow.read.saturating_add(shared.windows.stream));
        if end > flow.arrived {
            let before = flow.backlog();
            if before == 0 && flow.held.is_empty() {
                // Until now there was nothing to take.
                flow.taken_at = self.backlog.second;
            }
            flow.arrived = end;
            self.backlog.bytes = (self.backlog.bytes).saturating_add(flow.backlog() - before);
        }
    }

    /// The same of a stream that is no flow yet.
    pub(super) fn note_stranger(&mut self, stream: StreamId, frame: &Frame, shared: &Shared) {
        let end = self.unnoticed.entry(stream.index()).or_default();
        *end = frame.end.min(shared.windows.stream).max(*end);
    }

    /// A flow is new here; what came before it was one counts.
    pub(super) fn note_flow(&mut self, flow: &mut Flow) {
        flow.taken_at = self.backlog.second;
        flow.arrived = self
            .unnoticed
            .remove(&flow.stream.index())
            .unwrap_or_default();
        self.backlog.bytes = self.backlog.bytes.saturating_add(flow.arrived);
    }

    /// A stream was read, or is over: what is left of it is `left`.
    pub(super) fn note_read(&mut self, before: u64, left: u64) {
        let read = before.saturating_sub(left);
        self.backlog.bytes = self.backlog.bytes.saturating_sub(read);
        self.backlog.freed = self.backlog.freed.saturating_add(read);
    }

    /// The embedder sent something on a flow.
    pub(super) fn note_sent(&self, flow: &mut Flow, count: usize) {
        if count <= QUESTION {
            flow.asked_at = Some(self.backlog.second);
        }
    }

    /// Whether a connection finds no room, at this end or the other.
    pub(super) fn is_full(&self) -> bool {
        self.backlog.is_full()
    }

    /// Whether a connection may be asked for that begins with so many bytes.
    pub(super) fn admits(&mut self, bytes: usize, windows: &Windows) -> bool {
        self.want_room();
        !self.is_full() || self.has_room(windows) && self.grant.takes(bytes)
    }

    /// Somebody wants a connection: if there is no room, there is need of it.
    pub(super) fn want_room(&mut self) {
        if self.is_full() {
            self.backlog.wanted = Some(self.backlog.second);
        }
    }

    /// Whether there is room at this end.
    fn has_room(&self, windows: &Windows) -> bool {
        let window = self.credit.window();
        window < windows.most || self.backlog.bytes.saturating_add(windows.least) < window
    }

    /// Takes the time, for what is noted in seconds.
    pub(super) fn look_at_clock(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since).as_secs();
        self.backlog.second = u32::try_from(passed).unwrap_or(u32::MAX);
    }

    /// Begins or ends to count the time without room.
    pub(super) fn watch_room(&mut self, now: Instant, shared: &mut Shared) {
        self.look_at_clock(now);
        let here = self.wire.is_none() || self.has_room(&shared.windows);
        self.backlog.here = if here {
            None
        } else {
            self.backlog.here.or(Some(self.backlog.second))
        };
        let has_room = here && (self.wire.is_none() || self.grant.has_room());
        if has_room && self.backlog.is_full() {
            let peer = self.peer;
            shared.events.push_back(Event::CarrierRoom { peer });
        }
        match (has_room, self.backlog.next) {
            (true, Some(_)) => {
                self.backlog.next = None;
                self.backlog.told = false;
                self.backlog.wanted = None;
            }
            (false, None) => {
                self.backlog.next = Some(now + TICK);
            }
            _ => {}
        }
    }

    /// Looks whether there is still no room, and ends flows that are not read if somebody has need of it.
    pub(super) fn make_room(&mut self, now: Instant, shared: &mut Shared) {
        self.watch_room(now, shared);
        if self.backlog.next.is_none_or(|next| now < next) {
            return;
        }
        self.backlog.next = Some(now + TICK);
        if !std::mem::replace(&mut self.backlog.told, true) {
            let (peer, held) = (self.peer, self.backlog.bytes);
            shared.counters.windows_full += 1;
            shared.events.push_back(Event::CarrierFull { peer, held });
        }
        let (ended, second) = (self.backlog.ended, self.backlog.second);
        let patience = match ended {
            Some(ended) if second <= ended.saturating_add(SOON) => AGAIN,
            _ => PATIENCE,
        };
        if self.backlog.age() >= patience && self.is_room_wanted(shared) {
            self.end_unread(shared);
            self.watch_room(now, shared);
        }
    }

    fn is_room_wanted(&mut self, shared: &mut Shared) -> bool {
        let second = self.backlog.second;
        let begun = self.backlog.here.unwrap_or(second);
        let recent =
            |at: u32| at < second && at + RECENT >= begun && at + PATIENCE + RECENT >= second;
        if self.backlog.wanted.is_some_and(recent) {
            return true;
        }
        self.streams.values().any(|number| {
            shared.flows.get(*number).is_some_and(|flow| {
                let is_dry = flow.held.is_empty() && flow.backlog() == 0 && !flow.ended;
                let waits = flow.asked_at.is_some_and(recent) || recent(flow.taken_at);
                waits && is_dry && matches!(flow.stage, Stage::Asking | Stage::Open)
            })
        })
    }

    /// Ends flows that nobody reads until there is room for others.
    fn end_unread(&mut self, shared: &mut Shared) {
        let second = self.backlog.second;
        let mut unread: Vec<(u64, u32, u32)> = Vec::new();
        for number in self.streams.values() {
            let Some(flow) = shared.flows.get(*number) else {
                continue;
            };
            let age = second.saturating_sub(flow.taken_at);
            if flow.stage == Stage::Open && flow.backlog() > 0 && age >= PATIENCE {
                // As much as makes a difference.
                let held = flow.backlog() / shared.windows.least;
                unread.push((held, age, *number));
            }
        }
        unread.sort_unstable();
        let (mut flows, mut bytes) = (0, 0);
        let enough = self.credit.window().saturating_sub(shared.windows.stream);
        while self.backlog.bytes > enough
            && let Some((.., number)) = unread.pop()
        {
            flows += 1;
            let held = shared.flows.get(number).map_or(0, |flow| flow.backlog());
            bytes = held.saturating_add(bytes);
            self.break_off(number, Code::Aborted, Closure::Reset, shared);
        }
        if flows > 0 {
            self.backlog.ended = Some(second);
            shared.counters.flows_unread += flows;
            let peer = self.peer;
            let told = Event::Unread { peer, flows, bytes };
            shared.events.push_back(told);
        }
    }
}
