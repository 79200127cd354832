use std::time::Duration;

use super::*;

const MS: Moment = 1_000_000;
const SIZE: usize = 1_250;

fn link(conditions: Conditions) -> Link<u32> {
    Link::new(conditions, 7)
}

/// Gives `count` packets, one every `gap`, and returns all that arrived with its time, and how many were refused.
fn carried(link: &mut Link<u32>, count: u32, gap: Moment) -> (Vec<(Moment, u32)>, u32) {
    let mut arrived = Vec::new();
    let mut refused = 0;
    for number in 0..count {
        let now = Moment::from(number) * gap;
        drain(link, now, &mut arrived);
        refused += u32::from(link.handle_packet(now, number, SIZE).is_err());
    }
    drain(link, Moment::MAX / 2, &mut arrived);
    (arrived, refused)
}

/// Goes from timeout to timeout until `end`.
fn drain(link: &mut Link<u32>, end: Moment, arrived: &mut Vec<(Moment, u32)>) {
    while let Some(now) = link.next_timeout().filter(|timeout| *timeout <= end) {
        while let Some(output) = link.poll_output(now) {
            match output {
                Output::Arrived(packet) | Output::ArrivedFirst(packet) => {
                    arrived.push((now, packet));
                }
                Output::Lost(_) => {}
            }
        }
    }
}

fn numbers(arrived: &[(Moment, u32)]) -> Vec<u32> {
    arrived.iter().map(|(_, number)| *number).collect()
}

#[test]
fn nothing_is_done_to_packets_unless_asked_for() {
    let mut link = link(Conditions::default());
    let (arrived, refused) = carried(&mut link, 100, 1000);
    let wanted: Vec<_> = (0..100)
        .map(|number| (Moment::from(number) * 1000, number))
        .collect();
    assert_eq!((arrived, refused), (wanted, 0));
    assert_eq!(link.next_timeout(), None);
    assert_eq!(
        (link.statistics().passed, link.statistics().passed_bytes),
        (100, 125_000)
    );
}

#[test]
fn every_packet_takes_the_delay() {
    let mut link = link(Conditions {
        delay: Duration::from_millis(25),
        ..Conditions::default()
    });
    let (arrived, _) = carried(&mut link, 100, MS);
    assert!(
        arrived
            .iter()
            .all(|(at, number)| *at == Moment::from(*number) * MS + 25 * MS)
    );
}

#[test]
fn the_rate_is_kept_exactly_and_the_rest_waits_in_order() {
    // 1,250 bytes take a millisecond.
    let mut link = link(Conditions {
        rate: Some(10_000_000),
        ..Conditions::default()
    });
    let (arrived, refused) = carried(&mut link, 50, 0);
    let wanted: Vec<_> = (0..50)
        .map(|number| (Moment::from(number + 1) * MS, number))
        .collect();
    assert_eq!((arrived, refused), (wanted, 0));
    assert_eq!(link.statistics().queue_peak, 49 * SIZE);
    let delays = &link.statistics().queue_delay;
    assert!((24 * MS..=25 * MS).contains(&delays.at(0.5)), "{delays:?}");
}

#[test]
fn a_link_that_rested_saves_nothing_up() {
    let mut link = link(Conditions {
        rate: Some(10_000_000),
        ..Conditions::default()
    });
    let mut arrived = Vec::new();
    for number in 0..2 {
        link.handle_packet(100 * MS, number, SIZE)
            .expect("there is room");
    }
    drain(&mut link, Moment::MAX / 2, &mut arrived);
    assert_eq!(arrived, [(101 * MS, 0), (102 * MS, 1)]);
}

#[test]
fn what_finds_the_queue_full_is_given_back_and_counted() {
    let mut link = link(Conditions {
        rate: Some(10_000_000),
        queue: 4 * SIZE,
        ..Conditions::default()
    });
    let (arrived, refused) = carried(&mut link, 20, 0);
    // One is being sent, four wait.
    assert_eq!((numbers(&arrived), refused), (vec![0, 1, 2, 3, 4], 15));
    assert_eq!(link.statistics().dropped, 15);
    // In the end the queue takes again.
    let now = Moment::MAX / 2;
    assert_eq!(link.handle_packet(now, 20, SIZE), Ok(()));
}

#[test]
fn what_waits_leaves_at_the_rate_that_holds() {
    let slow = Conditions {
        rate: Some(10_000_000),
        ..Conditions::default()
    };
    let fast = Conditions {
        rate: Some(100_000_000),
        ..slow
    };
    let mut link = link(slow);
    for number in 0..4 {
        link.handle_packet(0, number, SIZE).expect("there is room");
    }
    let mut arrived = Vec::new();
    drain(&mut link, 3 * MS / 2, &mut arrived);
    link.set_conditions(3 * MS / 2, fast);
    drain(&mut link, Moment::MAX / 2, &mut arrived);
    // Half of the second packet was left: it takes a tenth of what it would have taken.
    assert_eq!(
        arrived,
        [(MS, 0), (1_550_000, 1), (1_650_000, 2), (1_750_000, 3)]
    );
    link.handle_packet(MS * 10, 9, SIZE).expect("there is room");
    link.set_conditions(MS * 10, Conditions { rate: None, ..fast });
    assert_eq!(link.poll_output(MS * 10), Some(Output::Arrived(9)));
}

#[test]
fn what_is_lost_has_used_the_rate() {
    let mut link = link(Conditions {
        rate: Some(10_000_000),
        loss: 0.5,
        ..Conditions::default()
    });
    let (arrived, _) = carried(&mut link, 800, 0);
    assert!(
        arrived
            .iter()
            .all(|(at, number)| *at == Moment::from(number + 1) * MS)
    );
    assert_eq!(arrived.len() as u64 + link.statistics().lost, 800);
}

#[test]
fn the_share_that_is_asked_for_is_lost_one_by_one() {
    let mut link = link(Conditions {
        loss: 0.05,
        ..Conditions::default()
    });
    let (arrived, _) = carried(&mut link, 200_000, 1000);
    let (lost, mean_burst) = losses(&arrived, 200_000);
    assert!((9_600..10_400).contains(&lost), "{lost}");
    assert_eq!(link.statistics().lost, lost);
    // 1 / (1 - 0.05) for independent losses.
    assert!((1.03..1.08).contains(&mean_burst), "{mean_burst}");
}

#[test]
fn losses_come_in_rows_of_the_length_that_is_asked_for() {
    for (loss, burst) in [(0.01, 5.0), (0.05, 10.0), (0.2, 2.0)] {
        let mut link = link(Conditions {
            loss,
            burst: Some(burst),
            ..Conditions::default()
        });
        let (arrived, _) = carried(&mut link, 1_000_000, 1000);
        let (lost, mean_burst) = losses(&arrived, 1_000_000);
        let share = lost as f64 / 1e6;
        assert!(
            (share / loss - 1.0).abs() < 0.08,
            "{share} in place of {loss}"
        );
        assert!(
            (mean_burst / burst - 1.0).abs() < 0.05,
            "{mean_burst} in place of {burst}"
        );
    }
}

/// How many numbers are missing, and how long a row of them is in the mean.
fn losses(arrived: &[(Moment, u32)], count: u32) -> (u64, f64) {
    let mut there = vec![false; count as usize];
    for (_, number) in arrived {
        there[*number as usize] = true;
    }
    let lost = there.iter().filter(|there| !**there).count() as u64;
    let rows = there.windows(2).filter(|pair| pair[0] && !pair[1]).count() + usize::from(!there[0]);
    (lost, lost as f64 / rows as f64)
}

#[test]
fn everything_may_be_lost_and_a_burst_ends_with_its_cause() {
    let all = Conditions {
        loss: 1.0,
        burst: Some(3.0),
        ..Conditions::default()
    };
    let mut link = link(all);
    assert_eq!(carried(&mut link, 1000, 1000).0, []);
    link.set_conditions(1_000_000, Conditions::default());
    link.handle_packet(1_000_000, 1, SIZE).expect("no queue");
    while let Some(Output::Lost(_)) = link.poll_output(1_000_000) {}
    assert_eq!(link.statistics().passed, 1);
}

#[test]
fn the_share_that_is_asked_for_is_overtaken_and_nothing_else_is() {
    let held = Duration::from_millis(5);
    let mut link = link(Conditions {
        delay: Duration::from_millis(20),
        reorder: 0.1,
        reorder_by: held,
        ..Conditions::default()
    });
    let (arrived, _) = carried(&mut link, 100_000, MS);
    assert_eq!(arrived.len(), 100_000);
    let late = arrived
        .iter()
        .filter(|(at, number)| *at > Moment::from(*number) * MS + 20 * MS)
        .count();
    assert!((9_600..10_400).contains(&late), "{late}");
    assert_eq!(link.statistics().reordered, late as u64);
    assert!(
        arrived
            .iter()
            .all(|(at, number)| *at <= Moment::from(*number) * MS + 25 * MS)
    );
    assert!(arrived.is_sorted_by_key(|(at, _)| *at));
    let overtaken = arrived
        .windows(2)
        .filter(|pair| pair[0].1 > pair[1].1)
        .count();
    assert!((7_000..10_000).contains(&overtaken), "{overtaken}");
    let in_time: Vec<_> = arrived
        .iter()
        .filter(|(at, number)| *at == Moment::from(*number) * MS + 20 * MS)
        .collect();
    assert!(in_time.is_sorted_by_key(|(_, number)| *number));
}

#[test]
fn the_share_that_is_asked_for_arrives_twice() {
    let mut link = link(Conditions {
        duplicate: 0.02,
        reorder: 0.1,
        ..Conditions::default()
    });
    let (arrived, _) = carried(&mut link, 100_000, 1000);
    let twice = arrived.len() - 100_000;
    assert!((1_800..2_200).contains(&twice), "{twice}");
    assert_eq!(link.statistics().duplicated, twice as u64);
    assert_eq!(link.statistics().passed, 100_000);
}

#[test]
fn a_packet_is_done_exactly_once() {
    let mut link = link(Conditions {
        rate: Some(100_000_000),
        queue: 40_000,
        delay: Duration::from_millis(3),
        jitter: Duration::from_millis(2),
        loss: 0.1,
        burst: Some(3.0),
        reorder: 0.2,
        duplicate: 0.2,
        ..Conditions::default()
    });
    let mut done = vec![0_u32; 50_000];
    let mut first = 0;
    let mut note = |output| match output {
        Output::ArrivedFirst(packet) => {
            assert_eq!(done[packet as usize], 0, "done before it arrived once more");
            first += 1;
        }
        Output::Arrived(packet) | Output::Lost(packet) => done[packet as usize] += 1,
    };
    for number in 0..50_000_u32 {
        let now = Moment::from(number) * 90_000;
        if let Err(refused) = link.handle_packet(now, number, SIZE) {
            note(Output::Lost(refused));
        }
        while let Some(output) = link.poll_output(now) {
            note(output);
        }
    }
    while let Some(output) = link.poll_output(Moment::MAX / 2) {
        note(output);
    }
    assert!(done.iter().all(|count| *count == 1));
    let statistics = link.statistics();
    assert!(statistics.dropped > 0 && statistics.lost > 0 && statistics.reordered > 0);
    assert_eq!(statistics.duplicated, first);
    assert_eq!(
        statistics.dropped + statistics.lost + statistics.passed,
        50_000
    );
}

#[test]
fn jitter_delays_within_its_bound_and_keeps_the_order() {
    let mut link = link(Conditions {
        delay: Duration::from_millis(10),
        jitter: Duration::from_millis(30),
        ..Conditions::default()
    });
    let (arrived, _) = carried(&mut link, 20_000, MS / 2);
    assert!(numbers(&arrived).is_sorted());
    let took: Vec<_> = arrived
        .iter()
        .map(|(at, number)| at - Moment::from(*number) * MS / 2)
        .collect();
    assert!(took.iter().all(|took| (10 * MS..=40 * MS).contains(took)));
    assert!(took.iter().any(|took| *took < 15 * MS) && took.iter().any(|took| *took > 35 * MS));
}

#[test]
fn equal_seeds_give_equal_links_and_others_do_not() {
    let conditions = Conditions {
        rate: Some(50_000_000),
        delay: Duration::from_millis(5),
        jitter: Duration::from_millis(1),
        loss: 0.1,
        reorder: 0.1,
        duplicate: 0.1,
        ..Conditions::default()
    };
    let run = |seed| carried(&mut Link::new(conditions, seed), 5_000, 150_000).0;
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn lateness_is_the_callers_and_is_counted() {
    let mut link = link(Conditions {
        delay: Duration::from_millis(1),
        ..Conditions::default()
    });
    link.handle_packet(0, 1, SIZE).expect("no queue");
    assert_eq!(link.poll_output(MS - 1), None);
    assert_eq!(link.poll_output(3 * MS), Some(Output::Arrived(1)));
    let late = link.statistics().lateness.at(1.0);
    assert!((2 * MS - MS / 16..=2 * MS).contains(&late), "{late}");
    let before = link.take_statistics();
    assert_eq!(
        (
            before.passed,
            link.statistics().passed,
            link.statistics().lateness.at(1.0)
        ),
        (1, 0, 0)
    );
    let mut both = before.clone();
    both.merge(&before);
    assert_eq!((both.passed, both.lateness.at(1.0)), (2, late));
}
