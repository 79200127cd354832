//! The protocol's times and counts: whitepaper section 6.1 and the reference's `device/constants.go`.

// The specification counts in seconds.
#![allow(clippy::duration_suboptimal_units)]

use std::time::Duration;

/// An initiator renews a session that is older than this when it sends.
pub const REKEY_AFTER_TIME: Duration = Duration::from_secs(120);
/// A session older than this neither sends nor receives.
pub const REJECT_AFTER_TIME: Duration = Duration::from_secs(180);
/// The least time between two initiations, and, with jitter, the time until a retry.
pub const REKEY_TIMEOUT: Duration = Duration::from_secs(5);
/// Data received and nothing sent for this long is answered with a keepalive.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Jitter is drawn from 0 to this many milliseconds.
pub const JITTER_MILLISECONDS: u32 = 333;
/// Initiations in one run, the first included.
pub const MAX_INITIATIONS: u32 = 20;
/// A session that has sent more messages than this is renewed.
pub const REKEY_AFTER_MESSAGES: u64 = 1 << 60;
/// Counters from here on are never used: 2^64 - 2^13 - 1.
pub const REJECT_AFTER_MESSAGES: u64 = u64::MAX - (1 << 13);
/// How long a cookie, and the secret it is made with, is good for.
pub const COOKIE_LIFETIME: Duration = Duration::from_secs(120);
/// At most one initiation per peer is accepted in this time.
pub const INITIATION_INTERVAL: Duration = Duration::from_millis(20);
/// An initiator that receives with a session older than this renews it: it may have nothing to send.
pub const REKEY_ON_RECEIVE_AFTER: Duration = Duration::from_secs(165);
/// Data sent and nothing authenticated received for this long, with jitter, starts a handshake.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(15);
/// All keys of a peer are overwritten this long after the last one was derived.
pub const ZERO_KEYS_AFTER: Duration = Duration::from_secs(540);
/// How long the load lasts once it was seen.
pub const UNDER_LOAD_TIME: Duration = Duration::from_secs(1);
