//! The bounds of the TCP tables, each with its counter, and what a packet costs beside many idle flows.

mod simulation;
mod wire;

use std::collections::HashSet;
use std::time::Duration;

use awg_netstack::{Closure, ConnectError, Event, Limits, Refusal, TcpCounters};
use simulation::{CLIENT, PEER, Path, SERVER, World, send_all, take_all};

const TARGET: &str = "192.0.2.1:80";

fn limited(client: Limits, server: Limits) -> World {
    World::with_limits(1, Path::default(), client, server)
}

fn connect(world: &mut World) -> Result<awg_netstack::FlowId, ConnectError> {
    let to = TARGET.parse().expect("an address");
    world.ends[CLIENT].connect(world.now, PEER, None, to)
}

fn tcp(world: &World, end: usize) -> TcpCounters {
    world.ends[end].counters().tcp
}

#[test]
fn five_thousand_connections_a_second_to_one_target_do_not_run_out() {
    let mut world = World::new(
        1,
        Path {
            delay: Duration::from_micros(100),
            ..Path::default()
        },
    );
    let mut opened = 0;
    // A tenth of the minute's connections at once, every tenth of a second: their ports rest meanwhile.
    for _ in 0..600 {
        let tick = world.now + Duration::from_millis(100);
        for _ in 0..500 {
            connect(&mut world).expect("a port");
            opened += 1;
        }
        loop {
            for end in [CLIENT, SERVER] {
                while let Some(event) = world.ends[end].poll_event() {
                    let stack = &mut world.ends[end];
                    match event {
                        Event::Incoming { flow, .. } => {
                            stack.accept(world.now, flow).expect("it waits");
                        }
                        // The client is the one that finishes first, and whose ports have to rest.
                        Event::Established { flow } if end == CLIENT => stack.shutdown(flow),
                        Event::Finished { flow } if end == SERVER => stack.shutdown(flow),
                        Event::Closed { how, .. } => assert_eq!(how, Closure::Orderly),
                        _ => {}
                    }
                }
            }
            if !world.step(tick) {
                break;
            }
        }
    }
    assert_eq!(opened, 300_000);
    for end in [CLIENT, SERVER] {
        let counters = tcp(&world, end);
        assert_eq!(counters.flows, 0);
        assert_eq!(
            (counters.stray, counters.time_wait_full, counters.flows_full),
            (0, 0, 0)
        );
    }
    assert!(tcp(&world, CLIENT).time_wait > 30_000);
}

#[test]
fn ports_are_spread_and_never_shared() {
    let server = Limits {
        half_open_per_peer: 2000,
        ..Limits::default()
    };
    let mut world = limited(Limits::default(), server);
    for _ in 0..2000 {
        connect(&mut world).expect("a port");
    }
    world.pass(Duration::from_millis(100));
    let ports: Vec<u16> = std::iter::from_fn(|| world.ends[SERVER].poll_event())
        .filter_map(|event| match event {
            Event::Incoming { source, .. } => Some(source.port()),
            _ => None,
        })
        .collect();
    let distinct: HashSet<u16> = ports.iter().copied().collect();
    assert_eq!(distinct.len(), 2000);
    assert!(ports.iter().all(|port| *port >= 1024));
    // Random, not counted up: neighbours in time are far apart.
    let near = ports
        .windows(2)
        .filter(|pair| pair[0].abs_diff(pair[1]) < 16)
        .count();
    assert!(near < 20, "{near}");
}

#[test]
fn ports_that_rest_are_not_used_and_come_back() {
    let limits = Limits {
        time_wait: Duration::from_secs(8),
        ..Limits::default()
    };
    let mut world = limited(limits.clone(), limits);
    let (client, server) = world.open(TARGET);
    world.ends[CLIENT].shutdown(client);
    world.pass(Duration::from_secs(1));
    world.ends[SERVER].shutdown(server);
    world.pass(Duration::from_secs(1));
    assert_eq!(tcp(&world, CLIENT).time_wait, 1);
    world.pass(Duration::from_secs(9));
    // A later flow finds that it has expired.
    world.open(TARGET);
    let (client, _) = world.open(TARGET);
    world.ends[CLIENT].abort(client);
    world.pass(Duration::from_secs(1));
    assert_eq!(
        tcp(&world, CLIENT).time_wait,
        1,
        "the one that was just reset, not the first"
    );
}

#[test]
fn all_ports_taken_is_an_error_and_not_a_search_for_ever() {
    let limits = Limits {
        flows: 100_000,
        flows_per_peer: 100_000,
        ..Limits::default()
    };
    let mut world = limited(limits, Limits::default());
    world.cut = true;
    let mut flows = Vec::new();
    let error = loop {
        match connect(&mut world) {
            Ok(flow) => flows.push(flow),
            Err(error) => break error,
        }
        assert!(flows.len() <= 70_000, "more flows than ports");
    };
    assert!(matches!(error, ConnectError::NoPort), "{error}");
    assert_eq!(flows.len(), 64_512);
    let elsewhere = "192.0.2.2:80".parse().expect("an address");
    assert!(
        world.ends[CLIENT]
            .connect(world.now, PEER, None, elsewhere)
            .is_ok()
    );
}

#[test]
fn flows_have_a_bound_each_way() {
    let few = Limits {
        flows_per_peer: 3,
        ..Limits::default()
    };
    let mut world = limited(few.clone(), Limits::default());
    for _ in 0..3 {
        connect(&mut world).expect("room");
    }
    assert!(matches!(
        connect(&mut world),
        Err(ConnectError::TooManyFlows)
    ));
    assert_eq!(tcp(&world, CLIENT).flows_full, 1);

    let mut world = limited(Limits::default(), few);
    for _ in 0..3 {
        world.open(TARGET);
    }
    let flow = connect(&mut world).expect("room");
    assert_eq!(
        world.event(CLIENT),
        Event::Refused {
            flow,
            why: Refusal::TimedOut
        }
    );
    let counters = tcp(&world, SERVER);
    assert_eq!(counters.flows, 3);
    // Each of its SYNs was turned away.
    assert!(counters.flows_full >= 4, "{}", counters.flows_full);
}

#[test]
fn held_syns_have_a_bound() {
    for limits in [
        Limits {
            half_open: 5,
            ..Limits::default()
        },
        Limits {
            half_open_per_peer: 5,
            ..Limits::default()
        },
    ] {
        let mut world = limited(Limits::default(), limits);
        for _ in 0..20 {
            connect(&mut world).expect("room");
        }
        world.pass(Duration::from_millis(100));
        let counters = tcp(&world, SERVER);
        assert_eq!((counters.half_open, counters.flows), (5, 5));
        assert_eq!(counters.half_open_full, 15);
        let held = std::iter::from_fn(|| world.ends[SERVER].poll_event()).count();
        assert_eq!(held, 5);
    }
}

#[test]
fn answers_to_strays_have_a_bound() {
    let limits = Limits {
        errors_per_second: 10,
        ..Limits::default()
    };
    let mut world = limited(Limits::default(), limits);
    let (client, _) = world.open(TARGET);
    send_all(&mut world, (CLIENT, client), b"x");
    world.flush();
    let packet = world.last_sent[CLIENT].clone();
    world.ends[SERVER].forget_peer(world.now, PEER);
    for _ in 0..100 {
        world.ends[SERVER].handle_packet(world.now, PEER, &mut packet.clone());
    }
    let counters = tcp(&world, SERVER);
    assert_eq!(counters.stray, 100);
    assert!(counters.resets_sent <= 10, "{}", counters.resets_sent);
    assert_eq!(counters.resets_sent + counters.answers_suppressed, 100);
}

#[test]
fn ended_flows_are_remembered_up_to_a_bound() {
    let limits = Limits {
        time_wait_flows: 4,
        ..Limits::default()
    };
    let mut world = limited(limits, Limits::default());
    for _ in 0..6 {
        let (client, _) = world.open(TARGET);
        world.ends[CLIENT].abort(client);
        world.pass(Duration::from_millis(100));
    }
    let counters = tcp(&world, CLIENT);
    assert_eq!((counters.time_wait, counters.time_wait_full), (4, 2));
}

/// What sending one segment each way on one flow costs beside `idle` others.
fn work(idle: usize) -> (u64, u64, u64) {
    let mut world = World::new(1, Path::default());
    for _ in 0..idle {
        let (client, server) = world.open(TARGET);
        send_all(&mut world, (CLIENT, client), b"once");
        world.pass(Duration::from_millis(20));
        take_all(&mut world, (SERVER, server));
    }
    let (client, server) = world.open(TARGET);
    // Whatever the others still had to do is done.
    world.pass(Duration::from_mins(1));
    while world.ends[CLIENT].poll_event().is_some() || world.ends[SERVER].poll_event().is_some() {}
    let before = [tcp(&world, CLIENT), tcp(&world, SERVER)];
    let carried = world.carried;
    for _ in 0..100 {
        send_all(&mut world, (CLIENT, client), b"a question");
        world.pass(Duration::from_millis(15));
        take_all(&mut world, (SERVER, server));
        send_all(&mut world, (SERVER, server), b"an answer");
        world.pass(Duration::from_millis(15));
        take_all(&mut world, (CLIENT, client));
    }
    let after = [tcp(&world, CLIENT), tcp(&world, SERVER)];
    let grown = |of: fn(&TcpCounters) -> u64| {
        before
            .iter()
            .zip(&after)
            .map(|(before, after)| of(after) - of(before))
            .sum()
    };
    let packets = world.carried[0] + world.carried[1] - carried[0] - carried[1];
    (
        grown(|tcp| tcp.flow_polls),
        grown(|tcp| tcp.timer_polls),
        packets,
    )
}

#[test]
fn a_packet_costs_the_same_beside_two_thousand_idle_flows() {
    let alone = work(1);
    assert!(alone.0 > 0 && alone.2 >= 200, "{alone:?}");
    assert_eq!(work(2000), alone);
}

#[test]
fn an_idle_flow_gives_its_memory_back() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGET);
    let mut down = simulation::Stream::new((SERVER, server), (CLIENT, client), 3_000_000);
    // Not finished: the flow stays.
    down.finished = true;
    let until = world.now + Duration::from_mins(1);
    let mut most = [0; 2];
    while down.received < down.length {
        down.work(&mut world);
        assert!(world.step(until), "stuck");
        for end in [CLIENT, SERVER] {
            most[end] = most[end].max(tcp(&world, end).buffer_bytes);
        }
    }
    assert!(most[CLIENT] > 100_000 && most[SERVER] > 100_000, "{most:?}");
    world.pass(Duration::from_secs(5));
    for end in [CLIENT, SERVER] {
        let counters = tcp(&world, end);
        assert_eq!((counters.flows, counters.buffer_bytes), (1, 0));
        assert!(counters.memory_returned > 0);
    }
    // Once their old timers have passed, nothing is left to do for it but to ask now and then whether its other end is
    // there.
    world.pass(Duration::from_mins(1));
    for end in &world.ends {
        assert!(
            end.next_timeout()
                .is_some_and(|at| at > world.now + Duration::from_mins(3))
        );
    }
    // And it still works.
    send_all(&mut world, (SERVER, server), b"after all");
    world.pass(Duration::from_secs(1));
    assert_eq!(take_all(&mut world, (CLIENT, client)), b"after all");
}

#[test]
fn a_peer_that_tells_of_many_path_sizes_takes_none_from_other_flows() {
    let mut world = limited(Limits::default(), Limits::default());
    for mtu in (700..1300_u16).step_by(20) {
        let (_, server) = world.open(TARGET);
        send_all(&mut world, (SERVER, server), &[7; 10_000]);
        world.flush();
        let about = world.last_sent[SERVER].clone();
        let [high, low] = mtu.to_be_bytes();
        world.report(SERVER, [3, 4], [0, 0, high, low], &about);
        world.pass(Duration::from_secs(1));
        world.longest = 0;
        send_all(&mut world, (SERVER, server), &[7; 10_000]);
        world.pass(Duration::from_secs(1));
        assert_eq!(world.longest, usize::from(mtu));
    }
    assert_eq!(tcp(&world, SERVER).mtu_lowered, 30);
}
