//! Data in a session: delivered or dropped, and the replay window.

use std::net::Ipv6Addr;

use super::{Behaviour, differs, in_both_roles, same};
use crate::packets::{incoming, packet, packet6};
use crate::probe::Session;
use crate::stage::{Implementation, Stage};
use crate::wish::Wish;

pub(super) const ROWS: &[Behaviour] = &[
    same("delivered", "data", |implementation| {
        content(implementation, &incoming(100))
    }),
    same("delivered_v6", "data over IPv6", |implementation| {
        content(implementation, &v6(100))
    }),
    same("keepalive", "a keepalive", |implementation| {
        content(implementation, &[])
    }),
    same(
        "zeros_cut",
        "how long a packet of 41 bytes is that came with 7 zeros",
        |implementation| {
            let mut padded = incoming(41);
            padded.resize(48, 0);
            length(implementation, &padded)
        },
    ),
    same(
        "zeros_cut_v6",
        "how long an IPv6 packet of 41 bytes is that came with 7 zeros",
        |implementation| {
            let mut padded = v6(1);
            padded.resize(48, 0);
            length(implementation, &padded)
        },
    ),
    same(
        "length_beyond",
        "an IPv4 packet that says it is longer than it is",
        |implementation| {
            let mut wrong = incoming(40);
            wrong[3] = 41;
            content(implementation, &wrong)
        },
    ),
    same(
        "length_beyond_v6",
        "an IPv6 packet that says it is longer than it is",
        |implementation| {
            let mut wrong = v6(8);
            wrong[5] = 9;
            content(implementation, &wrong)
        },
    ),
    same(
        "length_below",
        "an IPv4 packet that says it is 19 bytes long",
        |implementation| {
            let mut wrong = incoming(40);
            wrong[3] = 19;
            content(implementation, &wrong)
        },
    ),
    same("not_ip", "content that is not IP", |implementation| {
        content(implementation, &[0x15; 48])
    }),
    same(
        "first_byte_0",
        "content whose first byte is 0",
        |implementation| content(implementation, &[0; 48]),
    ),
    same(
        "header_short",
        "an IPv4 packet of 19 bytes",
        |implementation| content(implementation, &incoming(40)[..19]),
    ),
    same(
        "source_not_allowed",
        "a packet from an address that is not the peer's",
        |implementation| content(implementation, &packet([10, 0, 0, 3], [10, 0, 0, 1], 40)),
    ),
    same(
        "source_not_allowed_v6",
        "an IPv6 packet from an address that is not the peer's",
        |implementation| {
            let address = |last| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last);
            content(implementation, &packet6(address(3), address(1), 40))
        },
    ),
    same(
        "destination_any",
        "a packet to an address that is not the device's",
        |implementation| content(implementation, &packet([10, 0, 0, 2], [8, 8, 8, 8], 40)),
    ),
    same("replayed", "the same message again", |implementation| {
        each(implementation, &[5, 5])
    }),
    same("reordered", "counters 3, 1, 2, 0", |implementation| {
        each(implementation, &[3, 1, 2, 0])
    }),
    same(
        "window_edge",
        "a counter 8128 below the highest",
        |implementation| each(implementation, &[8128, 0]),
    ),
    same(
        "window_past",
        "a counter 8129 below the highest",
        |implementation| each(implementation, &[8129, 0]),
    ),
    same(
        "window_far",
        "a counter 1,000,000 below the highest",
        |implementation| each(implementation, &[1_000_000, 0]),
    ),
    same("jump", "counter 2^60", |implementation| {
        each(implementation, &[1 << 60])
    }),
    same(
        "before_the_limit",
        "counter 2^64 - 2^13 - 2",
        |implementation| each(implementation, &[u64::MAX - (1 << 13) - 1]),
    ),
    same(
        "at_the_limit",
        "counter 2^64 - 2^13 - 1",
        |implementation| each(implementation, &[u64::MAX - (1 << 13)]),
    ),
    same(
        "forged_moves_no_window",
        "counter 0 after forged data with counter 1,000,000",
        |implementation| {
            scene(implementation, |stage, session| {
                let mut forged = stage.probe.seal_at(session, 1_000_000, &incoming(40));
                forged[30] ^= 1;
                stage.receive(&forged);
                let data = stage.probe.seal_at(session, 7, &incoming(40));
                let deeds = stage.receive(&data);
                stage.words(&deeds, Some(session))
            })
        },
    ),
    same("tag", "data with a changed tag", |implementation| {
        flipped(implementation, usize::MAX)
    }),
    same(
        "counter_changed",
        "data with a changed counter",
        |implementation| flipped(implementation, 8),
    ),
    same(
        "index_changed",
        "data with a changed index",
        |implementation| flipped(implementation, 4),
    ),
    same(
        "truncated",
        "data that lacks its last byte",
        |implementation| {
            scene(implementation, |stage, session| {
                let mut data = stage.probe.seal_at(session, 7, &incoming(40));
                data.pop();
                let deeds = stage.receive(&data);
                stage.words(&deeds, Some(session))
            })
        },
    ),
    same(
        "own_data_back",
        "the device's own data sent back to it",
        |implementation| {
            scene(implementation, |stage, session| {
                let own = stage.send(40).sent.remove(0).datagram;
                let deeds = stage.receive(&own);
                stage.words(&deeds, Some(session))
            })
        },
    ),
    same(
        "order_kept",
        "whether ten packets leave in their order with counters one apart",
        |implementation| {
            scene(implementation, |stage, session| {
                let packets: Vec<_> = (0..10).map(|n| crate::packets::outgoing(100 + n)).collect();
                let opened: Vec<_> = stage
                    .send_all(&packets)
                    .sent
                    .iter()
                    .map(|sent| stage.probe.open(session, &sent.datagram).expect("data"))
                    .collect();
                let steady = opened
                    .windows(2)
                    .all(|two| two[1].counter == two[0].counter + 1);
                let same = opened
                    .iter()
                    .zip(&packets)
                    .all(|(message, packet)| message.content.starts_with(packet));
                if steady && same {
                    "they do"
                } else {
                    "they do not"
                }
                .to_owned()
            })
        },
    ),
    same(
        "no_route",
        "a packet of the device to an address that is no peer's",
        |implementation| {
            scene(implementation, |stage, session| {
                let deeds = stage.send_all(&[packet([10, 0, 0, 1], [10, 0, 0, 77], 40)]);
                stage.words(&deeds, Some(session))
            })
        },
    ),
    same(
        "largest",
        "an inner packet of 1420 bytes, both ways",
        |implementation| {
            scene(implementation, |stage, session| {
                let deeds = stage.send(1420);
                let sent = deeds.sent[0].datagram.len();
                let data = stage.probe.seal_at(session, 7, &incoming(1420));
                let deeds = stage.receive(&data);
                format!("{sent} bytes sent, {} delivered", deeds.delivered[0].len())
            })
        },
    ),
    differs(
        "above_the_mtu_received",
        "an inner packet of 1500 bytes that comes at MTU 1420",
        "the MTU is what both ends agreed on, and the network stack above is given no larger packet",
        |implementation| content(implementation, &incoming(1500)),
    ),
];

fn v6(payload: usize) -> Vec<u8> {
    let address = |last| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last);
    packet6(address(2), address(1), payload)
}

/// A scene in a session, in both roles.
fn scene(
    implementation: &Implementation,
    play: impl Fn(&mut Stage, &mut Session) -> String,
) -> String {
    in_both_roles(|initiates| {
        let mut stage = implementation.stage(&Wish::with(&[("H4", "7000-7999")]));
        let mut session = stage.session(initiates);
        play(&mut stage, &mut session)
    })
}

fn content(implementation: &Implementation, content: &[u8]) -> String {
    scene(implementation, |stage, session| {
        let data = stage.probe.seal(session, content);
        let deeds = stage.receive(&data);
        stage.words(&deeds, Some(session))
    })
}

fn length(implementation: &Implementation, content: &[u8]) -> String {
    scene(implementation, |stage, session| {
        let data = stage.probe.seal(session, content);
        stage.receive(&data).delivered[0].len().to_string()
    })
}

/// What comes of messages with these counters; a session of the probe has used counter 0 where it began it.
fn each(implementation: &Implementation, counters: &[u64]) -> String {
    in_both_roles(|initiates| {
        let mut stage = implementation.plain();
        let session = stage.session(initiates);
        let words: Vec<_> = counters
            .iter()
            // Counter 0 is spent on the confirmation; the window is moved by one.
            .map(|counter| {
                let data = stage.probe.seal_at(
                    &session,
                    counter + u64::from(*counter < 1 << 59),
                    &incoming(40),
                );
                let deeds = stage.receive(&data);
                stage.words(&deeds, Some(&session))
            })
            .collect();
        words.join(", ")
    })
}

fn flipped(implementation: &Implementation, at: usize) -> String {
    scene(implementation, |stage, session| {
        let mut data = stage.probe.seal(session, &incoming(40));
        let at = at.min(data.len() - 1);
        data[at] ^= 1;
        let deeds = stage.receive(&data);
        stage.words(&deeds, Some(session))
    })
}
