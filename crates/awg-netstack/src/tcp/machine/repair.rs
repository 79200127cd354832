//! Making smoltcp send something again: by acknowledgements that the peer did not send, and by moving the flow's clock.

use std::time::{Duration, Instant};

use smoltcp::socket::tcp::State;

use super::segments::another;
use super::sender::Repair;
use super::{Link, TcpMachine, forge};

/// Timers of smoltcp that may come before its retransmission.
const REWINDS: u8 = 3;

impl TcpMachine {
    pub(super) fn repair(&mut self, link: &mut Link, now: Instant, repair: Repair) {
        match repair {
            Repair::None => {}
            // Nothing may leave; the timer begins anew when the window opens.
            Repair::First | Repair::Walk if self.peer_window == 0 && self.started => {}
            // A FIN alone: smoltcp would forget its timer over the duplicates.
            Repair::First if self.socket().send_queue() == 0 => self.rewinds = REWINDS,
            Repair::First => {
                self.fast_retransmits += 1;
                // Another window resets smoltcp's count of duplicates; three of the same make it send the first segment
                // again.
                let field = self.window_field();
                let other = if field == self.shown {
                    another(field)
                } else {
                    field
                };
                for _ in 0..4 {
                    self.forge(link, now, other);
                }
            }
            Repair::Walk => {
                self.walks += 1;
                let field = self.window_field();
                if field != self.shown {
                    self.forge(link, now, field);
                }
                self.rewinds = REWINDS;
                self.walking = Some(self.sender.next());
            }
            Repair::GiveUp => {
                self.dead = true;
                self.socket_mut().abort();
            }
        }
    }

    /// The peer is back: what it has left unacknowledged for too long is sent again by the next
    /// [`poll_transmit`](Self::poll_transmit), whatever the timers say; `is_lost` where
    /// all of it is lost for certain. Whether there is any.
    pub(crate) fn resume(&mut self, link: &mut Link, now: Instant, is_lost: bool) -> bool {
        let is_open = self.is_synchronized();
        if !self.started || (is_open && self.peer_window == 0) {
            return false;
        }
        let repair = self.sender.resume(now, is_open, is_lost);
        if repair == Repair::None {
            return false;
        }
        if is_open {
            self.repair(link, now, repair);
        } else {
            // The handshake's own segment is smoltcp's to send again: its timer is the only one.
            self.rewinds = 1;
        }
        true
    }

    /// Whether something of ours is on its way.
    pub(crate) fn is_waiting(&self) -> bool {
        self.started && self.sender.in_flight() > 0
    }

    /// Hands in an acknowledgement of nothing new, with another window.
    pub(super) fn forge(&mut self, link: &mut Link, now: Instant, window: u16) {
        let mut buffer = forge::buffer();
        let packet = forge::acknowledgement(
            &mut buffer,
            &self.ends,
            self.expected(),
            self.sender.first(),
            window,
        );
        self.shown = window;
        self.feed(link, now, packet, &mut Vec::new());
    }

    /// Moves the flow's clock to its next timer. Returns whether there is one ahead.
    pub(super) fn advance_clock(&mut self, link: &mut Link, now: Instant) -> bool {
        let clock = self.clock(link, now);
        let at = self.size.interface(link).poll_at(clock, &self.sockets);
        let Some(at) = at.filter(|at| *at > clock) else {
            return false;
        };
        self.lead += Duration::from_micros((at - clock).total_micros());
        true
    }

    /// The flow's time. It stands still in TIME-WAIT: smoltcp would clear the receive buffer at its end, read or not.
    pub(super) fn clock(&mut self, link: &Link, now: Instant) -> smoltcp::time::Instant {
        let clock = link.clock(now, self.lead);
        if self.state() == State::TimeWait {
            *self.stopped.get_or_insert(clock)
        } else {
            clock
        }
    }
}
