//! The loop that moves packets between sockets, tunnel and network stack.
//!
//! An [`Engine`] is one WireGuard interface without a kernel: UDP sockets on one side, connections of applications or to
//! targets on the other, and on a thread of its own everything in between. Its embedder decides (what to open, what to
//! allow, where to dial); the engine moves bytes. Commands are methods, events wait to be taken.
//!
//! Floor 3 of the crates: it knows `awg-tunnel` and `awg-netstack`, and nothing of the language it is embedded in.
//! Modules, lower floors first: [`transport`], [`clock`], [`descriptors`], `slices`, `trimming`, `token_bucket`, `policy`, `flow`, `refusal` · `terms`, `dial`, `hand_over`,
//! `relay` · `command`, `event`, `settings`, `snapshot` · `flow_bounds`, `routes`, `shared` · `shard` (the loop) · `thread` · `engine`
//! (the handle).

pub mod clock;
mod command;
pub mod descriptors;
mod dial;
mod engine;
mod event;
mod flow;
mod flow_bounds;
mod hand_over;
mod policy;
mod refusal;
mod relay;
mod routes;
mod settings;
mod shard;
mod shared;
mod slices;
mod snapshot;
mod terms;
mod thread;
mod token_bucket;
pub mod transport;
mod trimming;
mod waking;

pub use awg_netstack::{Accept, Kind, Target};
pub use command::{CommandError, NotTaken, Replies};
pub use engine::Engine;
pub use event::{Event, Level, LogRecord};
pub use flow::{FlowId, Outcome, Traffic};
pub use policy::{EgressPolicy, Rule};
pub use refusal::{Refusal, UnknownRefusal};
pub use settings::{
    Carrier, EngineSettings, FurtherObfuscation, Limits, Recovery, SettingsError, StartError,
};
pub use snapshot::{PeerSnapshot, Snapshot};
pub use terms::{PeerLimits, PeerSettings, Terms};
