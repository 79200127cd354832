//! Parameters made ready for use on every packet. Reference: `Generate` in `device/magic-header.go`, the padding in
//! `device/send.go`, `DeterminePacketTypeAndPadding` in `device/receive.go`.
//!
//! Each thing that is done to a message has one place: its size and position is a [`Form`], padding is made in
//! [`Obfuscation::fill_padding`], a received datagram's type is found in [`classify`], what precedes an initiation comes
//! from [`preamble`]; of 3.x, headers are hidden by [`header_protection`], what follows a handshake message is measured by
//! [`trailer`], and what follows content by [`content_padding`].

mod classify;
mod content_padding;
mod header_protection;
mod preamble;
mod trailer;

#[cfg(test)]
mod tests;

pub use classify::{Candidates, Classified};
pub use header_protection::HeaderMask;
pub use preamble::{Preamble, PreambleDatagram, SignatureCounter};
pub use trailer::TrailerWindow;

use rand_core::CryptoRng;

use crate::message::MessageType;
use crate::parameters::{KeepalivePadding, ParameterError, Parameters};
use crate::range::NumberRange;

/// The parameters of a device, checked and ready. Immutable, and cheap to ask for every packet.
#[derive(Debug, Clone)]
pub struct Obfuscation {
    parameters: Parameters,
    forms: [Form; 4],
    keepalive_padding: usize,
    takes_bare_keepalives: bool,
}

/// How a message looks in a datagram.
#[derive(Debug, Clone, Copy)]
struct Form {
    message: MessageType,
    /// The bytes before the message.
    padding: usize,
    /// The datagram's size.
    size: usize,
    /// Whether the datagram may be longer.
    open_ended: bool,
    header: NumberRange,
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
                open_ended: message == MessageType::Transport || parameters.random_trailers,
                header: parameters.header(message),
            }
        });
        let is_version_3 = parameters.is_version_3();
        let keepalive_padding = match parameters.keepalive_padding {
            KeepalivePadding::Reference if !is_version_3 => 0,
            _ => usize::from(parameters.padding_transport),
        };
        Ok(Self {
            parameters,
            forms,
            keepalive_padding,
            takes_bare_keepalives: !is_version_3,
        })
    }

    /// Whether content whose first byte is 0 is a keepalive, as all of AmneziaWG 3.x sends them where it pads content.
    #[inline]
    pub fn pads_keepalives(&self) -> bool {
        !self.takes_bare_keepalives
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

    /// Fills the bytes before a message that is about to leave, or behind it.
    #[inline]
    pub fn fill_padding<R: CryptoRng + ?Sized>(&self, padding: &mut [u8], rng: &mut R) {
        if !padding.is_empty() {
            rng.fill_bytes(padding);
        }
    }

    /// Fills the bytes before a transport message, of a datagram of `size` bytes in all.
    ///
    /// They are random, but never such that first byte and size alone are taken for another VPN's.
    #[inline]
    pub fn fill_transport_padding<R: CryptoRng + ?Sized>(
        &self,
        size: usize,
        padding: &mut [u8],
        rng: &mut R,
    ) {
        self.fill_padding(padding, rng);
        unlike_others(size, padding, rng);
    }

    #[inline]
    fn form(&self, message: MessageType) -> &Form {
        &self.forms[message.index()]
    }
}

/// Draws the first byte of a random beginning anew while a datagram of that `size` would be taken for another protocol's.
#[inline]
fn unlike_others<R: CryptoRng + ?Sized>(size: usize, beginning: &mut [u8], rng: &mut R) {
    if let Some(first) = beginning.first_mut() {
        while is_like_another(size, *first) {
            rng.fill_bytes(std::slice::from_mut(first));
        }
    }
}

/// Whether size and first byte are all that some want for a VPN; of many random datagrams some have both by chance.
#[inline]
fn is_like_another(size: usize, first: u8) -> bool {
    match size {
        // Plain WireGuard's handshake messages, as Wireshark knows them.
        148 => first == 1,
        92 => first == 2,
        64 => first == 3,
        // OpenVPN's opcodes, above three bits of key number, in what opens a flow, as nDPI 4.2 knows them.
        112 => matches!(first >> 3, 21 | 24),
        80 => matches!(first >> 3, 11 | 20 | 21 | 23 | 25),
        _ => false,
    }
}
