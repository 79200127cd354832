use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use awg_tunnel::PrivateKey;

use super::Engine;
use crate::command::{CommandError, Replies};
use crate::event::Event;
use crate::flow::{FlowId, Outcome};
use crate::settings::{EngineSettings, SettingsError, StartError};

const DESTINATION: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 80);

fn settings() -> EngineSettings {
    let mut settings = EngineSettings::new(PrivateKey::from_bytes([1; 32]));
    settings.addresses = vec![Ipv4Addr::new(10, 0, 0, 1).into()];
    settings.udp.address = Some(Ipv4Addr::LOCALHOST.into());
    settings
}

fn closed(events: &[Event]) -> Vec<(FlowId, Outcome)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::FlowClosed { flow, outcome, .. } => Some((*flow, *outcome)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_defect_ends_the_flows_is_reported_and_stop_still_ends() {
    let mut settings = settings();
    // A route, and nobody at its end: the flow dials when the defect strikes.
    let peer = PrivateKey::from_bytes([2; 32]).public_key();
    let peer = awg_tunnel::PeerConfig {
        endpoint: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9)).into()),
        allowed_ips: vec!["0.0.0.0/0".parse().unwrap()],
        ..awg_tunnel::PeerConfig::new(peer)
    };
    settings.peers = vec![peer.into()];
    let engine = Engine::new(settings).unwrap();
    engine.start().unwrap();
    let (mut application, ours) = UnixStream::pair().unwrap();
    let flow = engine
        .open(
            vec![DESTINATION],
            ours.into(),
            Vec::new(),
            Replies::default(),
        )
        .unwrap();
    engine.panic().unwrap();
    // Its descriptor is closed, so the defect has struck.
    assert_eq!(application.read(&mut [0]).unwrap_or(0), 0);
    let (ended, end) = channel();
    thread::spawn(move || {
        engine.stop();
        ended.send(engine).unwrap();
    });
    let engine = end
        .recv_timeout(Duration::from_secs(20))
        .expect("stop ends");
    let events = engine.take_events();
    assert_eq!(closed(&events), [(flow, Outcome::Stopped)]);
    let failed =
        |event: &Event| matches!(event, Event::EngineFailed { message } if message == "a defect");
    assert!(events.iter().any(failed));
    assert_eq!(engine.panic(), Err(CommandError::NotRunning));
}

#[test]
fn settings_are_checked_before_anything_is_bound() {
    let mut without = settings();
    without.addresses.clear();
    assert!(matches!(
        Engine::new(without),
        Err(SettingsError::NoAddress)
    ));
    let mut small = settings();
    small.mtu = 575;
    assert!(matches!(Engine::new(small), Err(SettingsError::Mtu(575))));
    let mut small = settings();
    small.addresses.push("fd00::1".parse().unwrap());
    small.mtu = 1279;
    assert!(matches!(Engine::new(small), Err(SettingsError::Mtu(1279))));
    let mut own = settings();
    let key = own.private_key.public_key();
    own.peers = vec![awg_tunnel::PeerConfig::new(key).into()];
    let refused = Engine::new(own).unwrap_err();
    assert!(matches!(refused, SettingsError::Peer { place: 0, .. }));
    assert!(!refused.to_string().contains(&key.to_string()));
}

#[test]
fn commands_before_the_start_are_not_taken_and_stop_before_the_start_ends() {
    let engine = Engine::new(settings()).unwrap();
    assert_eq!(
        engine.open_stream(vec![DESTINATION]).unwrap_err(),
        CommandError::NotRunning
    );
    assert_eq!(engine.local_address(), None);
    engine.stop();
    assert!(matches!(engine.start(), Err(StartError::AlreadyStarted)));
}

#[test]
fn a_full_queue_refuses_and_stop_does_not_need_it() {
    let mut settings = settings();
    settings.limits.commands = 0;
    let engine = Engine::new(settings).unwrap();
    engine.start().unwrap();
    assert_eq!(
        engine.open_stream(vec![DESTINATION]).unwrap_err(),
        CommandError::QueueFull
    );
    assert_eq!(engine.snapshot().unwrap_err(), CommandError::QueueFull);
    engine.stop();
    assert_eq!(engine.snapshot().unwrap().flows, 0);
}

/// Applications at both shards of two, and a defect in one of them.
#[cfg(target_os = "linux")]
#[test]
fn a_defect_of_one_shard_ends_all_and_is_told_once() {
    let mut settings = settings();
    settings.workers = Some(2);
    let keys = (2..=255).map(|byte| PrivateKey::from_bytes([byte; 32]).public_key());
    let mut keys: Vec<_> = keys.collect();
    keys.sort_by_key(|key| key.as_bytes()[0] & 1);
    let (even, odd) = (keys[0], keys[keys.len() - 1]);
    settings.peers = [(even, "192.0.2.0/25"), (odd, "192.0.2.128/25")]
        .map(|(key, network)| {
            let peer = awg_tunnel::PeerConfig {
                endpoint: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9)).into()),
                allowed_ips: vec![network.parse().unwrap()],
                ..awg_tunnel::PeerConfig::new(key)
            };
            peer.into()
        })
        .to_vec();
    let engine = Engine::new(settings).unwrap();
    engine.start().unwrap();
    let opened = [1, 129].map(|host| {
        let (application, ours) = UnixStream::pair().unwrap();
        let destination = SocketAddr::from(([192, 0, 2, host], 80));
        let flow = engine
            .open(
                vec![destination],
                ours.into(),
                Vec::new(),
                Replies::default(),
            )
            .unwrap();
        (flow, application)
    });
    engine.panic().unwrap();
    for (_, application) in &opened {
        // It ends, by an error or by the end of what is said.
        assert_eq!((&*application).read(&mut [0]).unwrap_or(0), 0);
    }
    engine.stop();
    let events = engine.take_events();
    let mut ended: Vec<FlowId> = closed(&events).into_iter().map(|(flow, _)| flow).collect();
    ended.sort();
    let mut flows = opened.map(|(flow, _)| flow);
    flows.sort();
    assert_eq!(ended, flows);
    let failures = events
        .iter()
        .filter(|event| matches!(event, Event::EngineFailed { .. }));
    assert_eq!(failures.count(), 1);
    assert!(matches!(events.last(), Some(Event::EngineFailed { .. })));
    assert_eq!(engine.handshake(), Err(CommandError::NotRunning));
}

#[cfg(target_os = "linux")]
#[test]
fn workers_out_of_range_are_refused() {
    for workers in [0, EngineSettings::MOST_WORKERS + 1] {
        let mut settings = settings();
        settings.workers = Some(workers);
        let refused = Engine::new(settings).unwrap_err();
        assert!(matches!(refused, SettingsError::Workers(count) if count == workers));
    }
    // As many as there are peers at most where it is left to the engine.
    let mut settings = settings();
    settings.workers = None;
    assert_eq!(Engine::new(settings).unwrap().workers(), 1);
}
