//! Segments that a server does not expect: of no flow, or of one that is over.

mod segments;
mod wire;

use std::time::Duration;

use awg_netstack::{Accept, Closure, Event, Limits};
use segments::server::{ENDS, OTHER, PEER, World};
use segments::{ACK, FIN, RST, SYN, Segment};

/// The answer of RFC 9293 section 3.10.7.1 to a segment of a connection that does not exist.
#[test]
fn a_segment_of_no_flow_is_reset() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        let mut data = Segment::new(client, target, ACK, 1000).acknowledging(7000);
        data.data = vec![1; 10];
        let expected = Segment::new(target, client, RST, 7000);
        assert_eq!(world.give(PEER, &data), [expected]);
        // Without an acknowledgement there is none to take the number from: what was sent is acknowledged.
        let fin = Segment::new(client, target, FIN, 1000);
        let expected = Segment::new(target, client, RST, 0).acknowledging(1001);
        assert_eq!(world.give(PEER, &fin), [expected]);
        // The answer of a handshake that nobody began.
        let answer = Segment::new(client, target, SYN, 1000).acknowledging(7000);
        let expected = Segment::new(target, client, RST, 7000);
        assert_eq!(world.give(PEER, &answer), [expected]);
        assert_eq!(
            (world.counters().stray, world.counters().resets_sent),
            (3, 3)
        );
        assert!(world.events().is_empty());
    }
}

/// A client that exposes a service: connections to its own addresses come in, and nothing passes through it.
#[test]
fn what_takes_connections_to_itself_takes_no_others() {
    for [client, elsewhere] in ENDS {
        let own = if elsewhere.contains('[') {
            "[fd00::1]:8080"
        } else {
            "10.0.0.1:8080"
        };
        let mut world = World::taking(Accept::ConnectionsToSelf, Limits::default());
        assert_eq!(
            world.give(PEER, &Segment::new(client, elsewhere, SYN, 1000)),
            []
        );
        assert!(world.events().is_empty());
        assert_eq!(world.stack.counters().elsewhere, 1);
        world.accepted(client, own);

        let mut closed = World::taking(Accept::Nothing, Limits::default());
        let reset = Segment::new(own, client, RST, 0).acknowledging(1001);
        assert_eq!(
            closed.give(PEER, &Segment::new(client, own, SYN, 1000)),
            [reset]
        );
    }
}

#[test]
fn a_reset_is_never_answered() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        for flags in [RST, RST | ACK, RST | SYN, RST | FIN | ACK, 0xff] {
            let reset = Segment::new(client, target, flags, 1000);
            assert_eq!(world.give(PEER, &reset), []);
        }
        assert_eq!(
            (world.counters().stray, world.counters().resets_sent),
            (5, 0)
        );
    }
}

#[test]
fn a_peer_that_floods_does_not_use_up_the_resets_of_others() {
    let limits = Limits {
        errors_per_second: 10,
        ..Limits::default()
    };
    let mut world = World::new(limits);
    let [client, target] = ENDS[0];
    let stray = Segment::new(client, target, ACK, 1);
    let answered = (0..100)
        .filter(|_| !world.give(PEER, &stray).is_empty())
        .count();
    assert_eq!(answered, 10);
    assert_eq!(world.counters().answers_suppressed, 90);
    assert_eq!(world.give(OTHER, &stray).len(), 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.give(PEER, &stray).len(), 1);
}

#[test]
fn a_damaged_segment_is_counted_and_has_no_effect() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        let whole = Segment::new(client, target, SYN, 1000).packet();
        let header = whole.len() - 20;
        // Every bit of the segment. (An IPv6 header has no checksum; the segment's covers its addresses.)
        for bit in 0..20 * 8 {
            let mut packet = whole.clone();
            packet[header + bit / 8] ^= 1 << (bit % 8);
            world.stack.handle_packet(world.now, PEER, &mut packet);
        }
        assert_eq!(world.counters().malformed, 160);
        assert!(world.events().is_empty());
        assert!(world.sent(PEER).is_empty());
    }
}

/// A flow that the server finished first and that is over: its server's sequence number, where the client's is 2002.
fn ended(world: &mut World, client: &str, target: &str) -> u32 {
    world.give(PEER, &Segment::new(client, target, SYN, 2000));
    let flow = world.incoming();
    world.stack.accept(world.now, flow).expect("it waits");
    let next = world.sent(PEER)[0].sequence.wrapping_add(1);
    world.give(
        PEER,
        &Segment::new(client, target, ACK, 2001).acknowledging(next),
    );
    world.stack.shutdown(flow);
    let fin = world.sent(PEER).pop().expect("a FIN");
    assert_eq!((fin.flags & (FIN | RST), fin.sequence), (FIN, next));
    let next = next.wrapping_add(1);
    world.give(
        PEER,
        &Segment::new(client, target, FIN, 2001).acknowledging(next),
    );
    let orderly = Event::Closed {
        flow,
        how: Closure::Orderly,
    };
    assert_eq!(world.events().last(), Some(&orderly));
    assert_eq!((world.counters().flows, world.counters().time_wait), (0, 1));
    next
}

#[test]
fn a_flow_that_is_over_still_answers_its_strays() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        let next = ended(&mut world, client, target);
        let acknowledgement = Segment::new(target, client, ACK, next).acknowledging(2002);
        // Its last acknowledgement was lost, so the peer repeats its FIN.
        let fin = Segment::new(client, target, FIN, 2001).acknowledging(next);
        assert_eq!(
            world.give(PEER, &fin),
            std::slice::from_ref(&acknowledgement)
        );
        // Bare acknowledgements and resets say nothing that wants an answer, and do not end the rest (RFC 1337).
        let bare = Segment::new(client, target, ACK, 2002).acknowledging(next);
        assert_eq!(world.give(PEER, &bare), []);
        assert_eq!(
            world.give(PEER, &Segment::new(client, target, RST, 2002)),
            []
        );
        assert_eq!(world.give(PEER, &fin), [acknowledgement]);
        // When it has rested there is no flow any more.
        world.pass(Limits::default().time_wait);
        assert_eq!(
            world.give(PEER, &fin),
            [Segment::new(target, client, RST, next)]
        );
    }
}

/// RFC 9293 section 3.10.7.4, RFC 6191.
#[test]
fn a_new_connection_may_take_the_place_of_one_that_rests() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        let next = ended(&mut world, client, target);
        // An old duplicate of the first SYN is no new connection.
        for old in [2000, 2002] {
            let answers = world.give(PEER, &Segment::new(client, target, SYN, old));
            let expected = Segment::new(target, client, ACK, next).acknowledging(2002);
            assert_eq!(answers, [expected]);
            assert!(world.events().is_empty());
        }
        assert_eq!(
            world.give(PEER, &Segment::new(client, target, SYN, 2003)),
            []
        );
        let flow = world.incoming();
        world.stack.accept(world.now, flow).expect("it waits");
        let answer = world.sent(PEER).pop().expect("an answer");
        assert_eq!((answer.flags, answer.acknowledgement), (SYN | ACK, 2004));
    }
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_is_no_host_s() {
    let mut world = World::new(Limits::default());
    for (source, destination) in [
        ("[::ffff:10.0.0.2]:5000", "[2001:db8::1]:80"),
        ("[fd00::2]:5000", "[::ffff:192.0.2.1]:80"),
    ] {
        // Written with all of their octets, as only the wire has them.
        let syn = Segment::new(source, destination, SYN, 1);
        assert_eq!(world.give(PEER, &syn), []);
    }
    assert_eq!(world.stack.counters().not_unicast, 2);
    assert!(world.events().is_empty());
}
