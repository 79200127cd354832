//! Packets that leave together and are equally long get the same padding, drawn once for all of them: the kernel sends only what has
//! one size in one go (GSO), and full packets do not come alone.

use std::time::Instant;

/// What was last drawn, and for what.
#[derive(Default)]
pub(crate) struct PaddingRun {
    last: Option<(Instant, usize, usize)>,
}

impl PaddingRun {
    /// What is added to a packet of this length that leaves now; drawn if the last one left at another time or was of another
    /// length.
    #[inline]
    pub(crate) fn next(
        &mut self,
        now: Instant,
        length: usize,
        draw: impl FnOnce() -> usize,
    ) -> usize {
        match self.last {
            Some((at, of, added)) if at == now && of == length => added,
            _ => {
                let added = draw();
                self.last = Some((now, length, added));
                added
            }
        }
    }
}
