//! The obfuscation layer of AmneziaWG 2.0 and 3.x, for any WireGuard implementation.
//!
//! AmneziaWG is WireGuard whose datagrams do not look like WireGuard's: random bytes precede the messages (S1–S4), their
//! type words are drawn from ranges (H1–H4), and signature packets of one's own design (I1–I5) and junk packets (Jc, Jmin,
//! Jmax) precede every initiation. This crate reads and checks those parameters, makes what is added to what is sent, and
//! recognises what is received. It follows amneziawg-go v0.2.16, and of 3.x, whose parameters are all off unless given, v3.1.20260814:
//! headers that look random too, trailers behind handshake messages, content of varying size, times as ranges.
//!
//! It deliberately knows no handshake and no key of it, no sockets, no clock and no source of randomness: the messages, the time
//! and a generator are arguments. Nothing that came from the network makes it panic or allocate.
//!
//! ```text
//!  settings ──► Parameters ──► Obfuscation ─┬─ preamble ──────────────────► I1 … I5, junk     before an initiation
//!               errors,                     ├─ type_word, fill_padding ───► padding ‖ message
//!               warnings                    └─ classify ◄───────────────── a received datagram
//! ```
//!
//! # Sending
//! 1. Before an initiation, and only then: [`Obfuscation::preamble`], polled until it is empty; each a datagram of its own.
//! 2. [`Obfuscation::padding`] bytes are left free before the message ([`Obfuscation::keepalive_padding`] before a keepalive).
//! 3. [`Obfuscation::type_word`] goes into the message's first four bytes **before** the MACs, which cover it.
//! 4. When the message is complete, [`Obfuscation::fill_padding`] fills what was left free, before a transport message
//!    [`Obfuscation::fill_transport_padding`].
//! 5. Of 3.x, [`Obfuscation::content_padding`] goes behind content before it is sealed; last, [`Obfuscation::toggle_protection`] hides
//!    the header, and [`Obfuscation::trailer`] says how many random bytes follow a handshake message.
//!
//! # Receiving
//! [`Obfuscation::classify`] says what a datagram may be. The implementation takes the first candidate, checks mac1 over the
//! bytes as they came, and where that fails may try the next one; from then on only [`Classified::message`] counts. Before a header
//! is read, header protection is taken off: by [`Candidates::mask`] of a transport message, else by
//! [`Obfuscation::toggle_protection`].
//!
//! # Example
//! ```
//! use std::time::Duration;
//!
//! use awg_obfuscation::{MessageType, Obfuscation, Parameters, Path, SignatureCounter};
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! let parameters = Parameters::from_settings([
//!     ("Jc", "3"), ("Jmin", "40"), ("Jmax", "90"),
//!     ("S1", "31"), ("S4", "16"),
//!     ("H1", "100000-199999"), ("H4", "3000000000-4294967295"),
//!     ("I1", "<b 0xc2ff00a1><r 16><t>"),
//! ])
//! .map_err(|errors| errors[0].to_string())?;
//! assert!(parameters.warnings(&Path { mtu: 1500, ipv6: false }).is_empty());
//! let obfuscation = Obfuscation::new(parameters).map_err(|errors| errors[0].to_string())?;
//!
//! let mut rng = StdRng::from_seed([0; 32]); // seed it from the system
//! let mut counter = SignatureCounter::default();
//! let unix = Duration::from_secs(1_800_000_000);
//!
//! // What precedes an initiation: a signature packet and three junk packets.
//! let mut preamble = obfuscation.preamble();
//! let mut datagram = Vec::new();
//! let mut sent = 0;
//! while preamble.poll_datagram(&obfuscation, &mut counter, unix, &mut rng, &mut datagram).is_some() {
//!     sent += 1; // socket.send_to(&datagram, peer)
//! }
//! assert_eq!(sent, 4);
//!
//! // The initiation itself.
//! let padding = obfuscation.padding(MessageType::Initiation);
//! let mut datagram = vec![0; padding + MessageType::Initiation.bare_size()];
//! let (before, message) = datagram.split_at_mut(padding);
//! let word = obfuscation.type_word(MessageType::Initiation, &mut rng);
//! message[..4].copy_from_slice(&word.to_le_bytes());
//! // … the other fields, then the MACs over all of `message` …
//! obfuscation.fill_padding(before, &mut rng);
//!
//! // The other end.
//! let found = obfuscation.classify(&datagram).next().ok_or("not ours")?;
//! assert_eq!((found.message, found.offset), (MessageType::Initiation, 31));
//! # Ok::<(), String>(())
//! ```
//!
//! # Inside
//! `message`, `uniform`, `number` and `excerpt` know nothing of the rest; `range` and `signature` (a file for each tag) stand
//! on them, `parameters` on those, and `obfuscation` on everything.
#![forbid(unsafe_code)]

mod excerpt;
mod message;
mod number;
mod obfuscation;
mod parameters;
mod range;
mod signature;
mod uniform;

pub use message::MessageType;
pub use number::NumberError;
pub use obfuscation::{
    Candidates, Classified, HeaderMask, Obfuscation, Preamble, PreambleDatagram, SignatureCounter,
    TrailerWindow,
};
pub use parameters::{
    Concern, HeaderProtectionKey, HeaderProtectionKeyError, KeepalivePadding, ParameterError,
    ParameterProblem, ParameterWarning, Parameters, Path, Timing,
};
pub use range::{NumberRange, NumberRangeError};
pub use signature::{ArgumentError, Signature, SignatureError, SignatureRemark};

/// The largest content of a UDP datagram over IPv4, in bytes.
pub const LARGEST_DATAGRAM: u16 = 65_507;
