use super::*;

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
