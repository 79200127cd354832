//! What carriers do when there is too much: streams, bytes that nobody takes, flows for the tables.

mod carried;
mod simulation;
mod wire;

use std::collections::HashSet;
use std::time::Duration;

use awg_netstack::{Closure, ConnectError, EARLY, Event, FlowId, Limits, Refusal};
use carried::{address, ask, finish, open, requested, until};
use simulation::{CLIENT, PEER, Path, SERVER, Stream, World, take_all};

/// Writes until there is no room; how much.
fn stuff(world: &mut World, end: usize, flow: FlowId) -> usize {
    let mut sent = 0;
    loop {
        let written = world.ends[end].send(flow, &mut |free| {
            free.fill(7);
            free.len()
        });
        sent += written;
        if written == 0 {
            return sent;
        }
    }
}

/// Writes as much as a stopped reader lets through.
fn stuff_all(world: &mut World, flow: FlowId) -> usize {
    let mut sent = 0;
    for _ in 0..200 {
        sent += stuff(world, CLIENT, flow);
        world.pass(Duration::from_millis(20));
        while world.ends[CLIENT].poll_event().is_some() {}
    }
    sent
}

#[test]
fn a_reader_that_stops_stops_its_sender_and_goes_on_where_it_was() {
    let small = Limits {
        buffer_bytes_per_flow: 256 << 10,
        ..Limits::default()
    };
    let mut world = carried::with_limits(1, Path::default(), small.clone(), small);
    let (client, server) = open(&mut world);
    let sent = stuff_all(&mut world, client);
    assert!(sent < 1 << 20, "{sent} bytes are held");
    assert!(sent >= 256 << 10);
    let mut received = 0;
    let hour = world.now + Duration::from_hours(1);
    while received < sent {
        received += take_all(&mut world, (SERVER, server)).len();
        world.step(hour);
    }
    assert_eq!(received, sent);
    until(&mut world, CLIENT, &Event::Writable { flow: client });
}

#[test]
fn streams_that_nobody_reads_stop_no_other() {
    let small = Limits {
        buffer_bytes_per_flow: 256 << 10,
        ..Limits::default()
    };
    let mut world = carried::with_limits(2, Path::default(), small.clone(), small);
    let stuck: Vec<_> = (0..4).map(|_| open(&mut world)).collect();
    for (client, _) in &stuck {
        stuff_all(&mut world, *client);
    }
    assert!(world.ends[SERVER].counters().carrier.windows_grown > 0);
    let (client, server) = open(&mut world);
    let mut streams = [
        Stream::new((CLIENT, client), (SERVER, server), 4 << 20),
        Stream::new((SERVER, server), (CLIENT, client), 4 << 20),
    ];
    finish(&mut world, &mut streams);
    // Nor does the end of one that is stuck.
    for (client, server) in stuck {
        world.ends[CLIENT].abort(client);
        let how = Closure::Reset;
        until(&mut world, SERVER, &Event::Closed { flow: server, how });
    }
}

#[test]
fn a_full_window_of_small_packets_that_nobody_reads_ends_nothing() {
    const MESSAGES: usize = 5_000;
    let mut world = carried::carried(8, Path::default());
    let (client, server) = open(&mut world);
    for number in 0..MESSAGES {
        world.ends[CLIENT].send(client, &mut |free| {
            free[..100].fill(number as u8);
            100
        });
        world.flush();
    }
    world.pass(Duration::from_secs(2));
    let mut received = Vec::new();
    while received.len() < 100 * MESSAGES {
        let taken = take_all(&mut world, (SERVER, server));
        assert!(!taken.is_empty(), "{} bytes", received.len());
        received.extend(taken);
        world.pass(Duration::from_millis(50));
    }
    let whole = received
        .chunks(100)
        .zip(0..)
        .all(|(part, number): (_, usize)| part.iter().all(|byte| *byte == number as u8));
    assert!(whole && received.len() == 100 * MESSAGES);
}

#[test]
fn thousands_of_connections_at_once() {
    const FLOWS: usize = 3_000;
    let mut world = carried::carried(3, Path::default());
    let mut asked = HashSet::new();
    let mut waiting = Vec::new();
    let hour = world.now + Duration::from_hours(1);
    while waiting.len() < FLOWS {
        // The server lets no more than its share wait for it at a time.
        for _ in 0..500 {
            asked.insert(ask(&mut world, &address("192.0.2.1:80"), b"x"));
        }
        while waiting.len() < asked.len() {
            match world.ends[SERVER].poll_event() {
                Some(Event::Requested { flow, .. }) => {
                    world.ends[SERVER].accept(hour, flow).unwrap();
                    waiting.push(flow);
                }
                Some(_) => {}
                None => assert!(world.step(hour)),
            }
        }
    }
    assert_eq!(world.ends[SERVER].counters().carrier.flows, FLOWS as u64);
    for flow in waiting {
        assert_eq!(take_all(&mut world, (SERVER, flow)), b"x");
        world.ends[SERVER].shutdown(flow);
    }
    for flow in &asked {
        world.ends[CLIENT].shutdown(*flow);
    }
    while !asked.is_empty() {
        if let Event::Closed { flow, how } = world.event(CLIENT) {
            assert_eq!(how, Closure::Orderly);
            asked.remove(&flow);
        }
    }
    world.pass(Duration::from_secs(1));
    while world.ends[SERVER].poll_event().is_some() {}
    assert_eq!(world.ends[SERVER].counters().carrier.flows, 0);
}

#[test]
fn a_full_table_is_told_at_either_end() {
    let few = Limits {
        flows_per_peer: 3,
        ..Limits::default()
    };
    // The server's.
    let mut world = carried::with_limits(4, Path::default(), Limits::default(), few.clone());
    for _ in 0..3 {
        open(&mut world);
    }
    let flow = ask(&mut world, &address("192.0.2.1:80"), b"");
    let why = Refusal::Failed;
    until(&mut world, CLIENT, &Event::Refused { flow, why });
    assert_eq!(world.ends[SERVER].counters().carrier.flows_full, 1);
    // The client's.
    let mut world = carried::with_limits(5, Path::default(), few, Limits::default());
    let flows: Vec<_> = (0..3).map(|_| open(&mut world)).collect();
    let now = world.now;
    let target = address("192.0.2.1:80");
    let refused = world.ends[CLIENT].open_stream(now, PEER, &target, b"");
    assert!(matches!(refused, Err(ConnectError::TooManyFlows)));
    world.ends[CLIENT].abort(flows[0].0);
    let how = Closure::Aborted;
    let flow = flows[0].0;
    until(&mut world, CLIENT, &Event::Closed { flow, how });
    open(&mut world);
}

#[test]
fn who_is_not_answered_in_time_is_told_so() {
    let mut world = carried::carried(6, Path::default());
    let flow = ask(&mut world, &address("192.0.2.1:80"), b"");
    let (server, _) = requested(&mut world);
    let why = Refusal::TimedOut;
    until(&mut world, CLIENT, &Event::Refused { flow, why });
    let how = Closure::Expired;
    until(&mut world, SERVER, &Event::Closed { flow: server, how });
    assert_eq!(world.ends[SERVER].counters().carrier.half_open_expired, 1);
    assert_eq!(world.ends[SERVER].counters().carrier.half_open, 0);
}

#[test]
fn what_cannot_be_asked_for_is_refused_at_once() {
    let mut world = carried::carried(7, Path::default());
    let now = world.now;
    let end = &mut world.ends[CLIENT];
    let target = address("192.0.2.1:80");
    let too_much = end.open_stream(now, PEER, &target, &vec![0; EARLY + 1]);
    assert!(matches!(too_much, Err(ConnectError::TooMuchEarly)));
    let nowhere = end.open_stream(now, PEER, &address("0.0.0.0:80"), b"");
    assert!(matches!(nowhere, Err(ConnectError::Unaddressable)));
    let strange = awg_netstack::Peer(99);
    let not_carried = end.open_stream(now, strange, &target, b"");
    assert!(matches!(not_carried, Err(ConnectError::NotCarried)));
    // Nor by the end that is called.
    let called = world.ends[SERVER].open_stream(now, PEER, &target, b"");
    assert!(matches!(called, Err(ConnectError::NotCarried)));
}
