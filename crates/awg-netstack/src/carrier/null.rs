//! The packet protection of the carrier: none. The tunnel under it encrypts and authenticates every packet, and knows whose it is.
//!
//! What is left of TLS is its order ([`Session`]): transport parameters go in CRYPTO frames, each side proves that it hears the
//! other before data flows, and keys of which every one does nothing take the place of keys (RFC 9001 sections 4.1 and 8.2).
//!
//! One thing is kept: a packet says only the last bytes of its number, and what the rest is shows by its authentication tag
//! alone where packets overtake each other by many. So each has a [`Tag`] of two bytes, which holds it against the number.
//!
//! | sent in | client | server |
//! |---|---|---|
//! | Initial | its transport parameters | [`HELLO`] |
//! | Handshake | [`HELLO`] | its transport parameters |

use std::any::Any;

use bytes::BytesMut;
use noq_proto::crypto::{
    ClientConfig, CryptoError, ExportKeyingMaterialError, HandshakeTokenKey, HeaderKey, KeyPair,
    Keys, PacketKey, ServerConfig, Session, UnsupportedVersion,
};
use noq_proto::transport_parameters::TransportParameters;
use noq_proto::{
    ConnectError, ConnectionId, PathId, Side, TransportError, TransportErrorCode, VarInt,
};

use super::parameters;

/// What is said where TLS would speak, and there is nothing to say.
const HELLO: u8 = 1;

/// The longest transport parameters that are read.
pub(super) const PARAMETERS: usize = 1 << 10;

/// Headers stand as they are.
struct Nothing;

/// Payloads do, too, with the bits 8 to 23 of the packet's number behind them.
pub(super) struct Tag {
    /// Whether there is such a key: each end changes keys once at most, and what is late must not look like another change.
    exists: bool,
}

impl Tag {
    pub(super) const LENGTH: usize = 2;

    fn of(packet: u64) -> [u8; Self::LENGTH] {
        ((packet >> 8) as u16).to_be_bytes()
    }
}

impl HeaderKey for Nothing {
    fn decrypt(&self, _: usize, _: &mut [u8]) {}

    fn encrypt(&self, _: usize, _: &mut [u8]) {}

    fn sample_size(&self) -> usize {
        0
    }
}

impl PacketKey for Tag {
    fn encrypt(&self, _: PathId, packet: u64, buffer: &mut [u8], _: usize) {
        if let Some(tag) = buffer.last_chunk_mut() {
            *tag = Self::of(packet);
        }
    }

    fn decrypt(
        &self,
        _: PathId,
        packet: u64,
        _: &[u8],
        payload: &mut BytesMut,
    ) -> Result<(), CryptoError> {
        if !self.exists || payload.last_chunk() != Some(&Self::of(packet)) {
            return Err(CryptoError);
        }
        payload.truncate(payload.len() - Self::LENGTH);
        Ok(())
    }

    fn tag_len(&self) -> usize {
        Self::LENGTH
    }

    fn confidentiality_limit(&self) -> u64 {
        u64::MAX
    }

    fn integrity_limit(&self) -> u64 {
        u64::MAX
    }
}

fn keys() -> Keys {
    Keys {
        header: KeyPair {
            local: Box::new(Nothing),
            remote: Box::new(Nothing),
        },
        packet: tags(true),
    }
}

fn tags(exists: bool) -> KeyPair<Box<dyn PacketKey>> {
    KeyPair {
        local: Box::new(Tag { exists }),
        remote: Box::new(Tag { exists }),
    }
}

/// Begins sessions.
pub(super) struct Null {
    /// Bytes that a stream may bring before anything of it was read.
    pub(super) first: VarInt,
}

impl ClientConfig for Null {
    fn start_session(
        &self,
        _: u32,
        _: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn Session>, ConnectError> {
        Ok(Box::new(NullSession::new(Side::Client, params, self.first)))
    }
}

impl ServerConfig for Null {
    fn initial_keys(&self, _: u32, _: ConnectionId) -> Result<Keys, UnsupportedVersion> {
        Ok(keys())
    }

    fn retry_tag(&self, _: u32, _: ConnectionId, _: &[u8]) -> [u8; 16] {
        [0; 16]
    }

    fn start_session(&self, _: u32, params: &TransportParameters) -> Box<dyn Session> {
        Box::new(NullSession::new(Side::Server, params, self.first))
    }
}

/// Takes no token: addresses are validated by the tunnel.
pub(super) struct NoTokens;

impl HandshakeTokenKey for NoTokens {
    fn seal(&self, _: u128, _: &mut Vec<u8>) -> Result<(), CryptoError> {
        Err(CryptoError)
    }

    fn open<'a>(&self, _: u128, _: &'a mut [u8]) -> Result<&'a [u8], CryptoError> {
        Err(CryptoError)
    }
}

/// How far the handshake is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Step {
    /// Nothing was written in Initial packets.
    Initial,
    /// They were, and nothing was written in Handshake packets.
    Handshake,
    /// Both were.
    Written,
}

/// One handshake.
struct NullSession {
    side: Side,
    ours: Vec<u8>,
    theirs: Vec<u8>,
    /// The parameters of the other end, whole.
    parameters: Option<TransportParameters>,
    /// Bytes that it takes before it says more.
    most: Option<u64>,
    /// Whether it said [`HELLO`].
    greeted: bool,
    step: Step,
    /// Changes of keys that were prepared.
    changes: u32,
}

impl NullSession {
    fn new(side: Side, params: &TransportParameters, first: VarInt) -> Self {
        let mut encoded = Vec::new();
        params.write(&mut encoded);
        let mut encoded = parameters::with_first(&encoded, first);
        let mut ours = (encoded.len() as u16).to_be_bytes().to_vec();
        ours.append(&mut encoded);
        Self {
            side,
            ours,
            theirs: Vec::new(),
            parameters: None,
            most: None,
            greeted: false,
            step: Step::Initial,
            changes: 0,
        }
    }

    /// Takes bytes of transport parameters: two of length, then they themselves.
    fn read_parameters(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if self.parameters.is_some() {
            return Err(violation("bytes after the transport parameters"));
        }
        if self.theirs.len() + bytes.len() > PARAMETERS {
            return Err(violation("the transport parameters are too long"));
        }
        self.theirs.extend_from_slice(bytes);
        let Some((length, encoded)) = self.theirs.split_first_chunk() else {
            return Ok(());
        };
        let length = usize::from(u16::from_be_bytes(*length));
        if encoded.len() < length {
            return Ok(());
        }
        if encoded.len() > length {
            return Err(violation("bytes after the transport parameters"));
        }
        self.most = Some(parameters::max_data(encoded));
        let parameters = TransportParameters::read(self.side, &mut &*encoded)?;
        self.parameters = Some(parameters);
        Ok(())
    }
}

fn violation(what: &'static str) -> TransportError {
    TransportError::new(TransportErrorCode::PROTOCOL_VIOLATION, what.to_owned())
}

impl Session for NullSession {
    fn initial_keys(&self, _: ConnectionId, _: Side) -> Keys {
        keys()
    }

    /// How many bytes the other end takes at first.
    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        Some(Box::new(self.most?))
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        None
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        None
    }

    fn early_data_accepted(&self) -> Option<bool> {
        Some(false)
    }

    fn is_handshaking(&self) -> bool {
        !self.greeted || self.parameters.is_none() || self.step != Step::Written
    }

    fn read_handshake(&mut self, bytes: &[u8]) -> Result<bool, TransportError> {
        let mut bytes = bytes;
        // The client's parameters come first, the server's second.
        let is_greeting = match self.side {
            Side::Client => !self.greeted,
            Side::Server => self.parameters.is_some(),
        };
        if is_greeting {
            self.greet(&mut bytes)?;
        }
        if !bytes.is_empty() {
            self.read_parameters(bytes)?;
        }
        Ok(false)
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        Ok(self.parameters)
    }

    fn write_handshake(&mut self, out: &mut Vec<u8>) -> Option<Keys> {
        match (self.side, self.step) {
            (Side::Client, Step::Initial) => {
                if !self.ours.is_empty() {
                    out.append(&mut self.ours);
                } else if self.greeted {
                    self.step = Step::Handshake;
                    return Some(keys());
                }
                None
            }
            (Side::Client, Step::Handshake) => {
                self.parameters?;
                out.push(HELLO);
                self.step = Step::Written;
                Some(keys())
            }
            (Side::Server, Step::Initial) => {
                self.parameters?;
                out.push(HELLO);
                self.step = Step::Handshake;
                Some(keys())
            }
            (Side::Server, Step::Handshake) => {
                out.append(&mut self.ours);
                self.step = Step::Written;
                Some(keys())
            }
            (_, Step::Written) => None,
        }
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        self.changes = self.changes.saturating_add(1);
        Some(tags(self.changes == 1))
    }

    fn is_valid_retry(&self, _: ConnectionId, _: &[u8], _: &[u8]) -> bool {
        false
    }

    fn export_keying_material(
        &self,
        _: &mut [u8],
        _: &[u8],
        _: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        Err(ExportKeyingMaterialError)
    }
}

impl NullSession {
    /// Takes the greeting, if it is there.
    fn greet(&mut self, bytes: &mut &[u8]) -> Result<(), TransportError> {
        let Some((first, rest)) = bytes.split_first() else {
            return Ok(());
        };
        if *first != HELLO || self.greeted {
            return Err(violation("no greeting of the carrier"));
        }
        self.greeted = true;
        *bytes = rest;
        Ok(())
    }
}
