//! A repair that waits for a peer who has fallen silent.

mod segments;
mod wire;

use std::time::Duration;

use awg_netstack::{Closure, Event, FlowId, Limits};
use segments::server::{ENDS, PEER, World, at};
use segments::{ACK, RST, SYN, Segment};

/// A SYN that offers the largest scale of windows (RFC 7323 section 2.3): one unit is more than a repair begins with.
fn syn_of_large_windows(client: &str, target: &str) -> Vec<u8> {
    let (client, target) = (at(client), at(target));
    let mut message = Vec::new();
    message.extend(client.port().to_be_bytes());
    message.extend(target.port().to_be_bytes());
    message.extend(1000_u32.to_be_bytes());
    message.extend([0; 4]);
    message.extend([6 << 4, SYN, 0x40, 0, 0, 0, 0, 0]);
    message.extend([3, 3, 14, 0]);
    let addresses = [wire::octets(client.ip()), wire::octets(target.ip())].concat();
    wire::packet(&addresses, wire::TCP, message, 16)
}

/// A peer that takes a handshake and a few segments, and then says nothing, with much on its way to it.
fn world_of_a_peer_that_fell_silent([client, target]: [&str; 2]) -> (World, FlowId) {
    let mut world = World::new(Limits::default());
    let mut syn = syn_of_large_windows(client, target);
    world.stack.handle_packet(world.now, PEER, &mut syn);
    let flow = world.incoming();
    world.stack.accept(world.now, flow).expect("a waiting flow");
    let answer = world.sent(PEER).pop().expect("a SYN-ACK");
    let first = answer.sequence.wrapping_add(1);
    world.give(
        PEER,
        &Segment::new(client, target, ACK, 1001).acknowledging(first),
    );
    world.stack.send(flow, &mut |free| free.len().min(100_000));
    let mut sent = world.sent(PEER);
    for _ in 0..2 {
        let last = sent.last().expect("data");
        let end = last.sequence.wrapping_add(last.data.len() as u32);
        let heard = Segment::new(client, target, ACK, 1001).acknowledging(end);
        sent = world.give(PEER, &heard);
    }
    assert!(sent.len() > 20, "more than a repair begins with");
    (world, flow)
}

/// Lets time pass from deadline to deadline; says how many there were.
fn wakes(world: &mut World, time: Duration) -> usize {
    let end = world.now + time;
    let mut wakes = 0;
    while let Some(next) = world.stack.next_timeout().filter(|next| *next <= end) {
        wakes += 1;
        world.pass(next.saturating_duration_since(world.now));
        world.sent(PEER);
    }
    wakes
}

/// A repair that waits for the peer waits for its timer too, not for every millisecond until then.
#[test]
fn a_silent_peer_costs_few_wake_ups() {
    for ends in ENDS {
        let (mut world, _) = world_of_a_peer_that_fell_silent(ends);
        let wakes = wakes(&mut world, Duration::from_mins(2));
        assert!(wakes < 200, "{wakes}");
        assert!(world.counters().retransmission_timeouts > 3);
    }
}

#[test]
fn a_flow_whose_repair_waits_is_reset_all_the_same() {
    for seconds in 0..20 {
        let (mut world, flow) = world_of_a_peer_that_fell_silent(ENDS[0]);
        wakes(&mut world, Duration::from_secs(seconds));
        world.stack.abort(flow);
        let sent = world.sent(PEER);
        assert!(sent.iter().any(|segment| segment.flags & RST != 0));
        let expected = Event::Closed {
            flow,
            how: Closure::Aborted,
        };
        assert_eq!(world.events().last(), Some(&expected));
    }
}
