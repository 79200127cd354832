//! Packets with a short header, which a stateless reset may answer (RFC 9000 sections 10.3 and 17.3).

/// The shortest packet that a stateless reset may answer, and some more: short ones of a connection that is not known are taken
/// for longer, since they come through the tunnel and nobody else sees the answer.
const ANSWERABLE: usize = 64;

/// A copy of a packet that may be too short to be reset, made longer.
pub(super) struct Short(pub(super) [u8; ANSWERABLE]);

impl Short {
    pub(super) fn of(packet: &[u8]) -> Option<Self> {
        if packet.len() >= ANSWERABLE {
            return None;
        }
        let mut longer = [0; ANSWERABLE];
        let part = longer.get_mut(..packet.len())?;
        part.copy_from_slice(packet);
        is_short(packet).then_some(Self(longer))
    }
}

/// Whether a packet has a short header (RFC 9000 section 17.3).
pub(super) fn is_short(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first & 0x80 == 0)
}
