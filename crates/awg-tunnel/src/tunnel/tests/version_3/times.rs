//! Times as ranges: the recorded ones and ours obey the same bounds, and ours use all of the range.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::link::{SECOND, Setup, World};
use super::setup;
use crate::recording::{self, Recording};
use crate::{Event, Interval, Seal};

const JITTER: Duration = Duration::from_millis(333);
const INITIATION: usize = 148;
const KEEPALIVE: usize = 32;

/// When a device sent messages of this kind.
fn recorded(recording: &Recording, device: &'static str, kind: &str) -> Vec<Duration> {
    let sent = recording.of(device, "send");
    sent.filter(|line| line.text("kind") == kind)
        .map(crate::recording::Line::at)
        .collect()
}

fn ours(world: &World, end: usize, size: usize) -> Vec<Duration> {
    let sent = world.sent_by(end, size);
    sent.iter().map(|sent| sent.at).collect()
}

/// Splits at gaps longer than any within a run.
fn runs(times: &[Duration], most: Duration) -> Vec<Vec<Duration>> {
    let mut runs: Vec<Vec<Duration>> = Vec::new();
    for at in times {
        match runs.last_mut() {
            Some(run) if *at - run[run.len() - 1] <= most => run.push(*at),
            _ => runs.push(vec![*at]),
        }
    }
    runs
}

/// Retries at 7 to 12 whole seconds and jitter, 4 to 7 of them; gives the seconds and the counts.
fn retries(times: &[Duration]) -> (BTreeSet<u64>, BTreeSet<usize>) {
    let mut seconds = BTreeSet::new();
    let mut counts = BTreeSet::new();
    for run in runs(times, 13 * SECOND) {
        counts.insert(run.len());
        for pair in run.windows(2) {
            let gap = pair[1] - pair[0];
            seconds.insert(gap.as_secs());
            assert!(
                gap - Duration::from_secs(gap.as_secs()) <= JITTER,
                "{gap:?}"
            );
        }
    }
    assert!(
        seconds.iter().all(|gap| (7..=12).contains(gap)),
        "{seconds:?}"
    );
    assert!(
        counts.iter().all(|count| (4..=7).contains(count)),
        "{counts:?}"
    );
    (seconds, counts)
}

#[test]
fn initiations_are_repeated_at_a_draw_of_their_timeout_a_drawn_number_of_times() {
    let recording = recording::version_3("f_rekey_timeout_attempts");
    retries(&recorded(&recording, "A", "initiation"));
    let setup = setup(&[("RekeyTimeout", "7-12"), ("MaxHandshakeAttempts", "2-5")]);
    let mut world = World::with(1, &setup, &setup);
    world.ends[1].deaf = true;
    for run in 0..60 {
        world.send(0, 100, run);
        world.run(120 * SECOND);
    }
    let (seconds, counts) = retries(&ours(&world, 0, INITIATION));
    assert_eq!(seconds, (7..=12).collect());
    assert_eq!(counts, (4..=7).collect());
}

#[test]
fn initiations_that_somebody_waits_for_are_repeated_early_in_the_range_and_not_as_by_a_clock() {
    let setup = setup(&[("RekeyTimeout", "5-8")]);
    let mut world = World::with(1, &setup, &setup);
    world.ends[1].deaf = true;
    let peer = world.ends[0].peer;
    world.ends[0].tunnel.persist(peer, true);
    world.send(0, 100, 1);
    world.run(600 * SECOND);
    let sent = ours(&world, 0, INITIATION);
    let gaps: BTreeSet<Duration> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        gaps.iter()
            .all(|gap| (5 * SECOND..6 * SECOND).contains(gap)),
        "{gaps:?}"
    );
    assert!(gaps.len() > 50 && gaps.last().unwrap().abs_diff(*gaps.first().unwrap()) > SECOND / 2);
}

/// A keepalive comes 4 to 9 whole seconds after data with nothing sent since.
#[test]
fn a_keepalive_follows_data_after_a_draw_of_its_timeout() {
    let recording = recording::version_3("f_keepalive_timeout");
    let arrived = |device: &'static str| -> Vec<Duration> {
        let sent = recorded(&recording, device, "transport");
        sent.into_iter()
            .map(|at| at + Duration::from_millis(15))
            .collect()
    };
    let waits = |data: &[Duration], keepalives: &[Duration]| -> BTreeSet<u64> {
        let wait = |keepalive: &Duration| {
            let before = data.iter().filter(|at| *at < keepalive);
            let wait = *keepalive - *before.max().unwrap();
            assert_eq!(wait.subsec_nanos(), 0);
            wait.as_secs()
        };
        keepalives.iter().map(wait).collect()
    };
    for (device, from) in [("A", "B"), ("B", "A")] {
        let found = waits(&arrived(from), &recorded(&recording, device, "keepalive"));
        assert!(found.iter().all(|wait| (4..=9).contains(wait)), "{found:?}");
    }
    let setup = setup(&[("KeepaliveTimeout", "4-9")]);
    let mut world = World::with(2, &setup, &setup);
    let mut data = Vec::new();
    world.send(1, 60, 0);
    for number in 0..60 {
        world.run(12 * SECOND);
        world.send(1, 60, number);
        data.push(world.elapsed + Duration::from_millis(15));
    }
    world.run(12 * SECOND);
    let mut keepalives = ours(&world, 0, KEEPALIVE);
    // Those that confirm sessions answer no data.
    keepalives.retain(|at| {
        data.iter()
            .any(|data| *at >= *data + 3 * SECOND && *at <= *data + 10 * SECOND)
    });
    let found = waits(&data, &keepalives);
    assert!(found.is_superset(&(4..=9).collect()), "{found:?}");
}

/// What is sent and not answered starts a handshake after the longest keepalive timeout and a draw of the rekey timeout.
#[test]
fn silence_is_borne_as_long_as_the_longest_keepalive_timeout_allows() {
    let recording = recording::version_3("f_keepalive_timeout");
    let data = *recorded(&recording, "A", "transport").last().unwrap();
    let initiation = *recorded(&recording, "A", "initiation").last().unwrap();
    let bounds = 14 * SECOND..=14 * SECOND + JITTER;
    assert!(bounds.contains(&(initiation - data)));
    let setup = setup(&[("KeepaliveTimeout", "4-9"), ("RekeyTimeout", "3-6")]);
    let mut seconds = BTreeSet::new();
    for seed in 0..40 {
        let mut world = World::with(seed, &setup, &setup);
        world.connect(0);
        world.run(20 * SECOND);
        world.ends[1].deaf = true;
        let data = world.elapsed;
        world.send(0, 60, 1);
        world.run(30 * SECOND);
        let initiation = ours(&world, 0, INITIATION)[1];
        let wait = initiation - data;
        assert!(
            (12 * SECOND..=15 * SECOND + JITTER).contains(&wait),
            "{wait:?}"
        );
        seconds.insert(wait.as_secs());
    }
    assert_eq!(seconds, (12..=15).collect());
}

/// From a response to the next initiation, while the initiator sends every two seconds.
fn ages(initiations: &[Duration]) -> Vec<Duration> {
    let sessions = initiations
        .iter()
        .map(|at| *at + 2 * Duration::from_millis(15));
    let next = initiations.iter().skip(1);
    sessions
        .zip(next)
        .map(|(begun, next)| *next - begun)
        .collect()
}

#[test]
fn a_busy_initiator_renews_near_the_low_end() {
    let recording = recording::version_3("f_rekey_after_time");
    let range = recording.parameters("A").timing.rekey_after_time.unwrap();
    let bounds = |ages: &[Duration]| {
        for age in ages {
            assert!(age.as_secs() >= u64::from(range.first()), "{age:?}");
            assert!(age.as_secs() <= u64::from(range.last()) + 2, "{age:?}");
        }
        ages.iter().sum::<Duration>() / ages.len() as u32
    };
    let theirs = bounds(&ages(&recorded(&recording, "A", "initiation")));
    let text = range.to_string();
    let setup = setup(&[("RekeyAfterTime", text.as_str())]);
    let mut world = World::with(3, &setup, &setup);
    for number in 0..1000 {
        world.send(0, 60, number);
        world.run(2 * SECOND);
    }
    let found = ages(&ours(&world, 0, INITIATION));
    assert!(found.len() > 20);
    let average = bounds(&found);
    // The mean of a draw is the middle of the range: both are far below, since every packet draws.
    let middle = Duration::from_secs(u64::from(range.first() + range.last()) / 2);
    assert!(
        average < middle && theirs < middle,
        "{average:?} {theirs:?} {middle:?}"
    );
}

#[test]
fn a_receiving_initiator_renews_before_the_session_is_rejected() {
    let recording = recording::version_3("f_reject_after_time");
    // Sessions that A began with data are not renewals.
    let begun = recorded(&recording, "A", "transport");
    let initiations = recorded(&recording, "A", "initiation");
    let renewals = initiations.iter().filter(|at| {
        !begun
            .iter()
            .any(|data| *data >= **at && *data - **at <= Duration::from_millis(30))
    });
    let mut count = 0;
    for renewal in renewals {
        let session = initiations.iter().filter(|at| *at < renewal).max().unwrap();
        let age = *renewal - *session - Duration::from_millis(30);
        assert!((45 * SECOND..=66 * SECOND).contains(&age), "{age:?}");
        count += 1;
    }
    assert!(count >= 3);

    let setup = setup(&[("RekeyAfterTime", "1000"), ("RejectAfterTime", "60-80")]);
    let mut ages = BTreeSet::new();
    for seed in 0..30 {
        let mut world = World::with(seed, &setup, &setup);
        world.send(0, 60, 0);
        world.run(40 * SECOND);
        for number in 0..30 {
            world.send(1, 60, number);
            world.run(SECOND);
        }
        let initiations = ours(&world, 0, INITIATION);
        let age = initiations[1] - initiations[0] - Duration::from_millis(30);
        assert!((45 * SECOND..=66 * SECOND).contains(&age), "{age:?}");
        ages.insert(age.as_secs());
    }
    assert!(ages.len() > 3, "{ages:?}");
}

/// A session is dead at the upper end, and all keys are gone at three times that.
#[test]
fn a_session_ends_at_the_upper_end_and_its_keys_at_three_times_that() {
    let setup = setup(&[("RekeyAfterTime", "1000"), ("RejectAfterTime", "60-80")]);
    let mut world = World::with(4, &setup, &setup);
    world.connect(0);
    world.run(SECOND);
    let established = Duration::from_millis(30);
    world.run(established + 79 * SECOND - world.elapsed);
    // Whoever hears that late renews.
    world.ends[0].deaf = true;
    assert!(matches!(world.send(1, 60, 1), Seal::Sealed { .. }));
    // It is the responder's, a little older than the initiator's.
    world.run(established + 80 * SECOND - world.elapsed);
    assert!(world.has_event(1, |event| matches!(event, Event::SessionExpired { .. })));
    world.ends[1].deaf = true;
    assert_eq!(world.send(1, 60, 2), Seal::Staged);
    let keys = |world: &mut World| {
        let peer = world.ends[0].peer;
        let peer = world.tunnel(0).peers.get(peer).unwrap();
        peer.sessions.current().is_some()
    };
    world.run(established + 239 * SECOND - world.elapsed);
    assert!(keys(&mut world));
    world.run(2 * SECOND);
    assert!(!keys(&mut world));
}

#[test]
fn a_persistent_keepalive_draws_its_interval_each_time() {
    let recording = recording::version_3("g_keepalives");
    let gaps = |times: &[Duration]| -> Vec<Duration> {
        times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    };
    let theirs = recorded(&recording, "A", "keepalive");
    // Until B sends data, and but for the handshakes in between.
    let theirs = gaps(&theirs[..theirs.len() - 2]);
    let whole = |gap: &Duration| gap.subsec_nanos() == 0;
    assert!(
        theirs
            .iter()
            .filter(|gap| whole(gap))
            .all(|gap| (20 * SECOND..=40 * SECOND).contains(gap))
    );
    let first = Setup {
        keepalive: Interval::between(20, 40),
        ..Setup::default()
    };
    let mut world = World::with(5, &first, &Setup::default());
    world.run(7200 * SECOND);
    let found = gaps(&ours(&world, 0, KEEPALIVE));
    let found: BTreeSet<u64> = found
        .iter()
        .filter(|gap| whole(gap))
        .map(Duration::as_secs)
        .collect();
    assert!(found.iter().all(|gap| (20..=40).contains(gap)), "{found:?}");
    assert!(found.len() > 15, "{found:?}");
}

/// `t_timers`: without ranges everything is as it was.
#[test]
fn without_ranges_the_times_are_wireguards() {
    let recording = recording::version_3("t_timers");
    let keepalives = recorded(&recording, "B", "keepalive");
    assert_eq!(keepalives[0], Duration::from_millis(10_045));
    let setup = setup(&[("DisableCookies", "1")]);
    let mut world = World::with(6, &setup, &setup);
    world.send(0, 84, 0);
    world.run(12 * SECOND);
    assert_eq!(ours(&world, 1, KEEPALIVE), [Duration::from_millis(10_045)]);
}
