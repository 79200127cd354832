//! Whole transfers between two stacks: every byte arrives once and in order, whatever the link does to packets.

mod simulation;
mod wire;

use std::time::Duration;

use awg_netstack::{Closure, Event};
use simulation::{CLIENT, Path, SERVER, Stream, World};

/// Moves streams until both ends were told that the flow is over; how long that took.
fn run(world: &mut World, streams: &mut [Stream]) -> Duration {
    let began = world.now;
    let until = world.now + Duration::from_hours(1);
    let mut closed = [0; 2];
    let flows = streams.len().div_ceil(2);
    while closed != [flows; 2] {
        for end in [CLIENT, SERVER] {
            while let Some(event) = world.ends[end].poll_event() {
                if let Event::Closed { how, .. } = event {
                    assert_eq!(how, Closure::Orderly);
                    closed[end] += 1;
                }
            }
        }
        for stream in streams.iter_mut() {
            stream.work(world);
        }
        if closed == [flows; 2] {
            break;
        }
        assert!(world.step(until), "stuck");
    }
    for stream in streams {
        assert_eq!(
            (stream.sent, stream.received),
            (stream.length, stream.length)
        );
    }
    world.now - began
}

fn exchange(world: &mut World, to: &str, up: usize, down: usize) -> Duration {
    let (client, server) = world.open(to);
    let mut streams = [
        Stream::new((CLIENT, client), (SERVER, server), up),
        Stream::new((SERVER, server), (CLIENT, client), down),
    ];
    run(world, &mut streams)
}

#[test]
fn a_clean_link_carries_both_ways() {
    for to in ["192.0.2.1:80", "[2001:db8::1]:80"] {
        let mut world = World::new(1, Path::default());
        exchange(&mut world, to, 3_000_000, 5_000_000);
        assert_eq!(world.longest, usize::from(simulation::MTU));
        assert_eq!(world.ends[0].counters().tcp.retransmission_timeouts, 0);
        assert_eq!(world.ends[1].counters().tcp.fast_retransmits, 0);
    }
}

#[test]
fn a_bad_link_carries_both_ways() {
    for seed in 0..8 {
        let path = Path {
            jitter: Duration::from_millis(8),
            lost: 20,
            doubled: 20,
            damaged: 10,
            ..Path::default()
        };
        let mut world = World::new(seed, path);
        let to = if seed % 2 == 0 {
            "192.0.2.1:80"
        } else {
            "[2001:db8::1]:80"
        };
        exchange(&mut world, to, 400_000, 600_000);
    }
}

#[test]
fn a_terrible_link_carries_in_the_end() {
    for seed in 0..4 {
        let path = Path {
            jitter: Duration::from_millis(30),
            lost: 120,
            doubled: 100,
            damaged: 50,
            ..Path::default()
        };
        let mut world = World::new(seed, path);
        exchange(&mut world, "192.0.2.1:80", 40_000, 60_000);
    }
}
