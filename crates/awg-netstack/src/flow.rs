//! What a flow is called, and by whom: [`Peer`], [`Kind`], [`FlowId`]; and what a carried one is for: [`Target`].

use std::fmt;
use std::net::SocketAddr;

/// Who a packet came from or goes to: a number that the embedder chose. The stack only compares it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Peer(pub u32);

/// Which protocol a flow speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A TCP connection, or one that is about to be.
    Tcp,
    /// The UDP datagrams of one source.
    Udp,
}

/// The name of a flow. It is never given out twice, so a late command cannot hit the flow that came after.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(u64);

impl FlowId {
    const UDP: u64 = 1 << 63;
    const CARRIED: u64 = 1 << 62;

    /// A flow in `slot` of its protocol's table, of the slot's `generation` (30 bits are kept).
    pub(crate) fn new(kind: Kind, slot: u32, generation: u32) -> Self {
        let kind = match kind {
            Kind::Tcp => 0,
            Kind::Udp => Self::UDP,
        };
        let generation = u64::from(generation) << 32 & !(Self::UDP | Self::CARRIED);
        Self(kind | generation | u64::from(slot))
    }

    /// A flow in `slot` of the carrier's table.
    pub(crate) fn carried(kind: Kind, slot: u32, generation: u32) -> Self {
        Self(Self::new(kind, slot, generation).0 | Self::CARRIED)
    }

    /// Whether the flow rides on the QUIC carrier, not in IP packets of its own.
    pub fn is_carried(self) -> bool {
        self.0 & Self::CARRIED != 0
    }

    /// Whether it is a connection or the datagrams of one source; with [`is_carried`](Self::is_carried), which table the
    /// flow is in.
    pub fn kind(self) -> Kind {
        if self.0 & Self::UDP == 0 {
            Kind::Tcp
        } else {
            Kind::Udp
        }
    }

    /// Its place in that table.
    pub(crate) fn slot(self) -> u32 {
        self.0 as u32
    }

    /// The number as a whole, for a boundary that knows only integers.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The flow whose [`to_bits`](Self::to_bits) this is.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Debug for FlowId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = (self.0 & !(Self::UDP | Self::CARRIED)) >> 32;
        let carried = if self.is_carried() { "Carried" } else { "" };
        write!(
            formatter,
            "{carried}{:?}({}.{generation})",
            self.kind(),
            self.slot()
        )
    }
}

/// What a carried connection wants to reach.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// An address.
    Address(SocketAddr),
    /// A name that the other end of the carrier resolves.
    Name {
        /// 1 to 253 visible ASCII characters.
        name: Box<str>,
        /// The port, not 0.
        port: u16,
    },
}

/// The longest name (RFC 1035, section 2.3.4, in text form).
const LONGEST_NAME: usize = 253;

impl Target {
    /// A name and a port, if they are such.
    pub fn name(name: &str, port: u16) -> Option<Self> {
        let fits = (1..=LONGEST_NAME).contains(&name.len()) && port != 0;
        (fits && name.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self::Name {
            name: name.into(),
            port,
        })
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Name { .. } => None,
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        match self {
            Self::Address(address) => address.port(),
            Self::Name { port, .. } => *port,
        }
    }
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}
