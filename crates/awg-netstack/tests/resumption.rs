//! A peer that is back after it was gone: what was lost meanwhile is sent again at once, however far the timers had backed off.

mod simulation;
mod wire;

use std::time::Duration;

use awg_netstack::{Closure, Event, FlowId, Limits, Stack, StackConfig};
use simulation::{CLIENT, MTU, PEER, Path, SERVER, World, pattern, send_all, take_all};

const TARGETS: [&str; 2] = ["192.0.2.1:80", "[2001:db8::1]:80"];
const SECOND: Duration = Duration::from_secs(1);

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(pattern).collect()
}

/// Nothing is carried for `time`; whatever was on its way is lost.
fn cut(world: &mut World, time: Duration) {
    world.cut = true;
    world.pass(time);
    world.cut = false;
}

fn resume(world: &mut World, is_lost: bool) {
    for end in [CLIENT, SERVER] {
        world.ends[end].resume(world.now, PEER, is_lost);
    }
}

/// How many packets an end sends to the other in the time of a few round trips.
fn carried(world: &mut World, to: usize) -> u64 {
    let before = world.carried[to];
    world.pass(SECOND / 10);
    world.carried[to] - before
}

fn closure(world: &mut World, end: usize, flow: FlowId) -> Option<Closure> {
    while let Some(event) = world.ends[end].poll_event() {
        if let Event::Closed { flow: over, how } = event {
            assert_eq!(over, flow);
            return Some(how);
        }
    }
    None
}

#[test]
fn what_was_lost_in_an_outage_arrives_at_once_when_it_is_over() {
    for to in TARGETS {
        for outage in [2, 30, 150] {
            let mut world = World::new(1, Path::default());
            let (client, server) = world.open(to);
            let (up, down) = (bytes(20_000), bytes(30_000));
            world.cut = true;
            send_all(&mut world, (CLIENT, client), &up);
            send_all(&mut world, (SERVER, server), &down[..25_000]);
            cut(&mut world, outage * SECOND);
            resume(&mut world, false);
            // A tenth of the shortest timeout: nothing of it waited for one.
            world.pass(SECOND / 10);
            assert_eq!(take_all(&mut world, (SERVER, server)), up, "{to} {outage}");
            assert_eq!(take_all(&mut world, (CLIENT, client)), down[..25_000]);
            assert!(world.ends[CLIENT].counters().tcp.resumed >= 1);
            // And the next loss is found in its usual time.
            world.cut = true;
            send_all(&mut world, (SERVER, server), &down[25_000..]);
            cut(&mut world, SECOND / 10);
            world.pass(SECOND);
            assert_eq!(take_all(&mut world, (CLIENT, client)), down[25_000..]);
        }
    }
}

#[test]
fn a_syn_and_its_answer_are_sent_again_at_once() {
    for to in TARGETS {
        let mut world = World::new(1, Path::default());
        world.cut = true;
        let now = world.now;
        let flow = world.ends[CLIENT]
            .connect(now, PEER, None, to.parse().unwrap())
            .unwrap();
        cut(&mut world, 4 * SECOND);
        resume(&mut world, false);
        assert_eq!(carried(&mut world, SERVER), 1);
        let Some(Event::Incoming { flow: theirs, .. }) = world.ends[SERVER].poll_event() else {
            panic!("no SYN");
        };
        // The answer is lost in turn.
        world.ends[SERVER].accept(world.now, theirs).unwrap();
        cut(&mut world, SECOND / 2);
        resume(&mut world, false);
        world.pass(SECOND / 10);
        assert_eq!(
            world.ends[CLIENT].poll_event(),
            Some(Event::Established { flow })
        );
    }
}

#[test]
fn an_end_of_a_stream_is_sent_again_at_once() {
    for to in TARGETS {
        let mut world = World::new(1, Path::default());
        let (client, server) = world.open(to);
        world.ends[CLIENT].shutdown(client);
        cut(&mut world, 30 * SECOND);
        resume(&mut world, false);
        world.pass(SECOND / 10);
        assert_eq!(
            world.ends[SERVER].poll_event(),
            Some(Event::Finished { flow: server })
        );
    }
}

#[test]
fn what_is_on_its_way_for_less_than_a_round_trip_is_not_repeated() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    send_all(&mut world, (CLIENT, client), &bytes(10_000));
    world.flush();
    let sent = world.carried[SERVER];
    world.pass(Duration::from_millis(4));
    resume(&mut world, true);
    world.flush();
    assert_eq!(world.carried[SERVER], sent);
    world.pass(SECOND);
    assert_eq!(take_all(&mut world, (SERVER, server)), bytes(10_000));
    assert_eq!(world.ends[CLIENT].counters().tcp.resumed, 0);
}

#[test]
fn a_flow_that_only_receives_learns_that_the_other_end_forgot_it() {
    for to in TARGETS {
        let mut world = World::new(1, Path::default());
        let (client, _) = world.open(to);
        let config = StackConfig {
            addresses: ["10.0.0.1", "fd00::1"]
                .map(|text| text.parse().unwrap())
                .to_vec(),
            mtu: MTU,
            accept: true.into(),
            limits: Limits::default(),
        };
        world.ends[SERVER] = Stack::new(config, [9; 32], world.now);
        world.pass(10 * SECOND);
        assert_eq!(closure(&mut world, CLIENT, client), None);
        world.ends[CLIENT].resume(world.now, PEER, true);
        world.pass(SECOND);
        assert_eq!(closure(&mut world, CLIENT, client), Some(Closure::Reset));
    }
}

#[test]
fn a_question_is_for_the_flow_that_was_heard_of_last() {
    let mut world = World::new(1, Path::default());
    assert!(!world.ends[CLIENT].ask(PEER));
    let (first, _) = world.open(TARGETS[0]);
    world.pass(SECOND);
    let (last, theirs) = world.open(TARGETS[1]);
    world.ends[SERVER].abort(theirs);
    world.cut = true;
    world.flush();
    world.cut = false;
    assert!(world.ends[CLIENT].ask(PEER));
    world.pass(SECOND);
    // The one that was asked of was gone.
    assert_eq!(closure(&mut world, CLIENT, last), Some(Closure::Reset));
    assert_eq!(closure(&mut world, CLIENT, first), None);
}

#[test]
fn a_ping_is_answered_at_the_other_ends_own_address() {
    for address in ["10.0.0.1", "fd00::1"] {
        let mut world = World::new(1, Path::default());
        let now = world.now;
        assert!(world.ends[CLIENT].ping(PEER, address.parse().unwrap()));
        world.pass(SECOND);
        assert_eq!(world.now, now + SECOND);
        let icmp = world.ends[CLIENT].counters().icmp;
        assert_eq!(
            (icmp.echoes_sent, icmp.echoes_answered, icmp.ignored),
            (1, 1, 0)
        );
    }
}

#[test]
fn a_path_that_takes_no_large_packets_is_told_of_while_small_ones_pass() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    send_all(&mut world, (CLIENT, client), b"small");
    world.pass(SECOND);
    assert_eq!(take_all(&mut world, (SERVER, server)), b"small");
    assert_eq!(world.ends[CLIENT].take_clogged(), None);
    world.cut = true;
    send_all(&mut world, (CLIENT, client), &bytes(5_000));
    let since = world.now;
    world.pass(4 * SECOND);
    let clogged = world.ends[CLIENT].take_clogged().expect("a flow");
    assert_eq!((clogged.peer, clogged.since), (PEER, since));
    assert_eq!(clogged.remote.to_string(), "192.0.2.1");
    assert_eq!(world.ends[CLIENT].take_clogged(), None);
}

#[test]
fn a_flow_that_is_never_acknowledged_is_resumed_ever_less_often_and_still_given_up() {
    let mut world = World::new(1, Path::default());
    let (client, _) = world.open(TARGETS[0]);
    world.cut = true;
    send_all(&mut world, (CLIENT, client), &bytes(5_000));
    let begin = world.now;
    while closure(&mut world, CLIENT, client).is_none() {
        // Something else is heard of the peer again and again.
        world.pass(SECOND / 2);
        world.ends[CLIENT].resume(world.now, PEER, false);
        assert!(world.now - begin < 240 * SECOND, "never given up");
    }
    let resumed = world.ends[CLIENT].counters().tcp.resumed;
    assert!((8..=20).contains(&resumed), "{resumed}");
}

#[test]
fn a_window_that_opened_in_an_outage_is_asked_for_at_once() {
    let small = Limits {
        buffer_bytes_per_flow: 100_000,
        ..Limits::default()
    };
    let mut world = World::with_limits(1, Path::default(), small, Limits::default());
    let (client, server) = world.open(TARGETS[0]);
    // The client's application takes nothing until its window is shut, and everything while nothing is carried.
    let all = bytes(150_000);
    send_all(&mut world, (SERVER, server), &all[..50_000]);
    world.pass(SECOND);
    send_all(&mut world, (SERVER, server), &all[50_000..]);
    world.pass(10 * SECOND);
    world.cut = true;
    let mut taken = take_all(&mut world, (CLIENT, client));
    assert!(taken.len() < all.len(), "the window was never shut");
    cut(&mut world, 100 * SECOND);
    resume(&mut world, false);
    world.pass(SECOND / 10);
    taken.extend(take_all(&mut world, (CLIENT, client)));
    assert_eq!(taken.len(), all.len());
    assert_eq!(taken, all);
}
