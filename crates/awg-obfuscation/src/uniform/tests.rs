//! Draws cover their range, nothing else, and evenly.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::uniform;

#[test]
fn every_number_is_drawn_and_no_other() {
    let mut rng = StdRng::from_seed([1; 32]);
    for (first, last) in [
        (0, 0),
        (0, 1),
        (5, 9),
        (u32::MAX - 2, u32::MAX),
        (u32::MAX, u32::MAX),
        (1_000, 1_099),
    ] {
        let mut seen: Vec<u32> = (0..5_000).map(|_| uniform(first, last, &mut rng)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, (first..=last).collect::<Vec<_>>());
    }
}

/// In a range of 3 * 2^30 a draw without rejection would make the multiples of three twice as likely as the others.
#[test]
fn wide_ranges_are_even() {
    let mut rng = StdRng::from_seed([2; 32]);
    let (mut remainders, mut thirds) = ([0_u32; 3], [0_u32; 3]);
    for _ in 0..30_000 {
        let number = uniform(0, 3 * (1 << 30) - 1, &mut rng);
        remainders[(number % 3) as usize] += 1;
        thirds[(number >> 30) as usize] += 1;
    }
    for count in [remainders, thirds].concat() {
        assert!(
            (9_700..=10_300).contains(&count),
            "{remainders:?} {thirds:?}"
        );
    }
}

#[test]
fn the_whole_of_u32_is_drawn() {
    let mut rng = StdRng::from_seed([3; 32]);
    let mut eighths = [0_u32; 8];
    for _ in 0..8_000 {
        eighths[(uniform(0, u32::MAX, &mut rng) >> 29) as usize] += 1;
    }
    assert!(
        eighths.iter().all(|count| (850..=1_150).contains(count)),
        "{eighths:?}"
    );
}

#[test]
fn one_number_takes_no_randomness() {
    let mut rng = StdRng::from_seed([4; 32]);
    let untouched = StdRng::from_seed([4; 32]);
    assert_eq!(uniform(42, 42, &mut rng), 42);
    assert_eq!(rng, untouched);
}
