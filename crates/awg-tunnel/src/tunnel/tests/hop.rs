//! A client that spreads its datagrams over the ports of a server.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::link::{SECOND, Sent, Setup, World, outer};
use crate::{Event, Interval, PeerConfig, PeerError, PortHop};

const PORTS: RangeInclusive<u16> = 20_000..=20_009;

fn hopping(every: Option<Interval>) -> Setup {
    let hop = PortHop {
        ports: PORTS,
        every,
    };
    Setup {
        port: Some(*PORTS.start()),
        hop: Some(hop),
        ..Setup::default()
    }
}

/// A server at every port of the range.
fn listening() -> Setup {
    Setup {
        doors: PORTS.map(|port| (port, 0)).collect(),
        ..Setup::default()
    }
}

fn roamed(event: &Event) -> bool {
    matches!(event, Event::PeerRoamed { .. })
}

/// Where the client's datagrams go.
fn ports(sent: &[Sent]) -> Vec<u16> {
    let by_client = sent.iter().filter(|sent| sent.by == 0);
    by_client.map(|sent| sent.to.port()).collect()
}

#[test]
fn every_initiation_goes_to_another_port_of_the_range() {
    let mut world = World::with(1, &hopping(None), &listening());
    world.ends[1].deaf = true;
    world.connect(0);
    world.run(120 * SECOND);
    world.connect(0);
    world.run(60 * SECOND);
    let ports = ports(&world.sent_by(0, 148));
    assert!(ports.len() > 25, "{ports:?}");
    assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
    assert!(ports.windows(2).all(|two| two[0] != two[1]), "{ports:?}");
    let different: BTreeSet<_> = ports.iter().collect();
    assert!(different.len() > 7, "{ports:?}");
}

#[test]
fn what_precedes_an_initiation_goes_where_it_goes() {
    let mut setup = hopping(None);
    let settings = [("Jc", "3"), ("Jmin", "9"), ("Jmax", "9")];
    setup.parameters = awg_obfuscation::Parameters::from_settings(settings).unwrap();
    let mut world = World::with(1, &setup, &listening());
    world.ends[1].deaf = true;
    world.connect(0);
    world.run(60 * SECOND);
    let ports = ports(&world.sent);
    assert!(ports.len() >= 40, "{ports:?}");
    for run in ports.chunks(4) {
        assert!(run.iter().all(|port| *port == run[0]), "{ports:?}");
    }
}

#[test]
fn a_session_hops_and_the_other_end_follows() {
    let mut world = World::with(3, &hopping(Interval::between(30, 90)), &listening());
    let seconds = 1200;
    for number in 0..seconds {
        world.send((number % 2) as usize, 100, number);
        world.run(SECOND);
    }
    // An even number is the client's, and what the server says before it was ever heard waits.
    assert_eq!(world.delivered.len(), seconds as usize);
    assert_eq!(
        world.count_events(0, roamed) + world.count_events(1, roamed),
        0
    );
    assert_eq!(world.drops(0), []);
    assert_eq!(world.drops(1), []);

    let by_client: Vec<_> = world.sent.iter().filter(|sent| sent.by == 0).collect();
    let mut hops = Vec::new();
    for two in by_client.windows(2) {
        if two[0].to != two[1].to {
            hops.push((two[1].at, two[1].datagram.len(), two[1].to.port()));
        }
    }
    let different: BTreeSet<_> = hops.iter().map(|(_, _, port)| port).collect();
    assert!(different.len() > 7, "{hops:?}");
    // A hop by itself is a keepalive, or an initiation where a session was to be renewed; and 30 to 90 s after the one before.
    assert!(hops.iter().all(|(_, size, _)| [32, 148].contains(size)));
    let by_itself: Vec<_> = hops.iter().filter(|(_, size, _)| *size == 32).collect();
    assert!((13..=40).contains(&by_itself.len()), "{by_itself:?}");
    for two in by_itself.windows(2) {
        let stay = two[1].0 - two[0].0;
        assert!((30 * SECOND..=90 * SECOND).contains(&stay), "{stay:?}");
    }

    // The server's way back is from the port at which the client was last heard.
    let now = world.elapsed;
    world.send(1, 100, 9);
    let last_port = by_client_port(&world, now);
    let answer = world.sent.last().unwrap();
    assert_eq!((answer.by, answer.from.port()), (1, last_port));
}

fn by_client_port(world: &World, until: Duration) -> u16 {
    let mut sent = world.sent.iter().rev();
    let last = sent.find(|sent| sent.by == 0 && sent.at <= until).unwrap();
    last.to.port()
}

#[test]
fn without_a_session_nothing_hops() {
    let mut world = World::with(1, &hopping(Interval::every(30)), &listening());
    world.send(0, 100, 1);
    world.run(100 * SECOND);
    world.ends[1].deaf = true;
    // The session ends, and so does the run of initiations for another one.
    world.run(200 * SECOND);
    assert_eq!(world.tunnel(0).counters().handshakes_failed, 1);
    let sent = world.sent.len();
    world.run(3600 * SECOND);
    assert_eq!(world.sent.len(), sent);
    assert_eq!(world.tunnel(0).next_timeout(), None);
}

#[test]
fn an_answer_from_any_port_of_the_range_moves_nobody() {
    let mut world = World::with(1, &hopping(None), &listening());
    world.send(0, 100, 1);
    world.run(SECOND);
    let peer = world.ends[0].peer;
    let here = world.tunnel(0).peer_status(peer).unwrap().endpoint.unwrap();
    let elsewhere = |port| std::net::SocketAddr::new(outer(1).ip(), port);
    let other = PORTS.map(elsewhere).find(|at| *at != here.remote).unwrap();
    for (number, from) in [(2, other), (3, elsewhere(30_000))] {
        world.send(1, 100, number);
        let datagram = world.sent.last().unwrap().datagram.clone();
        assert!(world.inject(0, from, &datagram).1);
        let now = world.tunnel(0).peer_status(peer).unwrap().endpoint;
        let moved = from.port() == 30_000;
        assert_eq!(now, Some(if moved { from.into() } else { here }));
        assert_eq!(world.count_events(0, roamed), usize::from(moved));
    }
    // Where it is now is none of the ports that the configuration names, so it stays there.
    world.ends[0].deaf = true;
    world.sent.clear();
    world.run(200 * SECOND);
    world.connect(0);
    world.run(60 * SECOND);
    assert!(world.sent_by(0, 148).len() > 5);
    assert!(ports(&world.sent).iter().all(|port| *port == 30_000));
}

#[test]
fn another_range_takes_the_place_of_the_first() {
    let mut world = World::with(1, &hopping(Interval::every(30)), &listening());
    world.send(0, 100, 1);
    world.run(SECOND);
    let (now, peer) = (world.now(0), world.ends[0].peer);
    let one = PortHop {
        ports: 20_003..=20_003,
        every: None,
    };
    let config = PeerConfig {
        hop: Some(one),
        ..PeerConfig::new(super::link::key(1).public_key())
    };
    world.tunnel(0).update_peer(now, peer, config).unwrap();
    world.sent.clear();
    world.run(100 * SECOND);
    let sent = world.sent.len();
    world.connect(0);
    world.run(100 * SECOND);
    let ports = ports(&world.sent[..sent]);
    assert!(ports.iter().all(|port| *port == 20_003), "{ports:?}");
}

#[test]
fn ranges_that_hold_nothing_are_refused() {
    let mut world = World::new(1);
    let now = world.now(0);
    let mut refused = |ports| {
        let config = PeerConfig {
            hop: Some(PortHop { ports, every: None }),
            ..PeerConfig::new(crate::PrivateKey::from_bytes([9; 32]).public_key())
        };
        world.tunnel(0).add_peer(now, config).unwrap_err()
    };
    assert_eq!(refused(0..=5), PeerError::HopPorts);
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let reversed = 6..=5;
    assert_eq!(refused(reversed), PeerError::HopPorts);
}
