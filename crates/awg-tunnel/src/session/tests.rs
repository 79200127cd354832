use std::collections::HashSet;

use proptest::prelude::*;

use super::padded_length;
use super::replay::{ReplayWindow, WINDOW};
use crate::recording;

/// Reference: `g_padding_mtu1280`, also for content above the MTU.
#[test]
fn content_is_padded_as_recorded() {
    let recording = recording::g_padding();
    let mtu = usize::from(recording.mtu("A"));
    let mut compared = 0;
    for line in recording
        .of("A", "send")
        .filter(|line| line.text("kind") == "transport")
    {
        let content = line.number("inner_length") as usize;
        assert_eq!(
            padded_length(content, mtu) + 32,
            line.number("size") as usize,
            "{content}"
        );
        compared += 1;
    }
    assert!(compared > 10);
}

#[test]
fn padding_never_passes_the_mtu() {
    for mtu in 68..300 {
        for length in 0..=mtu {
            let padded = padded_length(length, mtu);
            assert!(
                padded >= length && padded <= mtu && (padded.is_multiple_of(16) || padded == mtu)
            );
        }
    }
}

#[test]
fn the_window_is_as_wide_as_the_references() {
    let mut window = ReplayWindow::new();
    let newest = 1_000_000;
    assert!(window.accept(newest));
    assert!(!window.accept(newest));
    assert!(window.accept(newest - WINDOW));
    assert!(!window.accept(newest - WINDOW));
    assert!(!window.accept(newest - WINDOW - 1));
    // A leap clears everything that the ring held.
    assert!(window.accept(newest + 100 * WINDOW));
    assert!(window.accept(newest + 100 * WINDOW - 1));
    assert!(!window.accept(newest));
    assert!(window.accept(u64::MAX - (1 << 13)));
}

proptest! {
    /// Against the plain meaning: never seen, and not too far behind.
    #[test]
    fn a_counter_is_taken_once(steps in prop::collection::vec((0u64..3, 0u64..20_000), 1..400)) {
        let mut window = ReplayWindow::new();
        let mut seen = HashSet::new();
        let mut newest = 0u64;
        for (kind, distance) in steps {
            let counter = match kind {
                0 => newest + distance % 200,
                1 => newest.saturating_sub(distance),
                _ => newest + distance,
            };
            let expected = !seen.contains(&counter) && (counter > newest || newest - counter <= WINDOW);
            prop_assert_eq!(window.is_fresh(counter), expected);
            prop_assert_eq!(window.accept(counter), expected);
            if expected {
                seen.insert(counter);
                newest = newest.max(counter);
            }
        }
    }
}
