//! With obfuscation: what precedes an initiation, both forms of a keepalive, sizes that collide.

use awg_obfuscation::{KeepalivePadding, Parameters};

use super::link::{SECOND, Setup, World, outer};
use crate::{Event, Seal};

fn setup(settings: &[(&str, &str)]) -> Setup {
    Setup {
        parameters: Parameters::from_settings(settings.iter().copied()).unwrap(),
        ..Setup::default()
    }
}

#[test]
fn signature_and_junk_packets_precede_every_initiation_and_nothing_else() {
    let setup = setup(&[
        ("Jc", "3"),
        ("Jmin", "10"),
        ("Jmax", "20"),
        ("S1", "5"),
        ("I1", "<b 0x0102>"),
        ("I3", "<c>"),
    ]);
    let mut world = World::with(1, &setup, &setup);
    world.ends[1].deaf = true;
    world.send(0, 100, 1);
    world.run(6 * SECOND);
    let sizes: Vec<_> = world.sent.iter().map(|sent| sent.datagram.len()).collect();
    assert_eq!(sizes.len(), 12);
    for (run, counter) in [(&world.sent[..6], 1u32), (&world.sent[6..], 3)] {
        assert_eq!(run[0].datagram, [1, 2]);
        assert_eq!(run[1].datagram, counter.to_be_bytes());
        assert!(
            run[2..5]
                .iter()
                .all(|junk| (10..=20).contains(&junk.datagram.len()))
        );
        assert_eq!(run[5].datagram.len(), 153);
        assert!(run.iter().all(|sent| sent.to == outer(1)));
    }
    world.ends[1].deaf = false;
    world.run(6 * SECOND);
    assert_eq!(world.numbers_at(1), [1]);
    world.send(1, 100, 2);
    world.run(20 * SECOND);
    let from_responder: Vec<_> = world
        .sent
        .iter()
        .filter(|sent| sent.by == 1)
        .map(|sent| sent.datagram.len())
        .collect();
    assert_eq!(from_responder, [92, 144], "a response and the packet");
    assert_eq!(world.tunnel(0).counters().preamble_sent, 15);
    // All that the responder could not make sense of.
    assert_eq!(world.tunnel(1).counters().dropped_unclassified, 5);
}

#[test]
fn both_forms_of_a_keepalive_are_taken() {
    for (form, size) in [
        (KeepalivePadding::Padded, 55),
        (KeepalivePadding::Reference, 32),
    ] {
        let mut first = setup(&[("S4", "23"), ("H4", "77")]);
        let second = first.clone();
        first.parameters.keepalive_padding = form;
        let mut world = World::with(1, &first, &second);
        world.connect(0);
        world.run(SECOND);
        assert_eq!(world.sent_by(0, size).len(), 1);
        assert_eq!(world.tunnel(1).counters().keepalives_received, 1);
        assert!(world.has_event(1, |event| matches!(event, Event::SessionEstablished { .. })));
        assert!(matches!(world.send(1, 100, 1), Seal::Sealed { .. }));
    }
}

/// Sizes of all messages the same, and ranges so wide that random words fall into them: the reference loses data here.
#[test]
fn a_message_that_looks_like_another_is_not_lost() {
    let setup = setup(&[
        ("S1", "0"),
        ("S2", "56"),
        ("S3", "84"),
        ("S4", "20"),
        ("H1", "1-1000000000"),
        ("H2", "1000000001-2000000000"),
        ("H3", "2000000001-3000000000"),
        ("H4", "3000000001-4294967295"),
    ]);
    let mut world = World::with(3, &setup, &setup);
    world.connect(0);
    world.run(30 * SECOND);
    // 20 + 16 + 96 + 16 = 148.
    for number in 0..400 {
        world.send(0, 96, number);
        world.send(1, 96, number);
        world.run(SECOND / 10);
    }
    assert_eq!(world.numbers_at(0).len(), 400);
    assert_eq!(world.numbers_at(1).len(), 400);
    assert!(
        world
            .sent
            .iter()
            .filter(|sent| sent.datagram.len() == 148)
            .count()
            > 800
    );
    assert_eq!(world.drops(0), []);
    assert_eq!(world.drops(1), []);
    assert!(!world.has_event(0, |event| matches!(event, Event::HandshakeFailed { .. })));
}

#[test]
fn other_parameters_are_not_answered() {
    let mut world = World::with(1, &setup(&[("H1", "1000")]), &Setup::default());
    world.send(0, 100, 1);
    world.run(20 * SECOND);
    assert!(world.sent.iter().all(|sent| sent.by == 0));
    assert_eq!(world.tunnel(1).counters().dropped_unclassified, 4);
    assert!(world.has_event(0, |event| matches!(
        event,
        Event::HandshakeUnanswered { .. }
    )));
}
