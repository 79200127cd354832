//! The replay window of RFC 6479, as large as the reference's (`replay/replay.go`).

const BLOCK_BITS: u64 = 64;
const BLOCKS: usize = 128;
/// How far behind the newest counter an old one may be: one block is always being cleared.
pub(super) const WINDOW: u64 = (BLOCKS as u64 - 1) * BLOCK_BITS;

/// Which of the last counters came.
pub(super) struct ReplayWindow {
    /// The newest counter that came; 0 before any.
    newest: u64,
    bits: [u64; BLOCKS],
}

impl ReplayWindow {
    pub(super) const fn new() -> Self {
        Self {
            newest: 0,
            bits: [0; BLOCKS],
        }
    }

    /// Whether `counter` has not come and is not too old to tell.
    pub(super) fn is_fresh(&self, counter: u64) -> bool {
        if counter > self.newest {
            return true;
        }
        self.newest - counter <= WINDOW && self.bits[block(counter)] & bit(counter) == 0
    }

    /// Notes that an authenticated message with `counter` came; says whether it was fresh.
    pub(super) fn accept(&mut self, counter: u64) -> bool {
        if !self.is_fresh(counter) {
            return false;
        }
        if counter > self.newest {
            let last = self.newest / BLOCK_BITS;
            let cleared = (counter / BLOCK_BITS - last).min(BLOCKS as u64);
            for step in 1..=cleared {
                self.bits[((last + step) % BLOCKS as u64) as usize] = 0;
            }
            self.newest = counter;
        }
        self.bits[block(counter)] |= bit(counter);
        true
    }
}

fn block(counter: u64) -> usize {
    (counter / BLOCK_BITS % BLOCKS as u64) as usize
}

fn bit(counter: u64) -> u64 {
    1 << (counter % BLOCK_BITS)
}
