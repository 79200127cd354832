//! Flows that nobody reads: what they hold comes back whole when they end, and no more than that; and what is read goes on.

mod carried;
mod simulation;
mod wire;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use awg_netstack::{Event, FlowId, Limits};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use simulation::{CLIENT, Path, SERVER, World};

/// Bytes that a flow may hold, as [`Limits`] have them, and what a carrier's flows may then together.
const FLOW: usize = 512 << 10;
const MOST: u64 = 15 * FLOW as u64;
/// Where many flows are to fill it.
const SMALL: usize = 64 << 10;
/// One that sends as much as it can.
const BULK: usize = usize::MAX;

/// One that sends, and its other end.
struct Way {
    from: FlowId,
    to: FlowId,
    /// Bytes that it still has to send, and how many it sends at a time.
    left: usize,
    portion: usize,
    /// The end that sends was told that there is room, and the one that receives is to read.
    writable: bool,
    reads: bool,
    received: usize,
    /// Both ends know that it is over, or one of them.
    over: [bool; 2],
}

impl Way {
    fn is_over(&self) -> bool {
        self.over == [true; 2]
    }
}

/// Programs at both ends that do something only when there is something to do.
struct Programs {
    world: World,
    ways: Vec<Way>,
    names: HashMap<(usize, FlowId), usize>,
}

impl Programs {
    fn new(seed: u64, path: Path, flow: usize) -> Self {
        let small = Limits {
            buffer_bytes_per_flow: flow,
            connect_within: Duration::from_hours(1),
            ..Limits::default()
        };
        Self {
            world: carried::with_limits(seed, path, small.clone(), small),
            ways: Vec::new(),
            names: HashMap::new(),
        }
    }

    /// Opens flows on which the server sends so many bytes; the first of them.
    fn open(&mut self, count: usize, left: usize, portion: usize, reads: bool) -> usize {
        let first = self.ways.len();
        for _ in 0..count {
            let target = carried::address("192.0.2.1:80");
            let to = carried::ask(&mut self.world, &target, b"");
            let until = self.world.now + Duration::from_mins(10);
            let from = loop {
                match self.world.ends[SERVER].poll_event() {
                    Some(Event::Requested { flow, .. }) => break flow,
                    Some(event) => self.handle(SERVER, &event),
                    None => assert!(self.world.step(until), "nothing is asked for"),
                }
            };
            let now = self.world.now;
            self.world.ends[SERVER].accept(now, from).expect("it waits");
            self.names.insert((SERVER, from), self.ways.len());
            self.names.insert((CLIENT, to), self.ways.len());
            self.ways.push(Way {
                from,
                to,
                left,
                portion,
                writable: true,
                reads,
                received: 0,
                over: [false; 2],
            });
        }
        first
    }

    fn handle(&mut self, end: usize, event: &Event) {
        let (Event::Writable { flow } | Event::Readable { flow } | Event::Closed { flow, .. }) =
            event
        else {
            return;
        };
        let Some(number) = self.names.get(&(end, *flow)).copied() else {
            return;
        };
        match event {
            Event::Writable { .. } => self.ways[number].writable = true,
            Event::Readable { .. } => self.read(number),
            _ => {
                self.ways[number].over[end] = true;
                self.names.remove(&(end, *flow));
            }
        }
    }

    fn read(&mut self, number: usize) {
        let way = &mut self.ways[number];
        while way.reads {
            let taken = self.world.ends[CLIENT].receive(way.to, &mut <[u8]>::len);
            way.received += taken;
            if taken == 0 {
                break;
            }
        }
    }

    /// Does what can be done now.
    fn work(&mut self) {
        for end in [CLIENT, SERVER] {
            while let Some(event) = self.world.ends[end].poll_event() {
                self.handle(end, &event);
            }
        }
        for way in &mut self.ways {
            while way.writable && way.left > 0 && !way.over[SERVER] {
                let most = way.portion.min(way.left);
                let sent = self.world.ends[SERVER].send(way.from, &mut |free| {
                    let count = free.len().min(most);
                    free[..count].fill(7);
                    count
                });
                way.left -= sent;
                way.writable = sent > 0;
                if way.left == 0 {
                    self.world.ends[SERVER].shutdown(way.from);
                }
                if way.portion != BULK {
                    // More comes with the next step.
                    break;
                }
            }
        }
        self.world.flush();
    }

    fn run(&mut self, time: Duration) {
        let until = self.world.now + time;
        loop {
            self.work();
            if !self.world.step(until) {
                self.work();
                return;
            }
        }
    }

    /// Reads a flow to its end, and ends it.
    fn finish(&mut self, number: usize, by: Instant) {
        self.world.ends[CLIENT].shutdown(self.ways[number].to);
        self.ways[number].reads = true;
        self.read(number);
        while !self.ways[number].is_over() {
            self.work();
            if !self.world.step(by) {
                let way = &self.ways[number];
                let counters = self.world.ends.iter().map(|end| end.counters().carrier);
                let counters: Vec<_> = counters.collect();
                assert!(
                    way.is_over(),
                    "{} of {}: {counters:?}",
                    way.received,
                    way.left
                );
            }
        }
    }

    /// Bytes that reach the client until nothing moves any more.
    fn fill(&mut self) -> u64 {
        let before = self.world.bytes[CLIENT];
        loop {
            let last = self.world.bytes[CLIENT];
            self.run(Duration::from_secs(1));
            if self.world.bytes[CLIENT] - last < 4 << 10 {
                return self.world.bytes[CLIENT] - before;
            }
        }
    }

    /// Ends flows, as this end or the other.
    fn abort(&mut self, end: usize, ways: std::ops::Range<usize>) {
        for number in ways {
            let way = &self.ways[number];
            let flow = if end == CLIENT { way.to } else { way.from };
            if way.over[end] {
                continue;
            }
            if end == CLIENT && number % 2 == 0 {
                // As one whose application is gone: what it still had to say goes first.
                let now = self.world.now;
                self.world.ends[end].linger(now, flow);
            } else {
                self.world.ends[end].abort(flow);
            }
        }
    }

    fn check(&self) {
        for end in &self.world.ends {
            let counters = end.counters().carrier;
            let ended = (counters.fragmented, counters.lost, counters.established);
            assert_eq!(ended, (0, 0, 1), "{counters:?}");
        }
    }
}

/// What may wait, and what of it is beside that: headers, and what the client took from QUIC to tell of it.
fn assert_full(held: u64) {
    assert!(held > MOST * 3 / 4, "{held} bytes");
    assert!(held < MOST * 5 / 4, "{held} bytes");
}

#[test]
fn what_flows_held_that_nobody_read_may_be_held_again_and_no_more() {
    for end in [CLIENT, SERVER] {
        let mut programs = Programs::new(11, Path::default(), FLOW);
        for _ in 0..4 {
            let first = programs.open(16, usize::MAX, BULK, false);
            assert_full(programs.fill());
            programs.abort(end, first..first + 16);
            programs.run(Duration::from_secs(1));
        }
        programs.check();
    }
}

#[test]
fn a_window_does_not_grow_by_what_is_stuck_now_and_then() {
    let mut programs = Programs::new(12, Path::default(), FLOW);
    for _ in 0..6 {
        let first = programs.open(5, 1_000, BULK, false);
        programs.run(Duration::from_secs(1));
        for number in first..first + 5 {
            let by = programs.world.now + Duration::from_secs(10);
            programs.finish(number, by);
        }
        programs.run(Duration::from_secs(11));
    }
    programs.open(16, usize::MAX, BULK, false);
    assert_full(programs.fill());
    programs.check();
}

/// Flows that nobody reads, and one that is read: whatever becomes of the former, in whatever order, the latter goes on.
fn play(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let path = Path {
        delay: Duration::from_millis(rng.random_range(1..40)),
        jitter: Duration::from_millis(*[0, 0, 3].choose(&mut rng).expect("some")),
        lost: *[0, 5, 50].choose(&mut rng).expect("some"),
        doubled: *[0, 5].choose(&mut rng).expect("some"),
        rate: *[None, Some(2e6), Some(2e7)].choose(&mut rng).expect("some"),
        ..Path::default()
    };
    let mut programs = Programs::new(seed, path, SMALL);
    for _ in 0..rng.random_range(1..4) {
        let early = rng.random::<bool>();
        let mut read = early.then(|| programs.open(1, 1 << 20, BULK, true));
        let count = rng.random_range(5..60);
        let portion = *[20, 100, 1_000, BULK].choose(&mut rng).expect("some");
        let first = programs.open(count, usize::MAX, portion, false);
        programs.run(Duration::from_millis(rng.random_range(10..4_000)));
        let mut left: Vec<usize> = (first..first + count).collect();
        left.shuffle(&mut rng);
        while let Some(number) = left.pop() {
            match rng.random_range(0..5) {
                0 => programs.abort(CLIENT, number..number + 1),
                1 => programs.abort(SERVER, number..number + 1),
                2 => {
                    // It ends its side before it goes.
                    let flow = programs.ways[number].to;
                    programs.world.ends[CLIENT].shutdown(flow);
                    programs.abort(CLIENT, number..number + 1);
                }
                3 => {
                    let flow = programs.ways[number].from;
                    programs.ways[number].left = 0;
                    programs.world.ends[SERVER].shutdown(flow);
                    programs.run(Duration::from_millis(rng.random_range(0..50)));
                    programs.abort(CLIENT, number..number + 1);
                }
                _ => {
                    // It is read at last, to its end.
                    let flow = programs.ways[number].from;
                    programs.ways[number].left = 0;
                    programs.world.ends[SERVER].shutdown(flow);
                    let to = programs.ways[number].to;
                    programs.world.ends[CLIENT].shutdown(to);
                    programs.ways[number].reads = true;
                    programs.read(number);
                }
            }
            if rng.random_range(0..4) == 0 {
                programs.run(Duration::from_millis(rng.random_range(0..100)));
            }
        }
        let read = *read.get_or_insert_with(|| programs.open(1, 1 << 20, BULK, true));
        let by = programs.world.now + Duration::from_mins(2);
        programs.finish(read, by);
        assert_eq!(programs.ways[read].received, 1 << 20, "seed {seed}");
        programs.run(Duration::from_secs(
            *[0, 12].choose(&mut rng).expect("some"),
        ));
        for number in first..programs.ways.len() {
            let by = programs.world.now + Duration::from_mins(1);
            programs.finish(number, by);
        }
    }
    programs.check();
}

#[test]
fn what_is_read_goes_on_whatever_becomes_of_what_is_not() {
    for seed in 0..12 {
        play(seed);
    }
}

#[test]
fn more_small_pieces_than_may_wait_cost_those_flows_that_nobody_reads() {
    const COUNT: usize = 60;
    let mut programs = Programs::new(13, Path::default(), SMALL);
    let first = programs.open(COUNT, usize::MAX, 20, false);
    let read = programs.open(1, 1 << 18, 20, true);
    let hour = programs.world.now + Duration::from_hours(1);
    while programs.world.ends[CLIENT]
        .counters()
        .carrier
        .flows_fragmented
        == 0
    {
        programs.work();
        assert!(programs.world.step(hour), "nothing is broken off");
    }
    programs.run(Duration::from_secs(1));
    let broken = programs.ways[first..read]
        .iter()
        .filter(|way| way.is_over());
    assert!((1..COUNT).contains(&broken.count()));
    assert!(!programs.ways[read].over[CLIENT]);
    programs.abort(CLIENT, first..read);
    let by = programs.world.now + Duration::from_hours(1);
    programs.finish(read, by);
    assert_eq!(programs.ways[read].received, 1 << 18);
    programs.check();
}
