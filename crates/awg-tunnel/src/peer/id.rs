//! The handle of a peer.

/// A peer of one tunnel: its place in the table and the number of that place's occupant, so that the handle of a removed peer
/// never means another one (until a place had 65,536 occupants).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(u32);

impl PeerId {
    pub(crate) fn new(slot: u16, generation: u16) -> Self {
        Self(u32::from(generation) << 16 | u32::from(slot))
    }

    /// The handle as a number, for those who keep it as such.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The handle from [`PeerId::number`]. Any other number is a peer that does not exist.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    pub(crate) fn slot(self) -> usize {
        usize::from(self.0 as u16)
    }

    pub(crate) fn generation(self) -> u16 {
        (self.0 >> 16) as u16
    }
}
