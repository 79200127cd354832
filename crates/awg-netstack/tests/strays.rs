//! Segments that a server does not expect: of no flow, of a flow that waits for its answer, of one that is over.

mod segments;
mod wire;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use awg_netstack::{
    Closure, Event, FlowId, Limits, Peer, Rejection, Stack, StackConfig, TcpCounters,
};
use segments::{ACK, FIN, RST, SYN, Segment};
use wire::Packets;

const PEER: Peer = Peer(1);
const OTHER: Peer = Peer(2);
/// Client and target of each family.
const ENDS: [[&str; 2]; 2] = [
    ["10.0.0.2:5000", "192.0.2.1:80"],
    ["[fd00::2]:5000", "[2001:db8::1]:80"],
];

/// A server, and whoever writes to it.
struct World {
    now: Instant,
    stack: Stack,
}

impl World {
    fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let config = StackConfig {
            addresses: ["10.0.0.1", "fd00::1"]
                .map(|text| text.parse().expect("an address"))
                .to_vec(),
            mtu: 1420,
            accept: true,
            limits,
        };
        Self {
            now,
            stack: Stack::new(config, [1; 32], now),
        }
    }

    /// Hands a segment in; the segments that answer it.
    fn give(&mut self, peer: Peer, segment: &Segment) -> Vec<Segment> {
        let mut packet = segment.packet();
        self.stack.handle_packet(self.now, peer, &mut packet);
        self.sent(peer)
    }

    /// What the stack sends, all of it to `peer`.
    fn sent(&mut self, peer: Peer) -> Vec<Segment> {
        let mut sink = Packets::default();
        assert!(!self.stack.poll_transmit(self.now, &mut sink));
        sink.packets
            .iter()
            .filter_map(|(to, packet)| {
                assert_eq!(*to, peer);
                Segment::read(packet)
            })
            .collect()
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.stack.handle_timeout(self.now, |_| Some(self.now));
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.stack.poll_event()).collect()
    }

    /// The one flow that comes in now.
    fn incoming(&mut self) -> FlowId {
        match self.events()[..] {
            [Event::Incoming { flow, .. }] => flow,
            ref other => panic!("{other:?}"),
        }
    }

    fn counters(&self) -> TcpCounters {
        self.stack.counters().tcp
    }
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("a socket address")
}

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
        let flow = match world.events()[..] {
            [event @ Event::Incoming { flow, .. }] => {
                assert_eq!(event, expected(flow));
                flow
            }
            ref other => panic!("{other:?}"),
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

/// The segment that completes a handshake may have data (RFC 9293 section 3.5): the handshake is told of first.
#[test]
fn data_that_completes_a_handshake_is_told_of_after_it() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        world.give(PEER, &Segment::new(client, target, SYN, 1000));
        let flow = world.incoming();
        world.stack.accept(world.now, flow).expect("a waiting flow");
        let answer = world.sent(PEER).pop().expect("a SYN-ACK");
        let mut data =
            Segment::new(client, target, FIN, 1001).acknowledging(answer.sequence.wrapping_add(1));
        data.data = vec![1; 10];
        world.give(PEER, &data);
        let expected = [
            Event::Established { flow },
            Event::Readable { flow },
            Event::Finished { flow },
        ];
        assert_eq!(world.events(), expected);
        assert_eq!(world.stack.receivable(flow), 10);
    }
}

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

/// After its FIN a peer has nothing more to say: text beyond it is ignored (RFC 9293 section 3.10.7.4).
#[test]
fn data_after_the_end_does_not_come_out() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        world.give(PEER, &Segment::new(client, target, SYN, 1000));
        let flow = world.incoming();
        world.stack.accept(world.now, flow).expect("a waiting flow");
        let answer = world.sent(PEER).pop().expect("a SYN-ACK");
        let first = answer.sequence.wrapping_add(1);
        let mut last = Segment::new(client, target, FIN, 1001).acknowledging(first);
        last.data = vec![1; 10];
        world.give(PEER, &last);
        // Behind the FIN, over it, and the end once more, as one sends it whose acknowledgement was lost.
        for sequence in [1012, 1006] {
            let mut more = Segment::new(client, target, ACK, sequence).acknowledging(first);
            more.data = vec![2; 10];
            world.give(PEER, &more);
            assert_eq!(world.stack.receivable(flow), 10);
        }
        world.give(PEER, &last);
        assert_eq!(world.stack.receivable(flow), 10);
        world.stack.shutdown(flow);
        let fin = world.sent(PEER).pop().expect("a FIN");
        assert_eq!((fin.flags & FIN, fin.acknowledgement), (FIN, 1012));
    }
}
