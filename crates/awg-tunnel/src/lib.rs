//! WireGuard's machine, sans-I/O, with AmneziaWG's obfuscation: handshakes, sessions, timers, cookies, allowed IPs, peers.
//!
//! Bytes and time go in, bytes and a time to come back at go out. There is no socket, thread, clock or global randomness in here,
//! and nothing of IP flows: a packet's source address and length are all that is looked at. Every byte that leaves or arrives goes
//! through [`awg_obfuscation`]; its default parameters are plain WireGuard.
//!
//! Specification: the WireGuard whitepaper ("WireGuard: Next Generation Kernel Network Tunnel"). Reference: `amneziawg-go`
//! v0.2.16.
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
//! 1. `wiped`, [`limits`], `time`, `tai64n`, `keys`, `counters`, `packet`: values;
//! 2. `entropy`: all randomness, from one seed;
//! 3. `message`, `noise`, `mac`: the bytes of messages, the handshake, the MACs (`message` and `noise` know each other's sizes);
//! 4. `cookie`, `session`, `allowed_ips`: protection under load, keys in use, routing;
//! 5. `event`, `timers`, `peer`, `index_table`: one peer, and finding it (they share its handle);
//! 6. `tunnel`: all of it together.
//!
//! What is deliberately different from the reference, invisible on the wire:
//! - an initiation of ours stays pending when the peer's own comes in between, so that two ends that start at the same time need
//!   no second try;
//! - a run of initiations ends after twenty also while packets keep coming; the next packet starts another;
//! - an initiation that may not be sent yet is sent as soon as it may, not with the next packet after that;
//! - a handshake message whose mac1 is wrong is tried as the later types that it fits;
//! - an initiation that was accepted and comes again is dropped before anything is computed, and gets no cookie reply.

#![deny(unsafe_code)]

mod allowed_ips;
mod cookie;
mod counters;
mod entropy;
mod event;
mod index_table;
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
mod tai64n;
mod time;
mod timers;
mod tunnel;
#[allow(unsafe_code)] // The one place: overwriting the memory of other crates' types.
mod wiped;

pub use awg_obfuscation::{ParameterError, Parameters};
pub use counters::Counters;
pub use event::{Event, FailureCause};
pub use keys::{KEY_SIZE, KeyError, PresharedKey, PrivateKey, PublicKey};
pub use peer::{PeerConfig, PeerError, PeerId, PeerStatus, SessionStatus};
pub use session::Role;
pub use time::Now;
pub use tunnel::{Inbound, Limits, Seal, SendDrop, Tunnel, TunnelConfig, TunnelError};
