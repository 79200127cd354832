//! An emulated link: what a real way does to packets, between two sockets or two networks of one machine.
//!
//! [`Link`] is one direction, sans-I/O: packets and times go in, packets come out. It is a bottleneck with a queue, and
//! a way behind it:
//!
//! ```text
//!  handle_packet ─► queue (bytes) ─► rate ─► loss ─► delay, jitter ─► late, twice ─► poll_output
//!                     │ full: dropped           │ lost
//! ```
//!
//! So what is lost or comes twice has used the rate, once; nothing overtakes but what [`Conditions::reorder`] holds back.
//! The same seed, packets and times give the same outcome.
//!
//! The program `awg-link` puts two links, [up and down](Way), between UDP sockets (`linux::udp`) or between two network
//! namespaces (`linux::tun`), where every protocol passes unmodified. It is one thread that sleeps precisely.
//!
//! Why our own: the kernel's netem is a module that kernels of virtual machines often lack, and says neither what it
//! lost nor how long packets waited; `str0m-netem` 0.4 (crates.io) counts what is under way as queued, so that a queue
//! of one bandwidth-delay product is full before it begins, reorders every nth packet only, and counts nothing; relays
//! like toxiproxy (Go) know streams only.
//!
//! Modules, lower floors first: `conditions`, `quantiles`, `link` · `packets` · `linux` (`udp`, `segments`, `tun`) and the program.

mod conditions;
mod link;
#[cfg(target_os = "linux")]
pub mod linux;
mod packets;
mod quantiles;

pub use conditions::{ConditionError, Conditions};
pub use link::{JITTER_SPELL, Link, Moment, Output, Statistics};
pub use packets::{Packet, Packets};
pub use quantiles::Quantiles;

/// A direction: `Up` is from the near end (a client's) to the far one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the near end to the far one.
    Up,
    /// Back.
    Down,
}

impl Way {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Up, Self::Down];

    /// Its name on the command line and in statistics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}
