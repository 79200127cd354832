//! An association between two sockets and a stack, without an engine.

use std::net::{Ipv4Addr, TcpListener};

use awg_netstack::{Limits, StackConfig};

use super::*;

const TARGET: &str = "192.0.2.7:53";
const IDLE: Duration = Duration::from_mins(5);

struct Ends {
    now: Instant,
    association: Association,
    stack: Stack,
    counters: AssociationCounters,
    application: UdpSocket,
    _control: TcpStream,
}

impl Ends {
    fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let control = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, _) = listener.accept().unwrap();
        let [application, socket] =
            [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        application.connect(socket.local_addr().unwrap()).unwrap();
        for nonblocking in [&application, &socket] {
            nonblocking.set_nonblocking(true).unwrap();
        }
        ours.set_nonblocking(true).unwrap();
        let now = Instant::now();
        let config = StackConfig {
            addresses: vec![IpAddr::from([10, 0, 0, 2])],
            mtu: 1420,
            accept: false.into(),
            limits: Limits::default(),
        };
        let client = Client {
            address: Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(),
            port: 0,
        };
        Self {
            now,
            association: Association::new(now, ours, socket, client, IDLE),
            stack: Stack::new(config, [1; 32], now),
            counters: AssociationCounters::default(),
            application,
            _control: control,
        }
    }

    fn say(&mut self, datagram: &[u8]) {
        self.say_by(Carrier::Ip, datagram);
    }

    fn say_by(&mut self, carrier: Carrier, datagram: &[u8]) {
        self.application.send(datagram).unwrap();
        self.association.handle_socket();
        let mut ways = Ways {
            carrier,
            now: self.now,
            stack: &mut self.stack,
            policy: &EgressPolicy::default(),
            route: &|_| Some(Peer(1)),
            counters: &mut self.counters,
        };
        let pumped = self.association.pump(&mut ways, &mut [0; 2048], 8);
        assert_eq!(pumped, Pumped::Waiting);
    }

    fn hear(&mut self, source: &str) {
        let source = source.parse().unwrap();
        self.association
            .deliver(self.now, source, b"answer", &mut self.counters);
    }
}

#[test]
fn where_only_a_carrier_may_carry_them_datagrams_are_dropped_until_it_is_up() {
    const QUESTION: &[u8] = b"\0\0\0\x01\xc0\x00\x02\x07\x00\x35question";
    let mut ends = Ends::new();
    ends.say_by(Carrier::Quic, QUESTION);
    assert_eq!(
        (ends.counters.dropped_uncarried, ends.counters.sent),
        (1, 0)
    );
    assert_eq!(ends.association.lanes().count(), 0);
    ends.say_by(Carrier::Auto, QUESTION);
    assert_eq!(
        (ends.counters.dropped_uncarried, ends.counters.sent),
        (1, 1)
    );
}

#[test]
fn who_was_not_spoken_to_is_not_heard() {
    let mut ends = Ends::new();
    ends.hear(TARGET);
    ends.say(b"\0\0\0\x01\xc0\x00\x02\x07\x00\x35question");
    ends.hear("192.0.2.8:53");
    assert_eq!(ends.counters.dropped_unsolicited, 2);
    // Another port of the same far end.
    ends.hear("192.0.2.7:54");
    let mut bytes = [0; 64];
    let length = ends.application.recv(&mut bytes).unwrap();
    assert_eq!(
        &bytes[..length],
        b"\0\0\0\x01\xc0\x00\x02\x07\x00\x36answer"
    );
    assert_eq!((ends.counters.sent, ends.counters.delivered), (1, 1));
}

#[test]
fn it_is_idle_when_nothing_went_either_way() {
    let mut ends = Ends::new();
    let start = ends.now;
    let idle = |ends: &mut Ends, now| ends.association.handle_timeout(now, &mut ends.counters);
    assert_eq!(ends.association.next_timeout(), start + IDLE);
    ends.now = start + IDLE / 2;
    ends.say(b"\0\0\0\x01\xc0\x00\x02\x07\x00\x35question");
    assert!(!idle(&mut ends, start + IDLE));
    ends.now = start + IDLE;
    ends.hear(TARGET);
    // What is dropped keeps nothing alive.
    ends.now = start + 2 * IDLE;
    ends.hear("192.0.2.8:53");
    assert_eq!(ends.association.next_timeout(), start + 2 * IDLE);
    assert!(idle(&mut ends, start + 2 * IDLE));
}

#[test]
fn a_name_that_is_never_answered_is_given_up() {
    let mut ends = Ends::new();
    ends.say(b"\0\0\0\x03\x09a.example\x00\x35question");
    assert_eq!(ends.association.take_wanted(), ["a.example".into()]);
    let due = ends.association.next_timeout();
    assert!(due < ends.now + IDLE);
    assert!(!ends.association.handle_timeout(due, &mut ends.counters));
    assert_eq!(ends.counters.dropped_name_late, 1);
    assert_eq!(ends.association.next_timeout(), ends.now + IDLE);
}

#[test]
fn one_port_for_all_destinations_and_another_for_the_other_family() {
    let mut ends = Ends::new();
    ends.say(b"\0\0\0\x01\xc0\x00\x02\x07\x00\x35");
    ends.say(b"\0\0\0\x01\xc0\x00\x02\x08\x00\x35");
    assert_eq!(ends.association.lanes().count(), 1);
    assert_eq!(ends.association.take_opened().len(), 1);
    let lane = ends.association.lanes().next().unwrap();
    ends.association.forget_lane(lane);
    ends.say(b"\0\0\0\x01\xc0\x00\x02\x08\x00\x35");
    assert_eq!(ends.association.take_opened().len(), 1);
    assert_eq!(ends.counters.sent, 3);
}

#[test]
fn an_idle_one_is_small() {
    assert!(
        size_of::<Association>() <= 640,
        "{}",
        size_of::<Association>()
    );
}
