//! What a peer's limits do to its flows, and what becomes of those when its terms change or it is removed.

mod pair;

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::Instant;

use awg_engine::{
    EgressPolicy, Event, Outcome, PeerLimits, PeerSettings, PeerSnapshot, Refusal, Rule, Terms,
};
use awg_tunnel::PeerConfig;
use pair::target::{Target, echo_target, udp_echo};
use pair::{Options, Pair, read_all, read_exactly, through_the_tunnel};

/// A pair whose client has these limits at the server.
fn limited(server: fn(&mut PeerLimits)) -> Pair {
    let pair = Pair::new();
    let mut limits = PeerLimits::default();
    server(&mut limits);
    set_terms(&pair, limits, None);
    pair
}

fn set_terms(pair: &Pair, limits: PeerLimits, egress: Option<EgressPolicy>) {
    let settings = PeerSettings {
        terms: Terms { limits, egress },
        ..pair.client_peer.clone().into()
    };
    pair.server.engine.set_peers(vec![settings]).unwrap();
    // Commands have their order: once this one is answered the terms hold.
    pair.server.engine.snapshot().unwrap();
}

fn of_client(pair: &Pair) -> PeerSnapshot {
    let snapshot = pair.server.engine.snapshot().unwrap();
    snapshot.peers[0].clone()
}

fn turned_away(pair: &Pair, reason: &str) -> u64 {
    let counts = of_client(pair).turned_away;
    counts.iter().find(|(name, _)| *name == reason).unwrap().1
}

fn assert_prohibited(pair: &Pair) {
    let (flow, mut application) = pair.open(&[through_the_tunnel(9)], b"");
    assert_eq!(pair.client.wait_refused(flow), Refusal::Prohibited);
    assert_eq!(read_all(&mut application).unwrap(), b"prohibited");
}

fn assert_reset(stream: &mut TcpStream) {
    // What came before may have to be read first.
    let error = read_all(stream).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_flow_too_many_is_prohibited_and_the_others_go_on() {
    let pair = limited(|limits| limits.flows = Some(2));
    let target = echo_target();
    let mut first = pair.connect(target, b"");
    let _second = pair.connect(target, b"");
    assert_prohibited(&pair);
    // A datagram that would begin one is answered as well.
    let (flow, socket) = pair.open_datagrams(udp_echo());
    socket.send(b"hello").unwrap();
    assert_eq!(pair.client.wait_refused(flow), Refusal::Prohibited);
    assert_eq!(turned_away(&pair, "flows"), 2);
    assert_eq!(pair.server.counter("relay_flows_refused_limit"), 2);
    assert_eq!(of_client(&pair).flows, 2);

    set_terms(&pair, PeerLimits::default(), None);
    let _third = pair.connect(target, b"");
    first.application.write_all(b"still there").unwrap();
    assert_eq!(read_exactly(&mut first.application, 11), b"still there");
    assert_eq!(of_client(&pair).flows, 3);
}

#[test]
fn flows_that_come_too_fast_are_prohibited() {
    let pair = limited(|limits| limits.new_flows_per_second = Some(0.001));
    let target = echo_target();
    let _first = pair.connect(target, b"");
    assert_prohibited(&pair);
    assert_prohibited(&pair);
    assert_eq!(turned_away(&pair, "new-flows"), 2);
    assert_eq!(pair.server.counter("relay_flows_refused_rate"), 2);
}

/// Sends `bytes` to each of `outers` and reads them at the applications, all at once; gives the seconds of each.
fn download(streams: Vec<(TcpStream, TcpStream)>, bytes: usize) -> Vec<f64> {
    let begun = Instant::now();
    let readers: Vec<_> = streams
        .into_iter()
        .map(|(mut application, mut outer)| {
            thread::spawn(move || outer.write_all(&vec![7; bytes]).map(|()| outer));
            thread::spawn(move || {
                application.read_exact(&mut vec![0; bytes]).unwrap();
                begun.elapsed().as_secs_f64()
            })
        })
        .collect();
    readers
        .into_iter()
        .map(|reader| reader.join().unwrap())
        .collect()
}

#[test]
fn bandwidth_is_held_and_shared_and_nothing_is_lost() {
    let pair = limited(|limits| limits.bytes_per_second = Some(2_000_000));
    let target = Target::new();
    let connections: Vec<_> = (0..4)
        .map(|_| {
            let (connected, outer) = pair.connect_to(&target, b"");
            (connected.application, outer)
        })
        .collect();
    let seconds = download(connections, 400_000);
    // 1.6 MB, of which half a megabyte may come at once.
    let last = seconds.iter().copied().fold(0.0, f64::max);
    assert!(last >= 0.5, "{seconds:?}");
    assert_eq!(of_client(&pair).relayed_bytes, 1_600_000);
    // It waits for tokens, and does not ask for them all the time.
    let polls = pair.server.counter("stack_tcp_flow_polls");
    assert!(polls < 100_000, "{polls}");
}

#[test]
fn an_upload_is_held_too_and_goes_on_at_once_when_the_limit_goes() {
    let pair = limited(|limits| limits.bytes_per_second = Some(1000));
    let target = Target::new();
    let (mut connected, mut outer) = pair.connect_to(&target, b"");
    let mut application = connected.application.try_clone().unwrap();
    let writer = thread::spawn(move || application.write_all(&vec![7; 2_000_000]));
    // A burst, and then a crawl.
    read_exactly(&mut outer, 64 * 1024);
    assert!(of_client(&pair).relayed_bytes < 100_000);
    set_terms(&pair, PeerLimits::default(), None);
    read_exactly(&mut outer, 2_000_000 - 64 * 1024);
    writer.join().unwrap().unwrap();
    outer.write_all(b"thanks").unwrap();
    assert_eq!(read_exactly(&mut connected.application, 6), b"thanks");
}

#[test]
fn datagrams_beyond_the_bandwidth_are_dropped_and_counted() {
    let pair = limited(|limits| limits.bytes_per_second = Some(1000));
    let service = udp_echo();
    let (_, socket) = pair.open_datagrams(service);
    socket.send(b"hello").unwrap();
    pair.let_datagrams_out();
    let mut bytes = [0; 16];
    assert_eq!(socket.recv(&mut bytes).unwrap(), 5);
    // Twice the burst of 64 KiB, one of them in advance, and some.
    for _ in 0..160 {
        socket.send(&[0; 1000]).unwrap();
    }
    pair.server
        .wait_until("drops", |_| turned_away(&pair, "bandwidth") >= 20);
    assert!(pair.server.counter("relay_datagrams_over_limit") >= 20);
    assert!(of_client(&pair).relayed_bytes <= 2 * (128 * 1024 + 1000 * 20));
}

#[test]
fn a_spent_quota_ends_the_flows_and_refuses_new_ones() {
    let pair = limited(|limits| limits.quota_bytes = Some(100_000));
    let target = Target::new();
    let (mut connected, mut outer) = pair.connect_to(&target, b"");
    let (mut other, mut other_outer) = pair.connect_to(&target, b"");
    let service = udp_echo();
    let (datagrams, socket) = pair.open_datagrams(service);
    socket.send(&[0; 1000]).unwrap();
    pair.let_datagrams_out();
    assert_eq!(socket.recv(&mut [0; 2000]).unwrap(), 1000);
    connected.application.write_all(&vec![7; 50_000]).unwrap();
    read_exactly(&mut outer, 50_000);
    assert_eq!(of_client(&pair).relayed_bytes, 52_000);
    // The server may reset it before all is written.
    let _ = outer.write_all(&vec![7; 50_000]);
    let spent = pair.server.wait("end of the quota", |event| match event {
        Event::QuotaSpent { peer } => Some(*peer),
        _ => None,
    });
    assert_eq!(spent, pair.client_peer.public_key);
    for flow in [connected.server_flow, other.server_flow] {
        assert_eq!(pair.server.wait_closed(flow).0, Outcome::Quota);
    }
    assert_reset(&mut connected.application);
    assert_reset(&mut other.application);
    assert_reset(&mut other_outer);
    assert_eq!(of_client(&pair).relayed_bytes, 100_000);
    assert_eq!(of_client(&pair).flows, 0);
    assert_prohibited(&pair);
    socket.send(b"more").unwrap();
    // It had its answers, so for the application this is an end.
    assert_eq!(pair.client.wait_closed(datagrams).0, Outcome::Reset);
    assert_eq!(turned_away(&pair, "quota"), 2);

    // The next month.
    let limits = PeerLimits {
        quota_bytes: Some(1_000_000),
        ..PeerLimits::default()
    };
    set_terms(&pair, limits, None);
    let (mut again, mut outer) = pair.connect_to(&target, b"");
    outer.write_all(b"again").unwrap();
    assert_eq!(read_exactly(&mut again.application, 5), b"again");
    assert_eq!(of_client(&pair).relayed_bytes, 100_005);
    // Nothing left from now on.
    let limits = PeerLimits {
        quota_bytes: Some(0),
        ..PeerLimits::default()
    };
    set_terms(&pair, limits, None);
    pair.server.wait("end of the quota", |event| {
        matches!(event, Event::QuotaSpent { .. }).then_some(())
    });
    assert_eq!(pair.server.wait_closed(again.server_flow).0, Outcome::Quota);
}

fn forbids(port: u16) -> EgressPolicy {
    EgressPolicy::new([Rule {
        allow: false,
        network: "127.0.0.0/8".parse().unwrap(),
        ports: port..=port,
        reason: "not for this one".to_owned(),
    }])
}

#[test]
fn a_peers_own_policy_judges_its_datagrams_and_changes_at_once() {
    // The policy of all forbids everything here.
    let pair = Pair::with(Options {
        egress: EgressPolicy::new([Rule {
            allow: false,
            network: "0.0.0.0/0".parse().unwrap(),
            ports: 0..=u16::MAX,
            reason: "nobody".to_owned(),
        }]),
        ..Options::default()
    });
    let service = udp_echo();
    set_terms(&pair, PeerLimits::default(), Some(forbids(9)));
    let (flow, socket) = pair.open_datagrams(service);
    socket.send(b"hello").unwrap();
    pair.let_datagrams_out();
    assert_eq!(socket.recv(&mut [0; 16]).unwrap(), 5);
    // The destination that was allowed a moment ago.
    set_terms(&pair, PeerLimits::default(), Some(forbids(service.port())));
    socket.send(b"hello again").unwrap();
    assert_eq!(pair.client.wait_closed(flow).0, Outcome::Reset);
    assert_eq!(pair.server.counter("relay_datagrams_forbidden"), 1);
}

#[test]
fn what_the_policy_forbids_is_answered() {
    let pair = Pair::with(Options {
        egress: forbids(9),
        ..Options::default()
    });
    let (flow, socket) = pair.open_datagrams("127.0.0.1:9".parse().unwrap());
    socket.send(b"hello").unwrap();
    assert_eq!(pair.client.wait_refused(flow), Refusal::Prohibited);
    assert_eq!(pair.server.counter("relay_datagrams_forbidden"), 1);
}

#[test]
fn a_removed_peer_loses_connections_datagrams_and_what_is_half_open() {
    let pair = Pair::new();
    let target = Target::new();
    let (connected, mut outer) = pair.connect_to(&target, b"");
    let (_, socket) = pair.open_datagrams(udp_echo());
    socket.send(b"hello").unwrap();
    let datagrams = pair.let_datagrams_out();
    assert_eq!(socket.recv(&mut [0; 16]).unwrap(), 5);
    let (_, _waits) = pair.open(&[through_the_tunnel(9)], b"");
    let announced = pair.server.wait_incoming();
    pair.server
        .engine
        .set_peers(Vec::<PeerConfig>::new())
        .unwrap();
    for flow in [connected.server_flow, datagrams.flow, announced.flow] {
        assert_eq!(pair.server.wait_closed(flow).0, Outcome::PeerGone);
    }
    assert_reset(&mut outer);
    assert_eq!(pair.server.engine.snapshot().unwrap().flows, 0);
}

#[test]
fn strangers_do_not_reach_a_peer_through_its_socket() {
    let pair = Pair::new();
    let service = udp_echo();
    let (_, socket) = pair.open_datagrams(service);
    socket.send(b"hello").unwrap();
    let incoming = pair.server.wait_incoming();
    let outer = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = outer.local_addr().unwrap().port();
    let engine = &pair.server.engine;
    engine.attach(incoming.flow, outer.into()).unwrap();
    assert_eq!(socket.recv(&mut [0; 16]).unwrap(), 5);
    let stranger = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 7), 0)).unwrap();
    stranger
        .send_to(b"unasked", (Ipv4Addr::LOCALHOST, port))
        .unwrap();
    pair.server.wait_until("the drop", |server| {
        server.counter("relay_datagrams_unsolicited") == 1
    });
    assert_eq!(of_client(&pair).relayed_bytes, 10);
    socket.send(b"again").unwrap();
    assert_eq!(socket.recv(&mut [0; 16]).unwrap(), 5);
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_system_does_not_let_out_is_answered() {
    let pair = Pair::new();
    // Linux lets nothing out to a broadcast address by a socket that was not asked for it (udp(7), EACCES).
    let (flow, socket) = pair.open_datagrams("127.255.255.255:9".parse().unwrap());
    socket.send(b"hello").unwrap();
    // Held for the socket first.
    pair.let_datagrams_out();
    assert_eq!(pair.client.wait_refused(flow), Refusal::Prohibited);
    assert_eq!(pair.server.counter("relay_datagrams_unsendable"), 1);
}

/// A destination that the system has no way to from a socket that only loopback belongs to.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9)), 9);

#[test]
fn a_destination_that_the_system_cannot_reach_is_answered() {
    let pair = Pair::new();
    let (flow, socket) = pair.open_datagrams(NOWHERE);
    socket.send(b"hello").unwrap();
    let incoming = pair.server.wait_incoming();
    // Without a way for IPv6 the embedder has no socket to give.
    let engine = &pair.server.engine;
    engine
        .reject(incoming.flow, Refusal::NetworkUnreachable)
        .unwrap();
    assert_eq!(pair.client.wait_refused(flow), Refusal::NetworkUnreachable);
}
