use std::collections::HashSet;

use proptest::prelude::*;

use super::replay::{ReplayWindow, WINDOW};

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
