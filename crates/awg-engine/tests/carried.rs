//! What holds of connections, of a peer's limits and of associations holds on a carrier too: the same tests again, with pairs whose
//! connections and associations ride on one.

#![allow(
    clippy::duplicate_mod,
    reason = "each of these files is a test of its own, too"
)]

#[path = "associations.rs"]
mod associations;
#[path = "connections.rs"]
mod connections;
#[path = "limits.rs"]
mod limits;
#[path = "path.rs"]
mod path;
