//! A peer: who it is, where it is, its sessions and its handshake under way.

mod config;
mod error;
mod hop;
mod id;
mod padding_run;
mod pending;
mod staged;
mod status;
mod table;
mod timing;

use std::time::{Duration, Instant};

use awg_obfuscation::TrailerWindow;
use ipnet::IpNet;

use crate::cookie::CookieJar;
use crate::endpoint::Endpoint;
use crate::entropy::Entropy;
use crate::event::{Event, FailureCause};
use crate::keys::{PresharedKey, PublicKey};
use crate::limits::SILENCE_TIMEOUT;
use crate::session::Rotation;
use crate::tai64n::Timestamp;
use crate::timers::PeerTimers;
use crate::times::{Interval, Times};

pub use config::PeerConfig;
pub use error::PeerError;
pub use hop::PortHop;
pub use id::PeerId;
pub(crate) use padding_run::{PacketKind, PaddingRun};
pub(crate) use pending::Pending;
pub(crate) use staged::Staged;
pub use status::{Contact, PeerStatus};
pub(crate) use table::PeerTable;

/// Everything about one peer.
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) public_key: PublicKey,
    pub(crate) preshared_key: PresharedKey,
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) hop: Option<PortHop>,
    pub(crate) allowed_ips: Vec<IpNet>,
    pub(crate) persistent_keepalive: Option<Interval>,

    pub(crate) sessions: Rotation,
    /// Our initiation that waits for its response.
    pub(crate) pending: Option<Pending>,
    pub(crate) cookies: CookieJar,
    pub(crate) timers: PeerTimers,
    pub(crate) staged: Staged,

    /// Of the last initiation accepted.
    pub(crate) last_timestamp: Timestamp,
    /// When that was.
    pub(crate) last_initiation: Option<Instant>,
    /// Of the last initiation sent.
    pub(crate) sent_timestamp: Timestamp,
    /// When an initiation or a response was last sent.
    pub(crate) last_handshake_sent: Option<Instant>,
    /// Initiations of the run under way; 0 when there is none.
    pub(crate) initiations: u32,
    /// How many it may have.
    pub(crate) most_initiations: u32,
    /// Initiations without an answer since the last handshake that was completed.
    pub(crate) unanswered: u32,
    /// What a datagram told about why the run fails.
    pub(crate) suspicion: Option<FailureCause>,
    /// Responses since the peer last used a session that we made as responder.
    pub(crate) unconfirmed_responses: u32,
    /// The renewal at 165 s was started for the current session.
    pub(crate) renewed_on_receive: bool,
    /// Data sent and nothing authenticated received for so long starts a handshake; drawn with each handshake, so that packets draw
    /// nothing.
    pub(crate) silence_timeout: Duration,
    /// How long random trailers may be.
    pub(crate) window: TrailerWindow,
    /// What is added to the packets of this moment.
    pub(crate) padding: PaddingRun,
    pub(crate) queued: Turns,
    pub(crate) told: Told,
    /// When it was last told that the peer moved.
    told_roaming: Option<Instant>,

    pub(crate) last_handshake: Option<Duration>,
    /// When an authenticated message was last received.
    pub(crate) last_received: Option<Instant>,
    /// When one with content was.
    pub(crate) last_content: Option<Instant>,
    /// Since when packets to it have had no answer of any kind.
    pub(crate) unheard_since: Option<Instant>,
    /// When our last initiation was sent, when a handshake message was last received, and how long our last handshake took.
    pub(crate) initiated: Option<Instant>,
    pub(crate) last_handshake_received: Option<Instant>,
    pub(crate) round_trip: Option<Duration>,
    /// A run of initiations goes on for as long as it is not answered.
    pub(crate) persistent: bool,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
}

impl Peer {
    pub(crate) fn new(id: PeerId, config: PeerConfig) -> Self {
        Self {
            id,
            cookies: CookieJar::new(&config.public_key),
            public_key: config.public_key,
            preshared_key: config.preshared_key.unwrap_or(PresharedKey::ABSENT),
            endpoint: config.endpoint,
            hop: config.hop,
            allowed_ips: config.allowed_ips,
            persistent_keepalive: config.persistent_keepalive,
            sessions: Rotation::default(),
            pending: None,
            timers: PeerTimers::new(id),
            staged: Staged::default(),
            last_timestamp: Timestamp(config.last_timestamp.unwrap_or_default()),
            last_initiation: None,
            sent_timestamp: Timestamp::default(),
            last_handshake_sent: None,
            initiations: 0,
            most_initiations: 0,
            unanswered: 0,
            suspicion: None,
            unconfirmed_responses: 0,
            renewed_on_receive: false,
            silence_timeout: SILENCE_TIMEOUT,
            window: TrailerWindow::default(),
            padding: PaddingRun::default(),
            queued: Turns::default(),
            told: Told::default(),
            told_roaming: None,
            last_handshake: None,
            last_received: None,
            last_content: None,
            unheard_since: None,
            initiated: None,
            last_handshake_received: None,
            round_trip: None,
            persistent: false,
            bytes_sent: 0,
            bytes_received: 0,
        }
    }

    /// Whether there is a session to send by.
    pub(crate) fn has_session(&self, now: Instant) -> bool {
        self.sessions
            .current()
            .is_some_and(|keypair| keypair.is_usable(now))
    }

    /// Whether the session that was just sent by is to be renewed.
    #[inline]
    pub(crate) fn wants_rekey_on_send(
        &self,
        now: Instant,
        times: &Times,
        entropy: &mut Entropy,
    ) -> bool {
        self.sessions
            .current()
            .is_some_and(|keypair| keypair.wants_rekey_on_send(now, times, entropy))
    }

    /// Takes the way that an authenticated message came by. Gives an event if its address took the place of another, and none was
    /// given just now.
    #[inline]
    pub(crate) fn roam(&mut self, now: Instant, to: Endpoint) -> Option<Event> {
        if self.is_at(to) {
            return None;
        }
        let (from, to) = (self.endpoint.replace(to)?.remote, to.remote);
        if from == to {
            return None;
        }
        let told = self.told_roaming;
        if told.is_some_and(|at| now.saturating_duration_since(at) < Told::INTERVAL) {
            return None;
        }
        self.told_roaming = Some(now);
        Some(Event::PeerRoamed {
            peer: self.id,
            from,
            to,
        })
    }
}

/// What of a peer's waits in the outbox for its turn.
#[derive(Default)]
pub(crate) struct Turns {
    pub(crate) keepalive: bool,
    pub(crate) staged: bool,
}

/// Which causes of failure were told, and when, so that a flood of datagrams is not a flood of events.
#[derive(Default)]
pub(crate) struct Told(Vec<(FailureCause, Instant)>);

impl Told {
    const INTERVAL: Duration = Duration::from_mins(1);

    /// Whether it is time to tell this cause; if so, it is noted as told.
    pub(crate) fn is_news(&mut self, now: Instant, cause: FailureCause) -> bool {
        match self.0.iter_mut().find(|(told, _)| *told == cause) {
            Some((_, at)) if now.saturating_duration_since(*at) < Self::INTERVAL => false,
            Some((_, at)) => {
                *at = now;
                true
            }
            // As many entries as there are causes, at most.
            None => {
                self.0.push((cause, now));
                true
            }
        }
    }
}
