//! UDP flows on the carrier.

mod carried;
mod simulation;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use awg_netstack::{Closure, DatagramDrop, Event, FlowId, Kind};
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
