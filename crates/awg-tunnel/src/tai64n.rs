//! TAI64N timestamps (<https://cr.yp.to/libtai/tai64.html>), blurred as the reference does (`tai64n/tai64n.go`): nanoseconds are
//! masked to multiples of 2^24, so that an initiation does not tell the clock's fine state.

use std::time::Duration;

/// Bytes of a timestamp.
pub(crate) const TIMESTAMP_SIZE: usize = 12;
/// The label of 1970-01-01 00:00:10 TAI, which the reference takes for the Unix epoch.
const EPOCH: u64 = (1 << 62) + 10;
const BLUR: u32 = (1 << 24) - 1;

/// A timestamp as on the wire; its order is that of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Timestamp(pub(crate) [u8; TIMESTAMP_SIZE]);

impl Timestamp {
    /// The blurred timestamp of a Unix time.
    pub(crate) fn from_unix(unix: Duration) -> Self {
        let mut bytes = [0; TIMESTAMP_SIZE];
        bytes[..8].copy_from_slice(&EPOCH.wrapping_add(unix.as_secs()).to_be_bytes());
        bytes[8..].copy_from_slice(&(unix.subsec_nanos() & !BLUR).to_be_bytes());
        Self(bytes)
    }

    /// That of a Unix time, or the one after `last` where the clock was set back meanwhile: one that is not newer than the last
    /// would be taken for a replay.
    pub(crate) fn after(last: Self, unix: Duration) -> Self {
        Self::from_unix(unix).max(last.next())
    }

    /// The next one that can be told from this one.
    fn next(self) -> Self {
        if self == Self::default() {
            return self;
        }
        let [s0, s1, s2, s3, s4, s5, s6, s7, n0, n1, n2, n3] = self.0;
        let seconds = u64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
        let nanoseconds = u32::from_be_bytes([n0, n1, n2, n3]);
        let unix = Duration::from_secs(seconds.wrapping_sub(EPOCH))
            + Duration::from_nanos(u64::from(nanoseconds | BLUR) + 1);
        Self::from_unix(unix)
    }
}
