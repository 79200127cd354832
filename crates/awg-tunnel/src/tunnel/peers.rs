//! Peers added, changed and removed while the tunnel runs.

use std::time::Instant;

use super::Tunnel;
use crate::endpoint::Endpoint;
use crate::keys::{PresharedKey, PublicKey};
use crate::peer::{Contact, Peer, PeerConfig, PeerError, PeerId, PeerStatus, PeerTable};
use crate::tai64n::Timestamp;
use crate::time::Now;
use crate::timers::Timer;

impl Tunnel {
    /// Adds a peer. With an endpoint and a persistent keepalive a handshake starts at once.
    ///
    /// # Errors
    /// Nothing is changed then.
    pub fn add_peer(&mut self, now: Now, config: PeerConfig) -> Result<PeerId, PeerError> {
        config.public_key.check()?;
        if config.public_key == self.identity.public {
            return Err(PeerError::OwnKey);
        }
        if self.by_key.contains_key(&config.public_key) {
            return Err(PeerError::Exists);
        }
        self.check(&config)?;
        let limit = self.limits.peers.min(PeerTable::CAPACITY);
        if self.peers.len() >= limit {
            return Err(PeerError::TooMany { limit });
        }
        let key = config.public_key;
        let allowed_ips = config.allowed_ips.clone();
        let id = self
            .peers
            .insert(|id| Peer::new(id, config))
            .ok_or(PeerError::TooMany { limit })?;
        self.by_key.insert(key, id);
        if let Some(peer) = self.peers.get_mut(id) {
            peer.begin_hopping(&mut self.entropy);
        }
        for network in allowed_ips {
            self.allowed_ips.insert(network, id);
        }
        self.start_persistent_keepalive(now, id);
        Ok(id)
    }

    /// Changes a peer to what `config` says; its sessions go on. Without an endpoint in it the known one stays.
    ///
    /// # Errors
    /// Nothing is changed then.
    pub fn update_peer(
        &mut self,
        now: Now,
        id: PeerId,
        config: PeerConfig,
    ) -> Result<(), PeerError> {
        self.check(&config)?;
        let peer = self
            .peers
            .get_mut(id)
            .filter(|peer| peer.public_key == config.public_key)
            .ok_or(PeerError::Unknown)?;
        for network in &peer.allowed_ips {
            if !config.allowed_ips.contains(network) {
                self.allowed_ips.remove(*network, id);
            }
        }
        for network in &config.allowed_ips {
            self.allowed_ips.insert(*network, id);
        }
        peer.allowed_ips = config.allowed_ips;
        peer.preshared_key = config.preshared_key.unwrap_or(PresharedKey::ABSENT);
        if config.endpoint.is_some() {
            peer.endpoint = config.endpoint;
        }
        peer.last_timestamp = peer
            .last_timestamp
            .max(Timestamp(config.last_timestamp.unwrap_or_default()));
        let hops_anew = peer.hop != config.hop || config.endpoint.is_some();
        if hops_anew {
            peer.hop = config.hop;
            peer.begin_hopping(&mut self.entropy);
            peer.timers.clear(Timer::Hop);
        }
        if peer.persistent_keepalive != config.persistent_keepalive {
            peer.persistent_keepalive = config.persistent_keepalive;
            peer.timers.clear(Timer::PersistentKeepalive);
            self.start_persistent_keepalive(now, id);
        }
        if hops_anew {
            self.stay_at_port(now, id);
        }
        Ok(())
    }

    /// Removes a peer: its keys are overwritten, what waits for it is dropped. Says whether there was one.
    pub fn remove_peer(&mut self, id: PeerId) -> bool {
        let Some(mut peer) = self.peers.remove(id) else {
            return false;
        };
        self.by_key.remove(&peer.public_key);
        for network in &peer.allowed_ips {
            self.allowed_ips.remove(*network, id);
        }
        for index in peer.sessions.clear() {
            self.indices.free(index);
        }
        if let Some(pending) = peer.pending.take() {
            self.indices.free(pending.local_index());
        }
        self.staged_bytes -= peer.staged.bytes();
        self.counters.dropped_staged_flushed += peer.staged.clear() as u64;
        peer.timers.stop(&mut self.clock);
        true
    }

    /// The peer with this key.
    pub fn peer(&self, key: &PublicKey) -> Option<PeerId> {
        self.by_key.get(key).copied()
    }

    /// A peer's state.
    pub fn peer_status(&self, peer: PeerId) -> Option<PeerStatus> {
        self.peers.get(peer).map(Peer::status)
    }

    /// When a peer was last heard of: any authenticated message counts, also keepalives and handshakes. `None` if it
    /// never was.
    pub fn last_received(&self, peer: PeerId) -> Option<Instant> {
        self.peers.get(peer)?.last_received
    }

    /// Bytes of authenticated datagrams received from a peer: they rise whenever it is heard of.
    #[inline]
    pub fn received_bytes(&self, peer: PeerId) -> u64 {
        self.peers.get(peer).map_or(0, |peer| peer.bytes_received)
    }

    /// What an owner needs to know of a peer that watches over its silence itself.
    pub fn contact(&self, peer: PeerId) -> Option<Contact> {
        let peer = self.peers.get(peer)?;
        let times = self.framings.times_of(peer);
        Some(Contact {
            received: peer.last_received,
            content: peer.last_content,
            received_bytes: peer.bytes_received,
            handshake_message: peer.last_handshake_sent.max(peer.last_handshake_received),
            handshake_heard: peer.last_handshake_received,
            handshake_under_way: peer.initiations > 0 || peer.timers.is_set(Timer::Deferred),
            round_trip: peer.round_trip,
            between_initiations: times.between_initiations(),
            silence: peer.silence_timeout,
        })
    }

    /// What holds for a peer whether it is added or changed.
    fn check(&self, config: &PeerConfig) -> Result<(), PeerError> {
        if let Some(hop) = &config.hop {
            hop.check()?;
        }
        match config.endpoint {
            Some(Endpoint { local, .. }) if !self.framings.has(local) => {
                Err(PeerError::NoSuchObfuscation {
                    place: local.obfuscation,
                    sets: self.framings.len(),
                })
            }
            _ => Ok(()),
        }
    }

    /// The first message of a persistent keepalive, which makes a session where there is none.
    fn start_persistent_keepalive(&mut self, now: Now, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        if let Some(interval) = peer.persistent_keepalive {
            let at = now.instant + interval.draw(&mut self.entropy);
            peer.timers
                .set(&mut self.clock, Timer::PersistentKeepalive, at);
            self.keepalive(now, id);
        }
    }
}

#[cfg(feature = "inspection")]
impl Tunnel {
    /// Which of a peer's sessions are in memory, also those that are too old to send.
    pub fn held(&self, peer: PeerId) -> crate::inspection::Held {
        let peer = self.peers.get(peer);
        peer.map(|peer| peer.sessions.held()).unwrap_or_default()
    }

    /// Moves the counter of a peer's current session, if there is one: nobody waits for 2^60 messages.
    pub fn set_counter(&mut self, peer: PeerId, counter: u64) -> bool {
        let session = self
            .peers
            .get_mut(peer)
            .and_then(|peer| peer.sessions.current_mut());
        session.is_some_and(|session| {
            session.set_counter(counter);
            true
        })
    }
}
