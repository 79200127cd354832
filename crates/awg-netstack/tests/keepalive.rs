//! An idle connection whose other end is gone ends; one whose other end answers stays, and costs next to nothing.

mod simulation;
mod wire;

use std::time::Duration;

use awg_netstack::{Closure, Event, FlowId, Limits, Stack, StackConfig, TcpCounters};
use simulation::{CLIENT, MTU, Path, SERVER, World, send_all, take_all};

const TARGETS: [&str; 2] = ["192.0.2.1:80", "[2001:db8::1]:80"];
const MINUTE: Duration = Duration::from_mins(1);

fn tcp(world: &World, end: usize) -> TcpCounters {
    world.ends[end].counters().tcp
}

/// Time passes in which the tunnel hears of both ends, whatever becomes of their packets.
fn pass(world: &mut World, minutes: u32) {
    for _ in 0..minutes {
        world.heard = [world.now; 2];
        world.pass(MINUTE);
    }
}

/// How the end's flow was closed, if it was.
fn closure(world: &mut World, end: usize, flow: FlowId) -> Option<Closure> {
    let mut closed = None;
    while let Some(event) = world.ends[end].poll_event() {
        if let Event::Closed { flow: over, how } = event {
            assert_eq!(over, flow);
            closed = Some(how);
        }
    }
    closed
}

#[test]
fn a_lost_reset_leaves_no_flow_behind() {
    for to in TARGETS {
        let mut world = World::new(1, Path::default());
        let (client, server) = world.open(to);
        world.ends[CLIENT].abort(client);
        world.cut = true;
        world.flush();
        world.cut = false;
        pass(&mut world, 4);
        assert_eq!(closure(&mut world, SERVER, server), None);
        pass(&mut world, 2);
        assert_eq!(closure(&mut world, SERVER, server), Some(Closure::Reset));
        assert_eq!(tcp(&world, SERVER).flows, 0);
    }
}

#[test]
fn a_client_that_was_killed_and_started_again_leaves_no_flow_behind() {
    for to in TARGETS {
        let mut world = World::new(1, Path::default());
        let (_, server) = world.open(to);
        let config = StackConfig {
            addresses: ["10.0.0.2", "fd00::2"]
                .map(|text| text.parse().expect("an address"))
                .to_vec(),
            mtu: MTU,
            accept: false.into(),
            limits: Limits::default(),
        };
        world.ends[CLIENT] = Stack::new(config, [9; 32], world.now);
        pass(&mut world, 6);
        assert_eq!(closure(&mut world, SERVER, server), Some(Closure::Reset));
        assert_eq!(tcp(&world, CLIENT).resets_sent, 1);
    }
}

#[test]
fn an_idle_flow_whose_other_end_answers_stays_and_holds_no_memory() {
    for to in TARGETS {
        let mut world = World::new(1, Path::default());
        let (client, server) = world.open(to);
        let data = vec![7; 50_000];
        send_all(&mut world, (SERVER, server), &data);
        world.pass(MINUTE);
        assert_eq!(take_all(&mut world, (CLIENT, client)), data);
        let flows = [client, server];
        pass(&mut world, 600);
        let mut asked = 0;
        for end in [CLIENT, SERVER] {
            assert_eq!(closure(&mut world, end, flows[end]), None);
            let counters = tcp(&world, end);
            assert_eq!(counters.buffer_bytes, 0);
            asked += counters.keepalives_sent;
        }
        // One question each five minutes: it is news to the end that is asked, too.
        assert!((100..=240).contains(&asked), "{asked} in ten hours");
        for (from, to) in [(0, 1), (1, 0)] {
            send_all(&mut world, (from, flows[from]), &data);
            world.pass(MINUTE);
            assert_eq!(take_all(&mut world, (to, flows[to])), data);
        }
    }
}

#[test]
fn a_half_closed_flow_is_asked_too() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    world.ends[CLIENT].shutdown(client);
    pass(&mut world, 60);
    assert_eq!(closure(&mut world, CLIENT, client), None);
    assert_eq!(closure(&mut world, SERVER, server), None);
    world.ends[CLIENT].abort(client);
    world.cut = true;
    world.flush();
    world.cut = false;
    pass(&mut world, 6);
    assert_eq!(closure(&mut world, SERVER, server), Some(Closure::Reset));
}

#[test]
fn what_waits_for_a_slow_reader_survives_the_questions() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    let data: Vec<u8> = (0..30_000).map(simulation::pattern).collect();
    send_all(&mut world, (SERVER, server), &data);
    world.ends[SERVER].shutdown(server);
    pass(&mut world, 60);
    assert!(tcp(&world, CLIENT).keepalives_sent > 0);
    assert_eq!(take_all(&mut world, (CLIENT, client)), data);
    assert_eq!(closure(&mut world, CLIENT, client), None);
}

#[test]
fn an_end_that_answers_nothing_is_given_up_but_not_after_an_outage() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    world.cut = true;
    pass(&mut world, 14);
    world.cut = false;
    pass(&mut world, 10);
    assert_eq!(closure(&mut world, SERVER, server), None);
    assert_eq!(closure(&mut world, CLIENT, client), None);
    world.cut = true;
    pass(&mut world, 18);
    assert_eq!(closure(&mut world, SERVER, server), Some(Closure::TimedOut));
    assert_eq!(tcp(&world, SERVER).keepalives_unanswered, 1);
}

#[test]
fn questions_that_found_no_room_are_not_counted_as_unanswered() {
    let full = Limits {
        waiting_packets: 0,
        ..Limits::default()
    };
    let mut world = World::with_limits(1, Path::default(), full.clone(), full);
    let (client, server) = world.open(TARGETS[0]);
    pass(&mut world, 60);
    assert!(tcp(&world, SERVER).waiting_full > 9, "it tried");
    assert_eq!(tcp(&world, SERVER).keepalives_sent, 0);
    assert_eq!(closure(&mut world, SERVER, server), None);
    assert_eq!(closure(&mut world, CLIENT, client), None);
}

#[test]
fn a_loop_that_slept_asks_before_it_gives_up() {
    let mut world = World::new(1, Path::default());
    let (client, server) = world.open(TARGETS[0]);
    // Nobody looks at a timer for hours.
    world.now += Duration::from_hours(3);
    pass(&mut world, 10);
    assert_eq!(closure(&mut world, SERVER, server), None);
    assert_eq!(closure(&mut world, CLIENT, client), None);
}

#[test]
fn a_packet_costs_the_same_beside_many_idle_flows() {
    let mut costs = [0; 2];
    for (idle, cost) in [1, 500].into_iter().zip(&mut costs) {
        let mut world = World::new(1, Path::default());
        let (client, server) = world.open(TARGETS[0]);
        for _ in 0..idle {
            world.open(TARGETS[0]);
        }
        let work = |world: &World| tcp(world, SERVER).flow_polls + tcp(world, SERVER).timer_polls;
        let mut left = 60;
        let mut busy = 0;
        while left > 0 {
            pass(&mut world, 1);
            let before = work(&world);
            send_all(&mut world, (SERVER, server), &[7; 10_000]);
            world.pass(Duration::from_millis(100));
            take_all(&mut world, (CLIENT, client));
            busy += work(&world) - before;
            left -= 1;
        }
        *cost = busy;
    }
    assert_eq!(costs[0], costs[1]);
}
