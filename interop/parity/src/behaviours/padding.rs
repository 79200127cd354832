//! S1 to S4, the forms of a keepalive, and the zeros after an inner packet.

use awg_obfuscation::MessageType;

use super::preamble::alike;
use super::{Behaviour, differs, same};
use crate::stage::{Implementation, SECOND, Stage};
use crate::wish::Wish;

pub(super) const ROWS: &[Behaviour] = &[
    same(
        "initiation",
        "the size of an initiation with S1 = 31",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[("S1", "31")]));
            sizes(&stage.send(20).sent)
        },
    ),
    same(
        "response",
        "the size of a response with S2 = 17",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[("S2", "17")]));
            let offer = stage.probe.initiation(stage.clock);
            sizes(&stage.receive(&offer.datagram).sent)
        },
    ),
    same(
        "transport",
        "the sizes of 20, 32 and 33 bytes sealed with S4 = 12",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[("S4", "12")]));
            stage.begun_by_the_probe();
            let sent: Vec<_> = [20, 32, 33]
                .into_iter()
                .flat_map(|length| stage.send(length).sent)
                .collect();
            sizes(&sent)
        },
    ),
    same(
        "content",
        "whether the padding of two initiations is alike",
        |implementation| {
            let mut stage = implementation.stage(&Wish::with(&[("S1", "31")]));
            let first = stage.send(20).sent.remove(0);
            stage.advance(6 * SECOND);
            let second = stage.take().sent.remove(0);
            alike(&first.datagram[..31], &second.datagram[..31])
        },
    ),
    same(
        "keepalive",
        "the size of a keepalive without S4",
        |implementation| keepalive_size(implementation.plain()),
    ),
    differs(
        "keepalive_padded",
        "the size of a keepalive with S4 = 12",
        "the reference sends it bare, and then drops it itself; every later version pads it, and all accept the padded form",
        |implementation| keepalive_size(implementation.stage(&Wish::with(&[("S4", "12")]))),
    ),
    same(
        "keepalive_as_the_reference",
        "the size of a keepalive with S4 = 12 and our `KeepalivePadding = reference`",
        |implementation| {
            keepalive_size(implementation.stage(&Wish::with(&[
                ("S4", "12"),
                ("KeepalivePadding", "reference"),
            ])))
        },
    ),
    same(
        "keepalive_padded_received",
        "whether a padded keepalive is taken",
        |implementation| keepalive_taken(implementation, 12),
    ),
    differs(
        "keepalive_bare_received",
        "whether a bare keepalive is taken although S4 = 12",
        "the reference sends keepalives so; dropping them costs a handshake every 15 s",
        |implementation| keepalive_taken(implementation, 0),
    ),
    same(
        "content_1420",
        "the zeros after packets of 20 to 1420 bytes at MTU 1420",
        |implementation| zeros(implementation, 1420),
    ),
    same(
        "content_1280",
        "the zeros after packets of 20 to 1280 bytes at MTU 1280",
        |implementation| zeros(implementation, 1280),
    ),
    same(
        "content_odd",
        "the zeros after packets of 20 to 1297 bytes at MTU 1297",
        |implementation| zeros(implementation, 1297),
    ),
    differs(
        "above_the_mtu",
        "what becomes of packets of 1421 to 1500 bytes at MTU 1420",
        "the network stack above makes none; one that did would be cut by the path",
        |implementation| {
            let mut stage = implementation.plain();
            let session = stage.begun_by_the_probe();
            let mut sealed = Vec::new();
            for length in 1421..=1500 {
                let deeds = stage.send(length);
                let Some(sent) = deeds.sent.first() else {
                    continue;
                };
                let message = stage.probe.open(&session, &sent.datagram).expect("data");
                assert_eq!(
                    message.content.len(),
                    1420 + (length - 1420).next_multiple_of(16)
                );
                sealed.push(length);
            }
            match sealed.len() {
                0 => "none is sent".to_owned(),
                80 => "sent, what is past the MTU filled up to a multiple of 16".to_owned(),
                count => format!("{count} are sent"),
            }
        },
    ),
];

fn sizes(sent: &[crate::stage::Sent]) -> String {
    let sizes: Vec<_> = sent
        .iter()
        .map(|sent| sent.datagram.len().to_string())
        .collect();
    sizes.join(", ")
}

/// Ten seconds after data that the device did not answer it sends a keepalive.
fn keepalive_size(mut stage: Stage) -> String {
    let mut session = stage.begun_by_the_probe();
    let data = stage
        .probe
        .seal(&mut session, &crate::packets::incoming(40));
    stage.receive(&data);
    stage.advance(11 * SECOND);
    sizes(&stage.take().sent)
}

/// A keepalive confirms a session that the probe began: then a packet goes out by it.
fn keepalive_taken(implementation: &Implementation, padding: usize) -> String {
    let mut stage = implementation.stage(&Wish {
        waits: true,
        ..Wish::with(&[("S4", "12")])
    });
    let (offer, deeds) = stage.offered();
    let response = stage.of(MessageType::Response, &deeds);
    let mut session = stage.probe.finish(offer, &response[0]).expect("a response");
    let keepalive = stage.probe.seal(&mut session, &[]);
    stage.receive(&keepalive[12 - padding..]);
    let deeds = stage.send(20);
    match stage.words(&deeds, Some(&session)).as_str() {
        "sends data" => "taken: the session is used".to_owned(),
        other => format!("dropped: a packet to send {other}"),
    }
}

/// The content sealed for every length up to the MTU.
fn zeros(implementation: &Implementation, mtu: u16) -> String {
    let mut stage = implementation.stage(&Wish {
        mtu,
        ..Wish::default()
    });
    let session = stage.begun_by_the_probe();
    for length in 20..=usize::from(mtu) {
        let deeds = stage.send(length);
        let message = stage
            .probe
            .open(&session, &deeds.sent[0].datagram)
            .expect("data of this session");
        let (packet, rest) = message.content.split_at(length);
        if packet != crate::packets::outgoing(length) || rest.iter().any(|byte| *byte != 0) {
            return format!("{length} bytes came out changed");
        }
        let expected = length.next_multiple_of(16).min(usize::from(mtu));
        if message.content.len() != expected {
            return format!("{length} bytes became {}", message.content.len());
        }
    }
    "up to a multiple of 16, but not above the MTU".to_owned()
}
