//! What is sent before every initiation: the signature packets I1 to I5, then Jc junk packets. Reference:
//! `SendHandshakeInitiation` in `device/send.go`.
//!
//! The datagrams are made one at a time into the caller's buffer, so that memory does not grow with Jc. Nothing precedes a
//! response, a cookie reply or a transport message.

use std::time::Duration;

use rand_core::CryptoRng;

use super::Obfuscation;
use crate::signature::Moment;
use crate::uniform::uniform;

/// How many signature packets a device has sent, for the tag `<c>`. One per device, kept as long as the device lives.
#[derive(Debug, Clone, Default)]
pub struct SignatureCounter(pub(super) u32);

/// What is still to be sent before one initiation; made by [`Obfuscation::preamble`].
///
/// The contract: call [`Preamble::poll_datagram`] and send what it made until it returns `None`; then send the initiation.
#[derive(Debug, Clone)]
pub struct Preamble {
    next_signature: usize,
    junk_left: u16,
}

/// What a datagram of the preamble is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreambleDatagram {
    /// The signature packet of this number, 1 to 5.
    Signature(u8),
    /// A junk packet.
    Junk,
}

impl Obfuscation {
    /// What precedes an initiation that is about to be sent.
    pub fn preamble(&self) -> Preamble {
        Preamble {
            next_signature: 0,
            junk_left: self.parameters.junk_count,
        }
    }
}

impl Preamble {
    /// Makes the next datagram in place of what `datagram` held, and says what it is; `None` when all have been made.
    ///
    /// `obfuscation` is what made this preamble, `unix` the time since the epoch for the tag `<t>`. A signature packet whose
    /// tags give nothing is an empty datagram.
    pub fn poll_datagram<R: CryptoRng + ?Sized>(
        &mut self,
        obfuscation: &Obfuscation,
        counter: &mut SignatureCounter,
        unix: Duration,
        rng: &mut R,
        datagram: &mut Vec<u8>,
    ) -> Option<PreambleDatagram> {
        datagram.clear();
        let parameters = &obfuscation.parameters;
        while let Some(signature) = parameters.signatures.get(self.next_signature) {
            self.next_signature += 1;
            if let Some(signature) = signature {
                // On the wire the time has 32 bits, and the counter wraps.
                let moment = Moment {
                    unix: unix.as_secs() as u32,
                    counter: counter.0,
                };
                counter.0 = counter.0.wrapping_add(1);
                datagram.resize(signature.size(), 0);
                signature.write(datagram, moment, &mut &mut *rng);
                return Some(PreambleDatagram::Signature(self.next_signature as u8));
            }
        }
        self.junk_left = self.junk_left.checked_sub(1)?;
        let size = uniform(parameters.junk_min.into(), parameters.junk_max.into(), rng);
        datagram.resize(size as usize, 0);
        rng.fill_bytes(datagram);
        super::unlike_others(datagram.len(), datagram, rng);
        Some(PreambleDatagram::Junk)
    }
}
