//! Several obfuscations at one end, and what is remembered of a peer over a restart.

use awg_obfuscation::Parameters;

use super::link::{SECOND, Setup, World, key, outer, wall_clock};
use crate::{
    Endpoint, Event, Local, Now, PeerConfig, PeerError, Tunnel, TunnelConfig, TunnelError,
};

fn parameters(settings: &[(&str, &str)]) -> Parameters {
    Parameters::from_settings(settings.iter().copied()).unwrap()
}

fn old() -> Parameters {
    parameters(&[("S1", "10"), ("S4", "40"), ("H4", "700-800")])
}

fn new() -> Parameters {
    parameters(&[
        ("S1", "33"),
        ("S2", "44"),
        ("S4", "5"),
        ("H1", "1000-1999"),
        ("H2", "2000-2999"),
        ("H4", "4000-4999"),
    ])
}

/// A server that speaks the old at 51820 and the new at 7 and 8.
fn server() -> Setup {
    Setup {
        parameters: old(),
        further: vec![new()],
        doors: vec![(7, 1), (8, 1)],
        ..Setup::default()
    }
}

fn client(parameters: Parameters, port: Option<u16>) -> Setup {
    Setup {
        parameters,
        port,
        ..Setup::default()
    }
}

/// Sends packets both ways; says which obfuscation the server speaks to the client.
fn converse(world: &mut World, first: u32) -> Local {
    for number in first..first + 4 {
        world.send((number % 2) as usize, 1420, number);
        world.run(SECOND);
    }
    let peer = world.ends[1].peer;
    let status = world.tunnel(1).peer_status(peer).unwrap();
    status.endpoint.unwrap().local
}

#[test]
fn a_peer_is_spoken_to_as_it_speaks() {
    let mut world = World::with(1, &client(old(), None), &server());
    let local = converse(&mut world, 0);
    assert_eq!(local, Local::default());
    for port in [7, 8] {
        world.restart(0, &client(new(), Some(port)));
        world.run(SECOND);
        let local = converse(&mut world, 10 * u32::from(port));
        assert_eq!(
            local,
            Local {
                socket: port - 6,
                obfuscation: 1
            }
        );
    }
    // And back: the server does not hold on to what was once new.
    world.restart(0, &client(old(), None));
    world.run(SECOND);
    assert_eq!(converse(&mut world, 200), Local::default());
    assert_eq!(world.delivered.len(), 16);
    let sizes = |from: u16| {
        let answers = world
            .sent
            .iter()
            .filter(|sent| sent.by == 1 && sent.from.port() == from);
        answers.map(|sent| sent.datagram.len()).max()
    };
    assert_eq!(
        [sizes(51820), sizes(7), sizes(8)],
        [40, 5, 5].map(|s4| Some(1420 + 32 + s4))
    );
}

#[test]
fn an_obfuscation_is_spoken_at_its_own_port_alone() {
    let mut world = World::with(1, &client(new(), None), &server());
    world.connect(0);
    world.run(30 * SECOND);
    assert!(world.sent.iter().all(|sent| sent.by == 0));
    assert!(world.tunnel(1).counters().dropped_unclassified > 4);
}

#[test]
fn the_room_for_a_packet_is_that_of_the_peers_obfuscation() {
    let mut world = World::with(1, &client(old(), None), &server());
    let peer = world.ends[1].peer;
    converse(&mut world, 0);
    assert_eq!(world.tunnel(1).headroom(peer), 40 + 16);
    world.restart(0, &client(new(), Some(7)));
    world.run(SECOND);
    converse(&mut world, 10);
    let tunnel = world.tunnel(1);
    assert_eq!(tunnel.headroom(peer), 5 + 16);
    assert_eq!(tunnel.sealed_len(peer, 100), 5 + 16 + 112 + 16);
    assert_eq!(tunnel.largest_sealed_len(), 40 + 16 + 1420 + 16);
}

#[test]
fn an_obfuscation_that_is_not_there_is_refused_and_dropped() {
    let nowhere = Endpoint {
        remote: outer(1),
        local: Local {
            socket: 0,
            obfuscation: 2,
        },
    };
    let mut world = World::with(1, &client(old(), None), &server());
    let config = PeerConfig {
        endpoint: Some(nowhere),
        ..PeerConfig::new(key(7).public_key())
    };
    let now = world.now(1);
    let none = PeerError::NoSuchObfuscation { place: 2, sets: 2 };
    assert_eq!(world.tunnel(1).add_peer(now, config), Err(none));
    assert_eq!(world.inject(1, nowhere, &[0; 148]), (0, false));
    assert_eq!(world.tunnel(1).counters().dropped_unclassified, 1);
}

#[test]
fn a_further_obfuscation_that_is_wrong_is_named() {
    let now = Now {
        instant: std::time::Instant::now(),
        unix: wall_clock(SECOND),
    };
    let mut config = TunnelConfig::new(key(0), old(), 1420);
    let mut overlapping = new();
    overlapping.headers[1] = overlapping.headers[0];
    config.further_obfuscation = vec![new(), overlapping];
    let Err(error) = Tunnel::new(config, [1; 32], now) else {
        panic!("H1 and H2 are the same");
    };
    assert!(matches!(
        error,
        TunnelError::FurtherParameters { place: 2, .. }
    ));
    assert!(
        error.to_string().starts_with("further obfuscation 2: H"),
        "{error}"
    );
}

#[test]
fn a_replay_after_a_restart_is_answered_only_where_the_timestamp_was_forgotten() {
    let mut world = World::new(1);
    world.send(0, 100, 1);
    world.run(130 * SECOND);
    world.send(0, 100, 2);
    world.run(SECOND);
    let accepted: Vec<[u8; 12]> = world
        .events
        .iter()
        .filter_map(|(end, _, event)| match event {
            Event::InitiationAccepted { timestamp, peer } if *end == 1 => {
                assert_eq!(*peer, world.ends[1].peer);
                Some(*timestamp)
            }
            _ => None,
        })
        .collect();
    assert_eq!(accepted.len(), 2);
    assert!(accepted[0] < accepted[1]);
    let initiations = world.sent_by(0, 148);
    let last = initiations.last().unwrap();

    let mut answers = |remembered: Option<[u8; 12]>| {
        let setup = Setup {
            last_timestamp: remembered,
            ..Setup::default()
        };
        world.restart(1, &setup);
        world.inject(1, outer(0), &last.datagram).0
    };
    assert_eq!(answers(None), 1, "nobody knows better");
    assert_eq!(answers(Some(accepted[0])), 1);
    assert_eq!(answers(Some(accepted[1])), 0);

    // Told later, it counts as well; and what is known is not forgotten.
    world.restart(1, &Setup::default());
    let (now, peer) = (world.now(1), world.ends[1].peer);
    for timestamp in [Some(accepted[1]), Some(accepted[0]), None] {
        let config = PeerConfig {
            last_timestamp: timestamp,
            ..PeerConfig::new(key(0).public_key())
        };
        world.tunnel(1).update_peer(now, peer, config).unwrap();
        assert_eq!(world.inject(1, outer(0), &last.datagram).0, 0);
    }
}
