//! The four messages of WireGuard, as far as obfuscation must know them: their order, sizes and default type words.
//!
//! Their fields are the business of the WireGuard implementation. Sizes: WireGuard whitepaper, section 5.4.

/// One of the four messages of WireGuard, in the order in which a received datagram is compared with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageType {
    /// Handshake initiation: 148 bytes.
    Initiation,
    /// Handshake response: 92 bytes.
    Response,
    /// Cookie reply: 64 bytes.
    CookieReply,
    /// Transport message: 32 bytes and its content; a keepalive is one without content.
    Transport,
}

impl MessageType {
    /// All four, in the order of their numbers, which is the reference's order of classification.
    pub const ALL: [Self; 4] = [
        Self::Initiation,
        Self::Response,
        Self::CookieReply,
        Self::Transport,
    ];

    /// The message's size in bytes without padding; of a transport message, its size without content.
    pub const fn bare_size(self) -> usize {
        match self {
            Self::Initiation => 148,
            Self::Response => 92,
            Self::CookieReply => 64,
            Self::Transport => 32,
        }
    }

    /// The type's number in WireGuard, 1 to 4: the type word where no header range is configured.
    pub const fn number(self) -> u32 {
        self as u32 + 1
    }

    /// The place of this type in the tables of this crate.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}
