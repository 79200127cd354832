//! WireGuard's machine, sans-I/O, with AmneziaWG's obfuscation: handshakes, sessions, timers, cookies, allowed IPs, peers.
//!
//! Bytes and time go in, bytes and a time to come back at go out. There is no socket, thread, clock or global randomness in here,
//! and nothing of IP flows: a packet's source address and length are all that is looked at. Every byte that leaves or arrives goes
//! through [`awg_obfuscation`]; its default parameters are plain WireGuard.
//!
//! Specification: the WireGuard whitepaper ("WireGuard: Next Generation Kernel Network Tunnel"). Reference: `amneziawg-go`
//! v0.2.16; of the parameters of AmneziaWG 3.x, recordings of v3.1.20260814.
//!
//! ```text
//!   packet ── seal ──▶ datagram          datagram ── handle_datagram ──▶ packet
//!                          ▲                              │
//!   handshakes, junk, keepalives, ◀── poll_transmit ──────┤
//!   cookie replies, staged packets                        │
//!   next_timeout ──▶ handle_timeout ──────────────────────┴── poll_event ──▶ what happened
//! ```
//!
//! The modules in floors; each uses only those above it in this list:
//!
//! 1. `wiped`, [`limits`], `time`, `tai64n`, `endpoint`, `keys`, `counters`, `packet`: values;
//! 2. `entropy`, `times`, `share`: all randomness, from one seed, the times that are drawn, and what an end's tunnels share;
//! 3. `message`, `noise`, `mac`: the bytes of messages, the handshake, the MACs (`message` and `noise` know each other's sizes);
//! 4. `cookie`, `session`, `allowed_ips`: protection under load, keys in use, routing;
//! 5. `event`, `timers`, `peer`, `index_table`: one peer, and finding it (they share its handle);
//! 6. `tunnel`: all of it together.
//!
//! Two ends, and the datagrams carried between them by hand:
//!
//! ```
//! use std::net::{IpAddr, SocketAddr};
//! use std::time::{Duration, Instant};
//!
//! use awg_tunnel::{Now, Parameters, PeerConfig, PrivateKey, Seal, Tunnel, TunnelConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = Now { instant: Instant::now(), unix: Duration::from_hours(500_000) };
//! let keys = [PrivateKey::from_bytes([1; 32]), PrivateKey::from_bytes([2; 32])];
//! let outer: [SocketAddr; 2] = ["192.0.2.1:51820".parse()?, "192.0.2.2:51820".parse()?];
//! let inner: [IpAddr; 2] = ["10.0.0.1".parse()?, "10.0.0.2".parse()?];
//! let parameters = Parameters::from_settings([("Jc", "4"), ("Jmin", "40"), ("Jmax", "70"), ("S4", "16")]).unwrap();
//!
//! let mut tunnels = Vec::new();
//! for (own, other) in [(0, 1), (1, 0)] {
//!     let config = TunnelConfig::new(keys[own].clone(), parameters.clone(), 1280);
//!     let mut tunnel = Tunnel::new(config, [own as u8; 32], now)?;
//!     tunnel.add_peer(now, PeerConfig {
//!         endpoint: Some(outer[other].into()),
//!         allowed_ips: vec![inner[other].into()],
//!         ..PeerConfig::new(keys[other].public_key())
//!     })?;
//!     tunnels.push(tunnel);
//! }
//!
//! // A packet at its place in the slice. There is no session yet, so a copy of it waits.
//! let mut packet = [0; 20];
//! packet[0] = 0x45;
//! packet[3] = 20;
//! packet[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
//! let peer = tunnels[0].route(inner[1]).ok_or("no such peer")?;
//! let mut datagram = vec![0; tunnels[0].sealed_len(peer, packet.len())];
//! let headroom = tunnels[0].headroom(peer);
//! datagram[headroom..headroom + packet.len()].copy_from_slice(&packet);
//! assert_eq!(tunnels[0].seal(now, peer, &mut datagram, packet.len()), Seal::Staged);
//!
//! // Junk and the initiation, the response, the packet.
//! let mut arrived = None;
//! for (from, to) in [(0, 1), (1, 0), (0, 1)] {
//!     while tunnels[from].poll_transmit(now, &mut datagram).is_some() {
//!         if let Some(inbound) = tunnels[to].handle_datagram(now, outer[from], &mut datagram) {
//!             arrived = Some(inbound.packet.to_vec());
//!         }
//!     }
//! }
//! assert_eq!(arrived.as_deref(), Some(packet.as_slice()));
//! # Ok(())
//! # }
//! ```
//!
//! What is deliberately different from the reference, invisible on the wire:
//! - an initiation of ours stays pending when the peer's own comes in between, so that two ends that start at the same time need
//!   no second try;
//! - a run of initiations ends after twenty also while packets keep coming; the next packet starts another;
//! - an initiation that may not be sent yet is sent as soon as it may, not with the next packet after that;
//! - a handshake message whose mac1 is wrong is tried as the later types that it fits;
//! - an initiation that was accepted, or refused for its age, and comes again is dropped before anything is computed, and gets no
//!   cookie reply.

#![deny(unsafe_code)]

mod allowed_ips;
mod cipher;
mod cookie;
mod counters;
mod endpoint;
mod entropy;
mod event;
mod index_table;
#[cfg(feature = "inspection")]
pub mod inspection;
mod keys;
pub mod limits;
mod mac;
mod message;
mod noise;
mod packet;
mod peer;
#[cfg(test)]
mod recording;
mod session;
mod share;
mod tai64n;
mod time;
mod timers;
mod times;
mod tunnel;
#[allow(unsafe_code)] // Overwriting the memory of other crates' types.
mod wiped;

pub use allowed_ips::AllowedIps;
pub use awg_obfuscation::{ParameterError, Parameters};
pub use counters::Counters;
pub use endpoint::{Endpoint, Local};
pub use event::{Event, FailureCause};
pub use keys::{KEY_SIZE, KeyError, PresharedKey, PrivateKey, PublicKey};
pub use peer::{Contact, PeerConfig, PeerError, PeerId, PeerStatus, PortHop};
pub use session::Role;
pub use share::{Share, Spread};
pub use time::Now;
pub use times::Interval;
pub use tunnel::{Inbound, Limits, Seal, SendDrop, Tunnel, TunnelConfig, TunnelError};
