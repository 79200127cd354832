//! Paths that take some of what they are given and not the rest, and what is told and asked again because of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::ends::SECOND;
use super::path::{MILLISECOND, Stream, World, carried, foreign, heard, ours, passes_all};
use crate::event::Event;
use crate::settings::EngineSettings;

/// Handshake messages pass, and nothing else does: as where S4 or H4 differ.
fn handshakes_alone(_: usize, datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(1..=3))
}

fn at_most_1000(_: usize, datagram: &[u8]) -> bool {
    datagram.len() <= 1000
}

#[test]
fn that_handshakes_pass_and_data_does_not_is_told_once_within_ten_seconds() {
    for (client, is_certain) in [(ours as fn(&mut EngineSettings), true), (foreign, false)] {
        for idle in [0, 30] {
            let mut world = World::new(40 * MILLISECOND, client);
            world.passes = handshakes_alone;
            world.run(idle * SECOND);
            assert_eq!(world.warnings(0), [""; 0]);
            let _application = world.open(80);
            world.until(10 * SECOND, |world| !world.warnings(0).is_empty());
            let told = &world.warnings(0)[0];
            assert!(told.starts_with("handshakes pass"));
            assert_eq!(!told.contains("unless it is the target"), is_certain);
            let _more = world.open(81);
            world.run(20 * SECOND);
            assert_eq!(world.warnings(0).len(), 1);
            // Told again only after it was good in between.
            world.passes = passes_all;
            let application = world.open(82);
            world.until(30 * SECOND, |_| heard(&application, b'+'));
            world.run(10 * SECOND);
            world.passes = handshakes_alone;
            let _last = world.open(83);
            world.until(20 * SECOND, |world| world.warnings(0).len() == 2);
        }
    }
}

#[test]
fn an_outage_and_a_slow_target_are_not_told_as_that() {
    let mut world = World::new(40 * MILLISECOND, ours);
    world.run(30 * SECOND);
    world.accepts = false;
    let _slow = world.open(80);
    world.run(9 * SECOND);
    world.cut = true;
    let _application = world.open(81);
    world.run(20 * SECOND);
    assert_eq!(world.warnings(0), [""; 0]);
}

#[test]
fn what_a_server_did_not_hear_while_it_was_down_is_not_told_as_that() {
    for client in [ours as fn(&mut EngineSettings), foreign, carried] {
        for down in [2_u16, 5, 10, 60] {
            for restarts in [true, false] {
                let mut world = World::new(300 * MILLISECOND, client);
                let (application, target) = world.connect(80);
                let mut stream = Stream::of(300_000);
                stream.pump(&application, &target);
                world.cut = true;
                for port in 0..down {
                    let _more = world.open(81 + port);
                    world.run(SECOND);
                }
                world.cut = false;
                if restarts {
                    world.restart_server();
                }
                let again = world.open(80);
                world.until(10 * SECOND, |_| heard(&again, b'+'));
                world.run(10 * SECOND);
                assert_eq!(world.warnings(0), [""; 0], "down for {down} s");
            }
        }
    }
}

#[test]
fn a_path_that_takes_no_large_packets_is_told_of_at_the_end_that_sends_them() {
    for end in [0, 1] {
        let mut world = World::new(40 * MILLISECOND, ours);
        let (application, target) = world.connect(80);
        world.passes = at_most_1000;
        let mut stream = Stream::of(100_000);
        for _ in 0..100 {
            if end == 0 {
                stream.pump(&application, &target);
            } else {
                stream.pump(&target, &application);
            }
            world.run(100 * MILLISECOND);
        }
        assert_eq!(stream.received, 0);
        let [warning] = world.warnings(end)[..] else {
            panic!("{:?}", world.warnings(end));
        };
        assert!(warning.starts_with("small packets pass"));
        world.run(30 * SECOND);
        assert_eq!(world.warnings(end).len(), 1);
        assert_eq!(world.warnings(1 - end), [""; 0]);
    }
}

#[test]
fn a_stream_that_stops_in_an_outage_is_no_path_for_small_packets() {
    let mut world = World::new(40 * MILLISECOND, ours);
    let (application, target) = world.connect(80);
    let mut stream = Stream::of(10_000_000);
    world.until(10 * SECOND, |_| {
        stream.pump(&target, &application);
        stream.received > 100_000
    });
    world.cut = true;
    world.run(60 * SECOND);
    assert_eq!(world.warnings(1), [""; 0]);
}

#[test]
fn a_question_to_a_name_server_that_a_restart_swallowed_is_asked_again() {
    for client in [ours, foreign] {
        let mut world = World::new(100 * MILLISECOND, client);
        world.run(30 * SECOND);
        world.restart_server();
        let (theirs, application) = UnixDatagram::pair().unwrap();
        let flow = world.shards[0].shared.next_flow(0);
        let server = SocketAddr::from((Ipv4Addr::new(203, 0, 113, 53), 53));
        world.shards[0].open_datagrams(flow, server, application.into());
        theirs.send(b"a question").unwrap();
        world.accepts = false;
        let asked = |world: &mut World| {
            world.told[1]
                .iter()
                .any(|event| matches!(event, Event::FlowIncoming { destination, .. } if destination.port() == 53))
        };
        let took = world.until(5 * SECOND, asked);
        assert!(took <= SECOND, "{took:?}");
    }
}

fn not_connected(settings: &mut EngineSettings) {
    settings.stay_connected = false;
}

#[test]
fn a_client_that_woke_has_a_new_session_at_once() {
    for (client, sessions) in [(ours as fn(&mut EngineSettings), 2), (not_connected, 0)] {
        let mut world = World::new(100 * MILLISECOND, client);
        world.run(10 * SECOND);
        world.shards[0].handle_sleep(Duration::from_hours(1));
        world.run(200 * MILLISECOND);
        let sessions_now = world.shards[0].tunnel.counters().sessions_established;
        assert_eq!(sessions_now, sessions);
    }
}
