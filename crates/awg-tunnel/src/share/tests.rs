use proptest::prelude::*;

use super::Share;

proptest! {
    #[test]
    fn every_index_belongs_to_one_share(count in 1usize..65, seed: [u8; 32], index: u32) {
        let shares = Share::of(count, seed);
        let own: Vec<usize> = shares
            .iter()
            .filter(|share| share.elsewhere(index).is_none())
            .map(Share::number)
            .collect();
        prop_assert_eq!(own.len(), 1);
        for share in &shares {
            prop_assert_eq!(share.elsewhere(index).unwrap_or(share.number()), own[0]);
        }
    }
}

/// Shares are about as large as each other, and neither end of an index tells which one it belongs to.
#[test]
fn indices_spread_over_all_bits() {
    let shares = Share::of(2, [7; 32]);
    for bit in 0..32 {
        let moved = (0..4096u32)
            .map(|place| place.wrapping_mul(0x9e37_79b9))
            .filter(|index| shares[0].elsewhere(*index).is_some())
            .filter(|index| index >> bit & 1 == 1)
            .count();
        assert!((700..1350).contains(&moved), "bit {bit}: {moved}");
    }
}

#[test]
fn the_key_is_not_shown() {
    let share = &Share::of(2, [7; 32])[1];
    let spread = share.spread();
    let shown = format!("{share:?}");
    assert!(!shown.contains(&spread.factor.to_string()), "{shown}");
    assert!(!shown.contains(&spread.mask.to_string()), "{shown}");
}
