//! Parameters made ready for use on every packet. Reference: `Generate` in `device/magic-header.go`, the padding in
//! `device/send.go`, `DeterminePacketTypeAndPadding` in `device/receive.go`.
//!
//! Each thing that is done to a message has one place: its size and position is a [`Form`], padding is made in
//! [`Obfuscation::fill_padding`], a received datagram's type is found in [`classify`], what precedes an initiation comes
//! from [`preamble`].

mod classify;
mod preamble;

#[cfg(test)]
mod tests;

pub use classify::{Candidates, Classified};
pub use preamble::{Preamble, PreambleDatagram, SignatureCounter};

use rand_core::CryptoRng;

use crate::header::HeaderRange;
use crate::message::MessageType;
use crate::parameters::{KeepalivePadding, ParameterError, Parameters};

/// The parameters of a device, checked and ready. Immutable, and cheap to ask for every packet.
#[derive(Debug, Clone)]
pub struct Obfuscation {
    parameters: Parameters,
    forms: [Form; 4],
    keepalive_padding: usize,
}

/// How a message looks in a datagram.
#[derive(Debug, Clone, Copy)]
struct Form {
    message: MessageType,
    /// The bytes before the message.
    padding: usize,
    /// The datagram's size; of a transport message, the least.
    size: usize,
    header: HeaderRange,
}

impl Obfuscation {
    /// Makes `parameters` ready.
    ///
    /// # Errors
    /// What [`Parameters::validate`] finds.
    pub fn new(parameters: Parameters) -> Result<Self, Vec<ParameterError>> {
        parameters.validate()?;
        let forms = MessageType::ALL.map(|message| {
            let padding = usize::from(parameters.padding(message));
            Form {
                message,
                padding,
                size: padding + message.bare_size(),
                header: parameters.header(message),
            }
        });
        let keepalive_padding = match parameters.keepalive_padding {
            KeepalivePadding::Padded => usize::from(parameters.padding_transport),
            KeepalivePadding::Reference => 0,
        };
        Ok(Self {
            parameters,
            forms,
            keepalive_padding,
        })
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// How many bytes stand before `message`: S1 to S4. A keepalive is asked for by [`Obfuscation::keepalive_padding`].
    #[inline]
    pub fn padding(&self, message: MessageType) -> usize {
        self.form(message).padding
    }

    /// How many bytes stand before a keepalive that is sent: S4, or 0 where keepalives are sent as the reference does.
    #[inline]
    pub fn keepalive_padding(&self) -> usize {
        self.keepalive_padding
    }

    /// The type word for a new `message`, drawn from its header range; it stands little-endian in the message's first
    /// four bytes, and the MACs cover it as it stands there.
    #[inline]
    pub fn type_word<R: CryptoRng + ?Sized>(&self, message: MessageType, rng: &mut R) -> u32 {
        self.form(message).header.draw(rng)
    }

    /// Fills the bytes before a message that is about to leave.
    #[inline]
    pub fn fill_padding<R: CryptoRng + ?Sized>(&self, padding: &mut [u8], rng: &mut R) {
        if !padding.is_empty() {
            rng.fill_bytes(padding);
        }
    }

    #[inline]
    fn form(&self, message: MessageType) -> &Form {
        &self.forms[message.index()]
    }
}
