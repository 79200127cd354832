use super::*;

#[test]
fn open_descriptors_are_counted() {
    let many: Vec<_> = (0..300)
        .map(|_| std::fs::File::open("/dev/null").expect("the null device"))
        .collect();
    let with = open_descriptors().expect("a system that shows them");
    drop(many);
    let without = open_descriptors().expect("a system that shows them");
    // Other tests of this process open and close some meanwhile.
    assert!(
        with >= 300 && with - without.min(with) > 100,
        "{with} and then {without}"
    );
}

#[test]
fn the_soft_limit_rises_to_the_hard_one_and_stays() {
    let start = limits().expect("the limits of this process");
    // One less, so that tests beside this one can go on opening files.
    let lower = start.rlim_max.min(ENOUGH) - 1;
    set_soft(lower, start.rlim_max).expect("a lower soft limit");
    let raised = raise_descriptor_limit().expect("the right to raise to the hard limit");
    assert_eq!(raised.before, lower);
    assert_eq!(raised.now, start.rlim_max.min(ENOUGH));
    let again = raise_descriptor_limit().expect("nothing to do");
    assert_eq!((again.before, again.now), (raised.now, raised.now));
}
