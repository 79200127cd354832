//! What a received datagram may be. Reference: `DeterminePacketTypeAndPadding` in `device/receive.go`.
//!
//! The order is the reference's: initiation, response, cookie reply, transport message, and last a bare keepalive, which
//! the reference does not take. It decides where sizes collide. Nothing is authenticated here, and of the padding nothing is
//! looked at but the nonce of header protection. With random trailers a handshake message may be followed by anything.

use super::{Form, HeaderMask, Obfuscation};
use crate::message::MessageType;

/// Every form has been compared.
const ENDED: usize = 5;

/// A message that a datagram may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classified {
    /// The message's type, by size and type word.
    pub message: MessageType,
    /// Where the message begins in the datagram: the bytes before it are padding. A handshake message ends where its size says;
    /// what follows is a trailer.
    pub offset: usize,
    /// Whether this is a keepalive without the padding that transport messages have here.
    pub bare_keepalive: bool,
}

/// The messages that a datagram may be, the likeliest first; made by [`Obfuscation::classify`].
#[derive(Debug, Clone)]
pub struct Candidates<'a> {
    obfuscation: &'a Obfuscation,
    datagram: &'a [u8],
    mask: HeaderMask,
    /// How many of the five forms have been compared.
    compared: usize,
}

impl Obfuscation {
    /// What `datagram` may be.
    ///
    /// The first candidate is what the reference takes the datagram for. A handshake message whose mac1 is wrong may have
    /// been something else by chance, since the word that was compared can be random bytes of another message: then the
    /// next candidates are worth trying. Without any candidate the datagram is junk, a signature packet, or not ours.
    #[inline]
    pub fn classify<'a>(&'a self, datagram: &'a [u8]) -> Candidates<'a> {
        let (mask, compared) = match &self.parameters.header_protection_key {
            None => (HeaderMask::default(), 0),
            // What is too short for a nonce is too short for every message.
            Some(key) => HeaderMask::new(key, datagram)
                .map_or((HeaderMask::default(), ENDED), |mask| (mask, 0)),
        };
        Candidates {
            obfuscation: self,
            datagram,
            mask,
            compared,
        }
    }

    /// What `datagram` would be if its sender did not protect headers: for telling why nothing of it can be used.
    pub fn classify_unprotected<'a>(&'a self, datagram: &'a [u8]) -> Candidates<'a> {
        Candidates {
            obfuscation: self,
            datagram,
            mask: HeaderMask::default(),
            compared: 0,
        }
    }
}

impl Candidates<'_> {
    /// What takes header protection off the datagram's message, if that is a transport message. Of handshake messages it is taken
    /// off by [`Obfuscation::toggle_protection`].
    #[inline]
    pub fn mask(&self) -> HeaderMask {
        self.mask
    }
}

impl Iterator for Candidates<'_> {
    type Item = Classified;

    #[inline]
    fn next(&mut self) -> Option<Classified> {
        while let Some(form) = self.obfuscation.forms.get(self.compared) {
            self.compared += 1;
            if form.fits(self.datagram, self.mask) {
                return Some(Classified {
                    message: form.message,
                    offset: form.padding,
                    bare_keepalive: false,
                });
            }
        }
        if self.compared > self.obfuscation.forms.len() {
            return None;
        }
        self.compared = ENDED;
        self.obfuscation.bare_keepalive(self.datagram)
    }
}

impl Form {
    /// Whether `datagram` has the size of this form, and one of its type words in its place.
    #[inline]
    fn fits(&self, datagram: &[u8], mask: HeaderMask) -> bool {
        let size_fits = if self.open_ended {
            datagram.len() >= self.size
        } else {
            datagram.len() == self.size
        };
        size_fits
            && type_word(datagram, self.padding)
                .is_some_and(|word| self.header.contains(word ^ mask.word()))
    }
}

impl Obfuscation {
    /// A keepalive without padding, where transport messages have some.
    fn bare_keepalive(&self, datagram: &[u8]) -> Option<Classified> {
        let transport = self.form(MessageType::Transport);
        let fits = self.takes_bare_keepalives
            && transport.padding > 0
            && datagram.len() == MessageType::Transport.bare_size()
            && type_word(datagram, 0).is_some_and(|word| transport.header.contains(word));
        fits.then_some(Classified {
            message: MessageType::Transport,
            offset: 0,
            bare_keepalive: true,
        })
    }
}

/// The type word of a message that begins at `offset`.
#[inline]
fn type_word(datagram: &[u8], offset: usize) -> Option<u32> {
    let word = datagram.get(offset..)?.first_chunk()?;
    Some(u32::from_le_bytes(*word))
}
