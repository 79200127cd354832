//! `awgproxy._native`: the engine and a few pure functions, for Python.
//!
//! Conversions and nothing else. The documented contract is `src/awgproxy/_native.pyi`, which a test compares with what is
//! here. Nothing calls into Python from another thread; what waits lets go of the interpreter's lock.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments are made from Python's objects for one call"
)]

mod arguments;
mod descriptor;
mod engine;
mod errors;
mod events;
mod keys;
mod obfuscation;
mod path;
mod policy;
mod replies;
mod settings;

use pyo3::prelude::*;

/// The Rust half of awgproxy; see the stub file for its contract.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::events::{
        AddressesWanted, CarrierDown, CarrierUp, EngineFailed, FlowClosed, FlowConnected,
        FlowIncoming, FlowRefused, HandshakeCompleted, HandshakeFailed, HandshakeUnanswered,
        InitiationAccepted, LogRecord, NameWanted, PeerRoamed, QuotaSpent, SessionEnded,
    };
    #[pymodule_export]
    use super::keys::{check_key, generate_preshared_key, generate_private_key, public_key};
    #[pymodule_export]
    use super::obfuscation::{
        check_obfuscation, largest_inner_packet, message_type, obfuscation_warnings,
    };
    #[pymodule_export]
    use super::path::path_mtu;
    #[pymodule_export]
    use super::policy::EgressPolicy;
    #[pymodule_export]
    use super::replies::Replies;
    #[pymodule_export]
    use super::settings::{EngineSettings, Limits, PeerLimits, PeerSettings};

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
