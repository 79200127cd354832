//! Today's servers: v0.2.19 of the reference, which pads keepalives with S4 and leaves out signature packets without tags.

use awg_parity::packets::incoming;
use awg_parity::reference::{Version, needed};
use awg_parity::stage::{Implementation, SECOND, Stage};
use awg_parity::wish::Wish;

fn stage() -> Option<Stage> {
    Some(implementation(Version::Later)?.stage(&Wish::with(&[("S4", "12")])))
}

fn implementation(version: Version) -> Option<Implementation> {
    needed(version).map(Implementation::Reference)
}

#[test]
fn its_keepalives_are_padded_as_ours_are() {
    let Some(mut stage) = stage() else { return };
    let mut ours = Implementation::Ours.stage(&Wish::with(&[("S4", "12")]));
    for stage in [&mut stage, &mut ours] {
        let mut session = stage.begun_by_the_probe();
        stage.advance(SECOND);
        let data = stage.probe.seal(&mut session, &incoming(40));
        stage.receive(&data);
        stage.advance(11 * SECOND);
        let sent = stage.take().sent;
        let sizes: Vec<_> = sent.iter().map(|sent| sent.datagram.len()).collect();
        assert_eq!(sizes, [12 + 32]);
    }
}

#[test]
fn it_takes_ours_and_no_bare_ones() {
    for (padding, taken) in [(12, true), (0, false)] {
        let Some(mut stage) = stage() else { return };
        let offer = stage.probe.initiation(stage.clock);
        let deeds = stage.receive(&offer.datagram);
        let response = deeds.sent[0].datagram.clone();
        let mut session = stage.probe.finish(offer, &response).expect("a response");
        let keepalive = stage.probe.seal(&mut session, &[]);
        stage.receive(&keepalive[12 - padding..]);
        let deeds = stage.send(20);
        let words = stage.words(&deeds, Some(&session));
        assert_eq!(words == "sends data", taken, "{words}");
    }
}

#[test]
fn it_leaves_out_signature_packets_without_tags() {
    let (Some(reference), Some(later)) = (
        implementation(Version::Reference),
        implementation(Version::Later),
    ) else {
        return;
    };
    let wish = Wish::with(&[("I1", ""), ("I2", "<r 9>"), ("I3", "")]);
    let cases = [
        (reference, vec![0, 9, 0, 148]),
        (later, vec![9, 148]),
        (Implementation::Ours, vec![9, 148]),
    ];
    for (implementation, expected) in cases {
        let sent = implementation.stage(&wish).send(20).sent;
        let sizes: Vec<_> = sent.iter().map(|sent| sent.datagram.len()).collect();
        assert_eq!(sizes, expected);
    }
}
