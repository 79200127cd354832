//! That the liars get through when they tell the truth: else nothing behind the handshake would be tried.

use arbitrary::{Arbitrary, Unstructured};

use super::moves::{Content, Counter, Lie, Move, Origin, Scenario};
use super::play;
use crate::input;
use crate::settings::Settings;

const TRUTH: Lie = Lie {
    change: None,
    authenticate: false,
    cut: None,
};

fn origin(who: u8) -> Origin {
    Origin { who, address: who }
}

fn initiate(who: u8) -> Move<'static> {
    Move::Initiate {
        from: origin(who),
        ahead: 1000,
        with_cookie: false,
        lie: TRUTH,
    }
}

fn seal(who: u8, source: u8, counter: Counter, lie: Lie) -> Move<'static> {
    Move::Seal {
        from: origin(who),
        session: 0,
        counter,
        content: Content::Packet {
            source,
            ipv6: false,
            claimed: 40,
            length: 60,
        },
        lie,
    }
}

fn delivered(endpoints: bool, moves: Vec<Move>) -> usize {
    let settings = Settings::arbitrary(&mut Unstructured::new(&[])).expect("settings of nothing");
    play(&Scenario {
        settings,
        endpoints,
        preshared: true,
        moves,
    })
}

#[test]
fn a_packet_of_a_session_that_the_liar_began_comes_out() {
    let moves = vec![initiate(0), seal(0, 0, Counter::Next, TRUTH)];
    assert_eq!(delivered(false, moves), 1);
}

#[test]
fn a_packet_of_a_session_that_the_tunnel_began_comes_out() {
    let moves = vec![
        Move::Send { to: 1, length: 99 },
        Move::Answer {
            from: origin(1),
            wrong_preshared: false,
            with_cookie: false,
            lie: TRUTH,
        },
        seal(1, 1, Counter::Next, TRUTH),
    ];
    assert_eq!(delivered(true, moves), 1);
}

#[test]
fn what_is_no_truth_does_not() {
    let changed = Lie {
        change: Some((20, 1)),
        ..TRUTH
    };
    let moves = vec![
        initiate(0),
        initiate(2),
        seal(0, 0, Counter::Next, TRUTH),
        seal(0, 0, Counter::Back(1), TRUTH),
        seal(0, 1, Counter::Next, TRUTH),
        seal(0, 0, Counter::Next, changed),
        seal(0, 0, Counter::Limit(1), TRUTH),
        seal(2, 2, Counter::Next, TRUTH),
    ];
    assert_eq!(delivered(false, moves), 1);
}

#[test]
fn the_seeds_that_come_far_do() {
    let seeds: [&[u8]; 3] = [
        include_bytes!("../../seeds/tunnel/delivers-what-the-liar-began"),
        include_bytes!("../../seeds/tunnel/delivers-what-the-tunnel-began"),
        include_bytes!("../../seeds/tunnel/delivers-with-protected-headers"),
    ];
    for seed in seeds {
        let scenario: Scenario = input::read(seed).expect("a scenario");
        assert_eq!(play(&scenario), 1);
    }
}
