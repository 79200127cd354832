//! A glance at a packet that leaves: whether whoever gets it answers. Packets are the stack's own; one that is cut short expects
//! nothing.

mod carried;

const TCP: u8 = 6;
const UDP: u8 = 17;
const DNS: u16 = 53;

/// What an IP packet is to its sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Glance {
    /// Nothing that is answered for certain: an acknowledgement, an ICMP message.
    Nothing,
    /// A TCP segment with data or a flag that takes a sequence number, or a datagram.
    ExpectsAnswer,
    /// A datagram to a name server.
    Question,
}

impl Glance {
    /// `carrier`: the port of the carrier of whoever the packet is for.
    pub(super) fn at(packet: &[u8], carrier: Option<u16>) -> Self {
        Self::parse(packet, carrier).unwrap_or(Self::Nothing)
    }

    fn parse(packet: &[u8], carrier: Option<u16>) -> Option<Self> {
        let (first, version) = packet.first().map(|first| (first, first >> 4))?;
        let (protocol, start) = match version {
            4 => (packet.get(9)?, usize::from(first & 0x0f) * 4),
            6 => (packet.get(6)?, 40),
            _ => return None,
        };
        match *protocol {
            UDP => {
                let port = packet.get(start + 2..)?.first_chunk()?;
                Some(match u16::from_be_bytes(*port) {
                    DNS => Self::Question,
                    port if Some(port) == carrier => {
                        let asks = carried::asks(packet.get(start + 8..)?);
                        return asks.then_some(Self::ExpectsAnswer);
                    }
                    _ => Self::ExpectsAnswer,
                })
            }
            TCP => {
                const SYN_OR_FIN: u8 = 0b11;
                let &[offset, flags] = packet.get(start + 12..)?.first_chunk()?;
                let end = start + usize::from(offset >> 4) * 4;
                let expects = flags & SYN_OR_FIN != 0 || packet.len() > end;
                expects.then_some(Self::ExpectsAnswer)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
