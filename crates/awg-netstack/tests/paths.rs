//! How much of a path one flow uses, and how long a queue it builds: in simulated time, so the figures are the same on
//! every machine.

mod simulation;
mod wire;

use std::time::Duration;

use simulation::{CLIENT, Path, SERVER, Stream, World};

/// What a download did.
struct Outcome {
    /// Of the path's rate, the part that the receiver got as data.
    used: f64,
    /// Bytes on the wire for each byte received.
    overhead: f64,
    /// Times that a repair began.
    repairs: u64,
}

fn download(megabits: f64, round_trip: u64, queue: u64, lost: u32, megabytes: usize) -> Outcome {
    let rate = megabits * 1e6 / 8.0;
    let path = Path {
        delay: Duration::from_micros(round_trip * 500),
        rate: Some(rate),
        queue: Duration::from_millis(queue),
        lost,
        ..Path::default()
    };
    let mut world = World::new(1, path);
    let (client, server) = world.open("192.0.2.1:80");
    let mut down = Stream::new((SERVER, server), (CLIENT, client), megabytes * 1_000_000);
    let began = world.now;
    let until = began + Duration::from_mins(10);
    while down.received < down.length {
        down.work(&mut world);
        assert!(world.step(until), "stuck at {}", down.received);
    }
    let took = (world.now - began).as_secs_f64();
    let tcp = world.ends[SERVER].counters().tcp;
    Outcome {
        used: down.received as f64 / took / rate,
        overhead: world.bytes[CLIENT] as f64 / down.received as f64,
        repairs: tcp.fast_retransmits + tcp.retransmission_timeouts,
    }
}

#[test]
fn a_clean_path_is_filled_without_overflowing_its_queue() {
    for (megabits, round_trip, queue, megabytes) in [
        (10.0, 40, 100, 8),
        (100.0, 5, 20, 40),
        (100.0, 50, 100, 60),
        (1000.0, 1, 10, 100),
    ] {
        let outcome = download(megabits, round_trip, queue, 0, megabytes);
        assert!(
            outcome.used > 0.85,
            "{megabits} Mbit/s, {round_trip} ms: {}",
            outcome.used
        );
        assert_eq!(outcome.repairs, 0, "{megabits} Mbit/s, {round_trip} ms");
        // Headers alone are 2.9 % of a full packet.
        assert!(outcome.overhead < 1.031, "{}", outcome.overhead);
    }
}

/// CUBIC, as the same stack did it before: 6.5 and 3.1 Mbit/s of the first two, 16.5 of the third.
#[test]
fn a_lossy_path_is_not_taken_for_a_full_one() {
    for (megabits, round_trip, queue, lost, megabytes, least) in [
        (100.0, 50, 50, 1, 40, 0.6),
        (10.0, 40, 100, 5, 8, 0.8),
        (500.0, 20, 20, 1, 100, 0.4),
        (100.0, 50, 50, 10, 20, 0.25),
    ] {
        let outcome = download(megabits, round_trip, queue, lost, megabytes);
        assert!(
            outcome.used > least,
            "{megabits} Mbit/s, {lost} of 1000: {}",
            outcome.used
        );
        assert!(outcome.overhead < 1.15, "{}", outcome.overhead);
    }
}

#[test]
fn a_queue_too_short_for_the_window_is_found_out() {
    let outcome = download(100.0, 50, 10, 0, 40);
    assert!(outcome.used > 0.6, "{}", outcome.used);
    assert!(outcome.overhead < 1.15, "{}", outcome.overhead);
}

/// Where nothing holds a burst up, its acknowledgements arrive at one instant, one of each turn of the receiver's.
#[test]
fn bursts_whose_acknowledgements_arrive_together_grow_each_round_trip() {
    let path = Path {
        delay: Duration::from_millis(20),
        turn: 16,
        ..Path::default()
    };
    let mut world = World::new(1, path);
    let (client, server) = world.open("192.0.2.1:80");
    let mut down = Stream::new((SERVER, server), (CLIENT, client), 20_000_000);
    let until = world.now + 25 * 2 * path.delay;
    while down.received < down.length {
        down.work(&mut world);
        assert!(world.step(until), "stuck at {}", down.received);
    }
}

/// What a request would wait behind: a download over a short fast path keeps less than this in the path's queue.
#[test]
fn a_download_leaves_the_queue_short() {
    let path = Path {
        delay: Duration::from_micros(100),
        rate: Some(2.4e9 / 8.0),
        queue: Duration::from_secs(1),
        ..Path::default()
    };
    let mut world = World::new(1, path);
    let (client, server) = world.open("192.0.2.1:80");
    let mut down = Stream::new((SERVER, server), (CLIENT, client), 200_000_000);
    let until = world.now + Duration::from_mins(1);
    let mut longest = Duration::ZERO;
    while down.received < down.length {
        down.work(&mut world);
        longest = longest.max(world.waiting(CLIENT));
        assert!(world.step(until), "stuck at {}", down.received);
    }
    assert!(longest < Duration::from_millis(1), "{longest:?}");
}
