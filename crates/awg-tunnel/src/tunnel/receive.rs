//! What a datagram is, and who handles it (`RoutineReceiveIncoming`, `RoutineHandshake` in `device/receive.go`).

use awg_obfuscation::MessageType;

use super::Tunnel;
use crate::counters::Counters;
use crate::endpoint::Endpoint;
use crate::event::FailureCause;
use crate::message::{CookieReply, Initiation, Response};
use crate::peer::PeerId;
use crate::time::Now;

/// An authenticated IP packet.
#[derive(Debug, PartialEq, Eq)]
pub struct Inbound<'d> {
    /// Who sent it; its source address is that peer's.
    pub peer: PeerId,
    /// The packet without padding, in the datagram's own memory.
    pub packet: &'d mut [u8],
}

/// The counter of a reason to drop.
pub(super) type Reason = fn(&mut Counters) -> &mut u64;

/// Why a handshake message is not taken.
pub(super) enum Rejection {
    /// It may be another type of message that looks like this one by chance.
    NotThis(Reason),
    /// It is what it looks like, and is dropped.
    Dropped(Reason),
    /// It is what it looks like, and another tunnel of this end has its sender.
    Elsewhere(usize),
}

impl Tunnel {
    /// Takes a datagram from the network; opens it in place. Gives a packet if it held one.
    ///
    /// `from` says by which of our sockets it came, and which obfuscation is spoken there. What names an obfuscation that the
    /// tunnel does not have is dropped.
    pub fn handle_datagram<'d>(
        &mut self,
        now: Now,
        from: impl Into<Endpoint>,
        datagram: &'d mut [u8],
    ) -> Option<Inbound<'d>> {
        self.open_datagram(now, from.into(), datagram)
    }

    pub(super) fn open_datagram<'d>(
        &mut self,
        now: Now,
        from: Endpoint,
        datagram: &'d mut [u8],
    ) -> Option<Inbound<'d>> {
        self.misplaced = None;
        self.counters.datagrams_received += 1;
        self.counters.bytes_received += datagram.len() as u64;
        if from.remote.port() == 0 {
            // Nothing can be sent there (RFC 768: no port), so nobody who is to be answered is there.
            self.counters.dropped_port_zero += 1;
            return None;
        }
        if !self.framings.has(from.local) {
            self.counters.dropped_unclassified += 1;
            return None;
        }
        let framing = self.framings.at(from.local);
        let mut candidates = framing.obfuscation.classify(datagram);
        let (first, mask) = (candidates.next(), candidates.mask());
        let (offset, before) = match first {
            None => {
                self.counters.dropped_unclassified += 1;
                self.suspect_bare_headers(now, from, datagram);
                return None;
            }
            Some(first) if first.message == MessageType::Transport => (first.offset, None),
            Some(_) => self.handle_handshake(now, from, datagram)?,
        };
        let size = datagram.len();
        let message = datagram.get_mut(offset..)?;
        mask.apply(message);
        if let Some(share) = self.session_elsewhere(message) {
            mask.apply(message);
            self.misplace(share, size);
            return None;
        }
        match self.handle_transport(now, from, size, message) {
            Ok(inbound) => inbound,
            Err(reason) => {
                // What it looked like first is what the reference would have taken it for.
                let reason = before.unwrap_or(reason);
                *reason(&mut self.counters) += 1;
                None
            }
        }
    }

    /// Tries what the datagram may be, in order. Gives the place of a transport message if it comes to that, and why it is not
    /// what it looked like first.
    ///
    /// The reference stops at the first; where sizes collide it loses data and responses by that.
    #[cold]
    fn handle_handshake(
        &mut self,
        now: Now,
        from: Endpoint,
        datagram: &mut [u8],
    ) -> Option<(usize, Option<Reason>)> {
        let mut candidates = [None; 5];
        let framing = self.framings.at(from.local);
        let classified = framing.obfuscation.classify(datagram);
        for (place, candidate) in candidates.iter_mut().zip(classified) {
            *place = Some(candidate);
        }
        let mut first_reason: Option<Reason> = None;
        let mut perhaps = None;
        for candidate in candidates.into_iter().flatten() {
            let (kind, offset) = (candidate.message, candidate.offset);
            if kind == MessageType::Transport {
                return Some((offset, first_reason));
            }
            self.toggle_protection(from, kind, offset, datagram);
            let message = datagram.get(offset..)?;
            let result = match kind {
                MessageType::Initiation => {
                    self.handle_initiation(now, from, &Initiation(*message.first_chunk()?))
                }
                MessageType::Response => {
                    self.handle_response(now, from, &Response(*message.first_chunk()?))
                }
                _ => {
                    let message = CookieReply(*message.first_chunk()?);
                    // It tells nothing of itself but its receiver, who alone can open it.
                    perhaps = perhaps.or(self.index_elsewhere(message.receiver()));
                    self.handle_cookie_reply(now, &message)
                }
            };
            match result {
                Ok(()) => return None,
                Err(Rejection::NotThis(reason)) => {
                    first_reason.get_or_insert(reason);
                    self.toggle_protection(from, kind, offset, datagram);
                }
                Err(Rejection::Dropped(reason)) => {
                    *reason(&mut self.counters) += 1;
                    return None;
                }
                Err(Rejection::Elsewhere(share)) => {
                    self.toggle_protection(from, kind, offset, datagram);
                    self.misplace(share, datagram.len());
                    return None;
                }
            }
        }
        if let Some(share) = perhaps {
            self.misplace(share, datagram.len());
            return None;
        }
        if let Some(reason) = first_reason {
            let before = self.counters.dropped_mac1;
            *reason(&mut self.counters) += 1;
            if self.counters.dropped_mac1 != before
                && !self.suspect_bare_headers(now, from, datagram)
            {
                self.emit_failure(now, None, Some(from.remote), FailureCause::Mac1);
            }
        }
        None
    }

    fn toggle_protection(
        &self,
        from: Endpoint,
        kind: MessageType,
        offset: usize,
        datagram: &mut [u8],
    ) {
        let obfuscation = &self.framings.at(from.local).obfuscation;
        obfuscation.toggle_protection(kind, offset, datagram);
    }

    /// Tells of a sender that does not protect headers where we do: its handshake message is for us (mac1) as it stands. Says
    /// whether it is. Of a sender that does where we do not nothing can be told.
    #[cold]
    fn suspect_bare_headers(&mut self, now: Now, from: Endpoint, datagram: &[u8]) -> bool {
        let obfuscation = &self.framings.at(from.local).obfuscation;
        if !obfuscation.protects_headers() {
            return false;
        }
        let is_ours = obfuscation
            .classify_unprotected(datagram)
            .filter(|found| {
                matches!(
                    found.message,
                    MessageType::Initiation | MessageType::Response
                )
            })
            .filter_map(|found| {
                let end = found.offset + found.message.bare_size();
                datagram.get(found.offset..end)
            })
            .any(|message| self.checker.check_mac1(message));
        if is_ours {
            self.emit_failure(now, None, Some(from.remote), FailureCause::HeaderProtection);
        }
        is_ours
    }
}
