//! What a carrier sends into a silence: a question or two at a time, and no volley.

mod carried;
mod simulation;
mod wire;

use std::time::Duration;

use carried::{open, set_up};
use simulation::{CLIENT, PEER, Path, SERVER, World, send_all};

use awg_netstack::Event;

/// What a timer makes an end send: two probes (RFC 9002 section 6.2.4), and an acknowledgement.
const PROBES: u64 = 3;

/// Cuts the link for ten seconds; the most packets to an end at one time, and all of them.
fn into_the_void(world: &mut World, to: usize) -> (u64, u64) {
    world.cut = true;
    let until = world.now + Duration::from_secs(10);
    let (before, mut most) = (world.carried[to], 0);
    loop {
        let sent = world.carried[to];
        let more = world.step(until);
        most = most.max(world.carried[to] - sent);
        if !more {
            return (most, world.carried[to] - before);
        }
    }
}

#[test]
fn a_handshake_that_is_not_answered_is_asked_for_by_single_packets() {
    for delay in [0, 5, 100].map(Duration::from_millis) {
        let mut world = World::new(
            1,
            Path {
                delay,
                ..Path::default()
            },
        );
        set_up(&mut world);
        let now = world.now;
        world.ends[CLIENT].carry(now, PEER, Some(carried::at(false)));
        while world.event(CLIENT) != (Event::CarrierUp { peer: PEER }) {}
        // Its last message is on its way; the server's word that it came is lost.
        let (most, all) = into_the_void(&mut world, SERVER);
        assert!(all > 0);
        assert!(most <= PROBES, "{most} packets at once after {delay:?}");
    }
}

#[test]
fn ends_that_are_not_heard_of_are_told_again_by_single_packets() {
    let mut world = carried::carried(2, Path::default());
    let flows: Vec<_> = (0..4).map(|_| open(&mut world)).collect();
    world.pass(Duration::from_secs(1));
    world.cut = true;
    for (number, (client, _)) in flows.into_iter().enumerate() {
        send_all(&mut world, (CLIENT, client), b"?");
        world.flush();
        if number % 2 == 0 {
            world.ends[CLIENT].abort(client);
        }
        world.flush();
    }
    let (most, all) = into_the_void(&mut world, SERVER);
    assert!(all > 0);
    assert!(most <= PROBES, "{most} packets at once");
}
