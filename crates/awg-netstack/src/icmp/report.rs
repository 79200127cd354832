//! What an ICMP error says, and its types and codes in both families.

/// The smallest packets that a path is believed to need, whatever a report says: over IPv4 those with 512 bytes of content,
/// as Linux has it (RFC 1191 section 3 allows less, which nobody has but who lies); over IPv6 those that every path takes
/// (RFC 8200 section 5).
const MIN_MTU_IPV4: u16 = 552;
const MIN_MTU_IPV6: u16 = 1280;

/// Usual MTUs, to guess the next lower one from when a router does not tell it (RFC 1191 section 7).
const PLATEAUS: [u16; 8] = [32_000, 17_914, 8166, 4352, 2002, 1492, 1280, 1006];

/// Why a packet could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// There is no way to the network.
    NetworkUnreachable,
    /// The network is there, the host is not.
    HostUnreachable,
    /// The host does not speak this protocol.
    ProtocolUnreachable,
    /// Nobody listens at this port.
    PortUnreachable,
    /// A policy forbids it.
    Prohibited,
    /// The destination did not answer in time. No code says just that: sent as "host unreachable for type of service"
    /// and "beyond scope of source address", which nothing else here means and every stack takes as "unreachable".
    /// Received, "time to live exceeded" says it as well.
    TimedOut,
    /// The packet is larger than `mtu`, the longest that the next link takes.
    TooBig {
        /// Bytes of the longest packet, never less than a path must carry.
        mtu: u16,
    },
}

impl Report {
    /// Type, code and the four bytes after the checksum.
    pub(super) fn write(self, ipv6: bool) -> (u8, u8, [u8; 4]) {
        let (kind, code) = if ipv6 {
            match self {
                Self::NetworkUnreachable => (1, 0),
                Self::Prohibited => (1, 1),
                Self::HostUnreachable => (1, 3),
                Self::PortUnreachable => (1, 4),
                Self::TooBig { .. } => (2, 0),
                Self::TimedOut => (1, 2),
                // "Unrecognized next header", and where the field that names it stands.
                Self::ProtocolUnreachable => (4, 1),
            }
        } else {
            match self {
                Self::NetworkUnreachable => (3, 0),
                Self::HostUnreachable => (3, 1),
                Self::ProtocolUnreachable => (3, 2),
                Self::PortUnreachable => (3, 3),
                Self::TooBig { .. } => (3, 4),
                Self::Prohibited => (3, 13),
                Self::TimedOut => (3, 12),
            }
        };
        let rest = match self {
            Self::TooBig { mtu } => u32::from(mtu),
            Self::ProtocolUnreachable if ipv6 => 6,
            _ => 0,
        };
        (kind, code, rest.to_be_bytes())
    }

    /// What a received message says about a packet of `total_length` bytes; `None` if it is not an error, or not one
    /// that ends or changes anything.
    pub(super) fn read(
        ipv6: bool,
        kind: u8,
        code: u8,
        rest: [u8; 4],
        total_length: u16,
    ) -> Option<Self> {
        let [_, _, high, low] = rest;
        if ipv6 {
            return Some(match (kind, code) {
                (1, 0 | 6) => Self::NetworkUnreachable,
                (1, 1 | 5) => Self::Prohibited,
                (1, 4) => Self::PortUnreachable,
                (1, 2) | (3, 0) => Self::TimedOut,
                (1, _) => Self::HostUnreachable,
                (2, _) => {
                    let mtu = u32::from_be_bytes(rest);
                    let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
                    Self::TooBig {
                        mtu: mtu.max(MIN_MTU_IPV6),
                    }
                }
                (4, 1) => Self::ProtocolUnreachable,
                _ => return None,
            });
        }
        Some(match (kind, code) {
            (3, 0 | 5 | 6 | 11) => Self::NetworkUnreachable,
            (3, 2) => Self::ProtocolUnreachable,
            (3, 3) => Self::PortUnreachable,
            (3, 4) => {
                let told = u16::from_be_bytes([high, low]);
                let mtu = if told == 0 {
                    next_plateau(total_length)
                } else {
                    told
                };
                Self::TooBig {
                    mtu: mtu.max(MIN_MTU_IPV4),
                }
            }
            (3, 9 | 10 | 13..=15) => Self::Prohibited,
            (3, 12) | (11, 0) => Self::TimedOut,
            (3, _) => Self::HostUnreachable,
            _ => return None,
        })
    }
}

fn next_plateau(total_length: u16) -> u16 {
    PLATEAUS
        .into_iter()
        .find(|plateau| *plateau < total_length)
        .unwrap_or(MIN_MTU_IPV4)
}
