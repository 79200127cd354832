//! What happens to the tunnel, step by step.

use arbitrary::Arbitrary;

use crate::settings::Settings;

/// A tunnel, and what happens to it.
#[derive(Debug, Arbitrary)]
pub(super) struct Scenario<'a> {
    pub(super) settings: Settings,
    /// Whether the tunnel knows where its peers are.
    pub(super) endpoints: bool,
    pub(super) preshared: bool,
    pub(super) moves: Vec<Move<'a>>,
}

/// One step.
#[derive(Debug, Arbitrary)]
pub(super) enum Move<'a> {
    /// Any bytes arrive, perhaps in the form of a message.
    Bytes {
        from: Origin,
        form: Option<u8>,
        bytes: &'a [u8],
    },
    /// An initiation, at a time that is so many milliseconds ahead.
    Initiate {
        from: Origin,
        ahead: i16,
        with_cookie: bool,
        lie: Lie,
    },
    /// A response to the tunnel's last initiation.
    Answer {
        from: Origin,
        wrong_preshared: bool,
        with_cookie: bool,
        lie: Lie,
    },
    /// A cookie reply to the tunnel's last initiation.
    ReplyWithCookie {
        from: Origin,
        cookie: [u8; 16],
        lie: Lie,
    },
    /// A transport message in one of the sessions that there were.
    Seal {
        from: Origin,
        session: u8,
        counter: Counter,
        content: Content<'a>,
        lie: Lie,
    },
    /// One of the last datagrams once more.
    Again { from: Origin, which: u8, lie: Lie },
    /// The tunnel's owner sends a packet.
    Send { to: u8, length: u16 },
    /// The tunnel's owner asks for a session.
    Connect { to: u8 },
    /// The tunnel's owner changes a peer.
    Update {
        peer: u8,
        endpoint: Option<u8>,
        keepalive: Option<u8>,
        preshared: bool,
    },
    /// The tunnel's owner removes a peer, or adds it again.
    Toggle { peer: u8 },
    /// The session's sending counter comes near a limit.
    Count { peer: u8, counter: Counter },
    /// Time passes.
    Wait(Span),
}

/// Who sends, and from which of a few addresses.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(super) struct Origin {
    pub(super) who: u8,
    pub(super) address: u8,
}

/// What is done to a datagram before it arrives.
#[derive(Debug, Arbitrary)]
pub(super) struct Lie {
    /// A byte of the message is changed.
    pub(super) change: Option<(u8, u8)>,
    /// The MACs of a handshake message are made right again.
    pub(super) authenticate: bool,
    /// Bytes that are missing at the end.
    pub(super) cut: Option<u8>,
}

/// The counter of a message.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(super) enum Counter {
    Next,
    /// So many before the next.
    Back(u16),
    /// So many after the next.
    Ahead(u16),
    /// Around the last one that may be used.
    Limit(i8),
    Any(u64),
}

/// What is sealed.
#[derive(Debug, Arbitrary)]
pub(super) enum Content<'a> {
    Nothing,
    Packet {
        /// Whose inner address it is said to be from.
        source: u8,
        ipv6: bool,
        /// The length in its header.
        claimed: u16,
        /// The bytes that there are.
        length: u16,
    },
    Bytes(&'a [u8]),
}

/// How much time passes.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(super) enum Span {
    Milliseconds(u8),
    Seconds(u8),
    /// Until the tunnel wants to be woken.
    Wake,
}
