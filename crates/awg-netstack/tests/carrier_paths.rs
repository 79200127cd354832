//! Carriers on bad paths, over ends that come and go, and to peers that are no carriers.

mod carried;
mod simulation;
mod wire;

use std::net::IpAddr;
use std::time::Duration;

use awg_netstack::{CarrierConfig, CarrierLoss, Closure, Event, Limits, Stack, StackConfig};
use carried::{PORT, address, ask, at, bring_up, finish, open, requested, set_up, until};
use simulation::{CLIENT, MTU, PEER, Path, SERVER, Stream, World, send_all, take_all};

/// A server that knows nothing, as after a restart. It has a carrier if `carries`.
fn restart(world: &mut World, carries: bool) {
    let config = StackConfig {
        addresses: ["10.0.0.1", "fd00::1"]
            .map(|address| address.parse::<IpAddr>().unwrap())
            .to_vec(),
        mtu: MTU,
        accept: carries.into(),
        limits: Limits::default(),
    };
    world.ends[SERVER] = Stack::new(config, [9; 32], world.now);
    if carries {
        world.ends[SERVER].set_carrier(CarrierConfig {
            listen: Some(PORT),
            reset_key: [SERVER as u8 + 1; 32],
        });
    }
}

#[test]
fn loss_reordering_and_copies_cost_time_and_nothing_else() {
    for (seed, lost) in [(1, 10), (2, 50), (3, 200)] {
        let path = Path {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(3),
            lost,
            doubled: 20,
            rate: Some(10e6),
            ..Path::default()
        };
        let mut world = carried::carried(seed, path);
        let flows: Vec<_> = (0..3).map(|_| open(&mut world)).collect();
        let mut streams = Vec::new();
        for (client, server) in flows {
            let (client, server) = ((CLIENT, client), (SERVER, server));
            streams.push(Stream::new(client, server, 1 << 20));
            streams.push(Stream::new(server, client, 1 << 20));
        }
        finish(&mut world, &mut streams);
    }
}

#[test]
fn packets_that_are_late_by_hundreds_are_not_taken_for_later_ones() {
    for seed in 1..=4 {
        // Five milliseconds are hundreds of packets here: more than what the shortest packet number tells apart.
        let path = Path {
            delay: Duration::from_millis(2),
            jitter: Duration::from_millis(5),
            jittered: 100,
            lost: 50,
            doubled: 20,
            rate: Some(if seed % 2 == 0 { 60e6 } else { 200e6 }),
            ..Path::default()
        };
        let mut world = carried::carried(seed, path);
        let (client, server) = open(&mut world);
        let (client, server) = ((CLIENT, client), (SERVER, server));
        let mut streams = [
            Stream::new(client, server, 8 << 20),
            Stream::new(server, client, 8 << 20),
        ];
        finish(&mut world, &mut streams);
    }
}

#[test]
fn ipv6_carries_too() {
    let mut world = World::new(4, Path::default());
    set_up(&mut world);
    bring_up(&mut world, at(true));
    let (client, server) = open(&mut world);
    let mut streams = [Stream::new((CLIENT, client), (SERVER, server), 2 << 20)];
    finish(&mut world, &mut streams);
    assert_eq!(world.longest, usize::from(MTU));
    assert_eq!(world.ends[SERVER].counters().carrier.malformed, 0);
}

#[test]
fn every_datagram_of_a_bulk_transfer_is_full() {
    let mut world = carried::carried(5, Path::default());
    let (client, server) = open(&mut world);
    let (packets, bytes) = (world.carried[SERVER], world.bytes[SERVER]);
    let mut streams = [Stream::new((CLIENT, client), (SERVER, server), 4 << 20)];
    finish(&mut world, &mut streams);
    assert_eq!(world.longest, usize::from(MTU));
    let mean = (world.bytes[SERVER] - bytes) / (world.carried[SERVER] - packets);
    assert!(mean > u64::from(MTU) - 10, "{mean} bytes a packet");
}

#[test]
fn where_no_datagram_fits_there_is_no_carrier() {
    let now = std::time::Instant::now();
    let config = StackConfig {
        addresses: vec!["10.0.0.2".parse().unwrap()],
        mtu: 1227,
        accept: false.into(),
        limits: Limits::default(),
    };
    let mut stack = Stack::new(config, [1; 32], now);
    stack.set_carrier(CarrierConfig {
        listen: None,
        reset_key: [1; 32],
    });
    stack.carry(now, PEER, Some(at(false)));
    let mut sink = wire::Packets::with_room(64);
    assert!(!stack.poll_transmit(now, &mut sink));
    assert!(sink.all_to(PEER).is_empty());
    assert_eq!(stack.next_timeout(), None);
}

#[test]
fn after_a_restart_flows_end_truly_and_new_ones_work() {
    let mut world = carried::carried(6, Path::default());
    world.pass(Duration::from_secs(5));
    let (client, _) = open(&mut world);
    let waiting = ask(&mut world, &address("192.0.2.1:80"), b"");
    requested(&mut world);
    world.pass(Duration::from_secs(3));
    while world.ends[CLIENT].poll_event().is_some() {}
    restart(&mut world, true);
    let start = world.now;
    // The tunnel has a new session: nothing else shows that anything happened.
    world.ends[CLIENT].resume(start, PEER, true);
    let mut heard = Vec::new();
    while heard.len() < 3 {
        heard.push(world.event(CLIENT));
    }
    // Nobody has refused what waited: whether it is asked for again is for its owner to say.
    let why = CarrierLoss::Reset;
    for event in [
        Event::CarrierDown { peer: PEER, why },
        Event::Closed {
            flow: client,
            how: Closure::Reset,
        },
        Event::Closed {
            flow: waiting,
            how: Closure::Reset,
        },
    ] {
        assert!(heard.contains(&event), "{event:?} in {heard:?}");
    }
    assert_eq!(world.now - start, 2 * world.path.delay);
    assert_eq!(world.ends[SERVER].counters().carrier.resets_sent, 1);
    until(&mut world, CLIENT, &Event::CarrierUp { peer: PEER });
    assert_eq!(world.now - start, 4 * world.path.delay);
    open(&mut world);
}

#[test]
fn a_client_that_begins_anew_takes_the_place_of_itself() {
    let mut world = carried::carried(7, Path::default());
    let (_, server) = open(&mut world);
    let now = world.now;
    let config = StackConfig {
        addresses: vec!["10.0.0.2".parse().unwrap()],
        mtu: MTU,
        accept: false.into(),
        limits: Limits::default(),
    };
    world.ends[CLIENT] = Stack::new(config, [8; 32], now);
    world.ends[CLIENT].set_carrier(CarrierConfig {
        listen: None,
        reset_key: [1; 32],
    });
    bring_up(&mut world, at(false));
    let how = Closure::Reset;
    until(&mut world, SERVER, &Event::Closed { flow: server, how });
    open(&mut world);
    assert_eq!(world.ends[SERVER].counters().carrier.carriers, 1);
}

#[test]
fn where_nobody_listens_it_is_known_at_once_and_tried_again() {
    let mut world = World::new(8, Path::default());
    set_up(&mut world);
    restart(&mut world, false);
    let start = world.now;
    world.ends[CLIENT].carry(start, PEER, Some(at(false)));
    let why = CarrierLoss::Unreachable;
    until(&mut world, CLIENT, &Event::CarrierDown { peer: PEER, why });
    assert_eq!(world.now - start, 2 * world.path.delay);
    assert!(!world.ends[CLIENT].is_carried(PEER));
    // Less and less often.
    let mut before = world.now;
    for (pause, failed) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().zip(2..) {
        while world.ends[CLIENT].counters().carrier.attempts_failed < failed {
            world.pass(Duration::from_millis(5));
        }
        let took = world.now - before;
        let pause = Duration::from_secs(pause);
        assert!(
            took >= pause && took < pause + Duration::from_secs(1),
            "{took:?}"
        );
        before = world.now;
    }
    // It was told once.
    assert_eq!(world.ends[CLIENT].poll_event(), None);
    restart(&mut world, true);
    let now = world.now;
    world.ends[CLIENT].resume(now, PEER, false);
    until(&mut world, CLIENT, &Event::CarrierUp { peer: PEER });
    assert_eq!(world.now - now, 2 * world.path.delay);
}

#[test]
fn one_that_falls_silent_while_its_peer_is_there_is_dead() {
    let mut world = carried::carried(9, Path::default());
    let (client, _) = open(&mut world);
    world.pass(Duration::from_secs(5));
    while world.ends[CLIENT].poll_event().is_some() {}
    // Something on the way eats what is the carrier's, and nothing else of the peer's.
    world.cut = true;
    send_all(&mut world, (CLIENT, client), b"is anybody there?");
    let why = CarrierLoss::TimedOut;
    let start = world.now;
    loop {
        world.heard = [world.now; 2];
        world.pass(Duration::from_millis(500));
        match world.ends[CLIENT].poll_event() {
            Some(Event::CarrierDown { why: so, .. }) => {
                assert_eq!(so, why);
                break;
            }
            Some(Event::Closed { flow, how }) => {
                assert_eq!((flow, how), (client, Closure::Reset));
            }
            _ => assert!(world.now - start < Duration::from_mins(1), "nobody noticed"),
        }
    }
    world.cut = false;
    until(&mut world, CLIENT, &Event::CarrierUp { peer: PEER });
}

#[test]
fn an_outage_of_the_tunnel_ends_nothing_and_costs_one_round_trip() {
    let mut world = carried::carried(10, Path::default());
    let (client, server) = open(&mut world);
    world.cut = true;
    send_all(&mut world, (CLIENT, client), b"late");
    world.pass(Duration::from_mins(5));
    while let Some(event) = world.ends[CLIENT].poll_event() {
        assert!(!matches!(event, Event::CarrierDown { .. }), "{event:?}");
    }
    world.cut = false;
    let start = world.now;
    world.ends[CLIENT].resume(start, PEER, false);
    until(&mut world, SERVER, &Event::Readable { flow: server });
    // The question leaves at once, and its answer shows what is to be sent again.
    assert_eq!(world.now - start, 3 * world.path.delay);
    assert_eq!(take_all(&mut world, (SERVER, server)), b"late");
}

#[test]
fn an_idle_carrier_sends_nothing_and_waits_for_nothing() {
    let mut world = carried::carried(11, Path::default());
    open(&mut world);
    world.pass(Duration::from_secs(30));
    let carried = world.carried;
    for _ in 0..12 {
        world.heard = [world.now; 2];
        world.pass(Duration::from_mins(10));
    }
    assert_eq!(world.carried, carried);
    assert!(world.ends[CLIENT].is_carried(PEER));
}

#[test]
fn what_is_said_to_be_given_up_is_told_to_the_other_end() {
    let mut world = carried::carried(12, Path::default());
    let (client, server) = open(&mut world);
    let now = world.now;
    world.ends[CLIENT].carry(now, PEER, None);
    let how = Closure::Aborted;
    until(&mut world, CLIENT, &Event::Closed { flow: client, how });
    let how = Closure::Reset;
    until(&mut world, SERVER, &Event::Closed { flow: server, how });
    assert_eq!(world.ends[CLIENT].counters().carrier.carriers, 0);
    assert_eq!(world.ends[SERVER].counters().carrier.carriers, 0);
}

#[test]
fn a_peer_that_is_forgotten_leaves_nothing() {
    let mut world = carried::carried(13, Path::default());
    let (client, server) = open(&mut world);
    let now = world.now;
    for (end, flow) in [(CLIENT, client), (SERVER, server)] {
        world.ends[end].forget_peer(now, PEER);
        let how = Closure::PeerGone;
        until(&mut world, end, &Event::Closed { flow, how });
    }
    assert_eq!(world.ends[SERVER].counters().carrier.carriers, 0);
    // The client still wants one.
    world.ends[CLIENT].resume(now, PEER, false);
    until(&mut world, CLIENT, &Event::CarrierUp { peer: PEER });
}

/// In the middle of a transfer that the path has no room for.
#[test]
fn an_end_that_closes_its_carriers_is_heard_at_once() {
    for closing in [SERVER, CLIENT] {
        let path = Path {
            rate: Some(1e6),
            ..Path::default()
        };
        let mut world = carried::carried(31, path);
        let (client, server) = open(&mut world);
        let (idle, waiting) = open(&mut world);
        for (end, flow) in [(CLIENT, client), (SERVER, server)] {
            while world.ends[end].send(flow, &mut |free| free.len()) > 0 {}
        }
        world.pass(Duration::from_millis(100));
        let now = world.now;
        assert!(!world.ends[closing].close_carriers(now));
        let other = if closing == SERVER { CLIENT } else { SERVER };
        let mut ended = if other == CLIENT {
            vec![client, idle]
        } else {
            vec![server, waiting]
        };
        while !ended.is_empty() {
            if let Event::Closed { flow, how } = world.event(other) {
                assert_eq!(how, Closure::Reset);
                ended.retain(|one| *one != flow);
            }
        }
        // As long as the queue and the way: no timer ran out.
        assert!(world.now - now < Duration::from_millis(500));
    }
}
