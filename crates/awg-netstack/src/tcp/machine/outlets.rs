//! What stands between smoltcp and the sink: answers that it makes at once ([`Replies`]), and everything else
//! ([`Tap`]).

use std::time::Instant;

use super::sender::Sender;
use super::sequence::is_after;
use super::wire::Outlet;
use crate::packet::{Flags, Segment};

/// What smoltcp answers to a segment at once.
pub(super) struct Replies<'a>(pub(super) &'a mut Vec<Vec<u8>>);

impl Outlet for Replies<'_> {
    fn has_room(&self) -> bool {
        true
    }

    fn packet(&mut self, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        let mut packet = vec![0; length];
        emit(&mut packet);
        self.0.push(packet);
    }
}

/// Sees what leaves.
pub(super) struct Tap<'a> {
    pub(super) inner: &'a mut dyn Outlet,
    pub(super) sender: &'a mut Sender,
    pub(super) started: &'a mut bool,
    pub(super) offered: &'a mut u16,
    pub(super) rewinds: &'a mut u8,
    pub(super) shut: bool,
    pub(super) now: Instant,
    pub(super) limit: usize,
    pub(super) walking: &'a mut Option<u32>,
    pub(super) scratch: &'a mut Vec<u8>,
}

impl Outlet for Tap<'_> {
    fn has_room(&self) -> bool {
        self.inner.has_room()
    }

    fn packet(&mut self, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        // What is repeated may have to be left out, which its header tells.
        let mut sent = None;
        let walking = self.walking.is_some();
        if walking {
            self.scratch.resize(length, 0);
            emit(self.scratch);
            sent = header(self.scratch);
        } else {
            self.inner.packet(length, &mut |buffer| {
                emit(buffer);
                sent = header(buffer);
            });
        }
        let Some((sent, window)) = sent else { return };
        *self.offered = window;
        let leaves = self.note(&sent);
        if walking && leaves {
            let scratch = &*self.scratch;
            self.inner
                .packet(length, &mut |buffer| buffer.copy_from_slice(scratch));
        }
    }
}

impl Tap<'_> {
    /// Whether a repair goes on only with the peer's next segment.
    pub(super) fn must_wait(&self) -> bool {
        self.walking.is_some() && *self.rewinds == 0 && self.sender.must_wait()
    }

    /// Notes a segment that is about to leave. Whether it shall.
    fn note(&mut self, sent: &Segment) -> bool {
        let (start, end) = (sent.sequence, sent.sequence_end());
        if sent.flags.has(Flags::SYN) {
            *self.started = true;
            self.sender.on_sent_syn(self.now, start);
            return true;
        }
        if start == end || sent.flags.has(Flags::RST) || self.shut {
            return true;
        }
        if start == self.sender.first() {
            *self.rewinds = 0;
        }
        // New data may leave before the walk begins.
        if *self.rewinds == 0 && self.walking.is_some_and(|end| !is_after(end, start)) {
            *self.walking = None;
        }
        let left = self
            .limit
            .saturating_sub(self.sender.in_flight() + sent.length);
        let limited = left < usize::from(self.sender.segment());
        let walking = self.walking.is_some();
        self.sender
            .on_sending(self.now, start, end, limited, walking)
    }
}

/// The TCP header of a packet that smoltcp made, and the window that it offers, as the field of any but a SYN has it: that
/// of a SYN is not scaled.
fn header(packet: &[u8]) -> Option<(Segment, u16)> {
    let start = match packet.first()? >> 4 {
        4 => 20,
        _ => 40,
    };
    let sent = Segment::read(packet, start..packet.len())?;
    let mut window = sent.window;
    if sent.flags.has(Flags::SYN) {
        window >>= sent.window_scale(packet).unwrap_or(0);
    }
    Some((sent, window))
}
