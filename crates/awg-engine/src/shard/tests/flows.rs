//! Flows: their bounds and their ends.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::Duration;

use super::ends::{Ends, SECOND, closed, incoming, open, pair, peer, prepare, prepare_with};
use crate::descriptors::raise_descriptor_limit;
use crate::event::Event;
use crate::flow::{Outcome, Traffic};
use crate::refusal::Refusal;
use crate::shard::Shard;
use crate::shard::flows::State;

#[test]
fn stopping_resets_more_flows_than_one_turn_sends() {
    const FLOWS: u16 = 3000;
    raise_descriptor_limit().unwrap();
    let mut ends = Ends::new();
    ends.run(SECOND);
    let (_application, ours) = UnixStream::pair().unwrap();
    for port in 1..=FLOWS {
        open(&mut ends.shards[0], ours.try_clone().unwrap().into(), port);
    }
    ends.run(Duration::ZERO);
    let client = &mut ends.shards[0];
    let sent = client.wire.sockets.counters().sent;
    client.end_all_flows();
    assert_eq!(client.wire.sockets.counters().sent - sent, u64::from(FLOWS));
}

#[test]
fn what_an_end_opens_itself_is_bounded_by_all_flows_alone() {
    let client = prepare_with(0, peer(1, None), |settings| {
        settings.limits.flows_per_peer = 1;
    });
    let mut ends = pair(client, prepare(1, peer(0, None)));
    let (_application, ours) = UnixStream::pair().unwrap();
    for port in 1..=3 {
        open(&mut ends.shards[0], ours.try_clone().unwrap().into(), port);
    }
    ends.run(Duration::ZERO);
    let incoming = |event: &&Event| matches!(event, Event::FlowIncoming { .. });
    let events = ends.shards[1].shared.events.take();
    assert_eq!(events.iter().filter(incoming).count(), 3);
}

#[test]
fn an_error_about_datagrams_that_were_answered_ends_their_flow_with_its_traffic() {
    for answered in [false, true] {
        let mut ends = Ends::new();
        let (theirs, ours) = UnixDatagram::pair().unwrap();
        let client = &mut ends.shards[0];
        let flow = client.shared.next_flow(0);
        let remote = SocketAddr::new(IpAddr::from([10, 0, 0, 2]), 9);
        client.open_datagrams(flow, remote, ours.into());
        theirs.send(b"a question").unwrap();
        let place = client.flows.place_of(flow).unwrap();
        ends.run(Duration::ZERO);
        let server = &mut ends.shards[1];
        let number = incoming(server);
        if answered {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let service = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(service.local_addr().unwrap()).unwrap();
            service.connect(socket.local_addr().unwrap()).unwrap();
            service.send(b"an answer").unwrap();
            server.attach(number, socket.into());
            ends.run_until(|ends| ends.shards[0].reporter.counters.datagrams_delivered == 1);
        }
        let stack_flow = match &ends.shards[0].flows.get_mut(place).unwrap().state {
            State::Datagrams(relay) => relay.flow(),
            _ => panic!("a flow of datagrams"),
        };
        ends.shards[0].refused(stack_flow, Refusal::Refused);
        let (outcome, received) = if answered {
            (Outcome::Reset, 9)
        } else {
            (Outcome::Refused, 0)
        };
        let traffic = Traffic { sent: 10, received };
        assert_eq!(closed(&ends.shards[0]), Some((outcome, traffic)));
    }
}

#[test]
fn refused_applications_are_waited_for_in_bounded_number_and_time() {
    const MOST: usize = 1024;
    raise_descriptor_limit().unwrap();
    let [mut shard, _] = Ends::new().shards;
    let (_theirs, ours) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let leave = |shard: &mut Shard| {
        let application: OwnedFd = ours.try_clone().unwrap().into();
        shard.leave(application.into());
    };
    for number in 1..=MOST {
        leave(&mut shard);
        assert_eq!(shard.flows.unnamed(), number);
    }
    assert_eq!(shard.snapshot().flows, 0, "their flows have ended");
    leave(&mut shard);
    assert_eq!(shard.flows.unnamed(), MOST);
    assert_eq!(shard.reporter.counters.applications_hurried, 1);
    shard.now.instant += 2 * SECOND;
    shard.turn();
    assert_eq!(shard.flows.unnamed(), 0);
}
