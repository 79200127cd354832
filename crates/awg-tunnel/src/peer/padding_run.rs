//! Packets that leave together and are equally long get the same padding, drawn once for a number of them: the kernel sends only what
//! has one size in one go (GSO), and full packets do not come alone.

use std::time::Instant;

/// So many in a row have one size at most. A transfer is made of full packets: with longer runs a short one would have too few
/// sizes for none of them to stand out.
const LONGEST: u8 = 16;

/// What was last drawn, for what, and how many have had it.
#[derive(Default)]
pub(crate) struct PaddingRun {
    last: Option<(Instant, usize, usize)>,
    members: u8,
}

impl PaddingRun {
    /// What is added to a packet of this length that leaves now; drawn if the last one left at another time, was of another
    /// length, or ended a run.
    #[inline]
    pub(crate) fn next(
        &mut self,
        now: Instant,
        length: usize,
        draw: impl FnOnce() -> usize,
    ) -> usize {
        match self.last {
            Some((at, of, added)) if at == now && of == length && self.members < LONGEST => {
                self.members += 1;
                added
            }
            _ => {
                let added = draw();
                self.last = Some((now, length, added));
                self.members = 1;
                added
            }
        }
    }
}
