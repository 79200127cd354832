//! All that the reference sent while it talked with a device of ours, lost or not.

use std::time::Duration;

use awg_obfuscation::MessageType;
use awg_tunnel::inspection::{Initiation, Pending, Response, timestamp};

use super::Reencoder;
use crate::end::START;
use crate::pair::{Pair, Passed, Side};
use crate::probe;
use crate::wish::Wish;

/// What one side knows of the talk.
struct Talk<'a> {
    again: Reencoder,
    side: Side,
    /// Its initiations, by its index: what waits for a response.
    pending: Vec<(u32, Pending)>,
    /// The other's initiations.
    heard: Vec<Vec<u8>>,
    /// The other's index and the key of what this side sends.
    sessions: Vec<(u32, [u8; 32])>,
    /// What was no message so far: an initiation is to follow.
    before: Vec<(Duration, &'a [u8])>,
}

/// Makes everything again that `side`, a device of the reference, has sent: initiations with all that precedes them, responses, data,
/// keepalives; and there is nothing else. The other device, ours, has not been under load: there are no cookies.
///
/// # Panics
/// Where our code makes other bytes, or there is something else.
pub fn all(pair: &Pair, side: Side, wish: &Wish) {
    let mut again = Reencoder::new(side.key(), side.other().key(), wish);
    again.drew(&pair.secrets[side as usize]);
    let mut talk = Talk {
        again,
        side,
        pending: Vec::new(),
        heard: Vec::new(),
        sessions: Vec::new(),
        before: Vec::new(),
    };
    for passed in &pair.passed {
        if passed.by == side {
            talk.says(passed);
        } else {
            talk.hears(&passed.datagram);
        }
    }
    let left = talk.before.len();
    assert_eq!(
        left, 0,
        "datagrams that are no message and precede no initiation"
    );
}

impl<'a> Talk<'a> {
    /// A datagram of ours, of which only handshake messages matter. Junk that looks like one names no index.
    fn hears(&mut self, datagram: &[u8]) {
        let obfuscation = &self.again.obfuscation;
        let message = |kind| probe::message(obfuscation, kind, datagram);
        if let Some(message) = message(MessageType::Initiation)
            && Initiation::read(&message, &self.side.key()).is_ok()
        {
            self.heard.push(message);
        } else if let Some(message) = message(MessageType::Response)
            && let Ok(read) = Response::read(&message)
            && let Some(at) = self
                .pending
                .iter()
                .position(|(index, _)| *index == read.receiver)
        {
            let (_, pending) = self.pending.swap_remove(at);
            let keys = pending.finish(&message).expect("ours answers to it");
            self.sessions
                .push((read.sender, *keys.initiator_to_responder()));
        }
    }

    fn says(&mut self, passed: &'a Passed) {
        let datagram = &passed.datagram;
        let mut sessions = self.sessions.iter().rev();
        if sessions.any(|(index, key)| self.again.transport(datagram, *index, key).is_some()) {
            return;
        }
        if let Some((read, _, pending)) = self.again.initiation(datagram, None) {
            assert_eq!(read.timestamp, timestamp(START + passed.at));
            self.again.preamble(&self.before);
            self.before.clear();
            self.pending.push((read.sender, pending));
            return;
        }
        let mut heard = self.heard.iter().rev();
        if let Some((read, _, keys)) =
            heard.find_map(|asked| self.again.response(datagram, asked, None))
        {
            self.sessions
                .push((read.receiver, *keys.responder_to_initiator()));
            return;
        }
        self.before.push((passed.at, datagram));
    }
}
