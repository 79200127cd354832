//! Two stacks with a carrier between them, on the simulated link.

// Each test file compiles this for itself and uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::net::SocketAddr;

use awg_netstack::{CarrierConfig, Closure, Event, FlowId, Limits, Target};

use crate::simulation::{CLIENT, PEER, Path, SERVER, Stream, World};

pub const PORT: u16 = 51_443;

/// Where the server's carrier is.
pub fn at(ipv6: bool) -> SocketAddr {
    let address = if ipv6 { "[fd00::1]" } else { "10.0.0.1" };
    format!("{address}:{PORT}").parse().expect("an address")
}

/// A target by address.
pub fn address(text: &str) -> Target {
    Target::Address(text.parse().expect("an address"))
}

/// A target by name.
pub fn name(text: &str, port: u16) -> Target {
    let name = text.into();
    Target::Name { name, port }
}

/// Gives both ends of `world` carriers; the server's is the same after a restart.
pub fn set_up(world: &mut World) {
    for end in [CLIENT, SERVER] {
        world.ends[end].set_carrier(CarrierConfig {
            listen: (end == SERVER).then_some(PORT),
            reset_key: [end as u8 + 1; 32],
        });
    }
}

/// A world with a carrier that is up.
pub fn carried(seed: u64, path: Path) -> World {
    with_limits(seed, path, Limits::default(), Limits::default())
}

pub fn with_limits(seed: u64, path: Path, client: Limits, server: Limits) -> World {
    let mut world = World::with_limits(seed, path, client, server);
    set_up(&mut world);
    bring_up(&mut world, at(false));
    world
}

/// Brings the client's carrier up.
pub fn bring_up(world: &mut World, at: SocketAddr) {
    let now = world.now;
    world.ends[CLIENT].carry(now, PEER, Some(at));
    while world.event(CLIENT) != (Event::CarrierUp { peer: PEER }) {}
    assert!(world.ends[CLIENT].is_carried(PEER));
}

/// Asks for a target; the client's name of the flow.
pub fn ask(world: &mut World, target: &Target, early: &[u8]) -> FlowId {
    let now = world.now;
    let flow = world.ends[CLIENT]
        .open_stream(now, PEER, target, early)
        .expect("a carrier and room");
    assert!(flow.is_carried());
    flow
}

/// Waits until the server is asked for something.
pub fn requested(world: &mut World) -> (FlowId, Target) {
    loop {
        if let Event::Requested { flow, target, .. } = world.event(SERVER) {
            assert!(flow.is_carried());
            return (flow, target);
        }
    }
}

/// An established flow: the client's name of it, and the server's.
pub fn open(world: &mut World) -> (FlowId, FlowId) {
    let client = ask(world, &address("192.0.2.1:80"), b"");
    let (server, _) = requested(world);
    let now = world.now;
    world.ends[SERVER].accept(now, server).expect("it waits");
    until(world, CLIENT, &Event::Established { flow: client });
    until(world, SERVER, &Event::Established { flow: server });
    (client, server)
}

/// Waits for an event of an end.
pub fn until(world: &mut World, end: usize, wanted: &Event) {
    while world.event(end) != *wanted {}
}

/// Moves streams until all are done, and takes the ends of their flows.
pub fn finish(world: &mut World, streams: &mut [Stream]) {
    let hour = world.now + std::time::Duration::from_hours(1);
    loop {
        for stream in &mut *streams {
            stream.work(world);
        }
        for end in [CLIENT, SERVER] {
            while let Some(event) = world.ends[end].poll_event() {
                assert!(
                    !matches!(event, Event::Closed { how, .. } if how != Closure::Orderly),
                    "{event:?}"
                );
            }
        }
        let done = |stream: &Stream| stream.received == stream.length && stream.finished;
        if streams.iter().all(done) {
            return;
        }
        assert!(world.step(hour), "it stands still");
    }
}
