//! How soon a client is back, in simulated time: after the server restarted, after the network was gone, after its own way there
//! changed; and what it leaves alone.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use super::ends::SECOND;
use super::path::{MILLISECOND, Stream, World, carried, foreign, heard, ours};
use crate::event::Event;
use crate::settings::{EngineSettings, Recovery};

type Client = fn(&mut EngineSettings);

fn reference(settings: &mut EngineSettings) {
    settings.recovery = Recovery::Reference;
}

/// How long a new connection takes from now on.
fn new_connection(world: &mut World, port: u16) -> Duration {
    let application = world.open(port);
    world.until(60 * SECOND, |_| heard(&application, b'+'))
}

#[test]
fn an_idle_client_whose_server_restarted_connects_within_a_second() {
    for (round_trip, idle) in [(1, 30), (20, 30), (100, 30), (1, 60), (100, 60)] {
        for client in [ours, foreign, carried] {
            let mut world = World::new(round_trip * MILLISECOND, client);
            world.connect(80);
            world.run(60 * SECOND);
            world.restart_server();
            // The last one's packet is that with which the client renews its session anyway.
            world.run(idle * SECOND);
            let took = new_connection(&mut world, 81);
            assert!(took <= SECOND, "{took:?} at {round_trip} ms after {idle} s");
            assert_eq!(world.initiations.len(), 2);
        }
    }
}

#[test]
fn where_recovery_is_the_references_the_client_waits_fifteen_seconds() {
    let mut world = World::with(20 * MILLISECOND, [reference, reference]);
    world.run(30 * SECOND);
    world.restart_server();
    let opened = world.now();
    let _application = world.open(80);
    world.run(16 * SECOND);
    let waited = world.initiations[1] - opened;
    assert!(waited >= 15 * SECOND, "{waited:?}");
    assert_eq!(world.initiations.len(), 2);
}

#[test]
fn an_initiation_that_was_lost_while_the_server_was_down_costs_six_seconds_at_most() {
    for client in [ours, foreign, carried] {
        let mut world = World::new(100 * MILLISECOND, client);
        world.run(60 * SECOND);
        world.cut = true;
        let application = world.open(80);
        world.run(SECOND);
        assert_eq!(world.initiations.len(), 2, "one is lost");
        world.restart_server();
        world.cut = false;
        let took = world.until(60 * SECOND, |_| heard(&application, b'+'));
        assert!(took <= 6 * SECOND, "{took:?}");
    }
}

#[test]
fn after_an_outage_new_connections_and_running_transfers_are_back_within_six_seconds() {
    for (outage, client) in [
        (30, ours as Client),
        (150, ours),
        (30, carried),
        (150, carried),
    ] {
        for restarts in [false, true] {
            let mut world = World::new(40 * MILLISECOND, client);
            let (application, target) = world.connect(80);
            let (mut up, mut down) = (Stream::of(300_000), Stream::of(300_000));
            up.pump(&application, &target);
            down.pump(&target, &application);
            world.run(30 * MILLISECOND);
            assert!(up.received < up.length && down.received < down.length);
            world.cut = true;
            world.run(outage * SECOND);
            world.cut = false;
            if restarts {
                world.restart_server();
                let took = new_connection(&mut world, 81);
                assert!(took <= 6 * SECOND, "{took:?} after {outage} s");
                continue;
            }
            let before = (up.received, down.received);
            let took = world.until(60 * SECOND, |_| {
                up.pump(&application, &target);
                down.pump(&target, &application);
                up.received > before.0 && down.received > before.1
            });
            assert!(took <= 6 * SECOND, "{took:?} after {outage} s");
            // Not a byte is lost, and none comes twice.
            world.until(60 * SECOND, |_| {
                let up = up.pump(&application, &target);
                down.pump(&target, &application) && up
            });
            let took = new_connection(&mut world, 81);
            assert!(took <= SECOND, "{took:?}");
        }
    }
}

#[test]
fn new_connections_of_a_client_that_was_idle_in_an_outage_are_there_within_six_seconds() {
    for (outage, client) in [
        (30, ours as Client),
        (150, ours),
        (30, carried),
        (150, carried),
    ] {
        let mut world = World::new(100 * MILLISECOND, client);
        world.run(20 * SECOND);
        world.cut = true;
        world.run(outage * SECOND);
        world.cut = false;
        let took = new_connection(&mut world, 80);
        assert!(took <= 6 * SECOND, "{took:?} after {outage} s");
    }
}

/// How long the longest time is in which a stream of `length` brings nothing, from the moment when its way changes.
fn gap(world: &mut World, mut pump: impl FnMut() -> usize, length: usize) -> Duration {
    let mut last = (world.now(), pump());
    let mut longest = Duration::ZERO;
    world.until(60 * SECOND, |world| {
        let received = pump();
        if received != last.1 {
            longest = longest.max(world.now() - last.0);
            last = (world.now(), received);
        }
        received == length
    });
    longest
}

#[test]
fn a_change_of_the_clients_address_or_port_leaves_no_gap() {
    let elsewhere = [
        SocketAddr::from(([192, 0, 2, 1], 40_000)),
        SocketAddr::from(([198, 51, 100, 9], 51_820)),
    ];
    for client in [ours, foreign] {
        for to in elsewhere {
            for downwards in [false, true] {
                let mut world = World::new(40 * MILLISECOND, client);
                let (application, target) = world.connect(80);
                let mut stream = Stream::of(4_000_000);
                let mut pump = || {
                    if downwards {
                        stream.pump(&target, &application);
                    } else {
                        stream.pump(&application, &target);
                    }
                    stream.received
                };
                world.until(60 * SECOND, |_| pump() > 1_000_000);
                world.client_at = to;
                let longest = gap(&mut world, pump, 4_000_000);
                assert!(longest <= 300 * MILLISECOND, "{longest:?} {downwards}");
                assert_eq!(world.initiations.len(), 1);
            }
        }
    }
}

#[test]
fn a_pure_download_whose_server_restarted_ends_with_an_error() {
    for client in [ours, foreign, carried] {
        let mut world = World::new(40 * MILLISECOND, client);
        world.run(10 * SECOND);
        let (mut application, target) = world.connect(80);
        let mut stream = Stream::of(50_000_000);
        world.until(60 * SECOND, |_| {
            stream.pump(&target, &application);
            stream.received > 1_000_000
        });
        world.restart_server();
        let mut buffer = [0; 4096];
        let took = world.until(60 * SECOND, |_| {
            loop {
                match application.read(&mut buffer) {
                    Ok(0) => return true,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                    Err(_) => return true,
                }
            }
        });
        assert!(took <= 3 * SECOND, "{took:?}");
    }
}

#[test]
fn a_slow_target_is_no_dead_server() {
    let mut world = World::new(40 * MILLISECOND, ours);
    world.run(10 * SECOND);
    world.accepts = false;
    let _application = world.open(80);
    world.run(9 * SECOND);
    assert_eq!(world.initiations.len(), 1);
    let asked = world.counter(0, "stack_icmp_echoes_sent");
    assert!((1..=5).contains(&asked), "{asked}");
    assert_eq!(world.counter(0, "stack_icmp_echoes_answered"), asked);
}

#[test]
fn a_slow_target_behind_a_server_of_others_costs_a_handshake_in_fifteen_seconds() {
    let mut world = World::new(40 * MILLISECOND, foreign);
    world.run(10 * SECOND);
    world.accepts = false;
    let start = world.now();
    let mut applications = Vec::new();
    for port in 0..60 {
        applications.push(world.open(80 + port));
        world.run(SECOND);
    }
    let begun: Vec<Duration> = world.initiations[1..]
        .iter()
        .map(|at| *at - start)
        .collect();
    assert!((3..=5).contains(&begun.len()), "{begun:?}");
    for pair in begun.windows(2) {
        let apart = pair[1].saturating_sub(pair[0]);
        assert!(apart >= 15 * SECOND, "{begun:?}");
    }
}

#[test]
fn while_a_flow_is_open_the_client_asks_every_five_seconds_for_ever() {
    let mut world = World::new(40 * MILLISECOND, ours);
    let (mut application, _target) = world.connect(80);
    world.run(10 * SECOND);
    world.cut = true;
    application.write_all(b"still there?").unwrap();
    world.run(170 * SECOND);
    let begun = &world.initiations[1..];
    assert!(begun.len() >= 30, "{}", begun.len());
    for pair in begun.windows(2) {
        assert!(pair[1] - pair[0] < 6 * SECOND);
    }
    let tries: Vec<u32> = world.told[0]
        .iter()
        .filter_map(|event| match event {
            Event::HandshakeUnanswered { tries, .. } => Some(*tries),
            _ => None,
        })
        .collect();
    assert_eq!(tries, (1..=tries.len() as u32).collect::<Vec<_>>());
    assert!(tries.len() >= 29);
}

#[test]
fn an_idle_client_wakes_for_nothing_but_its_keys() {
    for client in [ours, foreign, carried] {
        let mut world = World::new(40 * MILLISECOND, client);
        let (application, target) = world.connect(80);
        let mut page = Stream::of(200_000);
        world.until(60 * SECOND, |_| page.pump(&target, &application));
        world.run(20 * SECOND);
        world.wakes = 0;
        world.run(140 * SECOND);
        // The connection stands, and nothing is said: no timer of a tunnel or a flow is due.
        assert!(world.wakes <= 2, "{}", world.wakes);
        assert_eq!(world.initiations.len(), 1);
        // Silence that nobody minds costs a few packets once.
        assert!(world.counter(0, "relay_streams_asked_about") <= 1);
    }
}
