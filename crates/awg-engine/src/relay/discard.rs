//! What an application says when nobody listens any more, or ever: read and thrown away, so that its end shows.

use std::io::{ErrorKind, Read};

use super::Pumped;

/// How many bytes that nobody wants are read and thrown away at once.
const UNWANTED: usize = 4096;
/// How often, before others have their turn.
const READS_PER_TURN: usize = 16;

/// Reads what `source` still says, and throws it away; fails at its end.
pub(crate) fn discard(mut source: impl Read) -> Pumped {
    let mut words = [0; UNWANTED];
    for _ in 0..READS_PER_TURN {
        match source.read(&mut words) {
            Ok(0) => return Pumped::Ended("it hung up"),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Pumped::Waiting,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Pumped::Failed("its socket failed"),
        }
    }
    Pumped::Unfinished
}

#[cfg(test)]
mod tests;
