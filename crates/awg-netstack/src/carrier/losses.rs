//! Links that are lost: their connection ended, or did not come to be; their code panicked; their peer is gone.

use std::time::Instant;

use super::Carriers;
use crate::event::{CarrierLoss, Closure, Event};
use crate::flow::Peer;

impl Carriers {
    /// A link panicked: nothing of it can be relied on but its flows' names.
    pub(super) fn broke(&mut self, place: u32) {
        self.shared.counters.panics += 1;
        self.timers.disarm(place);
        let was_down = self.links.get(place).is_some_and(|link| link.is_down);
        let Some((peer, call)) = self.links.abandon(place, &mut self.shared) else {
            return;
        };
        let Some((own, remote, mut call)) = call else {
            return;
        };
        let now = self.now;
        self.shared.counters.lost += 1;
        let why = CarrierLoss::Failed;
        if !was_down {
            let down = Event::CarrierDown { peer, why };
            self.shared.events.push_back(down);
        }
        call.failed(now, None);
        if let Some(place) = self.add(now, peer, own, remote, true) {
            if let Some(link) = self.links.get_mut(place) {
                link.call = Some(call);
                link.is_down = true;
            }
            self.arm(place);
        }
    }

    /// A link's connection is over, or did not come to be.
    pub(super) fn lose(&mut self, now: Instant, place: u32, why: CarrierLoss) {
        let up = self
            .with(place, |link, shared| {
                let up = link.up.then_some(link.since);
                link.last_word(now, shared);
                link.hang_up(shared, Closure::Reset);
                let is_barred = std::mem::take(&mut link.is_barred);
                if is_barred {
                    link.drop_coming();
                }
                link.promote(now, shared);
                if let Some(call) = &mut link.call {
                    call.failed(now, up);
                    if is_barred {
                        call.put_off(now);
                    }
                    link.tell_down(why, shared);
                }
                up
            })
            .flatten();
        if up.is_some() {
            self.shared.counters.lost += 1;
        } else {
            self.shared.counters.attempts_failed += 1;
        }
        match self.links.get(place) {
            Some(link) if link.call.is_some() => self.arm(place),
            // Its client began anew meanwhile.
            Some(link) if link.wire.is_some() => self.hear(place),
            Some(_) => self.remove(place),
            None => {}
        }
    }

    /// Whether a peer gets no carrier now.
    pub(super) fn is_barred(&mut self, now: Instant, peer: Peer) -> bool {
        self.barred.retain(|_, until| now < *until);
        self.barred.contains_key(&peer)
    }

    pub(super) fn remove(&mut self, place: u32) {
        self.timers.disarm(place);
        self.links.remove(place, &mut self.shared);
    }

    /// Ends what is of a peer, without a word to it. A carrier that is ours to keep up is tried again when there is reason to.
    pub(crate) fn forget_peer(&mut self, now: Instant, peer: Peer) {
        self.now = now;
        let Some(place) = self.links.of(peer) else {
            return;
        };
        self.with(place, |link, shared| {
            let was = link.wire.is_some();
            link.hang_up(shared, Closure::PeerGone);
            if let Some(call) = &mut link.call
                && was
            {
                call.put_off(now);
                link.tell_down(CarrierLoss::TimedOut, shared);
            }
        });
        match self.links.get(place) {
            Some(link) if link.call.is_some() => self.arm(place),
            Some(_) => self.remove(place),
            None => {}
        }
    }
}
