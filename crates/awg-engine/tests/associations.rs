//! SOCKS5 UDP associations through a client and a server engine.

mod pair;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use awg_engine::{EgressPolicy, Event, FlowId, Outcome, Refusal, Rule};
use pair::target::udp_echo;
use pair::{Options, PATIENCE, Pair, SERVER, tcp_pair};

/// An application with an association.
struct Application {
    flow: FlowId,
    control: TcpStream,
    socket: UdpSocket,
    /// Where its datagrams are to go.
    proxy: SocketAddr,
}

impl Application {
    fn new(pair: &Pair) -> Self {
        Self::from_port(pair, 0)
    }

    /// `port` is the one that the application said it would send from.
    fn from_port(pair: &Pair, port: u16) -> Self {
        let (control, ours) = tcp_pair();
        let relay = udp_socket();
        let proxy = relay.local_addr().unwrap();
        let client = Ipv4Addr::LOCALHOST.into();
        let engine = &pair.client.engine;
        let opened = engine.open_association(ours.into(), relay.into(), client, port);
        Self {
            flow: opened.expect("the command is taken"),
            control,
            socket: udp_socket(),
            proxy,
        }
    }

    fn send(&self, header: &[u8], payload: &[u8]) {
        send_from(&self.socket, self.proxy, header, payload);
    }

    fn receive(&self) -> (SocketAddr, Vec<u8>) {
        let mut bytes = vec![0; 65536];
        let (length, from) = self.socket.recv_from(&mut bytes).expect("one in time");
        assert_eq!(from, self.proxy);
        assert_eq!(bytes[..4], [0, 0, 0, 1]);
        let address = Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]);
        let port = u16::from_be_bytes([bytes[8], bytes[9]]);
        let source = SocketAddr::new(address.into(), port);
        (source, bytes[10..length].to_vec())
    }

    fn echoes(&self, target: SocketAddr, payload: &[u8]) {
        self.send(&header(target), payload);
        assert_eq!(self.receive(), (target, payload.to_vec()));
    }
}

fn udp_socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn send_from(socket: &UdpSocket, proxy: SocketAddr, header: &[u8], payload: &[u8]) {
    let datagram = [header, payload].concat();
    socket.send_to(&datagram, proxy).unwrap();
}

fn header(target: SocketAddr) -> Vec<u8> {
    let IpAddr::V4(address) = target.ip() else {
        panic!("IPv4 alone");
    };
    let mut header = vec![0, 0, 0, 1];
    header.extend(address.octets());
    header.extend(target.port().to_be_bytes());
    header
}

fn named(name: &str, port: u16) -> Vec<u8> {
    let mut header = vec![0, 0, 0, 3, u8::try_from(name.len()).unwrap()];
    header.extend(name.as_bytes());
    header.extend(port.to_be_bytes());
    header
}

fn wait_wanted(pair: &Pair, wanted: FlowId) -> String {
    pair.client
        .wait("question for a name", |event| match event {
            Event::NameWanted { flow, name } if *flow == wanted => Some(name.clone()),
            _ => None,
        })
}

fn counter(pair: &Pair, name: &str) -> u64 {
    pair.client.counter(&format!("relay_association_{name}"))
}

#[test]
fn datagrams_to_many_leave_from_one_port_and_come_back() {
    let pair = Pair::new();
    let (one, other) = (udp_echo(), udp_echo());
    let application = Application::new(&pair);
    application.send(&header(one), b"hello");
    // The one flow that the server hears of.
    let incoming = pair.let_datagrams_out();
    assert_eq!(incoming.destination, one);
    assert_eq!(application.receive(), (one, b"hello".to_vec()));
    for target in [other, one, other] {
        application.echoes(target, b"again");
        // Larger than the tunnel's MTU.
        application.echoes(target, &pair::pattern(9000));
        application.echoes(target, b"");
    }
    assert_eq!(pair.server.engine.snapshot().unwrap().flows, 1);

    pair.client.engine.close_flow(application.flow).unwrap();
    let (outcome, traffic) = pair.client.wait_closed(application.flow);
    assert_eq!(outcome, Outcome::Closed);
    assert_eq!((traffic.sent, traffic.received), (27_020, 27_020));
    pair.server.engine.close_flow(incoming.flow).unwrap();
    assert_eq!(pair.server.wait_closed(incoming.flow).1, traffic);
}

#[test]
fn what_asks_the_server_itself_is_apart_from_what_goes_to_the_world() {
    for asks_first in [true, false] {
        let pair = Pair::new();
        let (own, world, service) = (SocketAddr::new(SERVER, 53), udp_echo(), udp_socket());
        let application = Application::new(&pair);
        let mut order = [own, world];
        if !asks_first {
            order.reverse();
        }
        for target in order {
            application.send(&header(target), b"first");
            let incoming = pair.server.wait_incoming();
            assert_eq!(incoming.destination, target);
            assert_eq!(incoming.to_self, target == own);
            if target == own {
                let outer = udp_socket();
                outer.connect(service.local_addr().unwrap()).unwrap();
                let engine = &pair.server.engine;
                engine.attach(incoming.flow, outer.into()).unwrap();
            } else {
                pair.attach_datagrams(incoming.flow);
                assert_eq!(application.receive(), (world, b"first".to_vec()));
            }
        }
        // Whoever stands for the server's address hears what it is asked, and nothing else.
        let mut bytes = [0; 64];
        let (length, asker) = service.recv_from(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"first");
        for _ in 0..3 {
            application.echoes(world, b"to the world");
            application.send(&header(own), b"a name?");
            let (length, from) = service.recv_from(&mut bytes).unwrap();
            assert_eq!((&bytes[..length], from), (&b"a name?"[..], asker));
            service.send_to(b"an address", asker).unwrap();
            assert_eq!(application.receive(), (own, b"an address".to_vec()));
        }
        assert_eq!(pair.server.counter("relay_datagrams_forbidden"), 0);
        assert_eq!(pair.server.engine.snapshot().unwrap().flows, 2);
    }
}

#[test]
fn names_are_asked_for_once_and_answers_carry_the_address() {
    let pair = Pair::new();
    let target = udp_echo();
    let application = Application::new(&pair);
    let echo = named("echo.example", target.port());
    for payload in [b"1", b"2"] {
        application.send(&echo, payload);
    }
    application.send(&named("nowhere.example", 9), b"?");
    assert_eq!(wait_wanted(&pair, application.flow), "echo.example");
    assert_eq!(wait_wanted(&pair, application.flow), "nowhere.example");
    let engine = &pair.client.engine;
    let answer = |name: &str, addresses: &[IpAddr]| {
        let name = name.to_owned();
        engine.name_found(application.flow, name, addresses.to_vec())
    };
    answer("nowhere.example", &[]).unwrap();
    // This end has no IPv6 address, so the second one it is.
    let unreachable = "2001:db8::1".parse().unwrap();
    answer("echo.example", &[unreachable, target.ip()]).unwrap();
    pair.let_datagrams_out();
    assert_eq!(application.receive(), (target, b"1".to_vec()));
    assert_eq!(application.receive(), (target, b"2".to_vec()));
    application.send(&echo, b"3");
    assert_eq!(application.receive(), (target, b"3".to_vec()));
    assert_eq!(counter(&pair, "dropped_name_missing"), 1);
    assert_eq!(counter(&pair, "sent"), 3);
}

#[test]
fn fragments_and_nonsense_are_dropped_and_counted() {
    let pair = Pair::new();
    let target = udp_echo();
    let application = Application::new(&pair);
    let mut fragment = header(target);
    fragment[2] = 1;
    application.send(&fragment, b"part");
    application.send(b"\0\0\0nonsense", b"");
    application.send(b"", b"");
    pair.client.wait_until("all of them", |_| {
        counter(&pair, "dropped_fragment") == 1 && counter(&pair, "dropped_malformed") == 2
    });
}

#[test]
fn only_the_applications_own_port_may_send() {
    let pair = Pair::new();
    let target = udp_echo();
    let application = Application::new(&pair);
    application.send(&header(target), b"first");
    pair.let_datagrams_out();
    assert_eq!(application.receive().1, b"first");
    let stranger = udp_socket();
    send_from(&stranger, application.proxy, &header(target), b"mine");
    application.echoes(target, b"second");
    assert_eq!(counter(&pair, "dropped_stranger"), 1);
    assert_eq!(counter(&pair, "sent"), 2);
}

#[test]
fn a_port_that_was_announced_is_the_only_one() {
    let pair = Pair::new();
    let target = udp_echo();
    let announced = udp_socket();
    let port = announced.local_addr().unwrap().port();
    let mut application = Application::from_port(&pair, port);
    application.send(&header(target), b"from elsewhere");
    application.socket = announced;
    application.send(&header(target), b"from there");
    pair.let_datagrams_out();
    assert_eq!(application.receive(), (target, b"from there".to_vec()));
    assert_eq!(counter(&pair, "dropped_stranger"), 1);
}

#[test]
fn it_ends_with_its_connection_whatever_is_said_there() {
    let pair = Pair::new();
    let target = udp_echo();
    let mut application = Application::new(&pair);
    application.send(&header(target), b"hello");
    let incoming = pair.let_datagrams_out();
    assert_eq!(application.receive().1, b"hello");
    application
        .control
        .write_all(&pair::pattern(200_000))
        .unwrap();
    application.echoes(target, b"still there");
    drop(application.control);
    let (outcome, traffic) = pair.client.wait_closed(application.flow);
    assert_eq!(outcome, Outcome::Orderly);
    assert_eq!((traffic.sent, traffic.received), (16, 16));
    assert_eq!(pair.client.engine.snapshot().unwrap().flows, 0);
    pair.server.engine.close_flow(incoming.flow).unwrap();
    pair.server.wait_closed(incoming.flow);
}

#[test]
fn a_reset_connection_ends_it_too() {
    let pair = Pair::new();
    let application = Application::new(&pair);
    pair::hang_up(application.control);
    let (outcome, _) = pair.client.wait_closed(application.flow);
    assert_eq!(outcome, Outcome::Orderly);
}

#[test]
fn an_idle_one_ends_and_its_application_sees_it() {
    let pair = Pair::with(Options {
        client: |settings| settings.limits.association_idle = Duration::from_millis(50),
        ..Options::default()
    });
    let mut application = Application::new(&pair);
    let (outcome, _) = pair.client.wait_closed(application.flow);
    assert_eq!(outcome, Outcome::Expired);
    assert_eq!(pair::read_all(&mut application.control).unwrap(), b"");
}

#[test]
fn there_are_no_more_than_may_be() {
    let pair = Pair::with(Options {
        client: |settings| settings.limits.associations = 2,
        ..Options::default()
    });
    let first = Application::new(&pair);
    let _second = Application::new(&pair);
    let mut third = Application::new(&pair);
    assert_eq!(pair.client.wait_refused(third.flow), Refusal::Failed);
    assert_eq!(pair.client.wait_closed(third.flow).0, Outcome::Refused);
    assert_eq!(pair::read_all(&mut third.control).unwrap(), b"");
    assert_eq!(counter(&pair, "refused_full"), 1);
    drop(first.control);
    pair.client.wait_closed(first.flow);
    let target = udp_echo();
    let fourth = Application::new(&pair);
    fourth.send(&header(target), b"room");
    pair.let_datagrams_out();
    assert_eq!(fourth.receive().1, b"room");
}

#[test]
fn the_clients_policy_judges_every_datagram() {
    let pair = Pair::with(Options {
        client: |settings| {
            settings.egress = EgressPolicy::new([Rule {
                allow: false,
                network: "127.0.0.9/32".parse().unwrap(),
                ports: 0..=u16::MAX,
                reason: "refused here".to_owned(),
            }]);
        },
        ..Options::default()
    });
    let target = udp_echo();
    let forbidden = SocketAddr::new(Ipv4Addr::new(127, 0, 0, 9).into(), target.port());
    let application = Application::new(&pair);
    application.send(&header(forbidden), b"no");
    application.send(&header(target), b"yes");
    pair.let_datagrams_out();
    assert_eq!(application.receive(), (target, b"yes".to_vec()));
    application.send(&header(forbidden), b"no");
    application.echoes(target, b"yes");
    assert_eq!(counter(&pair, "dropped_forbidden"), 2);
}

#[test]
fn what_the_tunnel_does_not_reach_is_dropped_and_counted() {
    let pair = Pair::new();
    let target = udp_echo();
    let application = Application::new(&pair);
    application.send(&header("203.0.113.1:9".parse().unwrap()), b"nobody's");
    let ipv6 = [
        &[0, 0, 0, 4][..],
        &"2001:db8::1"
            .parse::<std::net::Ipv6Addr>()
            .unwrap()
            .octets(),
        &[0, 9],
    ]
    .concat();
    application.send(&ipv6, b"no such family");
    application.send(&header(target), b"hello");
    pair.let_datagrams_out();
    assert_eq!(application.receive().1, b"hello");
    assert_eq!(counter(&pair, "dropped_unroutable"), 2);
}

#[test]
fn who_was_not_spoken_to_is_not_heard() {
    let pair = Pair::new();
    let target = udp_echo();
    let application = Application::new(&pair);
    application.send(&header(target), b"hello");
    let incoming = pair.server.wait_incoming();
    let outer = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = outer.local_addr().unwrap().port();
    pair.server
        .engine
        .attach(incoming.flow, outer.into())
        .unwrap();
    assert_eq!(application.receive().1, b"hello");
    let own = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    // Another address of this machine, which the application has not sent to; then one that it has, from another port.
    let stranger = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 7), 0)).unwrap();
    stranger.send_to(b"psst", own).unwrap();
    let neighbour = udp_socket();
    neighbour.send_to(b"as agreed", own).unwrap();
    let from = neighbour.local_addr().unwrap();
    assert_eq!(application.receive(), (from, b"as agreed".to_vec()));
    // Wherever it was found to be a stranger's first.
    let at_the_server = pair.server.counter("relay_datagrams_unsolicited");
    assert_eq!(counter(&pair, "dropped_unsolicited") + at_the_server, 1);
}

#[test]
fn it_goes_on_as_the_same_source_when_the_client_has_moved_and_when_its_session_is_new() {
    let pair = Pair::with(Options {
        loss: Some(0.0),
        ..Options::default()
    });
    let target = udp_socket();
    let at = target.local_addr().unwrap();
    let application = Application::new(&pair);
    application.send(&header(at), b"to");
    pair.let_datagrams_out();
    let mut bytes = [0; 16];
    let (_, source) = target.recv_from(&mut bytes).unwrap();
    for moves in [true, false, true] {
        if moves {
            pair.path.as_ref().unwrap().move_client();
        } else {
            pair.client.engine.handshake().unwrap();
            pair.client.wait("new session", |event| match event {
                Event::HandshakeCompleted { rekey: true, .. } => Some(()),
                _ => None,
            });
        }
        application.send(&header(at), b"to");
        assert_eq!(target.recv_from(&mut bytes).unwrap(), (2, source));
        target.send_to(b"and back", source).unwrap();
        assert_eq!(application.receive(), (at, b"and back".to_vec()));
    }
    assert_eq!(pair.server.engine.snapshot().unwrap().flows, 1);
    let carriers = u64::from(pair::is_carried());
    for end in [&pair.client, &pair.server] {
        assert_eq!(end.counter("carrier_established"), carriers);
        assert_eq!(end.counter("carrier_lost"), 0);
    }
}

#[test]
fn a_stopped_engine_ends_all_of_them() {
    let pair = Pair::new();
    let mut application = Application::new(&pair);
    pair.client.engine.stop();
    let (outcome, _) = pair.client.wait_closed(application.flow);
    assert_eq!(outcome, Outcome::Stopped);
    assert_eq!(pair::read_all(&mut application.control).unwrap(), b"");
    let (_left, right) = tcp_pair();
    let refused = pair.client.engine.open_association(
        right.into(),
        udp_socket().into(),
        Ipv4Addr::LOCALHOST.into(),
        0,
    );
    assert!(refused.is_err());
}
