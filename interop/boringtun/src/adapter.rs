//! What stands between a WireGuard implementation and the socket. All use of `awg-obfuscation` is in this file.
//!
//! The implementation is not asked to know anything: it makes and takes the plain messages of WireGuard. So the MACs, which it made
//! over the plain type word, are made again over the one on the wire, and the other way round. An implementation that can be
//! changed draws the type word itself, and needs of this file only the padding, the preamble and the candidates.
//!
//! It holds no socket and no clock, and does not judge whether a message is welcome: that stays with the implementation.

use std::time::Duration;

use awg_obfuscation::{MessageType, Obfuscation, SignatureCounter};
use rand::rngs::StdRng;

use crate::macs::{self, Mac, MacKeys};

/// The adapter of one peer.
pub struct Adapter {
    obfuscation: Obfuscation,
    /// Counts for the tag `<c>`. It belongs to the device: with several peers, they share it.
    signatures: SignatureCounter,
    rng: StdRng,
    /// The keys of our public key: for mac1 of what comes, and for cookies that we give.
    own: MacKeys,
    /// The keys of the peer's: for mac1 of what leaves, and for cookies that we get.
    peer: MacKeys,
    /// The last handshake message that left; a cookie reply answers it.
    left: Mac1,
    /// The last that came; the implementation's cookie reply answers it.
    came: Mac1,
    /// The cookie that the peer gave us. Whether it is still good is the implementation's to know.
    got: Mac,
    /// The cookie that the implementation gave the peer.
    given: Option<Mac>,
}

/// A handshake message's mac1, which a cookie reply to it is bound to: as the implementation knows it, and as the wire does.
#[derive(Default)]
struct Mac1 {
    plain: Mac,
    wire: Mac,
}

impl Adapter {
    /// The adapter between the owner of a public key and the peer with another.
    pub fn new(
        obfuscation: Obfuscation,
        own_public_key: &[u8; 32],
        peer_public_key: &[u8; 32],
        rng: StdRng,
    ) -> Self {
        Self {
            obfuscation,
            signatures: SignatureCounter::default(),
            rng,
            own: MacKeys::of(own_public_key),
            peer: MacKeys::of(peer_public_key),
            left: Mac1::default(),
            came: Mac1::default(),
            got: Mac::default(),
            given: None,
        }
    }

    /// Makes of a message that the implementation wants to send what goes on the wire, each a datagram of its own, in order.
    ///
    /// `message` is a whole message of plain WireGuard, and is changed. `unix` is the time since the epoch, for the tag `<t>`.
    /// What is no message of WireGuard becomes no datagram.
    pub fn outgoing(&mut self, message: &mut [u8], unix: Duration, datagrams: &mut Vec<Vec<u8>>) {
        let Some(kind) = plain_type(message) else {
            return;
        };
        if kind == MessageType::Initiation {
            self.preamble(unix, datagrams);
        }
        let word = self.obfuscation.type_word(kind, &mut self.rng);
        if self.disguise(kind, word, message).is_none() {
            return;
        }
        let keepalive = kind == MessageType::Transport && message.len() == kind.bare_size();
        let padding = if keepalive {
            self.obfuscation.keepalive_padding()
        } else {
            self.obfuscation.padding(kind)
        };
        // A product has the implementation write its message behind so many bytes, and copies nothing.
        let mut datagram = vec![0; padding + message.len()];
        let (before, place) = datagram.split_at_mut(padding);
        self.obfuscation.fill_padding(before, &mut self.rng);
        place.copy_from_slice(message);
        datagrams.push(datagram);
    }

    /// Finds the implementation's message in a datagram: plain WireGuard, with MACs that the implementation takes.
    ///
    /// None where the datagram is junk, a signature packet, or anything else that is not for us.
    pub fn incoming<'a>(&mut self, datagram: &'a mut [u8]) -> Option<&'a [u8]> {
        let found = self.obfuscation.classify(datagram).find(|candidate| {
            let message = datagram.get(candidate.offset..);
            message.is_some_and(|message| self.is_genuine(candidate.message, message))
        })?;
        let message = datagram.get_mut(found.offset..)?;
        self.reveal(found.message, message)?;
        Some(message)
    }

    /// What precedes an initiation: signature packets, then junk.
    fn preamble(&mut self, unix: Duration, datagrams: &mut Vec<Vec<u8>>) {
        let mut preamble = self.obfuscation.preamble();
        let mut datagram = Vec::new();
        while preamble
            .poll_datagram(
                &self.obfuscation,
                &mut self.signatures,
                unix,
                &mut self.rng,
                &mut datagram,
            )
            .is_some()
        {
            datagrams.push(std::mem::take(&mut datagram));
        }
    }

    /// Whether a candidate is what it looks like, as far as can be said by its bytes as they came.
    ///
    /// A transport message is the last candidate; whether it is genuine its session will find.
    fn is_genuine(&self, kind: MessageType, message: &[u8]) -> bool {
        match kind {
            MessageType::Initiation | MessageType::Response => self.own.has_mac1(message),
            MessageType::CookieReply => self.peer.open_cookie(message, &self.left.wire).is_some(),
            MessageType::Transport => true,
        }
    }

    /// Puts the type word of the wire into a plain message, and makes what covers it again.
    fn disguise(&mut self, kind: MessageType, word: u32, message: &mut [u8]) -> Option<()> {
        match kind {
            MessageType::Initiation | MessageType::Response => {
                self.left.plain = macs::mac1(message)?;
                // The implementation forgets an old cookie by its own clock, and then puts no mac2.
                let cookie = macs::claims_a_cookie(message).then_some(&self.got);
                put_word(message, word)?;
                self.peer.authenticate(message, cookie)?;
                self.left.wire = macs::mac1(message)?;
            }
            MessageType::CookieReply => {
                // The nonce stays: of the two replies that it seals, only this one ever leaves.
                let cookie = self.own.open_cookie(message, &self.came.plain)?;
                put_word(message, word)?;
                self.own.seal_cookie(message, &self.came.wire, &cookie)?;
                self.given = Some(cookie);
            }
            // Type word and header are no part of what a transport message's tag covers.
            MessageType::Transport => put_word(message, word)?,
        }
        Some(())
    }

    /// The reverse: puts the plain type word into a message that came, and makes what covers it again.
    fn reveal(&mut self, kind: MessageType, message: &mut [u8]) -> Option<()> {
        let word = kind.number();
        match kind {
            MessageType::Initiation | MessageType::Response => {
                self.came.wire = macs::mac1(message)?;
                // A mac2 that was not made with our cookie becomes none, and the implementation gives a cookie if it must.
                let cookie = self.given.filter(|cookie| macs::has_mac2(message, cookie));
                put_word(message, word)?;
                self.own.authenticate(message, cookie.as_ref())?;
                self.came.plain = macs::mac1(message)?;
            }
            MessageType::CookieReply => {
                let cookie = self.peer.open_cookie(message, &self.left.wire)?;
                put_word(message, word)?;
                self.peer.seal_cookie(message, &self.left.plain, &cookie)?;
                self.got = cookie;
            }
            MessageType::Transport => put_word(message, word)?,
        }
        Some(())
    }
}

/// The type of a message of plain WireGuard.
fn plain_type(message: &[u8]) -> Option<MessageType> {
    let word = u32::from_le_bytes(*message.first_chunk()?);
    MessageType::ALL
        .into_iter()
        .find(|kind| kind.number() == word)
}

fn put_word(message: &mut [u8], word: u32) -> Option<()> {
    *message.first_chunk_mut()? = word.to_le_bytes();
    Some(())
}
