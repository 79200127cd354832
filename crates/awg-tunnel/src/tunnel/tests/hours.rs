//! Hours on a bad link.

use std::collections::HashSet;
use std::time::Duration;

use awg_obfuscation::Parameters;

use super::link::{Faults, SECOND, Setup, World};
use crate::{Event, PresharedKey};

fn everything() -> Parameters {
    Parameters::from_settings([
        ("Jc", "4"),
        ("Jmin", "40"),
        ("Jmax", "90"),
        ("S1", "31"),
        ("S2", "77"),
        ("S3", "45"),
        ("S4", "23"),
        ("H1", "100000-199999"),
        ("H2", "1000000000-1000000999"),
        ("H3", "2147483648-2147500000"),
        ("H4", "3000000000-4294967295"),
        ("I1", "<b 0xc2ff00a1><r 16><t>"),
    ])
    .unwrap()
}

fn hours(seed: u64, setup: &Setup) {
    let mut world = World::with(seed, setup, setup);
    world.keep_sent = false;
    world.faults = Faults {
        loss: 0.1,
        doubling: 0.05,
        delay: Duration::from_millis(5)..Duration::from_millis(400),
    };
    let seconds = 3 * 3600;
    for second in 0..seconds {
        world.send(0, 60 + second as usize % 1300, second);
        if second % 3 == 0 {
            world.send(1, 60 + second as usize % 700, second);
        }
        world.run(SECOND);
    }
    world.run(2 * SECOND);
    for (end, sent) in [(1, seconds), (0, seconds / 3)] {
        let numbers = world.numbers_at(end);
        let distinct: HashSet<u32> = numbers.iter().copied().collect();
        assert_eq!(distinct.len(), numbers.len(), "a packet came twice");
        let share = f64::from(numbers.len() as u32) / f64::from(sent);
        assert!(
            (0.88..0.93).contains(&share),
            "{share} of the packets came, at a loss of 0.1"
        );
        // No pause longer than a few tries of a handshake.
        let mut times: Vec<_> = world
            .delivered
            .iter()
            .filter(|(at, ..)| *at == end)
            .map(|(_, at, _)| *at)
            .collect();
        times.sort();
        let pause = times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap();
        assert!(pause < 40 * SECOND, "{pause:?}");
    }
    let rekeys = world.count_events(0, |event| matches!(event, Event::SessionEstablished { .. }));
    assert!(
        (75..=110).contains(&rekeys),
        "{rekeys} sessions in three hours"
    );
    let failed = |event: &Event| {
        matches!(
            event,
            Event::HandshakeFailed { .. } | Event::SessionExpired { .. }
        )
    };
    for end in 0..2 {
        assert!(!world.has_event(end, failed));
        // Copies are all that is dropped, and late comers: junk and signature packets fit nothing.
        let allowed = [
            "dropped_unclassified",
            "dropped_initiation_replayed",
            "dropped_response_unexpected",
            "dropped_replayed",
            "dropped_old_timestamp",
            "dropped_unknown_session",
        ];
        for (name, count) in world.drops(end) {
            assert!(allowed.contains(&name), "{name}: {count}");
        }
        assert!(world.tunnel(end).indices.len() <= 4);
    }
}

#[test]
fn plain() {
    hours(1, &Setup::default());
}

#[test]
fn with_everything() {
    let setup = Setup {
        parameters: everything(),
        preshared: Some(PresharedKey::from_bytes([9; 32])),
        keepalive: crate::Interval::every(25),
        ..Setup::default()
    };
    hours(2, &setup);
}

#[test]
fn a_restart_of_either_end_is_overcome() {
    for restarted in 0..2 {
        let mut world = World::new(3);
        for second in 0..300 {
            if second == 100 {
                world.restart(restarted, &Setup::default());
            }
            world.send(0, 100, second);
            world.send(1, 100, second);
            world.run(SECOND);
        }
        for end in 0..2 {
            let numbers = world.numbers_at(end);
            let lost: Vec<u32> = (0..300)
                .filter(|number| !numbers.contains(number))
                .collect();
            // What an end still sends by a session that the other has forgotten is lost until a handshake; packets of the
            // restarted end wait for it.
            assert!(lost.len() <= 1, "end {end} without {lost:?}");
            assert!(lost.iter().all(|number| (100..120).contains(number)));
        }
    }
}

#[test]
fn a_restart_of_an_end_that_only_receives_is_noticed() {
    let mut world = World::new(4);
    for second in 0..100 {
        if second == 50 {
            world.restart(1, &Setup::default());
        }
        world.send(0, 100, second);
        world.run(SECOND);
    }
    // 15 s of silence, with jitter, and a handshake.
    let numbers = world.numbers_at(1);
    let lost = 100 - numbers.len();
    assert!((10..=17).contains(&lost), "{lost}");
    assert!(numbers.contains(&99));
}
