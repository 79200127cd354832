//! Quantiles of many times in bounded memory, exact to three percent.

/// Bits of a value that tell buckets of one power of two apart.
const FINE: u32 = 5;
const BUCKETS: usize = 64 << FINE;

/// Counts values by size. The unit is the caller's.
#[derive(Clone)]
pub struct Quantiles {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
        }
    }
}

impl Quantiles {
    /// Counts one value.
    pub fn add(&mut self, value: u64) {
        if let Some(bucket) = self.buckets.get_mut(bucket(value)) {
            *bucket += 1;
            self.count += 1;
        }
    }

    /// The smallest value that at least this share of the values does not exceed; 0 if there are none.
    pub fn at(&self, share: f64) -> u64 {
        let wanted = (self.count as f64 * share).ceil().max(1.0);
        let mut seen = 0;
        for (number, &count) in self.buckets.iter().enumerate() {
            seen += count;
            if count > 0 && seen as f64 >= wanted {
                return lower_bound(number);
            }
        }
        0
    }

    /// Counts what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
    }
}

impl std::fmt::Debug for Quantiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quantiles")
            .field("count", &self.count)
            .field("p50", &self.at(0.5))
            .finish_non_exhaustive()
    }
}

/// Values below `1 << FINE` have a bucket each; above, each power of two has `1 << FINE` of them.
fn bucket(value: u64) -> usize {
    let power = (value | 1).ilog2().saturating_sub(FINE);
    ((power as usize) << FINE) + (value >> power) as usize
}

fn lower_bound(bucket: usize) -> u64 {
    let power = (bucket >> FINE).saturating_sub(1);
    ((bucket - (power << FINE)) as u64) << power
}

#[cfg(test)]
mod tests;
