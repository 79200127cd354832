//! TCP flows from their first segment to their last: what each end is told, and what goes over the wire.

mod simulation;
mod wire;

use std::time::Duration;

use awg_netstack::{AcceptError, Closure, ConnectError, Event, FlowId, Refusal, Rejection};
use simulation::{CLIENT, PEER, Path, SERVER, Stream, World, send_all, take_all};

const TARGETS: [&str; 2] = ["192.0.2.1:80", "[2001:db8::1]:80"];

/// A flow that the client opens and the server holds.
fn held(world: &mut World, to: &str) -> (FlowId, FlowId) {
    let to = to.parse().expect("an address");
    let client = world.ends[CLIENT]
        .connect(world.now, PEER, None, to)
        .expect("room");
    match world.event(SERVER) {
        Event::Incoming {
            flow, destination, ..
        } => {
            assert_eq!(destination, to);
            (client, flow)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_promised_before_the_embedder_accepts() {
    for to in TARGETS {
        let mut world = World::new(1, Path::default());
        let (client, server) = held(&mut world, to);
        world.pass(Duration::from_secs(5));
        assert_eq!(world.carried[CLIENT], 0);
        assert_eq!(world.ends[CLIENT].poll_event(), None);
        let counters = world.ends[SERVER].counters().tcp;
        assert_eq!((counters.half_open, counters.repeated_syns), (1, 2));
        assert_eq!(
            world.ends[SERVER].poll_event(),
            None,
            "a repeated SYN is no new flow"
        );

        world.ends[SERVER]
            .accept(world.now, server)
            .expect("it waits");
        assert_eq!(world.event(CLIENT), Event::Established { flow: client });
        assert_eq!(world.event(SERVER), Event::Established { flow: server });
        assert!(matches!(
            world.ends[SERVER].accept(world.now, server),
            Err(AcceptError::AlreadyOpen)
        ));
    }
}

#[test]
fn the_client_learns_why_it_was_turned_away() {
    let reasons = [
        (Rejection::Refused, Refusal::Reset),
        (Rejection::NetworkUnreachable, Refusal::NetworkUnreachable),
        (Rejection::HostUnreachable, Refusal::HostUnreachable),
        (Rejection::Prohibited, Refusal::Prohibited),
        (Rejection::TimedOut, Refusal::TimedOut),
    ];
    for to in TARGETS {
        for (rejection, refusal) in reasons {
            let mut world = World::new(1, Path::default());
            let (client, server) = held(&mut world, to);
            world.ends[SERVER].reject(world.now, server, rejection);
            assert_eq!(
                world.event(SERVER),
                Event::Closed {
                    flow: server,
                    how: Closure::Refused
                }
            );
            assert_eq!(
                world.event(CLIENT),
                Event::Refused {
                    flow: client,
                    why: refusal
                }
            );
            assert_eq!(
                world.event(CLIENT),
                Event::Closed {
                    flow: client,
                    how: Closure::Refused
                }
            );
            // One answer, at once: no second SYN was needed.
            assert_eq!(world.carried, [1, 1]);
        }
    }
}

#[test]
fn a_flow_that_nobody_accepts_times_out_at_both_ends() {
    let mut world = World::new(1, Path::default());
    let began = world.now;
    let (client, server) = held(&mut world, TARGETS[0]);
    assert_eq!(
        world.event(SERVER),
        Event::Closed {
            flow: server,
            how: Closure::Expired
        }
    );
    assert_eq!(
        world.now,
        began + Duration::from_millis(5) + Duration::from_secs(10)
    );
    assert_eq!(
        world.event(CLIENT),
        Event::Refused {
            flow: client,
            why: Refusal::TimedOut
        }
    );
    assert_eq!(world.ends[SERVER].counters().tcp.half_open_expired, 1);
    assert!(matches!(
        world.ends[SERVER].accept(world.now, server),
        Err(AcceptError::Gone)
    ));
}

#[test]
fn a_flow_that_nobody_hears_of_times_out() {
    let mut world = World::new(1, Path::default());
    world.cut = true;
    let to = TARGETS[0].parse().expect("an address");
    let client = world.ends[CLIENT]
        .connect(world.now, PEER, None, to)
        .expect("room");
    assert_eq!(
        world.event(CLIENT),
        Event::Refused {
            flow: client,
            why: Refusal::TimedOut
        }
    );
    assert!(matches!(world.event(CLIENT), Event::Closed { .. }));
    assert_eq!(world.ends[CLIENT].next_timeout(), None);
}

#[test]
fn each_side_may_finish_first_and_still_be_answered() {
    for first in [CLIENT, SERVER] {
        let mut world = World::new(1, Path::default());
        let (client, server) = world.open(TARGETS[0]);
        let flows = [client, server];
        let second = 1 - first;
        send_all(&mut world, (first, flows[first]), b"a question");
        world.ends[first].shutdown(flows[first]);
        world.pass(Duration::from_secs(3));
        assert_eq!(take_all(&mut world, (second, flows[second])), b"a question");
        let events: Vec<_> = std::iter::from_fn(|| world.ends[second].poll_event()).collect();
        assert!(
            events.contains(&Event::Finished {
                flow: flows[second]
            }),
            "{events:?}"
        );
        // Long after, as a relay whose target takes its time.
        world.pass(Duration::from_mins(5));
        send_all(&mut world, (second, flows[second]), b"an answer");
        world.pass(Duration::from_secs(1));
        assert_eq!(take_all(&mut world, (first, flows[first])), b"an answer");
        world.ends[second].shutdown(flows[second]);
        for end in [first, second] {
            loop {
                if let Event::Closed { how, .. } = world.event(end) {
                    assert_eq!(how, Closure::Orderly);
                    break;
                }
            }
        }
    }
}

#[test]
fn a_failure_at_one_side_is_a_reset_at_the_other() {
    for first in [CLIENT, SERVER] {
        let mut world = World::new(1, Path::default());
        let (client, server) = world.open(TARGETS[1]);
        let flows = [client, server];
        send_all(
            &mut world,
            (first, flows[first]),
            b"the beginning of something",
        );
        world.ends[first].abort(flows[first]);
        assert_eq!(
            world.event(first),
            Event::Closed {
                flow: flows[first],
                how: Closure::Aborted
            }
        );
        let second = 1 - first;
        let last = loop {
            match world.event(second) {
                Event::Readable { .. } => {}
                Event::Finished { .. } => panic!("a truncated stream looks complete"),
                other => break other,
            }
        };
        assert_eq!(
            last,
            Event::Closed {
                flow: flows[second],
                how: Closure::Reset
            }
        );
    }
}

#[test]
fn bytes_that_arrived_before_the_end_can_be_read_long_after_it() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    // The client is the first to finish: it is the one that would rest in TIME-WAIT, and be forgotten.
    world.ends[CLIENT].shutdown(client);
    world.pass(Duration::from_secs(1));
    send_all(&mut world, (SERVER, server), b"unread");
    world.ends[SERVER].shutdown(server);
    world.pass(Duration::from_mins(5));
    assert_eq!(take_all(&mut world, (CLIENT, client)), b"unread");
    while world.event(CLIENT)
        != (Event::Closed {
            flow: client,
            how: Closure::Orderly,
        })
    {}
}

#[test]
fn a_slow_reader_stops_the_sender() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    let limit = awg_netstack::Limits::default().buffer_bytes_per_flow;
    let mut down = Stream::new((SERVER, server), (CLIENT, client), 40_000_000);
    let until = world.now + Duration::from_mins(1);
    loop {
        down.write(&mut world);
        if !world.step(until) {
            break;
        }
    }
    // Two buffers full, and then silence but for the probes of the window.
    assert!(down.sent <= 2 * limit, "{}", down.sent);
    assert_eq!(down.received, 0);
    let before = world.carried[CLIENT];
    world.pass(Duration::from_mins(1));
    assert!(
        world.carried[CLIENT] - before < 60,
        "{}",
        world.carried[CLIENT] - before
    );
    // Once it reads, everything comes.
    let until = world.now + Duration::from_mins(5);
    while down.received < down.length {
        down.work(&mut world);
        assert!(world.step(until), "stuck at {}", down.received);
    }
}

#[test]
fn a_lost_window_update_is_asked_for() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    let mut down = Stream::new((SERVER, server), (CLIENT, client), 12_000_000);
    let until = world.now + Duration::from_secs(20);
    loop {
        down.write(&mut world);
        if !world.step(until) {
            break;
        }
    }
    world.cut = true;
    down.read(&mut world);
    world.pass(Duration::from_secs(1));
    world.cut = false;
    let until = world.now + Duration::from_mins(5);
    while down.received < down.length {
        down.work(&mut world);
        assert!(world.step(until), "stuck at {}", down.received);
    }
}

#[test]
fn one_event_of_a_kind_waits_at_a_time() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    for _ in 0..50 {
        send_all(&mut world, (CLIENT, client), b"more");
        world.pass(Duration::from_millis(50));
    }
    assert_eq!(
        world.ends[SERVER].poll_event(),
        Some(Event::Readable { flow: server })
    );
    assert_eq!(world.ends[SERVER].poll_event(), None);
    send_all(&mut world, (CLIENT, client), b"more");
    world.pass(Duration::from_millis(50));
    assert_eq!(
        world.ends[SERVER].poll_event(),
        Some(Event::Readable { flow: server })
    );
    assert_eq!(take_all(&mut world, (SERVER, server)), b"more".repeat(51));
}

#[test]
fn segments_of_no_flow_are_reset_and_resets_are_not_answered() {
    let mut world = World::new(1, Path::default());
    let (client, _) = world.open(TARGETS[0]);
    // The server forgets, as one that was started anew.
    world.ends[SERVER].forget_peer(world.now, PEER);
    assert!(matches!(
        world.event(SERVER),
        Event::Closed {
            how: Closure::PeerGone,
            ..
        }
    ));
    send_all(&mut world, (CLIENT, client), b"hello?");
    assert_eq!(
        world.event(CLIENT),
        Event::Closed {
            flow: client,
            how: Closure::Reset
        }
    );
    let counters = world.ends[SERVER].counters().tcp;
    assert_eq!((counters.stray, counters.resets_sent), (1, 1));
    let carried = world.carried;
    world.pass(Duration::from_mins(1));
    assert_eq!(world.carried, carried);
}

#[test]
fn a_flow_goes_on_in_smaller_packets_after_packet_too_big() {
    for (to, mtu) in TARGETS.into_iter().zip([1000_u16, 1300]) {
        let mut world = World::new(1, Path::default());
        let (client, server) = world.open(to);
        world.narrow = Some(usize::from(mtu));
        let mut down = Stream::new((SERVER, server), (CLIENT, client), 300_000);
        down.finished = true;
        let until = world.now + Duration::from_mins(2);
        while down.received < down.length {
            down.work(&mut world);
            assert!(world.step(until), "stuck at {}", down.received);
        }
        assert_eq!(world.ends[SERVER].counters().tcp.mtu_lowered, 1);
        // Later flows find out for themselves; this one stays small.
        world.longest = 0;
        send_all(&mut world, (SERVER, server), &[7; 10_000]);
        world.pass(Duration::from_secs(1));
        assert_eq!(world.longest, usize::from(mtu));
    }
}

#[test]
fn a_forged_error_changes_nothing() {
    let mut world = World::new(1, Path::default());
    let (client, server) = held(&mut world, TARGETS[0]);
    let before = world.ends[CLIENT].counters();
    // A "host unreachable" that quotes the right ports but another sequence number.
    let mut error = world.last_sent[CLIENT].clone();
    error[27] ^= 1;
    world.report(CLIENT, [3, 1], [0; 4], &error);
    world.pass(Duration::from_millis(100));
    assert_eq!(world.ends[CLIENT].poll_event(), None);
    assert_eq!(
        world.ends[CLIENT].counters().stray_errors,
        before.stray_errors + 1
    );
    world.ends[SERVER]
        .accept(world.now, server)
        .expect("it waits");
    assert_eq!(world.event(CLIENT), Event::Established { flow: client });
    // And once a flow is open, even a true one only says that a packet was lost (RFC 5461).
    send_all(&mut world, (CLIENT, client), b"x");
    world.flush();
    let quoted = world.last_sent[CLIENT].clone();
    world.report(CLIENT, [3, 1], [0; 4], &quoted);
    world.pass(Duration::from_millis(100));
    assert_eq!(world.ends[CLIENT].poll_event(), None);
}

#[test]
fn a_damaged_segment_is_dropped_and_counted() {
    let mut world = World::new(1, Path::default());
    let (client, _) = world.open(TARGETS[0]);
    send_all(&mut world, (CLIENT, client), b"something");
    world.flush();
    let mut packet = world.last_sent[CLIENT].clone();
    *packet.last_mut().expect("bytes") ^= 1;
    let before = world.ends[SERVER].counters().tcp.malformed;
    world.ends[SERVER].handle_packet(world.now, PEER, &mut packet);
    assert_eq!(world.ends[SERVER].counters().tcp.malformed, before + 1);
}

#[test]
fn what_cannot_be_reached_is_refused_at_once() {
    let mut world = World::new(1, Path::default());
    let now = world.now;
    for to in [
        "0.0.0.0:80",
        "255.255.255.255:80",
        "224.0.0.1:80",
        "[ff02::1]:80",
        "192.0.2.1:0",
    ] {
        let to = to.parse().expect("an address");
        let error = world.ends[CLIENT].connect(now, PEER, None, to);
        assert!(matches!(error, Err(ConnectError::Unaddressable)), "{to}");
    }
    let from = "10.9.9.9".parse().ok();
    let to = TARGETS[0].parse().expect("an address");
    let error = world.ends[CLIENT].connect(now, PEER, from, to);
    assert!(matches!(error, Err(ConnectError::Unaddressable)));
}

#[test]
fn strays_of_a_flow_that_failed_are_reset_while_its_port_rests() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open("192.0.2.1:80");
    world.ends[CLIENT].abort(client);
    world.cut = true;
    world.flush();
    world.cut = false;
    // Its other end knows of nothing, and must not believe that this arrived.
    send_all(&mut world, (SERVER, server), b"still there?");
    world.pass(Duration::from_secs(1));
    let how = Closure::Reset;
    let event = world.event(SERVER);
    assert_eq!(event, Event::Closed { flow: server, how });
    let counters = world.ends[CLIENT].counters().tcp;
    assert_eq!((counters.resets_sent, counters.time_wait), (1, 1));
}
