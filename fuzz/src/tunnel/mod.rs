//! A whole tunnel and those who talk to it: two peers who know their keys and lie, and a stranger.
//!
//! Claimed: a packet comes out only if its owner sealed it, once, from an inner address of its own and not longer than the
//! MTU; every datagram that came is counted, as taken or under the reason why not; outputs and events stay within the
//! limits; an hour later the tunnel rests and holds nothing.

mod liar;
mod moves;
mod stage;
#[cfg(test)]
mod tests;

use crate::input;
use crate::memory;
use moves::Scenario;
use stage::Stage;

/// What a tunnel of these limits may hold, together with what the liars remember.
const MEMORY: usize = 1 << 19;
/// Moves of one scenario: what comes after is ignored.
const MOVES: usize = 48;

/// Plays the scenario that `data` describes.
///
/// # Panics
/// Where the tunnel does what it must not.
pub fn tunnel(data: &[u8]) {
    if let Some(scenario) = input::read::<Scenario>(data) {
        memory::within(MEMORY + data.len() * 16, || {
            play(&scenario);
        });
    }
}

/// Plays a scenario; gives how many packets came out.
fn play(scenario: &Scenario) -> usize {
    let Some(mut stage) = Stage::new(scenario) else {
        return 0;
    };
    for step in scenario.moves.iter().take(MOVES) {
        stage.play(step);
    }
    stage.end()
}
