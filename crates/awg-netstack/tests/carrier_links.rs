//! How much of a link's rate a carrier gives one flow, and what waits in the link's queue meanwhile.

mod carried;
mod simulation;
mod wire;

use std::time::Duration;

use awg_netstack::{Event, FlowId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use simulation::{CLIENT, MTU, Path, SERVER, Stream, World, send_all, take_all};

/// Bytes of a stream in a full packet: the others are headers of IPv4, UDP and QUIC.
const PAYLOAD: f64 = MTU as f64 - 28.0 - 12.0;

/// Moves one flow for so long.
struct Run {
    world: World,
    stream: Stream,
    waits: Vec<Duration>,
    /// Whose queue is looked at: that of packets to this end.
    measured: usize,
    /// A flow on which the server says a little at each look.
    talk: Option<FlowId>,
}

impl Run {
    fn new(seed: u64, path: Path) -> Self {
        let mut world = carried::carried(seed, path);
        let (client, server) = carried::open(&mut world);
        Self {
            stream: Stream::new((SERVER, server), (CLIENT, client), usize::MAX),
            world,
            waits: Vec::new(),
            measured: CLIENT,
            talk: None,
        }
    }

    /// The share of the link's rate that the flow got within `time`.
    fn share(&mut self, time: Duration) -> f64 {
        let rate = self.world.path.rate.expect("a link with a rate");
        let received = self.stream.received;
        let (begun, end) = (self.world.now, self.world.now + time);
        self.waits.clear();
        let mut look = begun;
        while self.world.now < end {
            self.stream.work(&mut self.world);
            for end in &mut self.world.ends {
                while let Some(event) = end.poll_event() {
                    assert!(!matches!(event, Event::Closed { .. }), "{event:?}");
                }
            }
            self.world.step(end);
            if self.world.now >= look {
                self.waits.push(self.world.waiting(self.measured));
                if let Some(talk) = self.talk {
                    send_all(&mut self.world, (SERVER, talk), &[0; 64]);
                }
                look = self.world.now + Duration::from_millis(1);
            }
        }
        let moved = (self.stream.received - received) as f64;
        moved / time.as_secs_f64() / (rate * PAYLOAD / f64::from(MTU))
    }

    /// What 95 of 100 looks at the link's queue found at most.
    fn wait(&mut self) -> Duration {
        self.waits.sort_unstable();
        self.waits[self.waits.len() * 95 / 100]
    }
}

/// 3 MB a second, a queue of one round trip.
fn link(round_trip: u64, lost: u32) -> Path {
    let round_trip = Duration::from_millis(round_trip);
    Path {
        delay: round_trip / 2,
        lost,
        rate: Some(3e6),
        queue: round_trip,
        ..Path::default()
    }
}

#[test]
fn a_link_is_used_whatever_it_loses() {
    for (seed, round_trip, lost, least) in [
        (1, 50, 0, 0.9),
        (2, 50, 10, 0.9),
        (3, 100, 20, 0.9),
        (4, 200, 50, 0.8),
        (5, 50, 150, 0.7),
    ] {
        let mut run = Run::new(seed, link(round_trip, lost));
        run.share(Duration::from_secs(3));
        let share = run.share(Duration::from_secs(5));
        assert!(share > least, "{share:.2} at {lost} lost of a thousand");
    }
}

#[test]
fn a_long_queue_stays_short() {
    let path = Path {
        queue: Duration::from_millis(500),
        ..link(50, 0)
    };
    let mut run = Run::new(6, path);
    run.share(Duration::from_secs(2));
    let share = run.share(Duration::from_secs(6));
    assert!(share > 0.9, "{share:.2}");
    let wait = run.wait();
    assert!(wait < Duration::from_millis(10), "{wait:?}");
}

#[test]
fn who_sends_little_on_a_short_path_waits_less_behind_a_bulk_transfer() {
    let path = Path {
        delay: Duration::from_micros(100),
        rate: Some(100e6),
        queue: Duration::from_millis(20),
        ..Path::default()
    };
    let mut run = Run::new(12, path);
    let moment = Duration::from_millis(300);
    run.share(moment);
    run.share(moment);
    let alone = run.wait();
    let (_, talk) = carried::open(&mut run.world);
    run.talk = Some(talk);
    run.share(moment);
    let share = run.share(moment);
    let beside = run.wait();
    assert!(share > 0.9, "{share:.2}");
    assert!(beside < alone * 2 / 3, "{beside:?} instead of {alone:?}");
    run.talk = None;
    run.world.pass(Duration::from_secs(3));
    run.share(moment);
    run.share(moment);
    let again = run.wait();
    assert!(again > alone * 9 / 10, "{again:?}: nobody waits any more");
}

#[test]
fn a_rate_that_falls_and_rises_is_followed() {
    let mut run = Run::new(7, link(40, 0));
    run.share(Duration::from_secs(2));
    run.world.path.rate = Some(0.3e6);
    run.share(Duration::from_secs(2));
    let share = run.share(Duration::from_secs(3));
    assert!(share > 0.85, "{share:.2} of the low rate");
    let wait = run.wait();
    assert!(wait < Duration::from_millis(60), "{wait:?}");
    run.world.path.rate = Some(3e6);
    run.share(Duration::from_secs(4));
    let share = run.share(Duration::from_secs(2));
    assert!(share > 0.8, "{share:.2} of the high rate");
}

/// A path that became longer is not taken for one with a queue for good.
#[test]
fn a_path_that_becomes_longer_is_followed() {
    let mut run = Run::new(8, link(20, 0));
    run.share(Duration::from_secs(2));
    run.world.path.delay = Duration::from_millis(60);
    run.world.path.queue = Duration::from_millis(120);
    run.share(Duration::from_secs(4));
    let share = run.share(Duration::from_secs(3));
    assert!(share > 0.8, "{share:.2}");
}

/// What little an application had to send says nothing of the path.
#[test]
fn a_transfer_after_a_talk_is_as_fast_as_one_before() {
    for (seed, lost) in [(9, 0), (10, 20)] {
        let mut run = Run::new(seed, link(50, lost));
        let (from, to) = (run.stream.from, run.stream.to);
        for _ in 0..40 {
            for (from, to) in [(from, to), (to, from)] {
                send_all(&mut run.world, from, &[7; 64]);
                let mut left = 64;
                while left > 0 {
                    run.world.pass(Duration::from_millis(5));
                    left -= take_all(&mut run.world, to).len();
                }
                // Who thinks before it answers acknowledges first, and late.
                run.world.pass(Duration::from_millis(40));
            }
        }
        run.share(Duration::from_secs(3));
        let share = run.share(Duration::from_secs(3));
        assert!(share > 0.85, "{share:.2} down, {lost} lost of a thousand");
        // The other way was one of acknowledgements so far.
        run.stream = Stream::new(to, from, usize::MAX);
        run.measured = SERVER;
        run.share(Duration::from_secs(3));
        let share = run.share(Duration::from_secs(3));
        assert!(share > 0.85, "{share:.2} up, {lost} lost of a thousand");
    }
}

#[test]
fn what_an_outage_stopped_is_fast_again() {
    let mut run = Run::new(11, link(50, 0));
    run.share(Duration::from_secs(2));
    run.world.cut = true;
    run.share(Duration::from_secs(8));
    run.world.cut = false;
    let now = run.world.now;
    for end in [CLIENT, SERVER] {
        run.world.ends[end].resume(now, simulation::PEER, false);
    }
    run.share(Duration::from_secs(2));
    let share = run.share(Duration::from_secs(3));
    assert!(share > 0.85, "{share:.2}");
}

/// Megabytes on the way, and holes all the time, of which some are not filled at the second attempt.
#[test]
fn a_long_fast_path_with_holes_is_used() {
    for (round_trip, lost, least) in [(100, 20, 0.9), (200, 50, 0.6)] {
        let path = Path {
            rate: Some(62.5e6),
            ..link(round_trip, lost)
        };
        let mut run = Run::new(12, path);
        run.share(Duration::from_millis(20 * round_trip));
        let share = run.share(Duration::from_millis(10 * round_trip));
        assert!(share > least, "{share:.2} at {lost} lost of a thousand");
        let wait = run.wait();
        assert!(
            wait < Duration::from_millis(round_trip / 4),
            "{wait:?} in the queue at {lost} lost of a thousand"
        );
    }
}

/// Nobody waits for the word that more may come.
#[test]
fn a_long_fast_path_is_used_from_the_beginning() {
    let path = Path {
        rate: Some(62.5e6),
        ..link(200, 0)
    };
    let mut run = Run::new(1, path);
    run.share(Duration::from_secs(2));
    let received = run.stream.received;
    assert!(received > 20_000_000, "{received} bytes in two seconds");
    let share = run.share(Duration::from_secs(1));
    assert!(share > 0.5, "{share:.2}");
}

/// A machine that stands still for moments sends less in a round than it means to; that is not the path's doing.
#[test]
fn machines_that_stand_still_at_times_use_a_link_the_rest_of_the_time() {
    for (seed, most_running, most_still) in [(5, 40, 30), (0, 20, 60)] {
        let path = Path {
            rate: Some(62e6),
            ..link(50, 0)
        };
        let mut run = Run::new(seed, path);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut turns = |run: &mut Run, time: Duration| {
            let (begun, end) = (run.stream.received, run.world.now + time);
            let mut running = Duration::ZERO;
            while run.world.now < end {
                let runs = Duration::from_millis(rng.random_range(1..=most_running));
                run.share(runs);
                running += runs;
                let stalls = Duration::from_millis(rng.random_range(1..=most_still));
                run.world.stands_until = run.world.now + stalls;
                run.share(stalls);
            }
            (run.stream.received - begun) as f64 / (running.as_secs_f64() * 62e6)
        };
        turns(&mut run, Duration::from_secs(3));
        let share = turns(&mut run, Duration::from_secs(1));
        assert!(share > 0.8, "{share:.2} of what passes while they run");
    }
}
