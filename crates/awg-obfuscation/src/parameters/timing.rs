//! The times of the protocol as ranges of seconds, of which each use draws its own (AmneziaWG 3.1, PROTOCOL section 4; known from
//! recordings of v3.1.20260814). What they do is the business of the WireGuard implementation.

use super::Parameters;
use crate::range::NumberRange;

/// The times that are not WireGuard's own, in seconds. What is absent is WireGuard's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// `RekeyAfterTime`: the initiator renews a session that is older when it sends; drawn at every packet.
    pub rekey_after_time: Option<NumberRange>,
    /// `RekeyTimeout`: the time until an initiation is repeated; no two initiations are closer than its low end.
    pub rekey_timeout: Option<NumberRange>,
    /// `RejectAfterTime`: a session older than its high end is not used.
    pub reject_after_time: Option<NumberRange>,
    /// `KeepaliveTimeout`: what was received is answered with a keepalive after so long without anything else to send.
    pub keepalive_timeout: Option<NumberRange>,
    /// `MaxHandshakeAttempts`: N makes N + 2 initiations before a run is given up.
    pub max_handshake_attempts: Option<NumberRange>,
}

/// The names in a `.conf`, and those of the control protocol beside them.
pub(super) const TIMES: [(&str, &str); 5] = [
    ("RekeyAfterTime", "rekey_after_time"),
    ("RekeyTimeout", "rekey_timeout"),
    ("RejectAfterTime", "reject_after_time"),
    ("KeepaliveTimeout", "keepalive_timeout"),
    ("MaxHandshakeAttempts", "max_handshake_attempts"),
];

impl Timing {
    /// Whether any of them is given.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

impl Parameters {
    /// The time of this place in [`TIMES`].
    pub(super) fn time_mut(&mut self, index: usize) -> Option<&mut Option<NumberRange>> {
        let timing = &mut self.timing;
        match index {
            0 => Some(&mut timing.rekey_after_time),
            1 => Some(&mut timing.rekey_timeout),
            2 => Some(&mut timing.reject_after_time),
            3 => Some(&mut timing.keepalive_timeout),
            4 => Some(&mut timing.max_handshake_attempts),
            _ => None,
        }
    }
}
