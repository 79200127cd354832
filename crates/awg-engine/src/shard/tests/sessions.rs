//! Sessions: begun at once, kept up, asked for by packets; and what they keep alive.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use awg_netstack::Stack;
use awg_obfuscation::Parameters;
use awg_tunnel::{Interval, Limits as TunnelLimits, PeerConfig, Tunnel, TunnelConfig};

use super::ends::{
    Ends, PATIENCE, SECOND, closed, incoming, key, open, pair, peer, prepare, prepare_with,
};
use crate::event::Event;
use crate::flow::Outcome;
use crate::shard::prepared::stack_config;
use crate::shard::{Prepared, Shard, peers};

fn sessions(shard: &Shard) -> usize {
    let events = shard.shared.events.take();
    let completed = |event: &&Event| matches!(event, Event::HandshakeCompleted { .. });
    events.iter().filter(completed).count()
}

fn keeps_trying(client: Prepared) {
    let mut ends = pair(client, prepare(1, peer(0, None)));
    // Longer than four runs of twenty initiations.
    ends.run(450 * SECOND);
    let [client, server] = &mut ends.shards;
    assert_eq!(sessions(client), 0);
    let counters = *client.tunnel.counters();
    assert!(counters.handshakes_failed >= 4, "{counters:?}");
    assert_eq!(counters.dropped_response_forged, counters.initiations_sent);
    // Never slower than one in six seconds.
    assert!(
        (75..=90).contains(&counters.initiations_sent),
        "{counters:?}"
    );
    // Once the keys are the same it connects by itself.
    server.set_peers(vec![peer(0, Some([9; 32])).into()]);
    ends.run(6 * SECOND);
    assert_eq!(sessions(&ends.shards[0]), 1);
}

#[test]
fn a_client_goes_on_after_runs_that_failed_for_another_reason_than_silence() {
    keeps_trying(prepare(0, peer(1, Some([9; 32]))));
}

#[test]
fn a_client_goes_on_although_no_event_of_the_tunnel_finds_room() {
    let mut client = prepare(0, peer(1, Some([9; 32])));
    let mut config = TunnelConfig::new(key(0), Parameters::default(), client.settings.mtu);
    config.limits = TunnelLimits {
        events: 0,
        ..config.limits
    };
    client.tunnel = Tunnel::new(config, [6; 32], client.now).unwrap();
    client.peers = peers::Peers::default();
    peers::add(
        &mut client.tunnel,
        client.now,
        &mut client.peers,
        &peer(1, Some([9; 32])).into(),
    )
    .unwrap();
    let mut ends = pair(client, prepare(1, peer(0, None)));
    ends.run(450 * SECOND);
    assert!(ends.shards[0].tunnel.counters().handshakes_failed >= 4);
    ends.shards[1].set_peers(vec![peer(0, Some([9; 32])).into()]);
    ends.run(6 * SECOND);
    assert_eq!(ends.shards[0].tunnel.counters().sessions_established, 1);
}

#[test]
fn a_client_whose_server_is_gone_and_comes_back_has_a_session_again() {
    let mut ends = Ends::new();
    ends.run(SECOND);
    assert_eq!(sessions(&ends.shards[0]), 1);
    ends.shards[1].set_peers(Vec::new());
    ends.run(600 * SECOND);
    assert_eq!(sessions(&ends.shards[0]), 0);
    ends.shards[1].set_peers(vec![peer(0, None).into()]);
    ends.run(6 * SECOND);
    assert_eq!(sessions(&ends.shards[0]), 1);
}

#[test]
fn a_session_that_expired_is_followed_by_the_next_one_at_once() {
    let mut ends = Ends::new();
    let start = ends.shards[0].now.instant;
    ends.run(200 * SECOND);
    assert_eq!(sessions(&ends.shards[0]), 2);
    // The life of keys that nothing was sent by.
    assert_eq!(ends.initiations, [start, start + 180 * SECOND]);
}

#[test]
fn a_flow_without_a_session_asks_for_one_at_once() {
    let client = prepare_with(0, peer(1, None), |settings| settings.stay_connected = false);
    let mut ends = pair(client, prepare(1, peer(0, None)));
    ends.run(SECOND);
    assert_eq!(ends.initiations, []);
    let (_application, ours) = UnixStream::pair().unwrap();
    let opened = ends.shards[0].now.instant;
    open(&mut ends.shards[0], ours.into(), 80);
    ends.run(Duration::ZERO);
    assert_eq!(ends.initiations, [opened]);
    assert_eq!(sessions(&ends.shards[0]), 1);
    // The packet that waited for the session has come through it.
    let incoming = |event: &Event| matches!(event, Event::FlowIncoming { .. });
    assert!(ends.shards[1].shared.events.take().iter().any(incoming));
}

#[test]
fn a_handshake_that_is_asked_for_makes_a_new_session_at_once() {
    let mut ends = Ends::new();
    ends.run(10 * SECOND);
    let asked = ends.shards[0].now.instant;
    ends.shards[0].handshake_all_peers();
    ends.run(Duration::ZERO);
    assert_eq!(ends.initiations[1..], [asked]);
    let told = ends.shards[0].shared.events.take();
    assert!(
        told.iter()
            .any(|event| matches!(event, Event::HandshakeCompleted { rekey: true, .. }))
    );
}

#[test]
fn every_initiation_without_an_answer_is_told_to_the_embedder() {
    let mut ends = Ends::new();
    ends.shards[1].set_peers(Vec::new());
    ends.run(16 * SECOND);
    let told = ends.shards[0].shared.events.take();
    let tries: Vec<u32> = told
        .iter()
        .filter_map(|event| match event {
            Event::HandshakeUnanswered { tries, .. } => Some(*tries),
            _ => None,
        })
        .collect();
    assert_eq!(tries, [1, 2, 3]);
}

/// An end that asks idle connections nothing by itself, so that only the tunnel's keepalives are heard.
fn without_probes(end: u8, peer: PeerConfig) -> Prepared {
    let mut prepared = prepare(end, peer);
    let mut config = stack_config(&prepared.settings);
    config.limits.keepalive = 1000 * config.limits.keepalive;
    prepared.stack = Stack::new(config, [7; 32], prepared.now.instant);
    prepared
}

#[test]
fn keepalives_of_the_tunnel_keep_an_idle_connection() {
    for keepalive in [Interval::every(25), None] {
        let server = PeerConfig {
            persistent_keepalive: keepalive,
            ..peer(1, None)
        };
        let mut client = without_probes(0, server);
        client.settings.stay_connected = false;
        let mut ends = pair(client, without_probes(1, peer(0, None)));
        let (mut application, ours) = UnixStream::pair().unwrap();
        open(&mut ends.shards[0], ours.into(), 80);
        ends.run(SECOND);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut outer, _) = listener.accept().unwrap();
        let number = incoming(&ends.shards[1]);
        ends.shards[1].attach(number, target.into());
        ends.run(7200 * SECOND);
        if keepalive.is_none() {
            assert_eq!(closed(&ends.shards[1]).unwrap().0, Outcome::PeerGone);
            continue;
        }
        application.write_all(b"still here").unwrap();
        outer.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut words = [0; 10];
        ends.run(SECOND);
        outer.read_exact(&mut words).unwrap();
        assert_eq!(&words, b"still here");
    }
}
