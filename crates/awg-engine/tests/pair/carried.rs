//! A pair whose carrier is up, and carried connections through it.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};

use awg_engine::{FlowId, Target};

use super::{
    Connected, Options, Pair, ask_for_carrier, begin_connect, read_all, read_exactly, replies,
    take_carried, tcp_pair,
};

/// A pair with a carrier that is up.
pub(crate) fn carried() -> Pair {
    let pair = Pair::with(Options {
        client: ask_for_carrier,
        server: take_carried,
        ..Options::default()
    });
    pair.client.wait_carrier();
    pair
}

pub(crate) fn named(name: &str, port: u16) -> Target {
    Target::name(name, port).expect("a name")
}

/// Asks for a connection to `targets`; gives the flow and the application's end.
pub(crate) fn open(pair: &Pair, targets: Vec<Target>, early: &[u8]) -> (FlowId, TcpStream) {
    let (application, ours) = tcp_pair();
    let engine = &pair.client.engine;
    let flow = engine.open(targets, ours.into(), early.to_vec(), replies());
    (flow.expect("the command is taken"), application)
}

/// Opens a connection that the server lets out to `service`.
pub(crate) fn connect(pair: &Pair, service: SocketAddr, early: &[u8]) -> Connected {
    let target = named("service.example", service.port());
    let (client_flow, mut application) = open(pair, vec![target.clone()], early);
    let (server_flow, asked) = pair.server.wait_target();
    assert_eq!(asked, target);
    attach(pair, server_flow, service);
    assert_eq!(read_exactly(&mut application, 2), b"ok");
    Connected {
        application,
        client_flow,
        server_flow,
    }
}

pub(crate) fn attach(pair: &Pair, flow: FlowId, service: SocketAddr) {
    let engine = &pair.server.engine;
    engine
        .attach(flow, begin_connect(service))
        .expect("the command is taken");
}

pub(crate) fn assert_reset(stream: &mut TcpStream) {
    let error = read_all(stream).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

pub(crate) fn converse(connected: &mut Connected) {
    connected.application.write_all(b"still there").unwrap();
    assert_eq!(read_exactly(&mut connected.application, 11), b"still there");
}
