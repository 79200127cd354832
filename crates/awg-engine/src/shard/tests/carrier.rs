//! Carried connections in simulated time: what an attempt does whose server restarts or never answers, what a carrier costs that is
//! idle, and that mere acknowledgements are waited for by nobody.

use std::io::{ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;

use awg_netstack::Target;

use super::ends::SECOND;
use super::path::{MILLISECOND, Stream, World, carried, heard};
use crate::command::Command;
use crate::event::Event;
use crate::flow::FlowId;
use crate::refusal::Refusal;
use crate::settings::{Carrier, EngineSettings};

fn ups(world: &World) -> usize {
    let told = world.told[0].iter();
    told.filter(|event| matches!(event, Event::CarrierUp { .. }))
        .count()
}

fn auto(settings: &mut EngineSettings) {
    carried(settings);
    settings.carrier = Carrier::Auto;
}

/// A server of others, which says nothing to what it does not know.
fn without(settings: &mut EngineSettings) {
    settings.carrier_port = None;
}

#[test]
fn an_attempt_whose_server_restarts_is_made_again_unless_bytes_went_with_it() {
    let mut world = World::new(40 * MILLISECOND, carried);
    assert_eq!(ups(&world), 1);
    world.accepts = false;
    let again = world.open(80);
    let said = world.open_with(81, b"once");
    world.run(4 * SECOND);
    world.restart_server();
    world.told[1].clear();
    world.accepts = true;
    let took = world.until(9 * SECOND, |_| heard(&said, b'-'));
    assert!(took <= 2 * SECOND, "{took:?}");
    world.until(9 * SECOND, |_| heard(&again, b'+'));
    assert_eq!(ups(&world), 2);
    assert_eq!(world.targets.len(), 1);
}

/// The connections whose names' addresses the client's embedder is asked for, in turn.
fn wanted(world: &World) -> Vec<FlowId> {
    let told = world.told[0].iter();
    told.filter_map(|event| match event {
        Event::AddressesWanted { flow, .. } => Some(*flow),
        _ => None,
    })
    .collect()
}

fn find(world: &mut World, flow: FlowId, name: &str, addresses: &[IpAddr]) {
    let (name, addresses) = (name.to_owned(), addresses.to_vec());
    world.shards[0].handle_command(Command::NameFound {
        flow,
        name,
        addresses,
    });
}

#[test]
fn names_come_back_at_once_from_a_server_that_has_no_carrier_any_more() {
    let mut world = World::new(40 * MILLISECOND, auto);
    let name = Target::name("a.example", 80).expect("a name");
    world.accepts = false;
    // On its way when the server goes, given before that is known, and given when it is.
    let asked = world.open_target(name.clone(), b"");
    let said = world.open_target(name.clone(), b"once");
    world.run(SECOND);
    world.replace_server(without);
    let early = world.open_target(name.clone(), b"");
    let took = world.until(9 * SECOND, |world| {
        world.refuse_all(Refusal::Refused);
        wanted(world).len() == 2
    });
    assert!(took <= 3 * SECOND, "{took:?}");
    assert!(heard(&said, b'-'), "what went with it may have arrived");
    let late = world.open_target(name.clone(), b"late");
    world.run(MILLISECOND);
    let wanted = wanted(&world);
    assert_eq!(wanted.len(), 3);

    // Another name's addresses are not this one's.
    let addresses = [[203, 0, 113, 7], [203, 0, 113, 8]].map(IpAddr::from);
    find(&mut world, wanted[0], "b.example", &addresses);
    world.run(MILLISECOND);
    world.accepts = true;
    let applications = [asked, early, late];
    for (flow, application) in wanted.iter().zip(&applications) {
        assert!(!heard(application, b'+'));
        find(&mut world, *flow, "a.example", &addresses[..1]);
    }
    for application in &applications {
        world.until(SECOND, |_| heard(application, b'+'));
    }
    assert_eq!(world.counter(1, "stack_tcp_flows"), 3);
    // The bytes that waited come behind the reply.
    let mut last = world.targets.pop().expect("a target");
    let mut bytes = [0; 4];
    world.until(SECOND, |_| last.read(&mut bytes).is_ok());
    assert_eq!(bytes, *b"late");
}

#[test]
fn a_name_that_has_no_addresses_is_refused_and_one_that_nobody_answers_for_too() {
    let mut world = World::with(40 * MILLISECOND, [auto, without]);
    let name = Target::name("a.example", 80).expect("a name");
    let applications = [b"", b"", b""].map(|early| world.open_target(name.clone(), early));
    world.run(MILLISECOND);
    let wanted = wanted(&world);
    assert_eq!(wanted.len(), 3);
    find(&mut world, wanted[0], "a.example", &[]);
    let reason = Refusal::Failed;
    let flow = wanted[1];
    world.shards[0].handle_command(Command::Reject { flow, reason });
    world.run(MILLISECOND);
    assert!(heard(&applications[0], b'h'));
    assert!(heard(&applications[1], b'-'));
    world.until(11 * SECOND, |_| is_over(&applications[2]));
    // Too late, and of flows that have ended.
    for flow in wanted {
        find(&mut world, flow, "a.example", &[[203, 0, 113, 7].into()]);
    }
    world.run(SECOND);
    assert_eq!(world.counter(1, "stack_tcp_flows"), 0);
}

#[test]
fn addresses_that_come_late_have_only_the_time_that_is_left() {
    let mut world = World::with(40 * MILLISECOND, [auto, without]);
    world.accepts = false;
    let name = Target::name("a.example", 80).expect("a name");
    let silent = world.open_target(name, b"");
    world.run(9 * SECOND);
    let flow = wanted(&world)[0];
    find(&mut world, flow, "a.example", &[[203, 0, 113, 7].into()]);
    let took = world.until(11 * SECOND, |_| heard(&silent, b't'));
    assert_eq!(took, SECOND);
    assert_eq!(world.counter(1, "stack_tcp_flows"), 1, "it was tried");
}

#[test]
fn what_the_server_says_at_the_last_moment_is_what_the_application_hears() {
    let mut world = World::new(40 * MILLISECOND, carried);
    world.accepts = false;
    let unreachable = world.open(80);
    world.run(10 * SECOND);
    world.refuse_all(Refusal::HostUnreachable);
    let took = world.until(SECOND, |_| heard(&unreachable, b'h'));
    assert!(took <= 40 * MILLISECOND, "{took:?}");
    // Of a target that never answers too it is the server who says so.
    let silent = world.open(80);
    let took = world.until(20 * SECOND, |_| heard(&silent, b't'));
    let expected = 10 * SECOND..11 * SECOND;
    assert!(expected.contains(&took), "{took:?}");
    assert!(world.told[1].iter().any(|event| matches!(
        event,
        Event::FlowRefused {
            reason: Refusal::TimedOut,
            ..
        }
    )));
}

#[test]
fn a_server_that_never_says_anything_is_waited_for_a_little_longer_than_it_may_take() {
    let mut world = World::with(
        40 * MILLISECOND,
        [carried, |settings| {
            settings.limits.dial = 60 * SECOND;
        }],
    );
    world.accepts = false;
    let silent = world.open(80);
    let took = world.until(20 * SECOND, |_| heard(&silent, b't'));
    assert_eq!(took, 15 * SECOND);
}

#[test]
fn while_the_network_is_gone_attempts_wait_and_go_on_when_it_is_back() {
    let mut world = World::new(40 * MILLISECOND, carried);
    let (mut application, mut target) = world.connect(80);
    world.cut = true;
    let waiting = world.open(81);
    application.write_all(b"x").unwrap();
    world.run(5 * SECOND);
    world.cut = false;
    let took = world.until(9 * SECOND, |_| heard(&waiting, b'+'));
    assert!(took <= 5 * SECOND, "{took:?}");
    let mut bytes = [0];
    let arrived = world.until(SECOND, |_| target.read(&mut bytes).is_ok());
    assert!(arrived <= SECOND && bytes == *b"x");
    assert_eq!(ups(&world), 1, "the carrier outlives an outage");
}

#[test]
fn a_server_without_a_carrier_costs_auto_nothing_and_the_tunnel_neither() {
    let mut world = World::with(40 * MILLISECOND, [auto, without]);
    world.accepts = false;
    world.run(SECOND);
    world.accepts = true;
    let application = world.open(80);
    let took = world.until(2 * SECOND, |_| heard(&application, b'+'));
    assert!(took <= 100 * MILLISECOND, "{took:?}");
    // However long nothing answers the carrier's handshakes, no new session is asked for.
    world.run(60 * SECOND);
    assert_eq!(world.initiations.len(), 1);
    assert_eq!(ups(&world), 0);
}

#[test]
fn what_only_acknowledges_is_waited_for_by_nobody() {
    let mut world = World::new(40 * MILLISECOND, carried);
    let (application, target) = world.connect(80);
    let mut page = Stream::of(1_000_000);
    world.until(60 * SECOND, |_| page.pump(&target, &application));
    // The last packet of all is an acknowledgement.
    world.run(20 * SECOND);
    let asked = world.counter(0, "stack_icmp_echoes_sent");
    assert!(asked <= 1, "{asked}");
    assert_eq!(world.counter(0, "relay_handshakes_for_silence"), 0);
    assert_eq!(world.initiations.len(), 1);
}

#[test]
fn an_idle_carrier_wakes_nobody() {
    let mut world = World::new(40 * MILLISECOND, carried);
    let (_application, _target) = world.connect(80);
    world.run(20 * SECOND);
    world.wakes = 0;
    let sent = world.counter(0, "carrier_sent");
    world.run(80 * SECOND);
    assert!(world.wakes <= 2, "{}", world.wakes);
    assert_eq!(world.counter(0, "carrier_sent"), sent);
}

#[test]
fn a_server_that_vanished_in_silence_ends_carried_connections_with_an_error() {
    let mut world = World::new(40 * MILLISECOND, carried);
    let (mut application, _target) = world.connect(80);
    let (idle, _other) = world.connect(81);
    world.run(20 * SECOND);
    world.restart_server();
    application.write_all(b"hello?").unwrap();
    let took = world.until(60 * SECOND, |_| is_over(&application) && is_over(&idle));
    // A handshake, and a round trip.
    assert!(took <= 2 * SECOND, "{took:?}");
    let outcomes = world.told[0].iter().filter_map(|event| match event {
        Event::FlowClosed { outcome, .. } => Some(outcome.name()),
        _ => None,
    });
    assert_eq!(outcomes.collect::<Vec<_>>(), ["reset", "reset"]);
}

/// Whether the application's connection is over; a socket pair has no reset to show.
fn is_over(mut application: &UnixStream) -> bool {
    match application.read(&mut [0]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[test]
fn what_waited_for_a_carrier_in_vain_is_forgotten() {
    let mut world = World::with(40 * MILLISECOND, [carried, without]);
    world.accepts = false;
    for port in 1..=40 {
        for _ in 0..10 {
            drop(world.open(port));
        }
        world.run(SECOND);
    }
    let held = world.shards[0].carriers.held();
    assert!(held <= 100, "{held}");
}

/// A carrier takes little, so that it is soon full.
fn narrow(settings: &mut EngineSettings) {
    settings.limits.buffer_bytes_per_flow = 64 << 10;
}

fn narrow_auto(settings: &mut EngineSettings) {
    auto(settings);
    narrow(settings);
}

fn narrow_quic(settings: &mut EngineSettings) {
    carried(settings);
    narrow(settings);
}

/// Connections of which nobody reads what their targets say, until no more goes.
fn fill(world: &mut World, connections: usize) -> Vec<UnixStream> {
    let mut unread = Vec::new();
    for _ in 0..connections {
        let application = world.open(80);
        world.until(9 * SECOND, |_| heard(&application, b'+'));
        unread.push(application);
    }
    for _ in 0..100 {
        for target in &mut world.targets {
            target.set_nonblocking(true).unwrap();
            while target.write(&[7; 16 << 10]).is_ok() {}
        }
        world.run(50 * MILLISECOND);
    }
    unread
}

/// How often the client's engine told this.
fn told(world: &World, wanted: &str) -> usize {
    let told = world.told[0].iter();
    told.filter(|event| matches!(event, Event::Log(record) if record.message == wanted))
        .count()
}

#[test]
fn connections_go_past_a_carrier_that_is_full_of_what_nobody_reads() {
    let mut world = World::with(40 * MILLISECOND, [narrow_auto, narrow]);
    let unread = fill(&mut world, 7);
    assert_eq!(told(&world, "carrier full of bytes that are not read"), 1);
    assert_eq!(world.counter(1, "stack_tcp_flows"), 0);
    for count in 1..=3 {
        let application = world.open(81);
        world.until(SECOND, |_| heard(&application, b'+'));
        assert!(world.counter(1, "stack_tcp_flows") <= count);
        assert!(world.counter(1, "stack_tcp_flows") > 0);
    }
    let message = "new connections go by ip, past a full carrier";
    assert_eq!(told(&world, message), 1);
    // Nobody waits for room: nothing ends.
    world.run(60 * SECOND);
    assert_eq!(world.counter(0, "carrier_flows_unread"), 0);
    assert!(unread.iter().all(|application| !is_over(application)));
}

#[test]
fn without_another_way_a_full_carrier_refuses_at_once_and_ends_what_nobody_reads() {
    let mut world = World::with(40 * MILLISECOND, [narrow_quic, narrow]);
    let _unread = fill(&mut world, 7);
    let refused = world.open(81);
    world.until(SECOND, |_| heard(&refused, b'-'));
    let ended = "ended connections that nobody reads, since others need their room";
    world.until(15 * SECOND, |world| told(world, ended) == 1);
    assert!(world.counter(0, "carrier_flows_unread") > 0);
    let application = world.open(82);
    world.until(SECOND, |_| heard(&application, b'+'));
}
