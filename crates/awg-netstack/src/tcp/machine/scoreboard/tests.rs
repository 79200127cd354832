//! The scoreboard against a set of single bytes, around the end of the sequence numbers too.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Scoreboard;

const SPAN: u32 = 200;

proptest! {
    #[test]
    fn it_knows_what_a_set_of_bytes_knows(
        origin in prop_oneof![Just(0), Just(u32::MAX - 100), Just(i32::MAX as u32 - 100), any::<u32>()],
        steps in prop::collection::vec((0..SPAN, 1..40_u32, any::<bool>()), 1..40),
        asked in (0..SPAN, 1..20_u32, 0..300_usize),
    ) {
        let at = |offset: u32| origin.wrapping_add(offset);
        let mut scoreboard = Scoreboard::default();
        let mut bytes = BTreeSet::new();
        let mut first = 0;
        for (start, length, advances) in steps {
            if advances {
                first = first.max(start);
                scoreboard.advance(at(first));
                bytes.retain(|byte| *byte >= first);
            } else if start >= first {
                scoreboard.add(at(start), at(start + length));
                bytes.extend(start..start + length);
            }
        }
        prop_assert_eq!(scoreboard.bytes(), bytes.len());
        prop_assert_eq!(scoreboard.highest(), bytes.last().map(|byte| at(byte + 1)));
        let (start, length, budget) = asked;
        let start = start.max(first);
        let has = (start..start + length).all(|byte| bytes.contains(&byte));
        prop_assert_eq!(scoreboard.has(at(start), at(start + length)), has);
        prop_assert_eq!(scoreboard.has_hole(at(start), at(start + length)), !has);
        prop_assert!(!scoreboard.has_hole(at(start), at(start)));
        let edge = scoreboard.edge(at(first), budget).wrapping_sub(at(first));
        let counted = (first..first + edge).filter(|byte| !bytes.contains(byte)).count();
        prop_assert_eq!(counted, budget);
    }
}

#[test]
fn its_ranges_have_a_bound() {
    let mut scoreboard = Scoreboard::default();
    for index in 0..1000 {
        scoreboard.add(index * 10, index * 10 + 1);
    }
    assert_eq!(scoreboard.bytes(), super::RANGES);
    // What touches a range that is kept still counts.
    scoreboard.add(1, 5);
    assert_eq!(scoreboard.bytes(), super::RANGES + 4);
}
