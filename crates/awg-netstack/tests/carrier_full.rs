//! What a carrier does when its window is full of bytes that nobody reads: flows that are read go on, whoever wants a connection
//! is told or gets one, and what is not read ends only when others have need of the room.

mod carried;
mod simulation;
mod wire;

use std::time::Duration;

use awg_netstack::{Closure, ConnectError, Event, FlowId, Limits};
use carried::{address, finish, open, until};
use simulation::{CLIENT, PEER, Path, SERVER, Stream, World};

/// Flows whose reader does nothing, and what is sent on each: together more than the 15 MiB that an end takes.
const UNREAD: usize = 100;
const EACH: usize = 256 << 10;

/// A sixteenth of what is usual.
fn small() -> Limits {
    Limits {
        buffer_bytes_per_flow: 1 << 20,
        ..Limits::default()
    }
}

/// One way: whoever sends, and whoever has it.
type Way = (usize, usize);
const DOWN: Way = (SERVER, CLIENT);
const UP: Way = (CLIENT, SERVER);

/// An open flow, its name at either end.
type Names = [FlowId; 2];

fn names(world: &mut World) -> Names {
    let (client, server) = open(world);
    [client, server]
}

fn stream((from, to): Way, names: Names, length: usize) -> Stream {
    Stream::new((from, names[from]), (to, names[to]), length)
}

/// What was told since the last call.
fn told(world: &mut World, end: usize) -> Vec<Event> {
    std::iter::from_fn(|| world.ends[end].poll_event()).collect()
}

/// A carrier with flows on which something waits that nobody reads, and no room left.
fn full(seed: u64, way: Way) -> (World, Vec<Stream>) {
    let path = Path {
        rate: Some(12.5e6),
        ..Path::default()
    };
    let mut world = carried::with_limits(seed, path, small(), small());
    let unread = (0..UNREAD).map(|_| names(&mut world)).collect::<Vec<_>>();
    let mut streams: Vec<Stream> = (unread.into_iter())
        .map(|names| stream(way, names, EACH))
        .collect();
    write(&mut world, &mut streams, Duration::from_secs(4));
    let sent: usize = streams.iter().map(|stream| stream.sent).sum();
    assert!(sent > 14 << 20, "{sent} bytes");
    (world, streams)
}

/// Lets streams be written for a while.
fn write(world: &mut World, streams: &mut [Stream], time: Duration) {
    let end = world.now + time;
    while world.now < end {
        for stream in &mut *streams {
            stream.write(world);
        }
        world.pass(Duration::from_millis(50));
    }
}

/// Has a stream written and read to its end, within some time.
fn deliver(world: &mut World, stream: &mut Stream, time: Duration) {
    let end = world.now + time;
    while stream.received < stream.length {
        stream.work(world);
        assert!(world.step(end) && world.now < end, "it stands still");
    }
}

fn ended(world: &World, end: usize) -> u64 {
    world.ends[end].counters().carrier.flows_unread
}

#[test]
fn what_is_read_goes_on_beside_what_nobody_reads() {
    for (seed, way) in [(1, DOWN), (2, UP)] {
        let path = Path {
            rate: Some(12.5e6),
            ..Path::default()
        };
        let mut world = carried::with_limits(seed, path, small(), small());
        let read = names(&mut world);
        let mut read = stream(way, read, 24 << 20);
        let unread = (0..UNREAD).map(|_| names(&mut world)).collect::<Vec<_>>();
        let mut unread: Vec<Stream> = (unread.into_iter())
            .map(|names| stream(way, names, EACH))
            .collect();
        let end = world.now + Duration::from_mins(2);
        let (mut reset, mut look) = (0, world.now);
        while read.received < read.length {
            read.work(&mut world);
            if world.now >= look {
                look = world.now + Duration::from_millis(20);
                for stream in &mut unread {
                    stream.write(&mut world);
                }
            }
            for end in [CLIENT, SERVER] {
                for event in told(&mut world, end) {
                    if let Event::Closed { flow, how } = event {
                        assert_ne!(flow, read.to.1);
                        assert_eq!(how, Closure::Reset);
                        reset += usize::from(end == way.1);
                    }
                }
            }
            assert!(
                world.step(end) && world.now < end,
                "{} bytes, then nothing",
                read.received
            );
        }
        // Some ended, so that the one could go on, and each was told at both ends; most have what was sent.
        assert_eq!(reset as u64, ended(&world, way.1));
        assert!(reset > 0 && reset < UNREAD / 2, "{reset} flows ended");
    }
}

#[test]
fn what_nobody_reads_stays_while_nobody_else_has_need_of_room() {
    for (seed, way) in [(3, DOWN), (4, UP)] {
        let (mut world, mut streams) = full(seed, way);
        write(&mut world, &mut streams, Duration::from_mins(2));
        assert_eq!(ended(&world, way.1), 0);
        // And is all there, once it is read.
        finish(&mut world, &mut streams);
    }
}

#[test]
fn a_connection_that_finds_no_room_is_refused_at_once_and_makes_some() {
    let (mut world, mut streams) = full(5, DOWN);
    write(&mut world, &mut streams, Duration::from_mins(1));
    let full = told(&mut world, CLIENT)
        .into_iter()
        .any(|event| matches!(event, Event::CarrierFull { held, .. } if held > 14 << 20));
    assert!(full && world.ends[CLIENT].is_carrier_full(PEER));
    let now = world.now;
    let target = address("192.0.2.1:80");
    let refused = world.ends[CLIENT].open_stream(now, PEER, &target, b"");
    assert!(matches!(refused, Err(ConnectError::CarrierFull)));
    until(&mut world, CLIENT, &Event::CarrierRoom { peer: PEER });
    assert!(!world.ends[CLIENT].is_carrier_full(PEER));
    assert!(ended(&world, CLIENT) > 0);
    let next = names(&mut world);
    let mut next = stream(DOWN, next, 1 << 20);
    deliver(&mut world, &mut next, Duration::from_mins(1));
}

#[test]
fn a_question_passes_a_window_that_bulk_fills_and_makes_room() {
    let (mut world, mut streams) = full(6, UP);
    write(&mut world, &mut streams, Duration::from_secs(30));
    assert!(world.ends[CLIENT].is_carrier_full(PEER));
    assert_eq!(ended(&world, SERVER), 0);
    told(&mut world, CLIENT);
    told(&mut world, SERVER);
    // Bulk left room for a request, which says that there is need of more.
    let next = names(&mut world);
    while world.ends[CLIENT].is_carrier_full(PEER) {
        world.event(CLIENT);
    }
    assert!(ended(&world, SERVER) > 0);
    let mut next = stream(UP, next, 1 << 20);
    deliver(&mut world, &mut next, Duration::from_mins(1));
}

#[test]
fn what_waits_at_the_other_end_is_no_reason_to_end_anything_here() {
    let path = Path {
        rate: Some(12.5e6),
        ..Path::default()
    };
    let mut world = carried::with_limits(10, path, small(), small());
    let asking = names(&mut world);
    let mut streams = Vec::new();
    // The client has room for some more, the server has not.
    for way in [DOWN; 54].into_iter().chain([UP; UNREAD]) {
        let names = names(&mut world);
        streams.push(stream(way, names, EACH));
    }
    write(&mut world, &mut streams, Duration::from_secs(15));
    assert!(world.ends[CLIENT].is_carrier_full(PEER));
    // Somebody asks, and gets no answer.
    let mut asking = stream(UP, asking, 20);
    for second in 1..=20 {
        asking.length = second;
        asking.finished = true;
        asking.write(&mut world);
        write(&mut world, &mut streams, Duration::from_secs(1));
    }
    assert!(world.ends[CLIENT].is_carrier_full(PEER));
    assert_eq!(ended(&world, CLIENT), 0);
}

#[test]
fn a_flow_that_sent_much_long_ago_asks_as_any_other() {
    for (seed, way) in [(11, DOWN), (12, UP)] {
        let path = Path {
            rate: Some(12.5e6),
            ..Path::default()
        };
        let mut world = carried::with_limits(seed, path, small(), small());
        let pushing = names(&mut world);
        let mut pushing = stream(way, pushing, 200_000);
        // It is never told that this was all.
        pushing.finished = true;
        deliver(&mut world, &mut pushing, Duration::from_secs(5));
        world.pass(Duration::from_secs(15));
        let unread = (0..UNREAD).map(|_| names(&mut world)).collect::<Vec<_>>();
        let mut unread: Vec<Stream> = (unread.into_iter())
            .map(|names| stream(way, names, EACH))
            .collect();
        write(&mut world, &mut unread, Duration::from_secs(4));
        assert!(world.ends[CLIENT].is_carrier_full(PEER));
        pushing.length += 1000;
        deliver(&mut world, &mut pushing, Duration::from_secs(2));
        assert_eq!(ended(&world, way.1), 0);
    }
}

#[test]
fn a_stream_of_which_nothing_was_read_brings_less_than_a_window() {
    for (seed, way) in [(8, DOWN), (9, UP)] {
        let mut world = carried::with_limits(seed, Path::default(), small(), small());
        let names = names(&mut world);
        let mut streams = [stream(way, names, 8 << 20)];
        write(&mut world, &mut streams, Duration::from_secs(5));
        let sent = streams[0].sent;
        // Two fifths of 2.5 MiB.
        assert!((1 << 20..5 << 18).contains(&sent), "{sent} bytes");
        finish(&mut world, &mut streams);
    }
}
