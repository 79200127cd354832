//! A peer that is gone without a word loses its flows; one that is idle does not.

mod simulation;
mod wire;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use awg_netstack::{Closure, Event, Limits};
use simulation::{CLIENT, PEER, Path, SERVER, World};

const MINUTE: Duration = Duration::from_mins(1);

/// Whether an end was told that flows ended since their peer is gone, and how many did so otherwise.
fn ends(world: &mut World, end: usize) -> (usize, usize) {
    let mut ended = (0, 0);
    while let Some(event) = world.ends[end].poll_event() {
        match event {
            Event::Closed {
                how: Closure::PeerGone,
                ..
            } => ended.0 += 1,
            Event::Closed { .. } => ended.1 += 1,
            _ => {}
        }
    }
    ended
}

#[test]
fn a_silent_peer_loses_its_connections_after_fifteen_minutes() {
    for to in ["192.0.2.1:80", "[2001:db8::1]:80"] {
        let mut world = World::new(1, Path::default());
        world.open(to);
        world.cut = true;
        world.pass(14 * MINUTE);
        assert_eq!(ends(&mut world, CLIENT), (0, 0));
        world.pass(2 * MINUTE);
        for end in [CLIENT, SERVER] {
            assert_eq!(ends(&mut world, end), (1, 0));
            assert_eq!(world.ends[end].next_timeout(), None);
        }
    }
}

#[test]
fn a_peer_that_is_heard_of_keeps_its_idle_connections() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open("192.0.2.1:80");
    // Keepalives of the tunnel: the stack sees nothing of them.
    for _ in 0..10 {
        world.pass(10 * MINUTE);
        world.heard = [world.now; 2];
    }
    for end in [CLIENT, SERVER] {
        assert_eq!(ends(&mut world, end), (0, 0));
    }
    world.ends[CLIENT].send(client, &mut |free| {
        free[0] = 7;
        1
    });
    world.pass(MINUTE);
    assert_eq!(world.ends[SERVER].receivable(server), 1);
    // They stop, and so does all else.
    world.cut = true;
    world.pass(16 * MINUTE);
    assert_eq!(ends(&mut world, CLIENT), (1, 0));
    assert_eq!(ends(&mut world, SERVER), (1, 0));
}

#[test]
fn a_stream_towards_a_peer_that_is_gone_ends() {
    let mut world = World::new(1, Path::default());
    let target: SocketAddr = "192.0.2.1:9".parse().expect("a socket address");
    let flow = world.ends[CLIENT]
        .open_datagrams(world.now, PEER, None, target.ip())
        .expect("room for a flow");
    world.ends[CLIENT]
        .send_datagram(world.now, flow, target, b"send me all you have")
        .expect("room in the queue");
    world.pass(MINUTE);
    let Some(Event::Incoming { flow, .. }) = world.ends[SERVER].poll_event() else {
        panic!("no flow");
    };
    world.cut = true;
    let began = world.now;
    // The target goes on and on, so that the flow is never idle.
    while world.ends[SERVER]
        .send_datagram(world.now, flow, target, b"more")
        .is_ok()
    {
        world.pass(Duration::from_secs(10));
        assert!(world.now < began + 20 * MINUTE, "it goes on for ever");
    }
    assert!(world.now >= began + 13 * MINUTE);
    assert_eq!(ends(&mut world, SERVER), (1, 0));
}

#[test]
fn who_was_heard_of_is_asked_seldom() {
    let mut world = World::new(1, Path::default());
    world.open("192.0.2.1:80");
    let mut asked = 0;
    let start = world.now;
    let mut now = start;
    while let Some(next) = world.ends[SERVER].next_timeout()
        && next < start + 600 * MINUTE
    {
        now = now.max(next);
        world.ends[SERVER].handle_timeout(now, |_| {
            asked += 1;
            // A keepalive every 25 seconds.
            let last = (now - start).as_secs() / 25 * 25;
            Some(start + Duration::from_secs(last))
        });
    }
    assert!((35..60).contains(&asked), "{asked} times in ten hours");
}

#[test]
fn flows_of_other_peers_stay() {
    let mut world = World::new(1, Path::default());
    world.open("192.0.2.1:80");
    let other = awg_netstack::Peer(8);
    let target: SocketAddr = "10.0.0.9:9".parse().expect("a socket address");
    let flow = world.ends[SERVER]
        .open_datagrams(world.now, other, None, target.ip())
        .expect("room for a flow");
    let stack = &mut world.ends[SERVER];
    let mut now: Instant = world.now;
    let end = now + Limits::default().silent_peer + MINUTE;
    while now < end {
        now += Duration::from_secs(30);
        stack
            .send_datagram(now, flow, target, b"")
            .expect("it lives");
        stack.handle_timeout(now, |peer| (peer == other).then_some(now));
        // Nothing leaves: the queue is bounded, and emptied here.
        stack.poll_transmit(now, &mut wire::Packets::default());
    }
    assert_eq!(ends(&mut world, SERVER), (1, 0));
}
