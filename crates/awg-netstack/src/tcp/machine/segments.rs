//! A segment's way in: what it tells, and what smoltcp is shown of it.

use std::time::Instant;

use smoltcp::socket::tcp::State;

use super::outlets::Replies;
use super::sender::Repair;
use super::sequence::is_after;
use super::wire::Wire;
use super::{ACKNOWLEDGEMENT_DELAY, Link, TcpMachine};
use crate::packet::{Flags, Segment};

impl TcpMachine {
    /// Takes a segment of this connection. What it makes necessary at once goes to `replies`, everything else leaves
    /// with [`poll_transmit`](Self::poll_transmit).
    pub(crate) fn handle_segment(
        &mut self,
        link: &mut Link,
        now: Instant,
        packet: &mut [u8],
        segment: &Segment,
        replies: &mut Vec<Vec<u8>>,
    ) {
        if self.is_finished() && self.is_beyond_the_end(segment) {
            // smoltcp would take it for the peer's next bytes.
            return;
        }
        let before = self.state();
        let queued = self.socket().send_queue();
        let first = self.sender.first();
        let mut repair = Repair::None;
        if segment.flags.has(Flags::SYN) {
            self.learn(now, packet, segment);
        } else if !segment.flags.has(Flags::RST) && segment.flags.has(Flags::ACK) && self.started {
            match self.judge(now, packet, segment) {
                Some(found) => repair = found,
                None => return,
            }
        }
        self.feed(link, now, packet, replies);
        let after = self.state();
        if segment.flags.has(Flags::RST)
            && matches!(after, State::Closed | State::Listen)
            && before != after
        {
            self.reset_by_peer = true;
            self.dead = true;
        }
        self.note_received(segment);
        if segment.flags.has(Flags::FIN) && self.is_finished() {
            // Nothing more comes that its acknowledgement could wait for, and in TIME-WAIT nobody would come back to
            // send it.
            self.lead += ACKNOWLEDGEMENT_DELAY;
        }
        if self.started
            && self.sender.first() != first
            && queued > 0
            && self.socket().send_queue() == queued
        {
            // smoltcp passed over a segment out of its window, and the acknowledgement with it.
            let field = self.window_field();
            self.forge(link, now, field);
        }
        self.repair(link, now, repair);
    }

    /// Reads what a SYN says of its sender.
    pub(super) fn learn(&mut self, now: Instant, packet: &mut [u8], segment: &Segment) {
        if matches!(self.state(), State::Listen | State::SynSent) {
            self.peer_initial = Some(segment.sequence);
            self.received_to = segment.sequence.wrapping_add(1);
            self.peer_scale = segment.window_scale(packet).unwrap_or(0);
            self.peer_window = usize::from(segment.window);
            if let Some(largest) = segment.maximum_segment(packet) {
                self.sender.limit_segment(largest.max(48));
            }
            if segment.flags.has(Flags::ACK)
                && segment.acknowledgement == self.sender.first().wrapping_add(1)
            {
                let _ = self.sender.on_acknowledged(now, segment.acknowledgement);
            }
            // The window of a SYN is never scaled.
            let window = self.sender.window().min(self.peer_window);
            let window = u16::try_from(window).unwrap_or(u16::MAX);
            segment.overwrite(packet, segment.acknowledgement, window);
        }
    }

    /// Reads an acknowledgement, and writes over it what smoltcp shall see. `None` if it shall see nothing of it.
    pub(super) fn judge(
        &mut self,
        now: Instant,
        packet: &mut [u8],
        segment: &Segment,
    ) -> Option<Repair> {
        let delivered = self.sender.delivered();
        let window = usize::from(segment.window) << self.peer_scale;
        let shut = self.peer_window == 0;
        let first = self.sender.first();
        let mut acknowledged = segment.acknowledgement;
        let mut repair = Repair::None;
        let mut duplicate = false;
        let mut news = false;
        for (start, end) in segment.selective(packet) {
            news |= self.sender.on_selective(start, end);
        }
        if is_after(first, acknowledged) {
            // Older than what we know: its data may still be news.
            acknowledged = first;
        } else if is_after(acknowledged, first) {
            // Beyond all that could be sent: smoltcp answers that.
            let most = self.sender.in_flight().max(self.socket().send_queue() + 2);
            if acknowledged.wrapping_sub(first) as usize <= most {
                self.peer_window = window;
                repair = self.sender.on_acknowledged(now, acknowledged);
            }
        } else {
            let bare = segment.length == 0 && !segment.flags.any(Flags::FIN);
            duplicate =
                bare && self.sender.in_flight() > 0 && window == self.peer_window && window != 0;
            self.peer_window = window;
            if duplicate || news {
                repair = self.sender.on_duplicate(now);
            }
        }
        let delivered = self.sender.delivered().saturating_sub(delivered);
        self.sender.on_segment(delivered);
        if shut || self.peer_window == 0 {
            self.sender.hold(now);
        }
        self.shut_since = (self.peer_window == 0).then(|| self.shut_since.unwrap_or(now));
        let mut shown = self.window_field();
        if shown == self.shown && acknowledged == first && segment.length == 0 {
            if shown == 0 {
                if !segment.flags.any(Flags::FIN) {
                    // Still shut. smoltcp would count it, and end its probes over the third.
                    return None;
                }
            } else if self.sender.in_flight() > 0 {
                if duplicate && repair == Repair::None {
                    // It would only be counted, which is done.
                    return None;
                }
                // smoltcp does not count what comes with another window.
                shown = another(shown);
            }
        }
        self.shown = shown;
        segment.overwrite(packet, acknowledged, shown);
        Some(repair)
    }

    /// The smaller of the peer's window and the congestion window, as the field has it.
    pub(super) fn window_field(&self) -> u16 {
        if self.peer_window == 0 {
            return 0;
        }
        let field = self.sender.whole_window().min(self.peer_window) >> self.peer_scale;
        u16::try_from(field).unwrap_or(u16::MAX).max(1)
    }

    pub(super) fn note_received(&mut self, segment: &Segment) {
        if segment.length == 0 || self.peer_initial.is_none() {
            return;
        }
        let end = segment.sequence.wrapping_add(segment.length as u32);
        let window = self.socket().recv_capacity() as u32;
        let ahead = end.wrapping_sub(self.expected());
        if is_after(end, self.received_to) && (ahead <= window || !is_after(end, self.expected())) {
            self.received_to = end;
        }
        if let Some(rings) = &mut self.rings {
            rings.receive.touch(segment.length);
        }
    }

    /// The next sequence number of the peer's data that we lack.
    pub(super) fn expected(&self) -> u32 {
        let finished = u32::from(self.is_finished());
        self.peer_initial
            .unwrap_or(0)
            .wrapping_add(1)
            .wrapping_add(self.taken)
            .wrapping_add(self.socket().recv_queue() as u32)
            .wrapping_add(finished)
    }

    /// Whether a segment has data after the peer's FIN (RFC 9293 section 3.10.7.4: ignored).
    fn is_beyond_the_end(&self, segment: &Segment) -> bool {
        segment.length > 0
            && !segment.flags.any(Flags::SYN | Flags::RST)
            && is_after(segment.sequence_end(), self.expected())
    }

    pub(super) fn feed(
        &mut self,
        link: &mut Link,
        now: Instant,
        packet: &[u8],
        replies: &mut Vec<Vec<u8>>,
    ) {
        let clock = self.clock(link, now);
        let mut outlet = Replies(replies);
        let mut wire = Wire {
            mtu: self.size.mtu(link),
            inbound: Some(packet),
            outlet: &mut outlet,
        };
        self.size
            .interface(link)
            .poll_ingress_single(clock, &mut wire, &mut self.sockets);
    }
}

/// A window field that differs as little as can be from one that is open, and is open, too.
pub(super) fn another(field: u16) -> u16 {
    if field > 1 { field - 1 } else { field + 1 }
}
