//! The other peer: it knows all keys and makes any message, right or wrong, with awgproxy's own code for messages.

use std::net::SocketAddr;
use std::time::Duration;

use awg_obfuscation::{MessageType, Obfuscation};
use awg_tunnel::inspection::{
    self, CookieReply, Initiation, Mac, Pending, Response, SessionKeys, Transport,
};
use awg_tunnel::{PresharedKey, PrivateKey, PublicKey};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::end::START;
use crate::wish::Wish;

/// A peer of the device on the stage.
pub struct Probe {
    /// Its key.
    pub key: PrivateKey,
    /// The device's name.
    pub subject: PublicKey,
    /// The key shared beside the pairs; zero where there is none.
    pub preshared: PresharedKey,
    /// Where it sends from.
    pub address: SocketAddr,
    /// The device's obfuscation, which the peer has too.
    pub obfuscation: Obfuscation,
    /// Its randomness.
    pub rng: StdRng,
    indices: u32,
}

/// An initiation that the probe made.
pub struct Offer {
    /// As it goes on the wire.
    pub datagram: Vec<u8>,
    /// Without padding.
    pub message: Vec<u8>,
    /// What reads the response.
    pub pending: Pending,
}

/// A session, from the probe's side.
#[derive(Clone)]
pub struct Session {
    /// Seals what the probe sends.
    pub send: [u8; 32],
    /// Seals what the device sends.
    pub receive: [u8; 32],
    /// What the device puts into its messages.
    pub local: u32,
    /// What the probe puts into its messages.
    pub remote: u32,
    /// The counter of the probe's next message.
    pub counter: u64,
}

impl Session {
    fn new(keys: &SessionKeys, initiator: bool, local: u32, remote: u32) -> Self {
        let (there, back) = (
            *keys.initiator_to_responder(),
            *keys.responder_to_initiator(),
        );
        let (send, receive) = if initiator {
            (there, back)
        } else {
            (back, there)
        };
        Self {
            send,
            receive,
            local,
            remote,
            counter: 0,
        }
    }
}

impl Probe {
    /// A peer with this key, and what the device was wished to have.
    ///
    /// # Panics
    /// With parameters that our own code refuses.
    pub fn new(key: PrivateKey, subject: PublicKey, address: SocketAddr, wish: &Wish) -> Self {
        Self {
            key,
            subject,
            preshared: wish.preshared(),
            address,
            obfuscation: wish.obfuscation(),
            rng: StdRng::from_seed([0x5a; 32]),
            indices: 0x00ab_0000,
        }
    }

    fn index(&mut self) -> u32 {
        self.indices += 1;
        self.indices
    }

    /// 32 random bytes.
    pub fn secret(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// A type word for a message.
    pub fn type_word(&mut self, message: MessageType) -> u32 {
        self.obfuscation.type_word(message, &mut self.rng)
    }

    /// Puts padding before a message, and hides its header where that is configured.
    pub fn padded(&mut self, kind: MessageType, message: &[u8]) -> Vec<u8> {
        let mut datagram = vec![0; self.obfuscation.padding(kind)];
        self.obfuscation.fill_padding(&mut datagram, &mut self.rng);
        let offset = datagram.len();
        datagram.extend_from_slice(message);
        self.obfuscation
            .toggle_protection(kind, offset, &mut datagram);
        datagram
    }

    /// An initiation made at a time of the stage's clock.
    pub fn initiation(&mut self, at: Duration) -> Offer {
        self.initiation_with(&inspection::timestamp(START + at), None)
    }

    /// An initiation with a timestamp and perhaps a cookie.
    ///
    /// # Panics
    /// Where the device's key is a low-order point.
    pub fn initiation_with(&mut self, timestamp: &[u8; 12], cookie: Option<&Mac>) -> Offer {
        let word = self.type_word(MessageType::Initiation);
        let (sender, ephemeral) = (self.index(), self.secret());
        let (message, pending) = Initiation::make(
            word,
            sender,
            &ephemeral,
            &self.key,
            &self.subject,
            &self.preshared,
            timestamp,
            cookie,
        )
        .expect("the device's key is a good one");
        Offer {
            datagram: self.padded(MessageType::Initiation, &message),
            message: message.to_vec(),
            pending,
        }
    }

    /// The session that the device's response makes.
    pub fn finish(&self, offer: Offer, response: &[u8]) -> Option<Session> {
        let message = self.message(MessageType::Response, response)?;
        let fields = Response::read(&message).ok()?;
        let keys = offer.pending.finish(&message).ok()?;
        Some(Session::new(&keys, true, fields.receiver, fields.sender))
    }

    /// Answers the device's initiation.
    pub fn answer(&mut self, initiation: &[u8]) -> Option<(Vec<u8>, Session)> {
        let preshared = self.preshared.clone();
        self.answer_with(initiation, &preshared, None)
    }

    /// Answers the device's initiation with another preshared key, or with a cookie.
    pub fn answer_with(
        &mut self,
        initiation: &[u8],
        preshared: &PresharedKey,
        cookie: Option<&Mac>,
    ) -> Option<(Vec<u8>, Session)> {
        let message = self.message(MessageType::Initiation, initiation)?;
        let fields = Initiation::read(&message, &self.key).ok()?;
        let word = self.type_word(MessageType::Response);
        let (sender, ephemeral) = (self.index(), self.secret());
        let (response, keys) = Response::make(
            word, sender, &ephemeral, &self.key, preshared, &message, cookie,
        )
        .ok()?;
        let session = Session::new(&keys, false, sender, fields.sender);
        Some((self.padded(MessageType::Response, &response), session))
    }

    /// A cookie reply to a message of the device (without padding).
    ///
    /// # Panics
    /// With something shorter than a handshake message.
    pub fn cookie_reply(&mut self, answered: &[u8], cookie: Mac) -> Vec<u8> {
        let mut mac1 = [0; 16];
        mac1.copy_from_slice(&answered[answered.len() - 32..answered.len() - 16]);
        let mut nonce = [0; 24];
        self.rng.fill_bytes(&mut nonce);
        let reply = CookieReply {
            type_word: self.type_word(MessageType::CookieReply),
            receiver: u32::from_le_bytes(*answered[4..].first_chunk().expect("a sender")),
            nonce,
            cookie,
        };
        let message = reply.make(&self.key.public_key(), &mac1);
        self.padded(MessageType::CookieReply, &message)
    }

    /// Seals content into the next message of a session.
    pub fn seal(&mut self, session: &mut Session, content: &[u8]) -> Vec<u8> {
        let counter = session.counter;
        session.counter += 1;
        self.seal_at(session, counter, content)
    }

    /// Seals content under a counter of choice.
    pub fn seal_at(&mut self, session: &Session, counter: u64, content: &[u8]) -> Vec<u8> {
        let message = Transport {
            type_word: self.type_word(MessageType::Transport),
            receiver: session.remote,
            counter,
            content: content.to_vec(),
        };
        self.padded(MessageType::Transport, &message.make(&session.send))
    }

    /// Opens a transport message of the device, padded or bare.
    pub fn open(&self, session: &Session, datagram: &[u8]) -> Option<Transport> {
        opened(&self.obfuscation, datagram, session.local, &session.receive)
    }

    /// The message in a datagram, if it may be of that kind: without padding, header protection and trailer.
    pub fn message(&self, kind: MessageType, datagram: &[u8]) -> Option<Vec<u8>> {
        message(&self.obfuscation, kind, datagram)
    }

    /// What a datagram is by size and type word.
    pub fn kind(&self, datagram: &[u8]) -> Option<MessageType> {
        self.obfuscation
            .classify(datagram)
            .next()
            .map(|found| found.message)
    }
}

/// The message in a datagram, if it may be of that kind: without padding, header protection and trailer.
pub fn message(obfuscation: &Obfuscation, kind: MessageType, datagram: &[u8]) -> Option<Vec<u8>> {
    let mut found = obfuscation.classify(datagram);
    let offset = found.find(|found| found.message == kind)?.offset;
    let mut message = clear(obfuscation, kind, offset, datagram)?;
    if kind != MessageType::Transport {
        message.truncate(kind.bare_size());
    }
    Some(message)
}

/// The transport message in a datagram, padded or bare, if this key opens it and it is for this index.
pub(crate) fn opened(
    obfuscation: &Obfuscation,
    datagram: &[u8],
    receiver: u32,
    key: &[u8; 32],
) -> Option<Transport> {
    let kind = MessageType::Transport;
    [obfuscation.padding(kind), 0]
        .into_iter()
        .filter_map(|offset| clear(obfuscation, kind, offset, datagram))
        .filter_map(|message| Transport::read(&message, key).ok())
        .find(|message| message.receiver == receiver)
}

/// What stands behind the padding, without header protection.
fn clear(
    obfuscation: &Obfuscation,
    kind: MessageType,
    offset: usize,
    datagram: &[u8],
) -> Option<Vec<u8>> {
    let mut datagram = datagram.to_vec();
    obfuscation.toggle_protection(kind, offset, &mut datagram);
    (offset <= datagram.len()).then(|| datagram.split_off(offset))
}
