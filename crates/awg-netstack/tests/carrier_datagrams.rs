//! UDP flows on the carrier.

mod carried;
mod simulation;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use awg_netstack::{Closure, DatagramDrop, Event, FlowId, Kind, Limits};
use carried::until;
use simulation::{CLIENT, PEER, Path, SERVER, World, pattern};

type Taken = (FlowId, SocketAddr, SocketAddr, Vec<u8>);

/// Waits for a datagram.
fn datagram(world: &mut World, end: usize) -> Taken {
    let hour = world.now + Duration::from_hours(1);
    loop {
        if let Some(datagram) = world.ends[end].poll_datagram() {
            let payload = datagram.payload.to_vec();
            return (
                datagram.flow,
                datagram.source,
                datagram.destination,
                payload,
            );
        }
        assert!(world.step(hour), "no datagram");
    }
}

fn remote(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn open(world: &mut World) -> FlowId {
    let now = world.now;
    world.ends[CLIENT]
        .open_carried_datagrams(now, PEER)
        .expect("a carrier and room")
}

fn send(world: &mut World, end: usize, flow: FlowId, to: &str, payload: &[u8]) {
    let now = world.now;
    world.ends[end]
        .send_datagram(now, flow, remote(to), payload)
        .expect("room");
}

#[test]
fn datagrams_of_every_size_go_to_any_address_and_back() {
    let mut world = carried::carried(1, Path::default());
    let flow = open(&mut world);
    assert!(flow.is_carried() && flow.kind() == Kind::Udp);
    let mut theirs = None;
    for (length, to) in [
        (0, "192.0.2.1:53"),
        (1, "[2001:db8::1]:9"),
        (1_300, "192.0.2.2:9"),
        (1_380, "192.0.2.2:9"),
        (9_000, "[2001:db8::1]:9"),
        (65_507, "192.0.2.1:53"),
    ] {
        let payload: Vec<u8> = (0..length).map(pattern).collect();
        send(&mut world, CLIENT, flow, to, &payload);
        let (incoming, source, destination, heard) = datagram(&mut world, SERVER);
        assert_eq!((destination, &heard), (remote(to), &payload));
        if theirs.is_none() {
            let event = world.event(SERVER);
            let expected = Event::Incoming {
                flow: incoming,
                peer: PEER,
                kind: Kind::Udp,
                source,
                destination,
            };
            assert_eq!(event, expected);
        }
        assert_eq!(*theirs.get_or_insert(incoming), incoming);
        send(&mut world, SERVER, incoming, to, &payload);
        let (ours, source, _, heard) = datagram(&mut world, CLIENT);
        assert_eq!((ours, source, &heard), (flow, remote(to), &payload));
    }
    let counters = world.ends[CLIENT].counters().carrier;
    assert_eq!(
        (counters.datagrams_sent, counters.datagrams_by_stream),
        (6, 3)
    );
    let now = world.now;
    let too_large =
        world.ends[CLIENT].send_datagram(now, flow, remote("192.0.2.1:9"), &vec![0; 65_508]);
    assert_eq!(too_large, Err(DatagramDrop::TooLarge));
    world.ends[CLIENT].close_datagrams(flow);
    let how = Closure::Orderly;
    until(&mut world, CLIENT, &Event::Closed { flow, how });
    let flow = theirs.expect("a flow");
    until(&mut world, SERVER, &Event::Closed { flow, how });
    assert_eq!(world.ends[SERVER].counters().carrier.flows, 0);
}

/// Sends a datagram to the server; the server's name of its flow.
fn ask(world: &mut World, flow: FlowId, to: &str) -> FlowId {
    send(world, CLIENT, flow, to, to.as_bytes());
    let (theirs, _, destination, payload) = datagram(world, SERVER);
    assert_eq!((destination, &payload[..]), (remote(to), to.as_bytes()));
    theirs
}

/// Answers on a flow of the server's as from `from`; whom the client hears.
fn answer(world: &mut World, theirs: FlowId, from: &str) -> SocketAddr {
    send(world, SERVER, theirs, from, b"answer");
    let (_, source, _, payload) = datagram(world, CLIENT);
    assert_eq!(payload, b"answer");
    source
}

#[test]
fn what_goes_to_the_servers_own_addresses_is_apart_from_what_goes_to_the_world() {
    const DNS: &str = "10.0.0.1:53";
    const OTHER: &str = "[fd00::1]:53";
    const WORLD: &str = "192.0.2.1:53";
    for (seed, order) in [
        (11, [DNS, WORLD, OTHER]),
        (12, [WORLD, DNS, OTHER]),
        (13, [DNS, OTHER, WORLD]),
    ] {
        let mut world = carried::carried(seed, Path::default());
        let flow = open(&mut world);
        let theirs = order.map(|to| ask(&mut world, flow, to));
        for (to, flow) in order.iter().zip(theirs) {
            let event = world.ends[SERVER].poll_event();
            let Some(Event::Incoming {
                flow: named,
                destination,
                ..
            }) = event
            else {
                panic!("it is not told of: {event:?}");
            };
            assert_eq!((named, destination), (flow, remote(to)));
        }
        assert_eq!(std::collections::HashSet::from(theirs).len(), 3);
        for (to, theirs) in order.into_iter().zip(theirs) {
            assert_eq!(ask(&mut world, flow, to), theirs, "the same again");
            // A service answers as the address that was asked, whatever it says.
            let claimed = if to == WORLD { WORLD } else { "192.0.2.9:9" };
            assert_eq!(answer(&mut world, theirs, claimed), remote(to));
        }
        assert_eq!(ask(&mut world, flow, "[2001:db8::1]:9"), {
            let at = order.iter().position(|to| *to == WORLD).expect("it is one");
            theirs[at]
        });
        // One that is ended leaves the others, and is another one when it is asked for again.
        let now = world.now;
        world.ends[SERVER].close_datagrams(theirs[0]);
        let again = ask(&mut world, flow, order[0]);
        assert!(!theirs.contains(&again));
        assert_eq!(ask(&mut world, flow, order[1]), theirs[1]);
        let closed = world.ends[SERVER].send_datagram(now, theirs[0], remote(order[0]), b"late");
        assert_eq!(closed, Err(DatagramDrop::NoFlow));
        for flow in [again, theirs[1], theirs[2]] {
            world.ends[SERVER].close_datagrams(flow);
        }
        let how = Closure::Orderly;
        until(&mut world, CLIENT, &Event::Closed { flow, how });
        world.pass(Duration::from_secs(1));
        while world.ends[SERVER].poll_event().is_some() {}
        assert_eq!(world.ends[SERVER].counters().carrier.flows, 0);
    }
}

#[test]
fn large_datagrams_of_one_source_to_several_addresses_stay_whole() {
    let path = Path {
        lost: 30,
        ..Path::default()
    };
    let mut world = carried::carried(14, path);
    let flow = open(&mut world);
    let theirs = ["10.0.0.1:53", "192.0.2.1:9"].map(|to| (to, ask(&mut world, flow, to)));
    let payload: Vec<u8> = (0..20_000).map(pattern).collect();
    for _ in 0..20 {
        for (to, theirs) in theirs {
            send(&mut world, SERVER, theirs, to, &payload);
        }
    }
    for _ in 0..40 {
        assert_eq!(datagram(&mut world, CLIENT).3, payload);
    }
}

#[test]
fn addresses_of_the_server_are_flows_that_its_bounds_count() {
    let few = Limits {
        flows_per_peer: 3,
        ..Limits::default()
    };
    let mut world = carried::with_limits(15, Path::default(), Limits::default(), few);
    let flow = open(&mut world);
    let theirs = [1, 2, 3].map(|port| ask(&mut world, flow, &format!("10.0.0.1:{port}")));
    send(&mut world, CLIENT, flow, "10.0.0.1:4", b"one too many");
    assert_eq!(ask(&mut world, flow, "10.0.0.1:2"), theirs[1]);
    let counters = world.ends[SERVER].counters().carrier;
    assert_eq!((counters.flows_full, counters.half_open), (1, 0));
    // The end of their stream is the end of each.
    world.ends[CLIENT].close_datagrams(flow);
    let how = Closure::Orderly;
    for flow in theirs {
        until(&mut world, SERVER, &Event::Closed { flow, how });
    }
    assert_eq!(world.ends[SERVER].counters().carrier.flows, 0);
}

#[test]
fn flows_side_by_side_are_kept_apart_though_packets_are_lost_and_overtake() {
    let path = Path {
        jitter: Duration::from_millis(8),
        lost: 100,
        ..Path::default()
    };
    let mut world = carried::carried(2, path);
    let flows: Vec<_> = (0..20).map(|_| open(&mut world)).collect();
    for round in 0..50 {
        for (number, flow) in (0u8..).zip(&flows) {
            send(&mut world, CLIENT, *flow, "192.0.2.1:9", &[number, round]);
        }
        world.pass(Duration::from_millis(2));
    }
    world.pass(Duration::from_secs(2));
    let mut heard = std::collections::HashMap::new();
    while let Some(datagram) = world.ends[SERVER].poll_datagram() {
        let number = datagram.payload[0];
        assert_eq!(*heard.entry(datagram.flow).or_insert(number), number);
    }
    assert_eq!(heard.len(), 20, "each has a flow of its own");
    let taken = world.ends[SERVER].counters().carrier.datagrams_received;
    assert!((800..=1_000).contains(&taken), "{taken} of 1,000");
}

#[test]
fn an_idle_flow_ends_at_both_ends() {
    let mut world = carried::carried(3, Path::default());
    let flow = open(&mut world);
    send(&mut world, CLIENT, flow, "192.0.2.1:53", b"question");
    let (theirs, ..) = datagram(&mut world, SERVER);
    let start = world.now;
    let how = Closure::Expired;
    until(&mut world, CLIENT, &Event::Closed { flow, how });
    until(&mut world, SERVER, &Event::Closed { flow: theirs, how });
    let took = world.now - start;
    assert!(
        took >= Duration::from_secs(29) && took < Duration::from_secs(32),
        "{took:?}"
    );
}
