use super::FlowBounds;
use crate::settings::Limits;

fn limits(flows: usize, flows_per_peer: usize) -> Limits {
    Limits {
        flows,
        flows_per_peer,
        ..Limits::default()
    }
}

#[test]
fn flows_take_three_quarters_of_the_free_descriptors_at_most() {
    let of = |free| FlowBounds::new(&limits(1000, 800), free);
    assert_eq!((of(None).flows, of(None).flows_per_peer), (1000, 800));
    assert_eq!(of(Some(1_000_000)), of(None));
    assert_eq!(of(Some(1334)), of(None));
    assert_eq!(of(Some(1200)).flows, 900);
    assert_eq!(of(Some(800)).flows, 600);
    assert_eq!(of(Some(800)).flows_per_peer, 600);
    assert_eq!(
        of(Some(800)).associations,
        300,
        "each takes two descriptors"
    );
    assert_eq!(
        of(Some(0)).flows,
        1,
        "one at least, so that errors are the system's"
    );
}

#[test]
fn one_peer_of_several_gets_half() {
    let bounds = FlowBounds::new(&limits(1000, 800), None);
    assert_eq!(bounds.of_one_peer(1), 800);
    assert_eq!(bounds.of_one_peer(2), 500);
    assert_eq!(bounds.of_one_peer(50), 500);
    let bounds = FlowBounds::new(&limits(1000, 300), None);
    assert_eq!(bounds.of_one_peer(2), 300);
    let bounds = FlowBounds::new(&limits(1, 1), None);
    assert_eq!(bounds.of_one_peer(2), 1);
}
