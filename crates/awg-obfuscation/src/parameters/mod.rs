//! The obfuscation parameters of a device, and what they must satisfy together.
//!
//! Reference: the keys `jc` to `i5` of `device/uapi.go`, and its `mergeWithDevice` for the header ranges.
//! Reading them from text is in [`settings`], what deserves a warning in [`warning`], the times of 3.x in [`timing`]. Not here: what is done with them.

mod error;
mod header_protection_key;
mod settings;
mod timing;
mod warning;

#[cfg(test)]
mod tests;

pub use error::{ParameterError, ParameterProblem};
pub use header_protection_key::{HeaderProtectionKey, HeaderProtectionKeyError};
pub use timing::Timing;
pub use warning::{Concern, ParameterWarning, Path};

use crate::LARGEST_DATAGRAM;
use crate::message::MessageType;
use crate::range::NumberRange;
use crate::signature::Signature;

/// The names of S1 to S4, in the order of [`MessageType::ALL`].
const PADDINGS: [&str; 4] = ["S1", "S2", "S3", "S4"];
/// The names of H1 to H4, in the order of [`MessageType::ALL`].
const HEADERS: [&str; 4] = ["H1", "H2", "H3", "H4"];
/// The names of I1 to I5, in the order in which the packets are sent.
const SIGNATURES: [&str; 5] = ["I1", "I2", "I3", "I4", "I5"];

/// How a keepalive is sent where S4 is above 0. Both forms are received whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepalivePadding {
    /// S4 bytes of padding, as before every transport message: what every version accepts.
    #[default]
    Padded,
    /// Bare, as amneziawg-go v0.2.16 sends it, whose own receiver then drops it.
    Reference,
}

/// The obfuscation parameters of a device. The default is plain WireGuard: nothing is added or changed.
///
/// Sizes are in bytes. [`Parameters::from_settings`] reads them from configuration text; whoever fills the fields
/// directly calls [`Parameters::validate`], as [`Obfuscation::new`](crate::Obfuscation::new) does too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// `Jc`: how many junk packets precede an initiation.
    pub junk_count: u16,
    /// `Jmin`: the smallest size of a junk packet.
    pub junk_min: u16,
    /// `Jmax`: the largest size of a junk packet, itself included.
    pub junk_max: u16,
    /// `S1`: the padding before an initiation.
    pub padding_initiation: u16,
    /// `S2`: the padding before a response.
    pub padding_response: u16,
    /// `S3`: the padding before a cookie reply.
    pub padding_cookie_reply: u16,
    /// `S4`: the padding before a transport message.
    pub padding_transport: u16,
    /// `H1` to `H4`: the type words of each message, in the order of [`MessageType::ALL`].
    pub headers: [NumberRange; 4],
    /// `I1` to `I5`: the signature packets that precede an initiation.
    pub signatures: [Option<Signature>; 5],
    /// `KeepalivePadding`: how keepalives are sent. Together with any parameter of 3.x they are padded whatever it says.
    pub keepalive_padding: KeepalivePadding,
    /// `HeaderProtectionKey` (3.0): what hides the headers of messages.
    pub header_protection_key: Option<HeaderProtectionKey>,
    /// `ContentPaddingAddition` (3.0): how many zeros are added to the content of a transport message.
    pub content_padding_addition: Option<NumberRange>,
    /// `RandomTrailers` (3.1): whether random bytes follow handshake messages.
    pub random_trailers: bool,
    /// `DisableCookies` (3.1): whether no cookie reply is ever sent.
    pub disable_cookies: bool,
    /// The times of the protocol (3.1).
    pub timing: Timing,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            junk_count: 0,
            junk_min: 0,
            junk_max: 0,
            padding_initiation: 0,
            padding_response: 0,
            padding_cookie_reply: 0,
            padding_transport: 0,
            headers: MessageType::ALL.map(|message| NumberRange::single(message.number())),
            signatures: [const { None }; 5],
            keepalive_padding: KeepalivePadding::default(),
            header_protection_key: None,
            content_padding_addition: None,
            random_trailers: false,
            disable_cookies: false,
            timing: Timing::default(),
        }
    }
}

impl Parameters {
    /// The padding before `message`, in bytes: S1 to S4.
    pub fn padding(&self, message: MessageType) -> u16 {
        match message {
            MessageType::Initiation => self.padding_initiation,
            MessageType::Response => self.padding_response,
            MessageType::CookieReply => self.padding_cookie_reply,
            MessageType::Transport => self.padding_transport,
        }
    }

    /// The type words of `message`: H1 to H4.
    pub fn header(&self, message: MessageType) -> NumberRange {
        self.headers[message.index()]
    }

    /// Whether any parameter of AmneziaWG 3.x is given. Without one everything is as 2.0 has it.
    pub fn is_version_3(&self) -> bool {
        self.header_protection_key.is_some()
            || self.content_padding_addition.is_some()
            || self.random_trailers
            || self.disable_cookies
            || self.timing.is_set()
    }

    /// Checks what the parameters must satisfy: junk that has a size, padded messages that fit a datagram, header
    /// ranges that tell the messages apart, padding that holds the nonce of header protection.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the parameters.
    pub fn validate(&self) -> Result<(), Vec<ParameterError>> {
        let errors: Vec<_> = self
            .junk_errors()
            .into_iter()
            .chain(self.padding_errors())
            .chain(self.header_errors())
            .chain(self.protection_errors())
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    fn junk_errors(&self) -> Vec<ParameterError> {
        let mut errors = Vec::new();
        let sizes = [("Jmin", self.junk_min), ("Jmax", self.junk_max)];
        for (name, size) in sizes {
            if size > LARGEST_DATAGRAM {
                errors.push(ParameterProblem::too_large(size, LARGEST_DATAGRAM).of(name));
            }
            if size == 0 && self.junk_count > 0 {
                errors.push(
                    ParameterProblem::JunkWithoutSize {
                        count: self.junk_count,
                    }
                    .of(name),
                );
            }
        }
        if self.junk_min > self.junk_max && self.junk_max > 0 {
            let (min, max) = (self.junk_min, self.junk_max);
            errors.push(ParameterProblem::JunkSizesReversed { min, max }.of("Jmin"));
        }
        errors
    }

    fn padding_errors(&self) -> impl Iterator<Item = ParameterError> {
        MessageType::ALL.into_iter().filter_map(|message| {
            let (size, most) = (self.padding(message), largest_padding(message));
            (size > most)
                .then(|| ParameterProblem::too_large(size, most).of(PADDINGS[message.index()]))
        })
    }

    fn header_errors(&self) -> Vec<ParameterError> {
        let mut errors = Vec::new();
        for (later, &range) in self.headers.iter().enumerate() {
            for (earlier, &other) in self.headers[..later].iter().enumerate() {
                if !range.overlaps(other) {
                    continue;
                }
                // A default is nobody's mistake: what was configured is to blame.
                let is_default = range == NumberRange::single(later as u32 + 1);
                let (blamed, against) = if is_default {
                    (earlier, later)
                } else {
                    (later, earlier)
                };
                let problem = ParameterProblem::HeadersOverlap {
                    range: self.headers[blamed],
                    other: HEADERS[against],
                    other_range: self.headers[against],
                };
                errors.push(problem.of(HEADERS[blamed]));
            }
        }
        errors
    }
}

impl Parameters {
    fn protection_errors(&self) -> impl Iterator<Item = ParameterError> {
        let protected = self.header_protection_key.is_some();
        MessageType::ALL.into_iter().filter_map(move |message| {
            let size = self.padding(message);
            (protected && usize::from(size) < HeaderProtectionKey::NONCE_SIZE).then(|| {
                ParameterProblem::PaddingWithoutNonce { size }.of(PADDINGS[message.index()])
            })
        })
    }
}

/// The most padding before `message` with which it fits a datagram; of a transport message, an empty one.
fn largest_padding(message: MessageType) -> u16 {
    LARGEST_DATAGRAM - message.bare_size() as u16
}
