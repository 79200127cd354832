//! The AmneziaWG 2.0 obfuscation layer, for any WireGuard implementation.
#![forbid(unsafe_code)]

mod excerpt;
mod header;
mod message;
mod number;
mod obfuscation;
mod parameters;
mod signature;
mod uniform;

pub use header::{HeaderRange, HeaderRangeError};
pub use message::MessageType;
pub use number::NumberError;
pub use obfuscation::{
    Candidates, Classified, Obfuscation, Preamble, PreambleDatagram, SignatureCounter,
};
pub use parameters::{
    Concern, KeepalivePadding, ParameterError, ParameterProblem, ParameterWarning, Parameters, Path,
};
pub use signature::{ArgumentError, Signature, SignatureError, SignatureRemark};

/// The largest content of a UDP datagram over IPv4, in bytes.
pub const LARGEST_DATAGRAM: u16 = 65_507;
