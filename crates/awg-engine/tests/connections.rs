//! Connections through a client and a server engine: bytes, ends, failures and refusals.

mod pair;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener};
use std::thread;
use std::time::Duration;

use awg_engine::transport::udp::UdpKind;
use awg_engine::{CommandError, Outcome, Refusal, Traffic};
use pair::target::{Target, echo_target};
use pair::{
    Options, Pair, begin_connect, hang_up, pattern, read_all, read_exactly, tcp_pair,
    through_the_tunnel,
};

#[test]
fn bytes_go_both_ways_and_the_ends_are_told() {
    for udp in [UdpKind::Auto, UdpKind::Portable] {
        let pair = Pair::with(Options {
            udp,
            ..Options::default()
        });
        let target = Target::new();
        let mut connected = pair.connect(target.address, b"early ");
        connected.application.write_all(b"and late").unwrap();
        let mut outer = target.accept();
        assert_eq!(read_exactly(&mut outer, 14), b"early and late");
        outer.write_all(b"an answer").unwrap();
        assert_eq!(read_exactly(&mut connected.application, 9), b"an answer");
        drop(outer);
        assert_eq!(read_all(&mut connected.application).unwrap(), b"");
        drop(connected.application);
        let expected = (
            Outcome::Orderly,
            Traffic {
                sent: 14,
                received: 9,
            },
        );
        assert_eq!(pair.client.wait_closed(connected.client_flow), expected);
        assert_eq!(pair.server.wait_closed(connected.server_flow), expected);
    }
}

#[test]
fn who_ends_its_own_side_still_gets_the_answer() {
    let pair = Pair::new();
    let target = Target::new();
    let mut connected = pair.connect(target.address, b"");
    connected.application.write_all(b"a question").unwrap();
    connected.application.shutdown(Shutdown::Write).unwrap();
    let mut outer = target.accept();
    assert_eq!(read_all(&mut outer).unwrap(), b"a question");
    let answer = pattern(3 << 20);
    let sent = answer.clone();
    let sender = thread::spawn(move || outer.write_all(&sent).unwrap());
    assert!(read_all(&mut connected.application).unwrap() == answer);
    sender.join().unwrap();
    let (outcome, traffic) = pair.client.wait_closed(connected.client_flow);
    assert_eq!(outcome, Outcome::Orderly);
    assert_eq!(traffic.received, answer.len() as u64);
}

#[test]
fn the_target_may_end_first() {
    let pair = Pair::new();
    let (mut connected, mut outer) = pair.connect_to(&Target::new(), b"");
    outer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut connected.application).unwrap(), b"");
    let question = pattern(3 << 20);
    let sent = question.clone();
    let mut application = connected.application;
    let sender = thread::spawn(move || application.write_all(&sent).unwrap());
    assert!(read_all(&mut outer).unwrap() == question);
    sender.join().unwrap();
    drop(outer);
    assert_eq!(
        pair.client.wait_closed(connected.client_flow).0,
        Outcome::Orderly
    );
    assert_eq!(
        pair.server.wait_closed(connected.server_flow).0,
        Outcome::Orderly
    );
}

#[test]
fn much_data_both_ways_at_once_arrives_whole() {
    const LENGTH: usize = 24 << 20;
    let pair = Pair::new();
    let mut connected = pair.connect(echo_target(), b"");
    let data = pattern(LENGTH);
    let sent = data.clone();
    let mut writer = connected.application.try_clone().unwrap();
    let sender = thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    assert!(read_all(&mut connected.application).unwrap() == data);
    sender.join().unwrap();
    let expected = Traffic {
        sent: LENGTH as u64,
        received: LENGTH as u64,
    };
    assert_eq!(
        pair.client.wait_closed(connected.client_flow),
        (Outcome::Orderly, expected)
    );
}

#[test]
fn a_reset_by_either_side_reaches_the_other() {
    let pair = Pair::new();
    let target = Target::new();
    let (mut connected, outer) = pair.connect_to(&target, b"");
    hang_up(outer);
    let error = read_all(&mut connected.application).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(
        pair.client.wait_closed(connected.client_flow).0,
        Outcome::Reset
    );
    assert_eq!(
        pair.server.wait_closed(connected.server_flow).0,
        Outcome::Reset
    );

    let (connected, mut outer) = pair.connect_to(&target, b"");
    hang_up(connected.application);
    let error = read_all(&mut outer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(
        pair.client.wait_closed(connected.client_flow).0,
        Outcome::Reset
    );
    assert_eq!(
        pair.server.wait_closed(connected.server_flow).0,
        Outcome::Reset
    );
}

#[test]
fn what_a_side_sent_before_its_reset_arrives_before_that() {
    let pair = Pair::new();
    let target = Target::new();
    let said = pattern(10_000);
    for target_fails in [true, false].repeat(10) {
        let (connected, outer) = pair.connect_to(&target, b"");
        let (mut fails, mut hears) = if target_fails {
            (outer, connected.application)
        } else {
            (connected.application, outer)
        };
        // Both ways: whether the socket's failure shows to who reads it or to who writes there.
        hears.write_all(b"anybody there?").unwrap();
        fails.write_all(&said).unwrap();
        hang_up(fails);
        let mut got = Vec::new();
        let error = hears.read_to_end(&mut got).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(got == said, "{} of {}", got.len(), said.len());
        for (node, flow) in [
            (&pair.client, connected.client_flow),
            (&pair.server, connected.server_flow),
        ] {
            assert_eq!(node.wait_closed(flow).0, Outcome::Reset);
        }
    }
}

#[test]
fn a_target_that_refuses_is_refused_to_the_application() {
    let pair = Pair::new();
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let (flow, mut application) = pair.open(&[through_the_tunnel(nobody.port())], b"unread");
    let incoming = pair.let_out(nobody);
    assert_eq!(pair.server.wait_refused(incoming.flow), Refusal::Refused);
    assert_eq!(read_all(&mut application).unwrap(), b"refused");
    assert_eq!(pair.client.wait_refused(flow), Refusal::Refused);
    assert_eq!(pair.client.wait_closed(flow).0, Outcome::Refused);
}

#[test]
fn a_rejection_says_the_same_on_the_other_end_of_the_tunnel() {
    let pair = Pair::new();
    for (number, (refusal, reply)) in [
        (Refusal::Refused, "refused"),
        (Refusal::NetworkUnreachable, "network"),
        (Refusal::HostUnreachable, "host"),
        (Refusal::Prohibited, "prohibited"),
        (Refusal::TimedOut, "timed out"),
    ]
    .into_iter()
    .enumerate()
    {
        let (flow, mut application) = pair.open(&[through_the_tunnel(number as u16 + 1)], b"");
        let incoming = pair.server.wait_incoming();
        pair.server.engine.reject(incoming.flow, refusal).unwrap();
        assert_eq!(pair.client.wait_refused(flow), refusal);
        assert_eq!(read_all(&mut application).unwrap(), reply.as_bytes());
        assert_eq!(pair.client.wait_closed(flow).0, Outcome::Refused);
        assert_eq!(pair.server.wait_closed(incoming.flow).0, Outcome::Refused);
    }
}

#[test]
fn a_destination_of_no_peer_is_an_unreachable_network() {
    let pair = Pair::new();
    let (flow, mut application) = pair.open(&["203.0.113.1:80".parse().unwrap()], b"");
    assert_eq!(read_all(&mut application).unwrap(), b"network");
    assert_eq!(pair.client.wait_refused(flow), Refusal::NetworkUnreachable);
}

#[test]
fn the_next_destination_is_tried_beside_a_silent_one() {
    let pair = Pair::new();
    let target = Target::new();
    let silent = through_the_tunnel(1);
    let answering = through_the_tunnel(target.address.port());
    let (flow, mut application) = pair.open(&[silent, answering], b"");
    let first = pair.server.wait_incoming();
    assert_eq!(first.destination, silent);
    let second = pair.server.wait_incoming();
    assert_eq!(second.destination, answering);
    pair.server
        .engine
        .attach(second.flow, begin_connect(target.address))
        .unwrap();
    assert_eq!(pair.client.wait_connected(flow), answering);
    assert_eq!(read_exactly(&mut application, 2), b"ok");
    assert_eq!(
        pair.server.wait_closed(first.flow).0,
        Outcome::Reset,
        "the loser is given up"
    );
}

#[test]
fn a_refused_destination_brings_the_next_one_at_once() {
    let pair = Pair::with(Options {
        // So long that a test which waits for it fails.
        client: |settings| settings.limits.stagger = Duration::from_mins(10),
        ..Options::default()
    });
    let target = Target::new();
    let answering = through_the_tunnel(target.address.port());
    let unroutable = "203.0.113.1:80".parse().unwrap();
    let (flow, _application) = pair.open(&[unroutable, through_the_tunnel(1), answering], b"");
    let first = pair.server.wait_incoming();
    pair.server
        .engine
        .reject(first.flow, Refusal::Refused)
        .unwrap();
    pair.let_out(target.address);
    assert_eq!(pair.client.wait_connected(flow), answering);
}

#[test]
fn nobody_answering_times_out() {
    let pair = Pair::with(Options {
        client: |settings| settings.limits.dial = Duration::from_millis(400),
        ..Options::default()
    });
    let (flow, mut application) = pair.open(&[through_the_tunnel(1)], b"");
    assert_eq!(read_all(&mut application).unwrap(), b"timed out");
    assert_eq!(pair.client.wait_refused(flow), Refusal::TimedOut);
}

#[test]
fn a_flow_that_nobody_attaches_to_is_timed_out_by_the_server() {
    let pair = Pair::with(Options {
        server: |settings| settings.limits.dial = Duration::from_millis(200),
        ..Options::default()
    });
    let (flow, mut application) = pair.open(&[through_the_tunnel(1)], b"");
    let incoming = pair.server.wait_incoming();
    assert_eq!(pair.server.wait_refused(incoming.flow), Refusal::TimedOut);
    assert_eq!(pair.client.wait_refused(flow), Refusal::TimedOut);
    assert_eq!(read_all(&mut application).unwrap(), b"timed out");
}

#[test]
fn an_application_that_hangs_up_while_it_waits_ends_the_attempt() {
    let pair = Pair::new();
    for early in [&b""[..], b"a request"] {
        let (flow, application) = pair.open(&[through_the_tunnel(1)], early);
        let incoming = pair.server.wait_incoming();
        hang_up(application);
        assert_eq!(pair.client.wait_closed(flow).0, Outcome::HungUp);
        assert_eq!(pair.server.wait_closed(incoming.flow).0, Outcome::Reset);
    }
    // The end of a pair says what a close of a TCP socket does not.
    let (flow, stream) = pair
        .client
        .engine
        .open_stream(vec![through_the_tunnel(1)])
        .unwrap();
    let incoming = pair.server.wait_incoming();
    drop(stream);
    assert_eq!(pair.client.wait_closed(flow).0, Outcome::HungUp);
    assert_eq!(pair.server.wait_closed(incoming.flow).0, Outcome::Reset);
}

#[test]
fn an_application_that_closed_without_a_reset_is_found_out_by_its_reply() {
    let pair = Pair::new();
    let target = Target::new();
    let (flow, application) = pair.open(&[through_the_tunnel(target.address.port())], b"");
    let incoming = pair.server.wait_incoming();
    drop(application);
    pair.server
        .engine
        .attach(incoming.flow, begin_connect(target.address))
        .unwrap();
    assert_eq!(pair.client.wait_closed(flow).0, Outcome::Reset);
    assert_eq!(pair.server.wait_closed(incoming.flow).0, Outcome::Reset);
}

#[test]
fn an_application_that_only_listens_gets_what_it_waits_for() {
    let pair = Pair::new();
    let target = Target::new();
    let destination = through_the_tunnel(target.address.port());
    let (flow, mut application) = pair.open(&[destination], b"");
    application.shutdown(Shutdown::Write).unwrap();
    let (own, ours) = pair.open_stream(destination);
    let mut stream = std::net::TcpStream::from(ours);
    stream.shutdown(Shutdown::Write).unwrap();
    for (flow, application, expected) in [
        (flow, &mut application, &b"ok a banner"[..]),
        (own, &mut stream, b" a banner"),
    ] {
        pair.let_out(target.address);
        let mut outer = target.accept();
        assert_eq!(read_all(&mut outer).unwrap(), b"");
        outer.write_all(b" a banner").unwrap();
        drop(outer);
        assert_eq!(read_all(application).unwrap(), expected);
        assert_eq!(pair.client.wait_closed(flow).0, Outcome::Orderly);
    }
}

#[test]
fn an_application_that_says_all_at_once_gets_its_answer() {
    let pair = Pair::new();
    let target = Target::new();
    let destination = through_the_tunnel(target.address.port());
    let (_, mut application) = pair.open(&[destination], b"early, ");
    application.write_all(b"late").unwrap();
    application.shutdown(Shutdown::Write).unwrap();
    pair.let_out(target.address);
    let mut outer = target.accept();
    assert_eq!(read_all(&mut outer).unwrap(), b"early, late");
    outer.write_all(b"!").unwrap();
    drop(outer);
    assert_eq!(read_all(&mut application).unwrap(), b"ok!");
}

#[test]
fn closing_a_flow_resets_both_sides() {
    let pair = Pair::new();
    let (mut connected, mut outer) = pair.connect_to(&Target::new(), b"");
    pair.server
        .engine
        .close_flow(connected.server_flow)
        .unwrap();
    for stream in [&mut connected.application, &mut outer] {
        assert_eq!(
            read_all(stream).unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
    }
    assert_eq!(
        pair.server.wait_closed(connected.server_flow).0,
        Outcome::Closed
    );
    assert_eq!(
        pair.client.wait_closed(connected.client_flow).0,
        Outcome::Reset
    );
}

#[test]
fn a_stream_for_the_embedder_carries_bytes_and_nothing_else() {
    let pair = Pair::new();
    let target = Target::new();
    let destination = through_the_tunnel(target.address.port());
    let (flow, ours) = pair.open_stream(destination);
    pair.let_out(target.address);
    let mut stream = std::net::TcpStream::from(ours);
    stream.write_all(b"question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut outer = target.accept();
    assert_eq!(read_all(&mut outer).unwrap(), b"question");
    outer.write_all(b"answer").unwrap();
    drop(outer);
    assert_eq!(read_all(&mut stream).unwrap(), b"answer");
    assert_eq!(pair.client.wait_closed(flow).0, Outcome::Orderly);
}

#[test]
fn too_many_flows_are_refused_and_the_descriptor_is_given_back() {
    let pair = Pair::with(Options {
        client: |settings| settings.limits.flows = 1,
        ..Options::default()
    });
    let (first, application) = pair.open(&[through_the_tunnel(1)], b"");
    let (_theirs, ours) = tcp_pair();
    let not_taken = pair
        .try_open(&[through_the_tunnel(1)], ours.into(), b"")
        .unwrap_err();
    assert_eq!(not_taken.error, CommandError::TooManyFlows);
    hang_up(application);
    pair.client.wait_closed(first);
    pair.try_open(&[through_the_tunnel(1)], not_taken.descriptor, b"")
        .expect("there is room again");
}
