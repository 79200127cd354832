use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::Instant;

use awg_netstack::{Limits, Peer, Stack, StackConfig};
use socket2::{Domain, Socket, Type};

use super::{BROKEN, Channel, DatagramRelay, Delivery, FAILURES, GONE, Turn};
use crate::policy::EgressPolicy;
use crate::relay::Pumped;

const REMOTE: &str = "192.0.2.1:9";
const BUDGET: usize = 32;

/// A stack and a relay of one of its flows to whatever `socket` is.
struct World {
    now: Instant,
    stack: Stack,
    relay: DatagramRelay,
    unsolicited: u64,
}

impl World {
    fn new(channel: Channel, socket: OwnedFd) -> Self {
        let now = Instant::now();
        let config = StackConfig {
            addresses: vec![IpAddr::from([10, 0, 0, 2])],
            mtu: 1420,
            accept: false.into(),
            limits: Limits::default(),
        };
        let mut stack = Stack::new(config, [1; 32], now);
        let flow = stack
            .open_datagrams(now, Peer(1), None, IpAddr::from([192, 0, 2, 1]))
            .unwrap();
        let mut relay = DatagramRelay::new(flow, channel);
        relay.attach(socket, &EgressPolicy::default()).unwrap();
        Self {
            now,
            stack,
            relay,
            unsolicited: 0,
        }
    }

    fn pump(&mut self) -> Pumped {
        let mut buffer = vec![0; 1 << 16];
        self.relay.pump(Turn {
            now: self.now,
            stack: &mut self.stack,
            buffer: &mut buffer,
            budget: BUDGET,
            admit: &mut |_| true,
            unsolicited: &mut self.unsolicited,
        })
    }

    fn sent(&self) -> u64 {
        self.stack.counters().datagrams.sent
    }
}

fn application(remote: &str) -> (Socket, World) {
    let kind = if cfg!(target_os = "linux") {
        Type::SEQPACKET
    } else {
        Type::DGRAM
    };
    let (theirs, ours) = Socket::pair(Domain::UNIX, kind, None).unwrap();
    let remote = remote.parse::<SocketAddr>().unwrap();
    let channel = Channel::Application { remote };
    (theirs, World::new(channel, ours.into()))
}

#[test]
fn the_end_of_an_application_is_no_empty_datagram_also_before_it_is_reported() {
    let (theirs, mut world) = application(REMOTE);
    theirs.send(b"hello").unwrap();
    theirs.send(b"").unwrap();
    assert_eq!(world.pump(), Pumped::Waiting);
    assert_eq!(world.sent(), 2, "an empty datagram is one as well");
    if cfg!(target_os = "linux") {
        drop(theirs);
        world.relay.readable = true;
        assert_eq!(world.pump(), Pumped::Failed(GONE));
        assert_eq!(world.sent(), 2);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_application_that_will_say_nothing_more_has_ended_too() {
    let (theirs, mut world) = application(REMOTE);
    theirs.send(b"the last word").unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    assert_eq!(world.pump(), Pumped::Failed(GONE));
    assert_eq!(world.sent(), 1, "what it said before is passed on");
}

#[test]
fn what_the_stack_drops_was_not_sent() {
    let (theirs, mut world) = application("[2001:db8::1]:9");
    theirs.send(b"to the wrong family").unwrap();
    assert_eq!(world.pump(), Pumped::Waiting);
    assert_eq!(world.sent(), 0);
    assert_eq!(world.relay.traffic().sent, 0);
}

#[test]
fn a_socket_that_only_fails_does_not_keep_the_loop_busy() {
    // Nothing can ever be received from a socket that listens.
    let broken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut world = World::new(Channel::World, broken.into());
    for _ in 0..usize::from(FAILURES) / BUDGET {
        assert_eq!(world.pump(), Pumped::Unfinished);
    }
    assert_eq!(world.pump(), Pumped::Failed(BROKEN));
}

#[test]
fn an_answer_behind_several_failures_is_read() {
    let [service, ours] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    ours.connect(service.local_addr().unwrap()).unwrap();
    ours.set_nonblocking(true).unwrap();
    let own = REMOTE.parse().unwrap();
    let failing = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut world = World::new(Channel::Service { own }, failing.into());
    assert_eq!(world.pump(), Pumped::Unfinished, "several failures");
    // No further report comes of what is there already.
    service
        .send_to(b"answer", ours.local_addr().unwrap())
        .unwrap();
    world.relay.socket = Some(ours);
    assert_eq!(world.pump(), Pumped::Waiting);
    assert_eq!(world.sent(), 1);
    assert_eq!(world.relay.failures, 0, "it recovered");
}

#[test]
fn who_stands_for_one_address_hears_nothing_that_is_for_another() {
    let service = UdpSocket::bind("127.0.0.1:0").unwrap();
    let outer = UdpSocket::bind("127.0.0.1:0").unwrap();
    outer.connect(service.local_addr().unwrap()).unwrap();
    let own: SocketAddr = "10.0.0.2:53".parse().unwrap();
    let mut world = World::new(Channel::Service { own }, outer.into());
    let (source, policy) = (REMOTE.parse().unwrap(), EgressPolicy::default());
    for (to, delivery) in [
        ("192.0.2.7:443", Delivery::Forbidden),
        ("10.0.0.2:54", Delivery::Forbidden),
        ("10.0.0.2:53", Delivery::Done),
    ] {
        let to = to.parse().unwrap();
        let delivered = world.relay.deliver(source, to, b"a name?", &policy);
        assert_eq!(delivered, delivery, "{to}");
    }
    service.set_nonblocking(true).unwrap();
    assert_eq!(service.recv(&mut [0; 16]).unwrap(), 7);
    assert!(service.recv(&mut [0; 16]).is_err(), "one datagram alone");
}
