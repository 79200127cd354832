//! What the owner of a tunnel is told, in a queue of bounded size.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::peer::PeerId;
use crate::session::Role;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A session came into use.
    SessionEstablished {
        /// With whom.
        peer: PeerId,
        /// Our part in the handshake.
        role: Role,
        /// Whether it took over from one that was still good.
        rekey: bool,
    },
    /// An initiation was accepted. Whoever keeps the timestamp and gives it back as
    /// [`PeerConfig::last_timestamp`](crate::PeerConfig::last_timestamp) has replays refused also after a restart.
    InitiationAccepted {
        /// Whose.
        peer: PeerId,
        /// Its TAI64N timestamp; those of one peer rise.
        timestamp: [u8; 12],
    },
    /// A peer is heard by its session again after packets to it had gone without an answer for a while. Not told where a handshake
    /// came first: that has its own event.
    HeardAgain {
        /// Who.
        peer: PeerId,
    },
    /// The last session grew too old, and none took over.
    SessionExpired {
        /// Whose.
        peer: PeerId,
    },
    /// An initiation was not answered in time. Told of each of them.
    InitiationUnanswered {
        /// Whose.
        peer: PeerId,
        /// How many were not, in a row: since the last handshake that was completed.
        tries: u32,
    },
    /// Initiations have gone unanswered for a while; more follow. It is not told where a datagram has told a cause.
    HandshakeUnanswered {
        /// To whom.
        peer: PeerId,
        /// How many so far.
        initiations: u32,
    },
    /// A handshake failed, or a datagram tells why one will. The same cause is told of the same peer once a minute at most.
    HandshakeFailed {
        /// The peer, where it is known.
        peer: Option<PeerId>,
        /// Where the datagram came from, where one told.
        from: Option<SocketAddr>,
        /// A guess.
        cause: FailureCause,
    },
    /// A run of initiations was given up; the next packet begins another one. Told of every run, whatever else is told of it.
    InitiationsGivenUp {
        /// Whose.
        peer: PeerId,
    },
    /// An authenticated message came from a new address, which is used from now on. Told once a minute at most of each peer, since
    /// the peer decides how often it moves.
    PeerRoamed {
        /// Who.
        peer: PeerId,
        /// The address before.
        from: SocketAddr,
        /// The address now.
        to: SocketAddr,
    },
}

/// Why a handshake fails, as far as can be told from one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureCause {
    /// Twenty initiations, no answer.
    NoAnswer,
    /// A response to our initiation did not open although its mac1 was right.
    WrongPresharedKey,
    /// Our responses to a peer's initiations are not taken up.
    NotConfirmed,
    /// An initiation by a key that is no peer's.
    UnknownPeer,
    /// An initiation older than the peer's last.
    OldTimestamp,
    /// A handshake message of the right size and type word that is not for our key.
    Mac1,
    /// A handshake message for our key whose header is not protected, although we protect headers.
    HeaderProtection,
}

impl FailureCause {
    /// A short name for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoAnswer => "no-answer",
            Self::WrongPresharedKey => "wrong-preshared-key",
            Self::NotConfirmed => "not-confirmed",
            Self::UnknownPeer => "unknown-peer",
            Self::OldTimestamp => "old-timestamp",
            Self::Mac1 => "mac1",
            Self::HeaderProtection => "header-protection",
        }
    }

    /// What to look at, in one sentence.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::NoAnswer => {
                "the other end did not answer: check its address and port (firewalls on the way, too), that it runs, \
                 the public keys of both ends, that H, S and all other obfuscation parameters are the same, and that this \
                 machine's clock is not behind what it was at its last handshake"
            }
            Self::WrongPresharedKey => "the preshared keys of the two ends differ",
            Self::NotConfirmed => {
                "the other end keeps asking although it is answered: the answers get lost on the way, or the preshared keys \
                 or the obfuscation parameters differ"
            }
            Self::UnknownPeer => "the other end's public key is not configured here",
            Self::OldTimestamp => {
                "the clock of the initiator, which is the other end, is behind what it was at its last handshake: set it \
                 right there (or this was a datagram that came very late)"
            }
            Self::Mac1 => {
                "the other end has another public key for us, or other H and S parameters"
            }
            Self::HeaderProtection => {
                "header protection on one end only: HeaderProtectionKey is set here, and the other end sends without it"
            }
        }
    }
}

/// Events that were not polled yet.
pub(crate) struct EventQueue {
    events: VecDeque<Event>,
    capacity: usize,
}

impl EventQueue {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            events: VecDeque::new(),
            capacity,
        }
    }

    /// Queues an event; where there is no room it is dropped and counted.
    pub(crate) fn push(&mut self, event: Event, dropped: &mut u64) {
        if self.events.len() < self.capacity {
            self.events.push_back(event);
        } else {
            *dropped += 1;
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
