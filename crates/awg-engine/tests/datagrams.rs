//! Datagrams through a client and a server engine.

mod pair;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;

use awg_engine::{EgressPolicy, Kind, Outcome, Refusal, Rule};
use pair::target::udp_echo;
use pair::{CLIENT, Options, PATIENCE, Pair, SERVER};

const CLIENT_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2));

fn receive(socket: &UnixDatagram) -> Vec<u8> {
    let mut bytes = vec![0; 65536];
    let length = socket.recv(&mut bytes).expect("a datagram in time");
    bytes[..length].to_vec()
}

fn service_got(service: &UdpSocket) -> Vec<u8> {
    let mut bytes = vec![0; 65536];
    let length = service.recv(&mut bytes).expect("a datagram in time");
    bytes[..length].to_vec()
}

#[test]
fn datagrams_leave_from_one_socket_and_come_back() {
    let pair = Pair::new();
    let service = udp_echo();
    let (flow, socket) = pair.open_datagrams(service);
    for number in 0..5_u8 {
        socket.send(&[number; 300]).unwrap();
    }
    let incoming = pair.server.wait_incoming();
    assert_eq!(incoming.kind, Kind::Udp);
    assert_eq!(incoming.source.ip(), CLIENT);
    assert_eq!(incoming.destination, service);
    assert!(!incoming.to_self);
    // What came before there was a socket was held.
    pair.attach_datagrams(incoming.flow);
    for number in 0..5_u8 {
        assert_eq!(receive(&socket), [number; 300]);
    }
    // Larger than the tunnel's MTU: in fragments there and back.
    let large: Vec<u8> = pair::pattern(9000);
    socket.send(&large).unwrap();
    assert_eq!(receive(&socket), large);
    pair.client.engine.close_flow(flow).unwrap();
    let (outcome, traffic) = pair.client.wait_closed(flow);
    assert_eq!(outcome, Outcome::Closed);
    assert_eq!((traffic.sent, traffic.received), (10_500, 10_500));
    pair.server.engine.close_flow(incoming.flow).unwrap();
    assert_eq!(pair.server.wait_closed(incoming.flow).1, traffic);
}

/// A server that knows the client by both families, and a client with a route for everything.
fn both_families() -> Options {
    Options {
        client: |settings| {
            settings.addresses = vec![CLIENT, CLIENT_IPV6];
            settings.peers[0].config.allowed_ips = ["0.0.0.0/0", "::/0"]
                .map(|network| network.parse().unwrap())
                .to_vec();
        },
        server: |settings| {
            let network = ipnet::IpNet::from(CLIENT_IPV6);
            settings.peers[0].config.allowed_ips.push(network);
        },
        ..Options::default()
    }
}

#[test]
fn datagrams_leave_from_the_address_of_their_destinations_family() {
    let reversed = Options {
        client: |settings| {
            (both_families().client)(settings);
            settings.addresses.reverse();
        },
        ..both_families()
    };
    for options in [both_families(), reversed] {
        let pair = Pair::with(options);
        for (destination, own) in [("192.0.2.1:9", CLIENT), ("[2001:db8::1]:9", CLIENT_IPV6)] {
            let destination: SocketAddr = destination.parse().unwrap();
            let (_, socket) = pair.open_datagrams(destination);
            socket.send(b"hello").unwrap();
            let incoming = pair.server.wait_incoming();
            assert_eq!(incoming.source.ip(), own);
            assert_eq!(incoming.destination, destination);
        }
    }
}

#[test]
fn a_destination_of_a_family_without_an_address_is_an_unreachable_network() {
    let pair = Pair::with(Options {
        client: |settings| {
            (both_families().client)(settings);
            settings.addresses = vec![CLIENT];
        },
        ..both_families()
    });
    let destination = "[2001:db8::1]:9".parse().unwrap();
    let (flow, _descriptor) = pair.client.engine.open_datagrams(destination).unwrap();
    assert_eq!(pair.client.wait_refused(flow), Refusal::NetworkUnreachable);
}

#[test]
fn datagrams_to_the_servers_own_address_go_to_whoever_is_attached() {
    let pair = Pair::new();
    let service = udp_echo();
    let own = SocketAddr::new(SERVER, 53);
    let (_, socket) = pair.open_datagrams(own);
    socket.send(b"a name?").unwrap();
    let incoming = pair.server.wait_incoming();
    assert!(incoming.to_self);
    assert_eq!(incoming.destination, own);
    let outer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    outer.connect(service).unwrap();
    pair.server
        .engine
        .attach(incoming.flow, outer.into())
        .unwrap();
    assert_eq!(receive(&socket), b"a name?");
}

#[test]
fn the_policy_judges_every_datagram() {
    let allowed = udp_echo();
    let rules = [
        (true, allowed.port()..=allowed.port(), ""),
        (false, 0..=65535, "not that"),
    ]
    .map(|(allow, ports, reason)| Rule {
        allow,
        network: "127.0.0.0/8".parse().unwrap(),
        ports,
        reason: reason.to_owned(),
    });
    let pair = Pair::with(Options {
        egress: EgressPolicy::new(rules),
        ..Options::default()
    });
    let forbidden = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    forbidden.set_nonblocking(true).unwrap();

    // The client's sockets have ports of their own, so each is a flow of its own to the server.
    for (destination, passes) in [(forbidden.local_addr().unwrap(), false), (allowed, true)] {
        let (_, socket) = pair.open_datagrams(destination);
        socket.send(b"anybody?").unwrap();
        pair.let_datagrams_out();
        if passes {
            assert_eq!(receive(&socket), b"anybody?");
        }
    }
    // The allowed one came later and is through, so the forbidden one would be there.
    assert!(forbidden.recv(&mut [0; 16]).is_err());
    assert_eq!(pair.server.counter("relay_datagrams_forbidden"), 1);
}

#[test]
fn what_is_held_for_a_socket_is_bounded() {
    let pair = Pair::new();
    let service = udp_echo();
    let (_, socket) = pair.open_datagrams(service);
    for number in 0..40_u8 {
        socket.send(&[number]).unwrap();
    }
    let incoming = pair.server.wait_incoming();
    pair.server.wait_until("40 datagrams", |server| {
        server.counter("relay_datagrams_delivered") + server.counter("relay_datagrams_overflow")
            == 40
    });
    assert_eq!(pair.server.counter("relay_datagrams_overflow"), 24);
    pair.attach_datagrams(incoming.flow);
    for number in 0..16_u8 {
        assert_eq!(receive(&socket), [number]);
    }
}

#[test]
fn an_application_that_closed_its_end_ends_the_flow() {
    let pair = Pair::new();
    let service = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    service.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = service.local_addr().unwrap();
    let (flow, socket) = pair.open_datagrams(address);
    socket.send(b"hello").unwrap();
    drop(socket);
    // What it said before it went still goes out.
    pair.let_datagrams_out();
    if cfg!(target_os = "linux") {
        // Nothing comes back that could tell.
        assert_eq!(pair.client.wait_closed(flow).0, Outcome::Closed);
        assert_eq!(service_got(&service), b"hello");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_application_reads_the_end_of_its_flow() {
    let pair = Pair::new();
    let (flow, socket) = pair.open_datagrams(udp_echo());
    pair.client.engine.close_flow(flow).unwrap();
    assert_eq!(receive(&socket), b"");
    assert_eq!(pair.client.wait_closed(flow).0, Outcome::Closed);
}
