//! A client that sends pieces of datagrams, and many streams without one.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{DATAGRAM_BUFFER, PAYLOAD};
use crate::carrier::request::Request;
use crate::carrier::{CarrierConfig, CarrierCounters, Carriers};
use crate::event::{Closure, Event};
use crate::flow::{FlowId, Peer};
use crate::limits::Limits;
use crate::memory::Packets;

const CLIENT: [u8; 4] = [10, 0, 0, 2];
const SERVER: [u8; 4] = [10, 0, 0, 1];
const PORT: u16 = 51_443;
const THEM: Peer = Peer(1);

/// A client and a server, whose packets arrive at once.
struct World {
    now: Instant,
    client: Carriers,
    server: Carriers,
}

impl World {
    fn new(limits: &Limits) -> Self {
        let now = Instant::now();
        let end = |limits: &Limits, own: [u8; 4], listen| {
            let mut end = Carriers::new(limits, 1420, &[own.into()], [own[3]; 32], now);
            let reset_key = [own[3]; 32];
            end.configure(CarrierConfig { listen, reset_key });
            end
        };
        let mut client = end(&Limits::default(), CLIENT, None);
        client.carry(now, THEM, Some((CLIENT.into(), (SERVER, PORT).into())));
        let server = end(limits, SERVER, Some(PORT));
        let mut world = Self {
            now,
            client,
            server,
        };
        while !world.client.is_up(THEM) {
            world.pass(Duration::from_millis(1));
        }
        world
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        let now = self.now;
        for end in [&mut self.client, &mut self.server] {
            end.handle_timeout(now, &mut |_| Some(now));
        }
        for _ in 0..3 {
            hand_over(now, &mut self.client, &mut self.server);
            hand_over(now, &mut self.server, &mut self.client);
        }
    }

    /// Opens a stream of datagrams with these bytes on it.
    fn open(&mut self, bytes: &[u8]) -> FlowId {
        let now = self.now;
        let place = self.client.links.of(THEM).unwrap();
        let opened = self.client.with(place, |link, shared| {
            link.open(now, place, &Request::Datagrams, bytes, shared)
        });
        self.client.stir(place);
        opened.unwrap().unwrap()
    }

    fn partial(&self) -> usize {
        let place = self.server.links.of(THEM).unwrap();
        self.server.links.get(place).unwrap().partial
    }

    fn counters(&self) -> CarrierCounters {
        self.server.counters()
    }
}

/// Gives what one end has to send to the other.
fn hand_over(now: Instant, from: &mut Carriers, to: &mut Carriers) {
    let mut packets = Packets::default();
    from.poll_transmit(now, &mut packets);
    for (_, packet) in packets.packets {
        let address = |at: usize| -> [u8; 4] { packet[at..at + 4].try_into().unwrap() };
        let port = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        let source = SocketAddr::from((address(12), port(20)));
        let destination = SocketAddr::from((address(16), port(22)));
        to.handle_datagram(now, THEM, source, destination, &packet[28..]);
    }
}

/// A datagram as it goes by a stream, of a payload of so many bytes.
fn framed(length: usize) -> Vec<u8> {
    let mut framed = ((7 + length) as u16).to_be_bytes().to_vec();
    framed.extend([1, 192, 0, 2, 1, 0, 9]);
    framed.resize(framed.len() + length, 7);
    framed
}

#[test]
fn pieces_of_datagrams_are_held_within_a_bound_and_what_is_dropped_for_it_is_counted() {
    let mut world = World::new(&Limits::default());
    let whole = framed(PAYLOAD);
    let mut piece = whole.clone();
    piece.truncate(60_000);
    for _ in 0..50 {
        let flow = world.open(&piece);
        // Known by one that is whole, so that it is not half open.
        let remote = "192.0.2.1:9".parse().unwrap();
        let now = world.now;
        world.client.send_datagram(now, flow, remote, b"x").unwrap();
        world.pass(Duration::from_millis(1));
    }
    for _ in 0..20 {
        world.pass(Duration::from_millis(10));
    }
    assert!(world.partial() <= DATAGRAM_BUFFER, "{}", world.partial());
    assert!(world.counters().datagram_queue_full >= 30);
    assert_eq!(world.counters().flows, 100);
    while world.server.poll_datagram().is_some() {}
    // The rest of one that was dropped goes too, and what is behind that is whole.
    let last = world.open(&piece);
    world.pass(Duration::from_millis(10));
    let rest = [&whole[60_000..], &framed(5_000)].concat();
    let (place, number) = {
        let (number, flow) = world.client.shared.flows.find(last).unwrap();
        (flow.link, number)
    };
    world.client.with(place, |link, shared| {
        link.send(number, bytes::Bytes::from(rest), shared);
    });
    world.client.stir(place);
    for _ in 0..20 {
        world.pass(Duration::from_millis(10));
    }
    let heard = world.server.poll_datagram().expect("the one behind");
    assert_eq!(heard.payload, [7; 5_000]);
    assert!(world.server.poll_datagram().is_none());
    // With their streams they go.
    world.client.carry(world.now, THEM, None);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.counters().flows, 51, "what is yet to be told of");
    while world.server.poll_event().is_some() {}
    assert_eq!(world.counters().flows, 0);
}

#[test]
fn streams_of_datagrams_without_one_are_half_open_and_wait_no_longer_than_others() {
    let few = Limits {
        half_open_per_peer: 20,
        ..Limits::default()
    };
    let mut world = World::new(&few);
    let mut piece = framed(PAYLOAD);
    piece.truncate(5_000);
    let flows: Vec<_> = (0..30).map(|_| world.open(&piece)).collect();
    for _ in 0..20 {
        world.pass(Duration::from_millis(10));
    }
    let counters = world.counters();
    assert_eq!(
        (counters.half_open, counters.flows, counters.flows_full),
        (20, 20, 10)
    );
    let how = Closure::Reset;
    let told: Vec<_> = std::iter::from_fn(|| world.client.poll_event()).collect();
    for flow in &flows[20..] {
        assert!(told.contains(&Event::Closed { flow: *flow, how }));
    }
    for _ in 0..3 {
        world.pass(few.accept_within / 2);
    }
    let counters = world.counters();
    assert_eq!((counters.half_open, counters.flows), (0, 0));
    assert_eq!((counters.half_open_expired, world.partial()), (20, 0));
    let how = Closure::Expired;
    let told: Vec<_> = std::iter::from_fn(|| world.client.poll_event()).collect();
    for flow in &flows[..20] {
        assert!(told.contains(&Event::Closed { flow: *flow, how }));
    }
    assert!(world.server.poll_event().is_none(), "nobody heard of them");
}

#[test]
fn a_burst_that_nobody_takes_costs_its_own_oldest() {
    let mut world = World::new(&Limits::default());
    let flow = world.open(b"");
    let remote: SocketAddr = "192.0.2.1:9".parse().unwrap();
    for number in 0..2_000_u32 {
        let mut payload = [0; 1_300];
        payload[..4].copy_from_slice(&number.to_be_bytes());
        let now = world.now;
        while world
            .client
            .send_datagram(now, flow, remote, &payload)
            .is_err()
        {
            world.pass(Duration::from_millis(10));
        }
        if number % 100 == 0 {
            world.pass(Duration::from_millis(1));
        }
    }
    for _ in 0..200 {
        world.pass(Duration::from_millis(10));
    }
    let mut heard = 0;
    let mut last = 0;
    while let Some(datagram) = world.server.poll_datagram() {
        last = u32::from_be_bytes(datagram.payload[..4].try_into().unwrap());
        heard += 1;
    }
    assert!((700..=820).contains(&heard), "{heard} of 1 MiB");
    assert_eq!(last, 1_999, "the newest are kept");
    assert_eq!(world.counters().datagram_queue_full, 2_000 - heard);
}
