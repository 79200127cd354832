//! Engines on a path that is not loopback's: losses, a client that moves, strangers.

mod pair;

use std::io::Write;
use std::net::{Shutdown, UdpSocket};
use std::thread;

use awg_engine::{Event, Level, Outcome};
use pair::target::Target;
use pair::{Options, Pair, pattern, read_all, read_exactly};

#[test]
fn a_transfer_is_whole_on_a_path_that_loses_datagrams() {
    let pair = Pair::with(Options {
        loss: Some(0.02),
        ..Options::default()
    });
    let (mut connected, mut outer) = pair.connect_to(&Target::new(), b"");
    let (up, down) = (pattern(2 << 20), pattern(3 << 20));
    let (sent_up, sent_down) = (up.clone(), down.clone());
    let mut application = connected.application.try_clone().unwrap();
    let mut answering = outer.try_clone().unwrap();
    let senders = [
        thread::spawn(move || {
            application.write_all(&sent_up).unwrap();
            application.shutdown(Shutdown::Write).unwrap();
        }),
        thread::spawn(move || {
            answering.write_all(&sent_down).unwrap();
            answering.shutdown(Shutdown::Write).unwrap();
        }),
    ];
    let reader = thread::spawn(move || read_all(&mut outer).unwrap());
    assert!(read_all(&mut connected.application).unwrap() == down);
    assert!(reader.join().unwrap() == up);
    for sender in senders {
        sender.join().unwrap();
    }
    assert!(pair.path.as_ref().unwrap().lost() > 0);
    assert_eq!(
        pair.client.wait_closed(connected.client_flow).0,
        Outcome::Orderly
    );
}

#[test]
fn a_connection_goes_on_when_the_client_has_moved() {
    let pair = Pair::with(Options {
        loss: Some(0.0),
        ..Options::default()
    });
    let (mut connected, mut outer) = pair.connect_to(&Target::new(), b"before");
    assert_eq!(read_exactly(&mut outer, 6), b"before");
    let new = pair.path.as_ref().unwrap().move_client();
    connected.application.write_all(b"after").unwrap();
    assert_eq!(read_exactly(&mut outer, 5), b"after");
    let (peer, endpoint) = pair.server.wait("roaming", |event| match event {
        Event::PeerRoamed { peer, endpoint } => Some((*peer, *endpoint)),
        _ => None,
    });
    assert_eq!((peer, endpoint), (pair.client_peer.public_key, new));
    outer.write_all(b"and back").unwrap();
    assert_eq!(read_exactly(&mut connected.application, 8), b"and back");
}

#[test]
fn a_strangers_datagrams_get_no_answer_and_are_told_of_by_number() {
    let pair = Pair::new();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let server = pair.server.engine.local_address().unwrap();
    for length in [0, 1, 31, 32, 92, 148, 1500] {
        stranger.send_to(&pattern(length), server).unwrap();
    }
    let reason = pair.server.wait("record of drops", |event| match event {
        Event::Log(record) if record.level == Level::Debug => Some(record.fields.clone()),
        _ => None,
    });
    assert_eq!(reason[0], ("reason", "unclassified".to_owned()));
    pair.server.wait_until("all to be counted", |server| {
        server.counter("tunnel_dropped_unclassified") == 7
    });
    assert!(stranger.recv(&mut [0; 2000]).is_err());
}
