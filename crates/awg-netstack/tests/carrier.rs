//! Connections on the carrier, from their request to their end.

mod carried;
mod simulation;
mod wire;

use std::time::Duration;

use awg_netstack::{Closure, Event, Refusal, Rejection};
use carried::{address, ask, finish, name, open, requested, until};
use simulation::{CLIENT, Path, SERVER, Stream, pattern, send_all, take_all};

#[test]
fn bytes_go_both_ways_and_each_way_ends_by_itself() {
    let mut world = carried::carried(1, Path::default());
    let (client, server) = open(&mut world);
    send_all(&mut world, (CLIENT, client), b"question");
    world.ends[CLIENT].shutdown(client);
    until(&mut world, SERVER, &Event::Finished { flow: server });
    assert_eq!(take_all(&mut world, (SERVER, server)), b"question");
    send_all(&mut world, (SERVER, server), b"answer");
    until(&mut world, CLIENT, &Event::Readable { flow: client });
    assert_eq!(take_all(&mut world, (CLIENT, client)), b"answer");
    world.ends[SERVER].shutdown(server);
    until(&mut world, CLIENT, &Event::Finished { flow: client });
    let how = Closure::Orderly;
    until(&mut world, CLIENT, &Event::Closed { flow: client, how });
    until(&mut world, SERVER, &Event::Closed { flow: server, how });
    for end in [CLIENT, SERVER] {
        assert_eq!(world.ends[end].counters().carrier.flows, 0);
    }
}

#[test]
fn a_true_answer_takes_one_round_trip_and_early_bytes_come_with_the_request() {
    let mut world = carried::carried(2, Path::default());
    let rtt = 2 * world.path.delay;
    let begin = world.now;
    let early: Vec<u8> = (0..64 << 10).map(pattern).collect();
    for target in [name("example.org", 443), address("[2001:db8::1]:443")] {
        let start = world.now;
        let flow = ask(&mut world, &target, &early[..700]);
        let (server, wanted) = requested(&mut world);
        assert_eq!(wanted, target);
        assert_eq!(world.now - start, rtt / 2);
        let now = world.now;
        world.ends[SERVER].accept(now, server).unwrap();
        assert_eq!(take_all(&mut world, (SERVER, server)), &early[..700]);
        until(&mut world, CLIENT, &Event::Established { flow });
        assert_eq!(world.now - start, rtt);
    }
    assert_eq!(world.now - begin, 2 * rtt);
    // As many as may: all are taken, and come in order.
    ask(&mut world, &name("example.org", 80), &early);
    let (server, _) = requested(&mut world);
    let now = world.now;
    world.ends[SERVER].accept(now, server).unwrap();
    let mut heard = Vec::new();
    while heard.len() < early.len() {
        heard.extend(take_all(&mut world, (SERVER, server)));
        world.step(now + Duration::from_secs(9));
    }
    assert_eq!(heard, early);
}

#[test]
fn each_refusal_is_told_by_its_reason() {
    let mut world = carried::carried(3, Path::default());
    for (reason, why) in [
        (Rejection::Refused, Refusal::PortUnreachable),
        (Rejection::NetworkUnreachable, Refusal::NetworkUnreachable),
        (Rejection::HostUnreachable, Refusal::HostUnreachable),
        (Rejection::Prohibited, Refusal::Prohibited),
        (Rejection::TimedOut, Refusal::TimedOut),
        (Rejection::Failed, Refusal::Failed),
    ] {
        let flow = ask(&mut world, &name("example.org", 80), b"early");
        let (server, _) = requested(&mut world);
        let now = world.now;
        world.ends[SERVER].reject(now, server, reason);
        until(&mut world, CLIENT, &Event::Refused { flow, why });
        let how = Closure::Refused;
        until(&mut world, CLIENT, &Event::Closed { flow, how });
        until(&mut world, SERVER, &Event::Closed { flow: server, how });
    }
}

#[test]
fn an_abort_is_a_reset_and_never_an_end() {
    for aborts in [CLIENT, SERVER] {
        let mut world = carried::carried(4, Path::default());
        let (client, server) = open(&mut world);
        let flows = [client, server];
        send_all(&mut world, (aborts, flows[aborts]), &[7; 10_000]);
        world.ends[aborts].abort(flows[aborts]);
        let (flow, how) = (flows[aborts], Closure::Aborted);
        until(&mut world, aborts, &Event::Closed { flow, how });
        let (flow, how) = (flows[1 - aborts], Closure::Reset);
        loop {
            match world.event(1 - aborts) {
                Event::Closed {
                    flow: over,
                    how: so,
                } => {
                    assert_eq!((over, so), (flow, how));
                    break;
                }
                Event::Finished { .. } => panic!("an end"),
                _ => {}
            }
        }
    }
}

#[test]
fn large_transfers_arrive_whole() {
    let mut world = carried::carried(5, Path::default());
    let (client, server) = open(&mut world);
    let ends = [(CLIENT, client), (SERVER, server)];
    let mut streams = [
        Stream::new(ends[0], ends[1], 20 << 20),
        Stream::new(ends[1], ends[0], 20 << 20),
    ];
    finish(&mut world, &mut streams);
}
