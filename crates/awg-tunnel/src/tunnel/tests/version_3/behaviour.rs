//! Recordings played to tunnels of ours: what is delivered, what is dropped, what is answered.

use std::time::Duration;

use crate::recording::{self, Recording};
use crate::tunnel::tests::recorded::{Player, end_as_recorded};

use super::other;

/// Both ends of a recording, each given what the other one sent.
fn play(recording: &Recording) -> [Player<'_>; 2] {
    let mut players = [
        Player::new(recording, "A", "B"),
        Player::new(recording, "B", "A"),
    ];
    let number = |device: &str| usize::from(device == "B");
    for (at, device) in ["A", "B"].into_iter().enumerate() {
        if let Some(made) = recording.of(device, "cookie_made").next() {
            let start = recording.now(made.at()).instant;
            players[at]
                .tunnel
                .checker
                .set_secret(made.array("secret"), start);
        }
    }
    let mut arriving: Vec<(Duration, usize, Vec<u8>)> = Vec::new();
    for line in &recording.lines {
        if line.optional("t_ns").is_none() {
            continue;
        }
        let now = line.at();
        let device = line.text("device");
        for (at, to, data) in arriving.extract_if(.., |(at, ..)| *at <= now) {
            let from = recording.address(other(["A", "B"][to]));
            players[to].receive(at, from, &data);
        }
        match line.word {
            "force_under_load" => {
                let until = now + Duration::from_nanos(line.number("for_ns"));
                let until = recording.now(until).instant;
                players[number(device)].tunnel.gauge.force_until(until);
            }
            // Whatever made it there, a timer with its jitter perhaps, makes it here.
            "initiation_created" => players[number(device)].initiate(now),
            "tun_in" => players[number(device)].send(now, &line.bytes("packet")),
            "send" if line.optional("lost").is_none() => {
                let to = number(other(device));
                let arrives = now + Duration::from_millis(15);
                arriving.push((arrives, to, line.bytes("data")));
            }
            _ => {}
        }
    }
    for (at, to, data) in arriving {
        let from = recording.address(other(["A", "B"][to]));
        players[to].receive(at, from, &data);
    }
    players
}

#[test]
fn what_was_delivered_there_is_delivered_here() {
    for name in [
        "a_plain",
        "a_header_protection",
        "a_header_protection_min",
        "b_content_padding_sides",
        "c_random_trailers",
        "c_random_trailers_only",
        "c_trailers_and_content_padding",
        "d_disable_cookies",
        "e_cookie",
        "e_cookie_trailers",
        "g_keepalive_s4",
        "j_mixed_awg2_to_awg3",
        "j_mixed_awg3_to_awg2",
    ] {
        let recording = recording::version_3(name);
        let players = play(&recording);
        let mut packets = 0;
        for (player, device) in players.iter().zip(["A", "B"]) {
            let recorded: Vec<_> = recording
                .of(device, "tun_out")
                .map(|line| line.bytes("packet"))
                .collect();
            assert_eq!(player.delivered, recorded, "{name}: {device}");
            packets += recorded.len();
        }
        assert!(packets > 0, "{name}");
    }
}

/// With random trailers and wide header ranges the reference loses messages that look like earlier ones. Ours tries on.
#[test]
fn what_the_reference_loses_to_trailers_is_delivered_here() {
    for name in [
        "l_trailers_wide_headers",
        "l_trailers_wide_headers_response",
    ] {
        let recording = recording::version_3(name);
        let players = play(&recording);
        let mut more = 0;
        for (player, device) in players.iter().zip(["A", "B"]) {
            let sent = recording.of(other(device), "send");
            let packets = sent.filter(|line| line.text("kind") == "transport").count();
            let recorded = recording.of(device, "tun_out").count();
            assert!(recorded <= player.delivered.len(), "{name}");
            assert!(player.delivered.len() <= packets);
            more += player.delivered.len() - recorded;
        }
        assert!(more > 0 || name.ends_with("response"), "{name}");
    }
}

#[test]
fn injected_datagrams_end_as_recorded() {
    for (name, least) in [("i_drops", 25), ("i_drops_trailers", 8)] {
        let (injections, delivered) = end_as_recorded(&recording::version_3(name));
        assert!(injections >= least, "{name}: {injections}");
        assert!(delivered > 0, "{name}");
    }
}

/// Under load without cookies: no answer of any kind.
#[test]
fn with_cookies_disabled_load_is_met_with_silence() {
    let recording = recording::version_3("d_disable_cookies");
    let [_, b] = play(&recording);
    let counters = b.tunnel.counters();
    assert_eq!(counters.cookie_replies_sent, 0);
    assert_eq!(counters.dropped_without_cookie, 1);
    assert_eq!(counters.responses_sent, 1);
    let recording = recording::version_3("e_cookie");
    let [_, b] = play(&recording);
    assert_eq!(b.tunnel.counters().cookie_replies_sent, 1);
}

/// A keepalive with content is none that asks for an answer.
#[test]
fn padded_keepalives_are_keepalives() {
    let recording = recording::version_3("g_keepalives_content_padding");
    let [_, b] = play(&recording);
    let keepalives = recording.of("A", "send");
    let keepalives = keepalives.filter(|line| line.text("kind") == "keepalive");
    let counters = b.tunnel.counters();
    assert_eq!(counters.keepalives_received, keepalives.count() as u64);
    assert_eq!((b.dropped(), counters.keepalives_sent), (0, 0));
}
