//! Hostile input for everything that reads what came from the network.
//!
//! Each target is a function of bytes: it makes of them whatever its subject reads, hands that over, and panics where a
//! bound is broken. `fuzz_targets` has a program of cargo-fuzz for each (`make fuzz`); `tests/seeds.rs` replays the inputs
//! under `seeds`, those that found something among them, on stable Rust.
//!
//! What every target holds its subject to: it does not panic, it gives a bounded number of datagrams, packets and events
//! for each input, it rests when time passes, and it never holds more memory than its limits allow (`memory` measures).
//! What a target claims beyond that stands at its head.

mod classification;
mod input;
mod memory;
mod messages;
mod netstack;
mod parameters;
mod settings;
mod tag_specs;
mod tunnel;
mod wire;

pub use classification::classification;
pub use messages::messages;
pub use netstack::{carrier, packets, segments};
pub use parameters::parameters;
pub use tag_specs::tag_specs;
pub use tunnel::tunnel;

/// A target: takes any bytes, and panics where its subject does wrong.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 8] = [
    ("carrier", carrier),
    ("classification", classification),
    ("messages", messages),
    ("packets", packets),
    ("parameters", parameters),
    ("segments", segments),
    ("tag_specs", tag_specs),
    ("tunnel", tunnel),
];
