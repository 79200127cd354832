//! Flows that fail at one end behind what that had sent: the other end gets it, and then the failure, on either carrier.

mod carried;
mod simulation;
mod wire;

use std::time::Duration;

use awg_netstack::{Closure, Event, FlowId, Limits, Refusal};
use carried::{address, ask, requested, until};
use simulation::{CLIENT, Path, SERVER, Stream, World, pattern, send_all, take_all};

const LENGTH: usize = 1 << 20;
const MINUTE: Duration = Duration::from_mins(1);

/// A link that loses some of all, and on which packets overtake each other.
fn bad() -> Path {
    Path {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(3),
        lost: 50,
        ..Path::default()
    }
}

/// An open flow, by what each end calls it.
fn open(seed: u64, path: Path, is_carried: bool) -> (World, [FlowId; 2]) {
    if is_carried {
        let mut world = carried::carried(seed, path);
        let (client, server) = carried::open(&mut world);
        return (world, [client, server]);
    }
    let mut world = World::new(seed, path);
    let (client, server) = world.open("192.0.2.1:80");
    (world, [client, server])
}

fn linger(world: &mut World, end: usize, flow: FlowId) {
    let now = world.now;
    world.ends[end].linger(now, flow);
}

/// A flow that the server takes, answers and fails at once; the client's name of it.
fn answer_and_fail(world: &mut World) -> FlowId {
    let flow = ask(world, &address("192.0.2.1:80"), b"");
    let (server, _) = requested(world);
    let now = world.now;
    world.ends[SERVER].accept(now, server).expect("it waits");
    send_all(world, (SERVER, server), b"hello");
    linger(world, SERVER, server);
    flow
}

/// Reads at an end until its flow is over; what it read.
fn read_on(world: &mut World, (end, flow): (usize, FlowId)) -> Vec<u8> {
    let mut read = Vec::new();
    let how = Closure::Reset;
    loop {
        match world.event(end) {
            event if event == (Event::Closed { flow, how }) => return read,
            Event::Closed { how, .. } => panic!("{how:?}"),
            Event::Finished { .. } => panic!("what was cut off looks complete"),
            _ => read.extend(take_all(world, (end, flow))),
        }
    }
}

/// Nothing of the flow is left at either end, and the next one is as good as any.
fn check(world: &mut World, is_carried: bool) {
    world.pass(Duration::from_secs(1));
    for end in [CLIENT, SERVER] {
        while world.ends[end].poll_event().is_some() {}
        let counters = world.ends[end].counters();
        assert_eq!((counters.tcp.flows, counters.carrier.flows), (0, 0));
        assert_eq!(counters.carrier.lost, 0);
    }
    if is_carried {
        let (client, server) = carried::open(world);
        let ends = [(CLIENT, client), (SERVER, server)];
        carried::finish(
            world,
            &mut [
                Stream::new(ends[0], ends[1], 2 * LENGTH),
                Stream::new(ends[1], ends[0], 2 * LENGTH),
            ],
        );
    }
}

#[test]
fn what_was_sent_before_a_failure_arrives_before_it() {
    // More than fits at once, so that some of it waits for room.
    let sent: Vec<u8> = (0..40 << 20).map(pattern).collect();
    for is_carried in [true, false] {
        for (seed, path, length) in [
            (1, Path::default(), 40 << 20),
            (2, bad(), LENGTH),
            (3, bad(), LENGTH),
        ] {
            for fails in [CLIENT, SERVER] {
                let (mut world, flows) = open(seed, path, is_carried);
                let mut count = 0;
                loop {
                    let written = world.ends[fails].send(flows[fails], &mut |free| {
                        let part = free.len().min(length - count);
                        free[..part].copy_from_slice(&sent[count..count + part]);
                        part
                    });
                    count += written;
                    if written == 0 {
                        break;
                    }
                }
                // The other end sends too: nobody is there to take it.
                send_all(&mut world, (1 - fails, flows[1 - fails]), &[7; 5_000]);
                let begin = world.now;
                linger(&mut world, fails, flows[fails]);
                let other = (1 - fails, flows[1 - fails]);
                assert!(read_on(&mut world, other) == sent[..count]);
                assert!(world.now - begin < MINUTE / 2);
                check(&mut world, is_carried);
            }
        }
    }
}

#[test]
fn an_answer_and_a_failure_at_once_are_an_answer_and_a_failure() {
    for (seed, path) in [(4, Path::default()), (5, bad()), (6, bad())] {
        let mut world = carried::carried(seed, path);
        let flow = answer_and_fail(&mut world);
        until(&mut world, CLIENT, &Event::Established { flow });
        assert_eq!(read_on(&mut world, (CLIENT, flow)), b"hello");
        check(&mut world, true);
    }
}

/// What the other end does before it hears of the failure.
#[derive(Clone, Copy, PartialEq)]
enum Other {
    HasFinished,
    Finishes,
    /// And what it would hear is lost.
    FinishesUnheard,
    Fails,
}

#[test]
fn where_the_other_end_finishes_or_fails_too_the_reset_does_not_wait_for_long() {
    for is_carried in [true, false] {
        for fails in [CLIENT, SERVER] {
            for does in [
                Other::HasFinished,
                Other::Finishes,
                Other::FinishesUnheard,
                Other::Fails,
            ] {
                let (mut world, flows) = open(7, Path::default(), is_carried);
                let flow = flows[fails];
                let other = (1 - fails, flows[1 - fails]);
                send_all(&mut world, other, b"question");
                if does != Other::Fails {
                    world.ends[other.0].shutdown(other.1);
                }
                if does == Other::HasFinished {
                    until(&mut world, fails, &Event::Finished { flow });
                }
                let begin = world.now;
                world.flush();
                if does == Other::FinishesUnheard {
                    world.path.lost = 1_000;
                }
                send_all(&mut world, (fails, flow), b"hello");
                linger(&mut world, fails, flow);
                world.flush();
                world.path.lost = 0;
                if does == Other::Fails {
                    linger(&mut world, other.0, other.1);
                } else {
                    assert_eq!(read_on(&mut world, other), b"hello");
                }
                check(&mut world, is_carried);
                assert!(world.now - begin < Duration::from_secs(5));
            }
        }
    }
}

#[test]
fn it_can_be_read_after_a_while_and_for_a_minute() {
    for is_carried in [true, false] {
        for fails in [CLIENT, SERVER] {
            for is_read in [true, false] {
                let (mut world, flows) = open(8, Path::default(), is_carried);
                let other = (1 - fails, flows[1 - fails]);
                send_all(&mut world, (fails, flows[fails]), &[7; 9_000]);
                linger(&mut world, fails, flows[fails]);
                world.pass(MINUTE / 2);
                if is_read {
                    assert_eq!(read_on(&mut world, other), [7; 9_000]);
                } else {
                    world.pass(MINUTE / 2 + Duration::from_secs(2));
                    let flow = other.1;
                    let how = Closure::Reset;
                    let events: Vec<_> =
                        std::iter::from_fn(|| world.ends[other.0].poll_event()).collect();
                    let last = Event::Closed { flow, how };
                    assert_eq!(events.last(), Some(&last), "{events:?}");
                }
                check(&mut world, is_carried);
            }
        }
    }
}

#[test]
fn an_answer_that_nobody_reads_is_over_after_a_minute() {
    let mut world = carried::carried(11, Path::default());
    let flow = answer_and_fail(&mut world);
    world.pass(MINUTE + Duration::from_secs(1));
    let how = Closure::Reset;
    let events: Vec<_> = std::iter::from_fn(|| world.ends[CLIENT].poll_event()).collect();
    let last = Event::Closed { flow, how };
    assert_eq!(events.last(), Some(&last), "{events:?}");
}

#[test]
fn one_that_the_other_end_never_hears_of_is_over_after_a_minute() {
    for is_carried in [true, false] {
        let lost = Path {
            lost: 1_000,
            ..Path::default()
        };
        let (mut world, flows) = open(9, Path::default(), is_carried);
        world.path = lost;
        send_all(&mut world, (SERVER, flows[SERVER]), b"hello");
        linger(&mut world, SERVER, flows[SERVER]);
        world.pass(MINUTE + Duration::from_secs(1));
        while world.ends[SERVER].poll_event().is_some() {}
        let counters = world.ends[SERVER].counters();
        assert_eq!((counters.tcp.flows, counters.carrier.flows), (0, 0));
    }
}

#[test]
fn lingering_flows_count_among_those_of_their_peer() {
    let limits = Limits {
        flows_per_peer: 8,
        ..Limits::default()
    };
    let mut world = carried::with_limits(10, Path::default(), Limits::default(), limits);
    let flows: Vec<_> = (0..8).map(|_| carried::open(&mut world)).collect();
    world.path.lost = 1_000;
    for (_, server) in &flows {
        send_all(&mut world, (SERVER, *server), b"hello");
        linger(&mut world, SERVER, *server);
    }
    world.pass(Duration::from_millis(100));
    world.path.lost = 0;
    let one_more = ask(&mut world, &address("192.0.2.1:80"), b"");
    loop {
        match world.event(CLIENT) {
            Event::Refused { flow, why } if flow == one_more => {
                assert_eq!(why, Refusal::Failed);
                break;
            }
            Event::Established { flow } if flow == one_more => panic!("it was taken"),
            _ => {}
        }
    }
}
