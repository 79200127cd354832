//! When flows end, and how many there may be.

use super::*;

#[test]
fn idle_flows_end_after_two_minutes() {
    let now = Instant::now();
    let mut server = server();
    let (flow, _) = through(&mut server, now, "10.8.0.2:5000", "192.0.2.1:9").unwrap();
    assert_eq!(server.next_timeout(), Some(now + seconds(120)));
    assert!(ended(&mut server, now + seconds(119)).is_empty());
    // Either direction keeps it.
    let later = now + seconds(100);
    server.send(later, flow, at("192.0.2.1:9"), b"x").unwrap();
    assert!(ended(&mut server, now + seconds(120)).is_empty());
    assert_eq!(server.next_timeout(), Some(later + seconds(120)));
    through(
        &mut server,
        now + seconds(200),
        "10.8.0.2:5000",
        "192.0.2.1:9",
    )
    .unwrap();
    assert!(ended(&mut server, now + seconds(319)).is_empty());
    assert_eq!(ended(&mut server, now + seconds(320)), [flow]);
    assert_eq!(server.counters().expired, 1);
    assert_eq!(server.counters().flows, 0);
    assert_eq!(server.next_timeout(), None);
    let late = server.send(now, flow, at("192.0.2.1:9"), b"x");
    assert_eq!(late, Err(DatagramDrop::NoFlow));
    assert_eq!(server.counters().no_flow, 1);
}

#[test]
fn flows_that_only_ask_for_names_end_sooner() {
    let now = Instant::now();
    let mut server = server();
    let (only, _) = through(&mut server, now, "10.8.0.2:1", "192.0.2.1:53").unwrap();
    let (more, _) = through(&mut server, now, "10.8.0.2:2", "192.0.2.1:53").unwrap();
    through(&mut server, now, "10.8.0.2:2", "192.0.2.1:443").unwrap();
    let (ours, _) = give(&mut server, now, "10.8.0.2:1", "10.8.0.1:53", true).unwrap();
    server.send(now, only, at("192.0.2.1:53"), b"x").unwrap();
    server.send(now, ours, at("9.9.9.9:5353"), b"x").unwrap();
    assert!(ended(&mut server, now + seconds(29)).is_empty());
    let mut flows = ended(&mut server, now + seconds(30));
    flows.sort();
    assert_eq!(flows, [only, ours]);
    assert_eq!(ended(&mut server, now + seconds(120)), [more]);

    let mut rng = StdRng::from_seed([1; 32]);
    let mut client = client();
    let own = at("10.8.0.2:0").ip();
    let flow = client.open(now, PEER, own, &mut rng).unwrap();
    assert!(ended(&mut client, now + seconds(60)).is_empty());
    let asked = now + seconds(60);
    client.send(asked, flow, at("10.8.0.1:53"), b"x").unwrap();
    assert_eq!(client.next_timeout(), Some(asked + seconds(30)));
    assert_eq!(ended(&mut client, asked + seconds(30)), [flow]);
}

#[test]
fn time_costs_one_look_per_flow_and_period() {
    let now = Instant::now();
    let mut server = server();
    for port in 1000..1500 {
        let source = format!("10.8.0.2:{port}");
        through(&mut server, now, &source, "192.0.2.1:9").unwrap();
    }
    // A busy flow among them.
    for millisecond in 0..20_000 {
        let now = now + Duration::from_millis(millisecond);
        through(&mut server, now, "10.8.0.2:1000", "192.0.2.1:9").unwrap();
    }
    assert_eq!(server.timer_entries(), 500);
    assert_eq!(ended(&mut server, now + seconds(120)).len(), 499);
    assert_eq!(server.timer_entries(), 1);
}

#[test]
fn a_name_is_not_used_twice() {
    let now = Instant::now();
    let mut server = server();
    let (first, _) = through(&mut server, now, "10.8.0.2:1", "192.0.2.1:9").unwrap();
    assert!(server.close(first));
    assert!(!server.close(first));
    let (second, fresh) = through(&mut server, now, "10.8.0.2:1", "192.0.2.1:9").unwrap();
    assert!(fresh);
    assert_eq!(first.slot(), second.slot());
    assert_ne!(first, second);
    let stale = server.send(now, first, at("192.0.2.1:9"), b"x");
    assert_eq!(stale, Err(DatagramDrop::NoFlow));
    assert!(!server.close(first));
    assert_eq!(server.send(now, second, at("192.0.2.1:9"), b"x"), Ok(()));
    assert_eq!(server.counters().flows, 1);
}

#[test]
fn flows_are_bounded_per_peer_and_in_all() {
    let now = Instant::now();
    let mut server = Datagrams::new(
        MTU,
        true,
        DatagramLimits {
            flows: 5,
            flows_per_peer: 3,
            ..limits()
        },
        0,
    );
    let mut begin = |peer, port| {
        let (source, destination) = (
            SocketAddr::new(at("10.8.0.2:0").ip(), port),
            at("192.0.2.1:9"),
        );
        let bytes = message(source, destination, b"");
        server
            .handle_message(now, peer, source.ip(), destination.ip(), false, &bytes)
            .map(|received| received.flow)
    };
    let flows: Vec<_> = (1..=3).map(|port| begin(PEER, port).unwrap()).collect();
    assert_eq!(begin(PEER, 4), Err(Refused::FlowsFull));
    assert!(begin(Peer(1), 1).is_ok() && begin(Peer(1), 2).is_ok());
    assert_eq!(begin(Peer(1), 3), Err(Refused::FlowsFull));
    // Flows that are there go on.
    assert_eq!(begin(PEER, 1), Ok(flows[0]));
    assert_eq!(server.counters().flows_full, 2);
    let mut gone = Vec::new();
    server.forget_peer(PEER, |flow| gone.push(flow));
    gone.sort();
    assert_eq!(gone, flows);
    assert_eq!(server.counters().flows, 2);
    assert!(
        through(&mut server, now, "10.8.0.2:1", "192.0.2.1:9")
            .unwrap()
            .1
    );
}
