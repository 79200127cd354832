//! What valid parameters may do that their owner probably does not want: datagrams that do not fit the path, and
//! specifications that mean less than they seem to.

use super::{KeepalivePadding, PADDINGS, Parameters, SIGNATURES};
use crate::message::MessageType;
use crate::signature::SignatureRemark;

/// The most junk packets that pass without a warning.
const USUAL_JUNK_COUNT: u16 = 128;
/// One datagram in so many may be lost to random trailers without a warning.
const TOLERABLE_ONE_IN: u64 = 10_000;

/// The network path that the datagrams take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// The largest IP packet that the path carries whole, in bytes.
    pub mtu: u16,
    /// Whether the datagrams travel over IPv6.
    pub ipv6: bool,
}

impl Path {
    /// The bytes that IP and UDP put before a datagram.
    pub const fn overhead(self) -> usize {
        if self.ipv6 { 40 + 8 } else { 20 + 8 }
    }

    /// The largest datagram that the path carries whole.
    pub const fn largest_datagram(self) -> usize {
        (self.mtu as usize).saturating_sub(self.overhead())
    }
}

/// A parameter that is accepted and deserves a second look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {concern}")]
pub struct ParameterWarning {
    parameter: &'static str,
    concern: Concern,
}

impl ParameterWarning {
    /// The parameter's name as the documentation spells it, `Jc`.
    pub fn parameter(&self) -> &str {
        self.parameter
    }

    /// What to look at.
    pub fn concern(&self) -> &Concern {
        &self.concern
    }
}

/// What deserves a second look. The text does not repeat the parameter's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Concern {
    /// A datagram is larger than the path carries whole.
    #[error(
        "makes {what} of {packet} bytes with its IP and UDP headers, above the path's MTU of {mtu}: it is fragmented or lost"
    )]
    ExceedsPath {
        /// What the datagram is.
        what: &'static str,
        /// The size of the IP packet in bytes.
        packet: usize,
        /// The path's MTU.
        mtu: u16,
    },
    /// Very many junk packets before every initiation.
    #[error(
        "sends {count} junk packets before every handshake; above 128 they delay it and stand out"
    )]
    ManyJunkPackets {
        /// Jc.
        count: u16,
    },
    /// Random trailers make a receiver take data and responses for earlier messages.
    #[error(
        "makes any longer datagram fit, and with S1 to S4 unequal and H1 to H3 this wide about one in {one_in} is taken for a \
         handshake message; receivers other than awgproxy then lose it: make S1 to S4 equal or H1 to H3 narrow"
    )]
    TrailersSwallow {
        /// One datagram in so many.
        one_in: u64,
    },
    /// Keepalives are padded although they should not be.
    #[error("`reference` has no effect together with parameters of 3.x: keepalives are padded")]
    KeepalivesArePadded,
    /// A specification that means less than it seems to.
    #[error(transparent)]
    Signature(SignatureRemark),
}

impl Parameters {
    /// What deserves a second look where the datagrams take `path`: counts and sizes first, then what the specifications
    /// of signature packets may get wrong.
    pub fn warnings(&self, path: &Path) -> Vec<ParameterWarning> {
        let junk_count = (self.junk_count > USUAL_JUNK_COUNT).then_some(ParameterWarning {
            parameter: "Jc",
            concern: Concern::ManyJunkPackets {
                count: self.junk_count,
            },
        });
        let junk_size =
            (self.junk_count > 0).then_some(("Jmax", "a junk packet", usize::from(self.junk_max)));
        let padded = MessageType::ALL.into_iter().map(|message| {
            let size = usize::from(self.padding(message)) + message.bare_size();
            (PADDINGS[message.index()], padded_name(message), size)
        });
        let signatures = || {
            SIGNATURES
                .into_iter()
                .zip(&self.signatures)
                .filter_map(|(name, signature)| Some((name, signature.as_ref()?)))
        };
        let signature_sizes =
            signatures().map(|(name, signature)| (name, "a signature packet", signature.size()));
        let remarks = signatures().flat_map(|(parameter, signature)| {
            let concern = |remark: &SignatureRemark| Concern::Signature(remark.clone());
            signature
                .remarks()
                .iter()
                .map(move |remark| ParameterWarning {
                    parameter,
                    concern: concern(remark),
                })
        });
        let oversized = junk_size
            .into_iter()
            .chain(padded)
            .chain(signature_sizes)
            .filter(|(_, _, size)| *size > path.largest_datagram())
            .map(|(parameter, what, size)| ParameterWarning {
                parameter,
                concern: Concern::ExceedsPath {
                    what,
                    packet: size + path.overhead(),
                    mtu: path.mtu,
                },
            });
        junk_count
            .into_iter()
            .chain(oversized)
            .chain(self.trailers_swallow())
            .chain(self.keepalives_are_padded())
            .chain(remarks)
            .collect()
    }

    /// Whether what is looked at as a type word is random often enough to be one.
    fn trailers_swallow(&self) -> Option<ParameterWarning> {
        let unequal = MessageType::ALL
            .iter()
            .any(|message| self.padding(*message) != self.padding_initiation);
        let [h1, h2, h3, _] = self.headers;
        let words = h1.width() + h2.width() + h3.width();
        let one_in = (1_u64 << 32) / words;
        let swallow = self.random_trailers && unequal && one_in < TOLERABLE_ONE_IN;
        swallow.then_some(ParameterWarning {
            parameter: "RandomTrailers",
            concern: Concern::TrailersSwallow {
                one_in: one_in.max(1),
            },
        })
    }

    fn keepalives_are_padded(&self) -> Option<ParameterWarning> {
        let ignored = self.keepalive_padding == KeepalivePadding::Reference && self.is_version_3();
        ignored.then_some(ParameterWarning {
            parameter: "KeepalivePadding",
            concern: Concern::KeepalivesArePadded,
        })
    }

    /// The largest inner packet whose transport message crosses `path` whole: the tunnel's MTU is at most this.
    pub fn largest_inner_packet(&self, path: &Path) -> usize {
        let message = usize::from(self.padding_transport) + MessageType::Transport.bare_size();
        path.largest_datagram().saturating_sub(message)
    }
}

/// What a padded message is called in a warning.
fn padded_name(message: MessageType) -> &'static str {
    match message {
        MessageType::Initiation => "an initiation",
        MessageType::Response => "a response",
        MessageType::CookieReply => "a cookie reply",
        MessageType::Transport => "a transport message without content",
    }
}
