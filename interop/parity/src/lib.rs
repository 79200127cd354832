//! awgproxy's tunnel and the reference (`amneziawg-go`), held against each other datagram by datagram.
//!
//! ```text
//!   behaviours (the table) ──▶ stage ──▶ end ◀── ours       a tunnel of awg-tunnel, time by argument
//!            │                   │         ◀── reference    a device of amneziawg-go in virtual time (interop/device)
//!            ▼                   ▼
//!          page                probe: the other peer, who knows all keys and makes any message
//! ```
//!
//! `pair` lets one of each talk with the other, and `reencode` reads what the reference sent and makes it again with our code.
//!
//! A behaviour is one row of one table: a scene that is played to an end, and what the end did, in words. It is played to both
//! implementations, and the words must be the same; where we differ on purpose the row says why, and the words must differ.
//! `docs/compatibility.md` is made of the same table.

pub mod behaviours;
pub mod end;
pub mod hex;
pub mod ours;
pub mod packets;
pub mod page;
pub mod pair;
pub mod probe;
mod recovery;
pub mod reencode;
pub mod reference;
pub mod stage;
pub mod wish;
