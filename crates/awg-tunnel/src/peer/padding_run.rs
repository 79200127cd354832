//! Packets that leave together and are equally long get the same padding, drawn once for a number of them: the kernel sends only what
//! has one size in one go (GSO), and full packets do not come alone.

use std::time::Instant;

/// So many in a row have one size at most. A transfer is made of full packets: with longer runs a short one would have too few
/// sizes for none of them to stand out.
const LONGEST: u8 = 16;

/// What was last drawn, for what, and how many have had it.
#[derive(Default)]
pub(crate) struct PaddingRun {
    last: Option<(PacketKind, usize)>,
    members: u8,
}

/// What packets must have in common to be padded alike.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PacketKind {
    /// When they leave.
    pub(crate) at: Instant,
    /// The obfuscation that is spoken to the peer.
    pub(crate) obfuscation: u16,
    /// How long they are.
    pub(crate) length: usize,
    /// How much may be added to them: a window that has closed meanwhile allows less.
    pub(crate) most: usize,
}

impl PaddingRun {
    /// What is added to a packet; drawn if the last one was of another kind, or ended a run.
    #[inline]
    pub(crate) fn next(&mut self, kind: PacketKind, draw: impl FnOnce() -> usize) -> usize {
        match self.last {
            Some((last, added)) if last == kind && self.members < LONGEST => {
                self.members += 1;
                added
            }
            _ => {
                let added = draw();
                self.last = Some((kind, added));
                self.members = 1;
                added
            }
        }
    }
}
