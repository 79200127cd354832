use super::*;

#[test]
fn every_value_lies_in_its_bucket() {
    let mut before = None;
    for value in (0..5_000)
        .chain((0..64).map(|power| 1 << power))
        .chain([u64::MAX])
    {
        let number = bucket(value);
        assert!(number < BUCKETS);
        assert!(lower_bound(number) <= value, "{value}");
        assert!(value - lower_bound(number) <= value / 32, "{value}");
        if before.is_some_and(|before| before < value) {
            assert!(bucket(before.unwrap_or(0)) <= number);
        }
        before = Some(value);
    }
}

#[test]
fn quantiles_are_those_of_the_values() {
    let mut quantiles = Quantiles::default();
    assert_eq!(quantiles.at(0.5), 0);
    for value in 1..=1000 {
        quantiles.add(value);
    }
    for (share, wanted) in [(0.5, 500_u64), (0.95, 950), (0.99, 990), (1.0, 1000)] {
        let found = quantiles.at(share);
        assert!(
            found <= wanted && wanted - found <= wanted / 32,
            "{share}: {found}"
        );
    }
    let mut larger = Quantiles::default();
    (0..3000).for_each(|_| larger.add(1 << 20));
    larger.merge(&quantiles);
    assert!(larger.at(0.25) <= 1000 && larger.at(0.26) == 1 << 20);
}
