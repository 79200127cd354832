use super::*;

#[test]
fn as_much_as_is_allowed_in_a_second_may_be_sorted_in_each() {
    let mut now = Instant::now();
    let mut sorting = Sorting::new(now);
    for _ in 0..10 {
        assert!(!sorting.is_exceeded(now, SORTED));
        now += Duration::from_secs(1);
    }
    // The pause after that is worth no more than a second.
    assert!(sorting.is_exceeded(now, 2 * SORTED + 1));
}

#[test]
fn what_is_too_much_at_once_is_not_made_good_by_waiting_a_little() {
    let now = Instant::now();
    let mut sorting = Sorting::new(now);
    assert!(!sorting.is_exceeded(now, SORTED));
    assert!(sorting.is_exceeded(now, 1));
    let later = now + Duration::from_millis(100);
    assert!(!sorting.is_exceeded(later, SORTED / 10 - 1));
    assert!(sorting.is_exceeded(later, 1));
    assert!(sorting.is_exceeded(later, u64::MAX));
}

#[test]
fn the_worst_burden_is_the_greatest() {
    let burdens = [Burden::Borne, Burden::Pieces, Burden::Foreign];
    assert!(burdens.is_sorted());
}
