//! What becomes of carried connections, and of those that come after, when the carrier is lost, taken away or never was.

mod pair;

use std::time::Duration;

use awg_engine::{Carrier, EngineSettings, Event, Outcome, PeerSettings, Refusal};
use pair::carried::{assert_reset, attach, carried, connect, converse, named, open};
use pair::target::{Target as Service, echo_target};
use pair::{
    CARRIER, Node, Options, Pair, ask_for_carrier, read_all, read_exactly, take_carried,
    through_the_tunnel,
};

/// Another server of the same keys and the same port, which knows nothing of the one before.
fn restart_server(pair: &mut Pair) {
    let port = pair.server.engine.local_address().unwrap().port();
    pair.server.engine.stop();
    let settings = EngineSettings {
        ports: vec![port],
        ..pair.server_settings.clone()
    };
    pair.server = Node::new(settings);
    pair.server.engine.start().expect("the server starts again");
}

fn wait_down(node: &Node) -> &'static str {
    node.wait("end of the carrier", |event| match event {
        Event::CarrierDown { reason, .. } => Some(*reason),
        _ => None,
    })
}

#[test]
fn a_restart_of_the_server_resets_what_it_has_forgotten_and_new_connections_work() {
    let mut pair = carried();
    let service = Service::new();
    let mut connected = connect(&pair, service.address, b"");
    let mut other = connect(&pair, service.address, b"");
    let _outer = (service.accept(), service.accept());
    restart_server(&mut pair);
    assert_reset(&mut connected.application);
    assert_reset(&mut other.application);
    for flow in [connected.client_flow, other.client_flow] {
        assert_eq!(pair.client.wait_closed(flow).0, Outcome::Reset);
    }
    wait_down(&pair.client);
    pair.client.wait_carrier();
    converse(&mut connect(&pair, echo_target(), b""));
}

/// Has a server without a carrier say so, as it does for any port of its own where nothing listens.
fn refuse_carrier(pair: &Pair) {
    let incoming = pair.server.wait_incoming();
    assert_eq!(incoming.destination, CARRIER);
    let engine = &pair.server.engine;
    engine.reject(incoming.flow, Refusal::Refused).unwrap();
    assert_eq!(
        wait_down(&pair.client),
        "nothing listens at the carrier's address"
    );
}

#[test]
fn where_no_carrier_is_auto_goes_by_packets_and_asks_for_the_addresses_of_names() {
    let pair = Pair::with(Options {
        client: |settings| {
            ask_for_carrier(settings);
            settings.carrier = Carrier::Auto;
            settings.limits.dial = Duration::from_secs(1);
        },
        ..Options::default()
    });
    refuse_carrier(&pair);
    let echo = echo_target();
    let (_, mut application) = open(
        &pair,
        vec![through_the_tunnel(echo.port()).into()],
        b"early",
    );
    let (flow, _) = pair.server.wait_target();
    assert_eq!(pair.server.counter("stack_tcp_flows"), 1);
    attach(&pair, flow, echo);
    assert_eq!(read_exactly(&mut application, 7), b"okearly");

    let name = named("example.org", echo.port());
    let (flow, mut application) = open(&pair, vec![name.clone()], b"early");
    let asked = pair
        .client
        .wait("question for addresses", |event| match event {
            Event::AddressesWanted {
                flow: which,
                destination,
            } if *which == flow => Some(destination.clone()),
            _ => None,
        });
    assert_eq!(asked, name);
    let found = through_the_tunnel(echo.port());
    let engine = &pair.client.engine;
    engine
        .name_found(flow, "example.org".into(), vec![found.ip()])
        .unwrap();
    let (incoming, asked) = pair.server.wait_target();
    assert_eq!(asked, found.into());
    attach(&pair, incoming, echo);
    assert_eq!(read_exactly(&mut application, 7), b"okearly");
    assert_eq!(pair.client.wait_connected(flow), found);

    // Of several targets a name is passed over.
    let targets = vec![name, found.into()];
    let (_, mut application) = open(&pair, targets, b"");
    let (incoming, _) = pair.server.wait_target();
    attach(&pair, incoming, echo);
    assert_eq!(read_exactly(&mut application, 2), b"ok");
}

#[test]
fn where_only_a_carrier_will_do_what_waits_for_none_in_vain_is_refused() {
    let pair = Pair::with(Options {
        client: |settings| {
            ask_for_carrier(settings);
            settings.limits.dial = Duration::from_secs(1);
        },
        ..Options::default()
    });
    // Nobody has said anything yet, then that there is nothing.
    let (flow, mut application) = open(&pair, vec![through_the_tunnel(80).into()], b"");
    assert_eq!(pair.client.wait_refused(flow), Refusal::TimedOut);
    assert_eq!(read_all(&mut application).unwrap(), b"timed out");
    refuse_carrier(&pair);
    let (flow, mut application) = open(&pair, vec![through_the_tunnel(80).into()], b"");
    assert_eq!(pair.client.wait_refused(flow), Refusal::NetworkUnreachable);
    assert_eq!(read_all(&mut application).unwrap(), b"network");
    assert_eq!(pair.client.counter("stack_tcp_flows"), 0);
    assert_eq!(pair.client.counter("carrier_established"), 0);
}

#[test]
fn a_carrier_comes_and_goes_with_the_settings_of_its_peer() {
    let pair = Pair::with(Options {
        client: |settings| settings.carrier = Carrier::Auto,
        server: take_carried,
        ..Options::default()
    });
    let set = |carrier_address| {
        let settings = PeerSettings {
            carrier_address,
            ..pair.server_peer.clone().into()
        };
        pair.client.engine.set_peers(vec![settings]).unwrap();
    };
    set(Some(CARRIER));
    pair.client.wait_carrier();
    let mut connected = connect(&pair, echo_target(), b"");
    converse(&mut connected);
    set(None);
    assert_reset(&mut connected.application);
    let (_, mut application) = open(&pair, vec![through_the_tunnel(80).into()], b"");
    let incoming = pair.server.wait_incoming();
    assert_eq!(pair.server.counter("stack_tcp_flows"), 1);
    pair.server
        .engine
        .reject(incoming.flow, Refusal::Refused)
        .unwrap();
    assert_eq!(read_all(&mut application).unwrap(), b"refused");
}
