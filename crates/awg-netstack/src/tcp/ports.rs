//! Which port a flow of ours leaves from: random ones (RFC 6056 section 3.3.1), never one that its ends still use or
//! rest on.

use rand::RngExt;
use rand::rngs::StdRng;

/// All but the well-known ports: RFC 6056 section 3.2 asks for as many as possible.
const FIRST: u16 = 1024;
/// From there to the last one.
const LAST_OFFSET: u16 = u16::MAX - FIRST;
/// Random draws before the ports are searched in order.
const DRAWS: usize = 24;

/// A port that is not `taken`, if there is one.
pub(crate) fn draw(rng: &mut StdRng, mut taken: impl FnMut(u16) -> bool) -> Option<u16> {
    for _ in 0..DRAWS {
        let port = FIRST + rng.random_range(0..=LAST_OFFSET);
        if !taken(port) {
            return Some(port);
        }
    }
    let start = rng.random_range(0..=LAST_OFFSET);
    (0..=LAST_OFFSET)
        .map(|step| {
            FIRST + ((u32::from(start) + u32::from(step)) % (u32::from(LAST_OFFSET) + 1)) as u16
        })
        .find(|port| !taken(*port))
}

#[cfg(test)]
mod tests;
