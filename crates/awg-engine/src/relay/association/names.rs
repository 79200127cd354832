//! The names that one application's datagrams go to: what each stands for, and the datagrams that wait to know.
//!
//! A name keeps the address that it got for as long as it is used, so that a conversation stays with one far end; one that
//! was not used for [`FORGET`] is looked up anew. It does no look-up itself: it says that one is wanted.

use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Names at once.
pub(super) const NAMES: usize = 64;
/// Datagrams that wait, of all names together.
pub(super) const WAITING: usize = 32;
/// Bytes of them.
pub(super) const WAITING_BYTES: usize = 32 * 1024;
/// How long a name that is not used is known.
pub(super) const FORGET: Duration = Duration::from_mins(2);
/// How long datagrams wait for a look-up.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long a name that was not found is not looked up again.
pub(super) const RETRY: Duration = Duration::from_secs(2);

/// What is known of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    /// Where it leads.
    Address(IpAddr),
    /// The datagram waits, and the name is to be looked up.
    Wanted,
    /// The datagram waits, as others do.
    Waits,
    /// It was not found a moment ago; the datagram is dropped.
    Missing,
    /// There are too many names, or too much waits; the datagram is dropped.
    Full,
}

/// A datagram that waits: the port that it is for, and what it holds.
pub(super) type Waiting = (u16, Box<[u8]>);

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    state: State,
    /// When it was used, asked for, or not found.
    at: Instant,
}

#[derive(Debug)]
enum State {
    Asked(Vec<Waiting>),
    Found(IpAddr),
    Missing,
}

impl Entry {
    fn due(&self) -> Instant {
        self.at
            + match self.state {
                State::Asked(_) => PATIENCE,
                State::Found(_) => FORGET,
                State::Missing => RETRY,
            }
    }

    fn waiting(&self) -> &[Waiting] {
        match &self.state {
            State::Asked(waiting) => waiting,
            _ => &[],
        }
    }
}

/// The table; see the module. Without names it takes no memory.
#[derive(Debug, Default)]
pub(super) struct Names {
    entries: Vec<Entry>,
}

impl Names {
    /// Looks `name` up for a datagram, which is kept if it has to wait.
    pub(super) fn look_up(&mut self, now: Instant, name: &str, port: u16, payload: &[u8]) -> Known {
        let known = self.entries.iter().position(|entry| &*entry.name == name);
        if let Some(place) = known
            && let Some(entry) = self.entries.get_mut(place)
        {
            if entry.due() > now {
                match entry.state {
                    State::Found(address) => {
                        entry.at = now;
                        return Known::Address(address);
                    }
                    State::Missing => return Known::Missing,
                    State::Asked(_) => return self.wait(place, port, payload),
                }
            }
            if entry.waiting().is_empty() {
                self.entries.swap_remove(place);
            } else {
                // What waits in vain is for `handle_timeout` to count, at once.
                return Known::Full;
            }
        }
        if !self.make_room() {
            return Known::Full;
        }
        self.entries.push(Entry {
            name: name.into(),
            state: State::Asked(Vec::new()),
            at: now,
        });
        match self.wait(self.entries.len() - 1, port, payload) {
            Known::Waits => Known::Wanted,
            full => {
                self.entries.pop();
                full
            }
        }
    }

    fn wait(&mut self, place: usize, port: u16, payload: &[u8]) -> Known {
        let waiting = self.entries.iter().flat_map(Entry::waiting);
        let (count, bytes) = waiting.fold((0, 0), |(count, bytes), (_, payload)| {
            (count + 1, bytes + payload.len())
        });
        match self.entries.get_mut(place).map(|entry| &mut entry.state) {
            Some(State::Asked(waiting))
                if count < WAITING && bytes + payload.len() <= WAITING_BYTES =>
            {
                waiting.push((port, payload.into()));
                Known::Waits
            }
            _ => Known::Full,
        }
    }

    /// Makes room for one more name by forgetting the one that was not used for longest; those that are asked for stay.
    fn make_room(&mut self) -> bool {
        if self.entries.len() < NAMES {
            return true;
        }
        let settled = self.entries.iter().enumerate();
        let oldest = settled
            .filter(|(_, entry)| !matches!(entry.state, State::Asked(_)))
            .min_by_key(|(_, entry)| entry.at)
            .map(|(place, _)| place);
        oldest.is_some_and(|place| {
            self.entries.swap_remove(place);
            true
        })
    }

    /// Takes the answer for a name, `None` = there is no such address; gives the datagrams that waited for it. An answer
    /// that nobody waits for is left alone.
    pub(super) fn answer(
        &mut self,
        now: Instant,
        name: &str,
        address: Option<IpAddr>,
    ) -> Vec<Waiting> {
        let entry = self.entries.iter_mut().find(|entry| &*entry.name == name);
        let Some(entry) = entry else {
            return Vec::new();
        };
        let State::Asked(waiting) = &mut entry.state else {
            return Vec::new();
        };
        let waiting = std::mem::take(waiting);
        entry.at = now;
        entry.state = address.map_or(State::Missing, State::Found);
        waiting
    }

    /// Forgets what is due; gives how many datagrams waited in vain.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> usize {
        let mut in_vain = 0;
        self.entries.retain(|entry| {
            let stays = entry.due() > now;
            in_vain += if stays { 0 } else { entry.waiting().len() };
            stays
        });
        in_vain
    }

    /// When datagrams will have waited for too long; names without any are forgotten when something else happens.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let asked = self.entries.iter();
        asked
            .filter(|entry| !entry.waiting().is_empty())
            .map(Entry::due)
            .min()
    }
}

#[cfg(test)]
mod tests;
