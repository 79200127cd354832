//! Fragments: the pieces of an IP packet that was too large for a link (RFC 791 section 3.2, RFC 8200 section 4.5).
//!
//! [`Reassembler`] makes received pieces whole, in any order; [`Outgoing`] cuts what leaves to the MTU. Nothing else in
//! the crate sees a fragment.
//!
//! Deliberately absent: the ICMP message "reassembly time exceeded" (a sender that lost a piece learns nothing from it
//! that it could use), and a check that the first piece holds all headers (RFC 8200 asks for it on behalf of those who
//! filter pieces; here they are judged when they are whole).

mod outgoing;
mod piece;
mod reassembly;

pub(crate) use outgoing::{Outgoing, Route};
pub(crate) use piece::is_fragment;
pub use reassembly::FragmentCounters;
pub(crate) use reassembly::Reassembler;
