//! A look at a running engine: counters of all its layers, and its peers.

use std::net::SocketAddr;
use std::time::Duration;

use awg_tunnel::PublicKey;

/// What an engine has done so far and how it stands.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Counters since the start, by name; `tunnel_`, `stack_`, `carrier_`, `transport_`, `relay_`, `engine_` and `process_`
    /// say whose they are.
    pub counters: Vec<(String, u64)>,
    /// The peers, in no particular order.
    pub peers: Vec<PeerSnapshot>,
    /// Flows that have not ended.
    pub flows: usize,
    /// Where the first UDP socket is bound.
    pub local_address: Option<SocketAddr>,
}

impl Snapshot {
    /// Takes in what another shard of the same engine says.
    pub(crate) fn merge(&mut self, other: Self) {
        for (name, value) in other.counters {
            let Some((_, sum)) = self.counters.iter_mut().find(|(known, _)| *known == name) else {
                self.counters.push((name, value));
                continue;
            };
            match name.as_str() {
                // There is one queue of events.
                "engine_dropped_events" => *sum = value.max(*sum),
                // In use where all use it.
                "transport_segmentation" => *sum = value.min(*sum),
                _ => *sum += value,
            }
        }
        self.peers.extend(other.peers);
        self.flows += other.flows;
        self.local_address = self.local_address.or(other.local_address);
    }
}

/// How one peer stands.
#[derive(Clone, Debug)]
pub struct PeerSnapshot {
    /// Which one.
    pub public_key: PublicKey,
    /// Where it was last, or is configured to be.
    pub endpoint: Option<SocketAddr>,
    /// The port of ours at which it was last heard, or from which it will be spoken to.
    pub local_port: Option<u16>,
    /// The obfuscation by which it is spoken to: 0 for the first, 1 for the first of the further ones.
    pub obfuscation: u16,
    /// How long ago the last handshake with it was completed.
    pub last_handshake: Option<Duration>,
    /// Bytes of authenticated datagrams from it.
    pub received_bytes: u64,
    /// Bytes of datagrams to it.
    pub sent_bytes: u64,
    /// Flows of its opening that have not ended.
    pub flows: usize,
    /// Bytes that its flows have carried since it is known, both ways: what its quota counts.
    pub relayed_bytes: u64,
    /// What its limits turned away since then, by reason: `flows`, `new-flows`, `quota`, and datagrams by `bandwidth`.
    pub turned_away: [(&'static str, u64); 4],
}
