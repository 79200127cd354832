//! From content to datagram: padding before, header, content, zeros, tag (`RoutineEncryption`, `RoutineSequentialSender` in
//! `device/send.go`). Everything about sizes of transport messages is here.

use awg_obfuscation::{MessageType, Obfuscation};

use crate::entropy::Entropy;
use crate::message::{TAG_SIZE, transport};
use crate::session::{Keypair, padded_length};

/// The obfuscation and the MTU.
pub(super) struct Framing {
    pub(super) obfuscation: Obfuscation,
    pub(super) mtu: usize,
}

impl Framing {
    /// Bytes before the content.
    pub(super) fn headroom(&self) -> usize {
        self.obfuscation.padding(MessageType::Transport) + transport::HEADER_SIZE
    }

    /// Bytes of the datagram for so much content.
    pub(super) fn sealed_len(&self, content: usize) -> usize {
        self.headroom() + padded_length(content, self.mtu) + TAG_SIZE
    }

    /// Makes a datagram of the packet that lies at `headroom`, in place; gives its size. The datagram is at least `sealed_len`
    /// long.
    #[inline]
    pub(super) fn seal_packet(
        &self,
        entropy: &mut Entropy,
        keypair: &mut Keypair,
        datagram: &mut [u8],
        content: usize,
    ) -> usize {
        let headroom = self.headroom();
        let size = self.sealed_len(content);
        let datagram = &mut datagram[..size];
        datagram[headroom + content..size - TAG_SIZE].fill(0);
        self.seal(
            entropy,
            keypair,
            datagram,
            headroom - transport::HEADER_SIZE,
        );
        size
    }

    /// Makes a keepalive.
    pub(super) fn seal_keepalive(
        &self,
        entropy: &mut Entropy,
        keypair: &mut Keypair,
        datagram: &mut Vec<u8>,
    ) {
        let padding = self.obfuscation.keepalive_padding();
        datagram.clear();
        datagram.resize(padding + transport::KEEPALIVE_SIZE, 0);
        self.seal(entropy, keypair, datagram, padding);
    }

    /// A handshake message with its padding.
    pub(super) fn pad(
        &self,
        entropy: &mut Entropy,
        kind: MessageType,
        message: &[u8],
        datagram: &mut Vec<u8>,
    ) {
        datagram.clear();
        datagram.resize(self.obfuscation.padding(kind), 0);
        self.obfuscation.fill_padding(datagram, entropy.rng());
        datagram.extend_from_slice(message);
    }

    #[inline]
    fn seal(
        &self,
        entropy: &mut Entropy,
        keypair: &mut Keypair,
        datagram: &mut [u8],
        padding: usize,
    ) {
        let (padding, message) = datagram.split_at_mut(padding);
        self.obfuscation.fill_padding(padding, entropy.rng());
        let type_word = self
            .obfuscation
            .type_word(MessageType::Transport, entropy.rng());
        keypair.seal(type_word, message);
    }
}
