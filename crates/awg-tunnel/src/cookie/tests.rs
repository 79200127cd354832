use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::{CookieChecker, CookieJar, LoadGauge, SeenInitiations, SourceBuckets};
use crate::entropy::Entropy;
use crate::keys::PrivateKey;
use crate::message::Initiation;
use crate::recording;

const SECOND: Duration = Duration::from_secs(1);

/// The recorded cookie out of the recorded secret; the recorded reply opens to it.
#[test]
fn recorded_cookies_are_ours() {
    for (recording, giver, taker, asked) in [
        (recording::e_cookie_initiation(), "B", "A", "initiation"),
        (recording::e_cookie_response(), "A", "B", "response"),
    ] {
        let now = recording.now(Duration::ZERO).instant;
        let parameters = recording.parameters("A");
        let cookie = recording.all("cookie_made").next().unwrap();
        let find = |device, kind: &str| {
            let line = recording
                .of(device, "send")
                .find(|line| line.text("kind") == kind)
                .unwrap();
            line.bytes("data")
        };
        let padding = match asked {
            "initiation" => parameters.padding_initiation,
            _ => parameters.padding_response,
        };
        let message = find(taker, asked)[usize::from(padding)..].to_vec();
        let reply =
            find(giver, "cookie_reply")[usize::from(parameters.padding_cookie_reply)..].to_vec();

        // The taker: its MACs on the message are the recorded ones, and the reply opens.
        let mut jar = CookieJar::new(&recording.public_key(giver));
        if asked == "initiation" {
            let mut again = Initiation(message.clone().try_into().unwrap());
            again.0[116..].fill(0);
            jar.authenticate(now, &mut again.0);
            assert_eq!(again.0.as_slice(), message);
        } else {
            let mut again: [u8; 92] = message.clone().try_into().unwrap();
            again[60..].fill(0);
            jar.authenticate(now, &mut again);
            assert_eq!(again.as_slice(), message);
        }
        let reply = super::super::message::CookieReply(reply.try_into().unwrap());
        assert!(jar.accept(now, &reply));
        assert_eq!(jar.cookie().unwrap().as_slice(), cookie.bytes("cookie"));
        assert!(!jar.accept(now, &reply), "a reply is taken once");

        // The giver: a reply of ours with the recorded secret holds the recorded cookie.
        let mut checker = CookieChecker::new(&recording.public_key(giver));
        checker.set_secret(cookie.array("secret"), now);
        let from = recording.address(taker);
        let mut entropy = Entropy::new([5; 32]);
        let ours = checker
            .reply(now, &mut entropy, 3, 1, &message, from)
            .unwrap();
        let mut jar = CookieJar::new(&recording.public_key(giver));
        let mut again = message.clone();
        let end = again.len() - 32;
        again[end..].fill(0);
        if let Ok(mut message) = <[u8; 148]>::try_from(again.clone()) {
            jar.authenticate(now, &mut message);
        } else {
            jar.authenticate(now, &mut <[u8; 92]>::try_from(again).unwrap());
        }
        assert!(jar.accept(now, &ours));
        assert_eq!(jar.cookie().unwrap().as_slice(), cookie.bytes("cookie"));
    }
}

#[test]
fn a_cookie_is_good_for_its_address_and_its_time() {
    let now = Instant::now();
    let public = PrivateKey::from_bytes([3; 32]).public_key();
    let mut checker = CookieChecker::new(&public);
    let mut jar = CookieJar::new(&public);
    let mut entropy = Entropy::new([5; 32]);
    let from: SocketAddr = "[2001:db8::1]:4000".parse().unwrap();
    let mut message = [0; 148];
    jar.authenticate(now, &mut message);
    assert!(checker.check_mac1(&message));
    assert!(!checker.check_mac2(now, &message, from));
    let reply = checker
        .reply(now, &mut entropy, 3, 1, &message, from)
        .unwrap();
    assert!(jar.accept(now, &reply));
    jar.authenticate(now, &mut message);
    assert!(checker.check_mac2(now, &message, from));
    assert!(!checker.check_mac2(now, &message, "[2001:db8::1]:4001".parse().unwrap()));
    assert!(!checker.check_mac2(now, &message, "[2001:db8::2]:4000".parse().unwrap()));
    assert!(checker.check_mac2(now + 120 * SECOND, &message, from));
    assert!(!checker.check_mac2(now + 121 * SECOND, &message, from));

    // The jar forgets it at the same age.
    let mut later = [0; 148];
    jar.authenticate(now + 121 * SECOND, &mut later);
    assert_eq!(later[132..], [0; 16]);
}

#[test]
fn load_begins_above_the_bound_and_lasts_a_second() {
    let start = Instant::now();
    let mut gauge = LoadGauge::new(3, start);
    assert!(!(0..3).any(|_| gauge.count(start)));
    assert!(gauge.count(start));
    assert!(gauge.is_loaded(start + Duration::from_millis(999)));
    assert!(!gauge.is_loaded(start + SECOND));
    assert!(!gauge.count(start + SECOND));
    // Three a second for ever are no load.
    let mut gauge = LoadGauge::new(3, start);
    assert!((0..60).all(|third| !gauge.count(start + third * SECOND / 3)));
}

#[test]
fn a_source_gets_twenty_a_second_and_the_table_has_a_bound() {
    let start = Instant::now();
    let source = IpAddr::from(Ipv4Addr::LOCALHOST);
    let mut buckets = SourceBuckets::new(8);
    let tick = Duration::from_millis(1);
    let taken = (0..10_000)
        .filter(|ms| buckets.take(start + *ms * tick, source))
        .count();
    assert!((200..=205).contains(&taken), "{taken} in ten seconds");

    let mut buckets = SourceBuckets::new(8);
    let burst = (0..10)
        .filter(|ms| buckets.take(start + *ms * tick, source))
        .count();
    assert_eq!(burst, 5);
    let address = |number: u32| IpAddr::from(Ipv4Addr::from_bits(number));
    let now = start + 10 * tick;
    let let_in = (0..100)
        .filter(|number| buckets.take(now, address(*number)))
        .count();
    assert_eq!((let_in, buckets.len()), (7, 8));
    // When they are full again they make room.
    assert!(buckets.take(now + SECOND, address(50)));
    assert_eq!(buckets.len(), 1);
}

#[test]
fn the_oldest_initiation_is_forgotten_first() {
    let mut seen = SeenInitiations::new(2);
    let mac = |byte| [byte; 16];
    for byte in [1, 2, 2, 3] {
        seen.insert(&mac(byte));
    }
    assert!(!seen.contains(&mac(1)));
    assert!(seen.contains(&mac(2)) && seen.contains(&mac(3)));
}
