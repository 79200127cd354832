//! SYNs that are held until the embedder has decided.

mod segments;
mod wire;

use std::time::Duration;

use awg_netstack::{Closure, Event, Limits, Peer, Rejection};
use segments::server::{ENDS, OTHER, PEER, World, at};
use segments::{ACK, RST, SYN, Segment};
use wire::Packets;

#[test]
fn a_syn_is_held_without_a_word_until_it_is_accepted() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        let syn = Segment::new(client, target, SYN, u32::MAX);
        assert_eq!(world.give(PEER, &syn), []);
        let expected = |flow| Event::Incoming {
            flow,
            peer: PEER,
            kind: awg_netstack::Kind::Tcp,
            source: at(client),
            destination: at(target),
        };
        let flow = match &world.events()[..] {
            [event @ Event::Incoming { flow, .. }] => {
                assert_eq!(event, &expected(*flow));
                *flow
            }
            other => panic!("{other:?}"),
        };
        // Its repetitions are absorbed, and so is what does not belong to a handshake.
        for _ in 0..3 {
            world.pass(Duration::from_secs(1));
            assert_eq!(world.give(PEER, &syn), []);
        }
        let early = Segment::new(client, target, ACK, 0).acknowledging(1);
        assert_eq!(world.give(PEER, &early), []);
        assert!(world.events().is_empty());
        assert_eq!(
            (world.counters().repeated_syns, world.counters().half_open),
            (3, 1)
        );
        world.stack.accept(world.now, flow).expect("it waits");
        let answers = world.sent(PEER);
        assert_eq!(answers.len(), 1);
        assert_eq!(
            (answers[0].flags, answers[0].acknowledgement),
            (SYN | ACK, 0)
        );
        assert_eq!((world.counters().half_open, world.counters().flows), (0, 1));
    }
}

#[test]
fn the_answer_goes_to_the_later_of_two_attempts_from_one_port() {
    let mut world = World::new(Limits::default());
    let [client, target] = ENDS[0];
    world.give(PEER, &Segment::new(client, target, SYN, 1000));
    let flow = world.incoming();
    world.give(PEER, &Segment::new(client, target, SYN, 9000));
    world.stack.accept(world.now, flow).expect("it waits");
    assert_eq!(world.sent(PEER)[0].acknowledgement, 9001);
}

#[test]
fn a_syn_longer_than_the_tunnel_s_packets_is_turned_away() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        let mut long = Segment::new(client, target, SYN, 1000);
        long.data = vec![7; 60_000];
        assert_eq!(world.give(PEER, &long), []);
        assert!(world.events().is_empty());
        assert_eq!(
            (world.counters().syns_too_long, world.counters().half_open),
            (1, 0)
        );
        // Nor does one take the place of a short one.
        world.give(PEER, &Segment::new(client, target, SYN, 1000));
        let flow = world.incoming();
        long.sequence = 9000;
        world.give(PEER, &long);
        world.stack.accept(world.now, flow).expect("it waits");
        assert_eq!(world.sent(PEER)[0].acknowledgement, 1001);
        assert_eq!(world.counters().syns_too_long, 2);
    }
}

#[test]
fn the_client_may_give_up_before_it_was_answered_but_nobody_else_may_for_it() {
    let mut world = World::new(Limits::default());
    let [client, target] = ENDS[0];
    world.give(PEER, &Segment::new(client, target, SYN, 1000));
    let flow = world.incoming();
    for guess in [0, 999, 1002, 50_000] {
        assert_eq!(
            world.give(PEER, &Segment::new(client, target, RST, guess)),
            []
        );
    }
    // The same addresses through another peer are another flow.
    assert_eq!(
        world.give(OTHER, &Segment::new(client, target, RST, 1001)),
        []
    );
    assert!(world.events().is_empty());
    assert_eq!(
        world.give(PEER, &Segment::new(client, target, RST, 1001)),
        []
    );
    let how = Closure::Reset;
    assert_eq!(world.events(), [Event::Closed { flow, how }]);
    assert_eq!((world.counters().half_open, world.counters().flows), (0, 0));
}

#[test]
fn a_refused_syn_is_reset() {
    for [client, target] in ENDS {
        for abort in [false, true] {
            let mut world = World::new(Limits::default());
            world.give(PEER, &Segment::new(client, target, SYN, 1000));
            let flow = world.incoming();
            if abort {
                world.stack.abort(flow);
            } else {
                world.stack.reject(world.now, flow, Rejection::Refused);
            }
            let expected = Segment::new(target, client, RST, 0).acknowledging(1001);
            assert_eq!(world.sent(PEER), [expected]);
        }
    }
}

#[test]
fn one_peer_s_held_syns_leave_room_for_another_s() {
    let limits = Limits {
        half_open: 6,
        half_open_per_peer: 4,
        ..Limits::default()
    };
    let mut world = World::new(limits);
    let mut knock = |peer| {
        for port in 1..=10 {
            let mut syn = Segment::new(ENDS[0][0], ENDS[0][1], SYN, 1);
            syn.source.set_port(port);
            world.give(peer, &syn);
        }
        (world.counters().half_open, world.counters().half_open_full)
    };
    assert_eq!(knock(PEER), (4, 6));
    assert_eq!(knock(OTHER), (6, 6 + 8));
    world.pass(Limits::default().accept_within);
    assert_eq!(
        (
            world.counters().half_open,
            world.counters().half_open_expired
        ),
        (0, 6)
    );
    let expired = |event: &Event| {
        matches!(
            event,
            Event::Closed {
                how: Closure::Expired,
                ..
            }
        )
    };
    assert_eq!(world.events().into_iter().filter(expired).count(), 6);
}

#[test]
fn turning_flows_away_while_nothing_can_leave_takes_bounded_memory() {
    let mut world = World::new(Limits::default());
    let mut syn = Segment::new(ENDS[0][0], ENDS[0][1], SYN, 1);
    // As long as a packet can be: that is what would be quoted.
    syn.data = vec![0; 1380];
    for round in 0..20_000_u32 {
        let mut packet = syn.packet();
        let peer = Peer(round);
        world.stack.handle_packet(world.now, peer, &mut packet);
        let flow = world.incoming();
        world
            .stack
            .reject(world.now, flow, Rejection::HostUnreachable);
        world.events();
    }
    let icmp = world.stack.counters().icmp;
    let [sent, dropped, limited] = [icmp.errors_sent, icmp.queue_full, icmp.rate_limited];
    assert_eq!(sent + dropped + limited, 20_000);
    assert!(dropped > 15_000, "{dropped}");
    let mut sink = Packets::default();
    world.stack.poll_transmit(world.now, &mut sink);
    let bytes: usize = sink.packets.iter().map(|(_, packet)| packet.len()).sum();
    assert_eq!(sink.packets.len() as u64, sent);
    assert!(bytes <= 256 << 10, "{bytes}");
    // Oldest first.
    assert_eq!(sink.packets[0].0, Peer(0));
}
