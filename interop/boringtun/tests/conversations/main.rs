//! boringtun with its adapter, in conversation: with its like, with awgproxy's tunnel, and, where Go is installed, with
//! amneziawg-go.

mod cookies;
mod end;
mod settings;

use std::time::Duration;

use awg_obfuscation::{MessageType, Obfuscation, Parameters};
use awg_parity::end::{End, Setup};
use awg_parity::ours::Ours;
use awg_parity::pair::{Pair, Side};
use awg_parity::reference::{Reference, Version, needed};
use awg_parity::stage::SECOND;
use awg_parity::wish::Wish;
use awg_tunnel::PresharedKey;

use end::Boringtun;
use settings::{SETS, Settings};

/// Lengths of inner packets: small, around the blocks of 16 to which others fill them, and the largest.
const LENGTHS: [usize; 6] = [24, 32, 33, 600, 1291, 1420];

fn setups(settings: Settings, preshared: bool) -> [Setup; 2] {
    Pair::setups(&Wish {
        preshared: preshared.then(|| PresharedKey::from_bytes([0x77; 32])),
        ..Wish::with(settings)
    })
}

fn obfuscation(settings: Settings) -> Obfuscation {
    let parameters = Parameters::from_settings(settings.iter().copied()).expect("good settings");
    Obfuscation::new(parameters).expect("good settings")
}

/// One packet of each length in this direction arrives, and nothing else.
fn data(pair: &mut Pair, by: Side, name: &str) {
    for length in LENGTHS {
        let packet = pair.send(by, length);
        let arrived = pair.delivered(by.other());
        assert!(arrived == [packet], "{name}: {length} bytes of {by:?}");
    }
}

/// What an initiation of this side had before it, each time: the sizes of the datagrams since its last other message.
fn before_initiations(pair: &Pair, by: Side, obfuscation: &Obfuscation) -> Vec<usize> {
    let (mut found, mut preamble) = (Vec::new(), 0);
    for passed in pair.passed.iter().filter(|passed| passed.by == by) {
        match obfuscation.classify(&passed.datagram).next() {
            None => preamble += 1,
            Some(candidate) => {
                if candidate.message == MessageType::Initiation {
                    found.push(preamble);
                } else {
                    assert_eq!(preamble, 0, "something precedes a {:?}", candidate.message);
                }
                preamble = 0;
            }
        }
    }
    found
}

/// The whole life of a session between two ends, begun by A: handshake, data, keepalives, new keys, losses, a restart.
fn converse(ends: [Box<dyn End>; 2], name: &str, settings: Settings, restarting: Option<Side>) {
    let obfuscation = obfuscation(settings);
    let preshared = settings.len() % 2 == 1;
    let mut pair = Pair::open(ends, setups(settings, preshared))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    pair.advance(SECOND);
    data(&mut pair, Side::A, name);
    data(&mut pair, Side::B, name);

    // A hears without saying anything: a keepalive of its own, in one of its two forms, which B takes.
    pair.advance(12 * SECOND);
    data(&mut pair, Side::B, name);
    pair.passed.clear();
    pair.advance(11 * SECOND);
    let sizes: Vec<_> = pair
        .passed
        .iter()
        .map(|passed| passed.datagram.len())
        .collect();
    let padded = 32 + obfuscation.padding(MessageType::Transport);
    assert!(
        sizes == [padded] || sizes == [32],
        "{name}: keepalives of {sizes:?} bytes"
    );

    // Past the age at which A makes new keys, twice.
    pair.passed.clear();
    for _ in 0..60 {
        data(&mut pair, Side::A, name);
        data(&mut pair, Side::B, name);
        pair.advance(4 * SECOND);
    }
    let preamble = preamble(settings);
    let before = before_initiations(&pair, Side::A, &obfuscation);
    assert_eq!(before, [preamble, preamble], "{name}: before initiations");

    // The first tries of a handshake are lost.
    for (side, losing) in [(Side::A, preamble + 1), (Side::B, 2 * preamble + 2)] {
        pair.advance(200 * SECOND);
        pair.losing = losing;
        come_together(&mut pair, side, name);
    }

    if let Some(side) = restarting {
        pair.restart(side);
        come_together(&mut pair, side.other(), name);
    }
    data(&mut pair, Side::A, name);
    data(&mut pair, Side::B, name);
}

/// After some tries a packet of this side arrives, and then all do.
fn come_together(pair: &mut Pair, by: Side, name: &str) {
    let arrived = (0..15).any(|_| {
        let packet = pair.send(by, 500);
        pair.advance(3 * SECOND);
        pair.delivered(by.other()).contains(&packet)
    });
    assert!(arrived, "{name}: nothing of {by:?} arrives any more");
    pair.delivered(by);
    data(pair, by, name);
}

/// How many datagrams precede an initiation.
fn preamble(settings: Settings) -> usize {
    let junk = settings.iter().find(|(name, _)| *name == "Jc");
    let junk: usize = junk.map_or(0, |(_, count)| count.parse().expect("a number"));
    junk + settings
        .iter()
        .filter(|(name, _)| name.starts_with('I'))
        .count()
}

fn boringtun() -> Box<dyn End> {
    Box::<Boringtun>::default()
}

#[test]
fn two_of_them() {
    for (name, settings) in SETS {
        converse([boringtun(), boringtun()], name, settings, None);
    }
}

#[test]
fn keepalives_without_padding_and_signatures_that_count() {
    for (name, settings) in [
        (
            "bare",
            [("S4", "12"), ("KeepalivePadding", "reference")].as_slice(),
        ),
        ("counted", &[("I1", "<c><d><dz 4>")]),
    ] {
        converse(
            [boringtun(), Box::<Ours>::default()],
            name,
            settings,
            Some(Side::B),
        );
        converse(
            [Box::<Ours>::default(), boringtun()],
            name,
            settings,
            Some(Side::A),
        );
    }
}

#[test]
fn with_our_tunnel() {
    for (name, settings) in SETS {
        let ours = Box::<Ours>::default();
        converse([boringtun(), ours], name, settings, Some(Side::B));
    }
}

#[test]
fn with_our_tunnel_that_begins() {
    for (name, settings) in SETS {
        let ours = Box::<Ours>::default();
        converse([ours, boringtun()], name, settings, Some(Side::A));
    }
}

#[test]
fn with_the_reference() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for (name, settings) in SETS {
        let reference = Box::new(Reference::start(&program));
        converse([boringtun(), reference], name, settings, Some(Side::B));
    }
}

#[test]
fn with_the_reference_that_begins() {
    let Some(program) = needed(Version::Reference) else {
        return;
    };
    for (name, settings) in SETS {
        let reference = Box::new(Reference::start(&program));
        converse([reference, boringtun()], name, settings, Some(Side::A));
    }
}

#[test]
fn with_todays_servers() {
    let Some(program) = needed(Version::Later) else {
        return;
    };
    let padded = SETS
        .iter()
        .filter(|(_, settings)| settings.iter().any(|(name, _)| *name == "S4"));
    for (name, settings) in padded {
        let later = Box::new(Reference::start(&program));
        converse([boringtun(), later], name, settings, Some(Side::B));
        let later = Box::new(Reference::start(&program));
        converse([later, boringtun()], name, settings, Some(Side::A));
    }
}

#[test]
fn data_that_looks_like_a_handshake_message_arrives() {
    // A packet of 136 bytes makes a datagram of an initiation's size, and half of them have a word of H1 in its place.
    const SETTINGS: Settings = &[("S1", "20"), ("H1", "5-2147483647")];
    let mut pair = Pair::open([boringtun(), boringtun()], setups(SETTINGS, false)).expect("good");
    let obfuscation = obfuscation(SETTINGS);
    let sent: Vec<_> = (0..100).map(|_| pair.send(Side::A, 136)).collect();
    assert!(pair.delivered(Side::B) == sent);
    let ambiguous = pair
        .passed
        .iter()
        .filter(|passed| obfuscation.classify(&passed.datagram).count() == 2)
        .count();
    assert!(ambiguous > 20, "only {ambiguous} were ambiguous");
}

/// The time that all these conversations are held in is boringtun's own, moved by hand.
#[test]
fn nothing_waits() {
    let mut end = boringtun();
    let [setup, _] = setups(&[], false);
    end.open(&setup).expect("good");
    end.send(&[awg_parity::packets::outgoing(100)])
        .expect("it goes on");
    assert_eq!(end.take().len(), 1);
    end.advance(Duration::from_secs(4));
    assert_eq!(end.take(), []);
    end.advance(Duration::from_secs(2));
    assert_eq!(end.take().len(), 1);
}
