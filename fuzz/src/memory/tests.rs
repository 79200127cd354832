use super::within;

#[test]
fn what_is_given_back_does_not_count() {
    within(1 << 11, || {
        for _ in 0..10 {
            drop(Vec::<u8>::with_capacity(1 << 10));
        }
    });
}

#[test]
#[should_panic(expected = "bytes were held")]
fn what_was_held_for_a_moment_counts() {
    within(1 << 11, || drop(Vec::<u8>::with_capacity(1 << 12)));
}
