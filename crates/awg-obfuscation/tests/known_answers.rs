//! What the reference was recorded to do: which settings it takes, and what its datagrams are taken for.

use std::collections::BTreeSet;
use std::time::Duration;

use awg_obfuscation::{
    Classified, LARGEST_DATAGRAM, MessageType, Obfuscation, Parameters, PreambleDatagram,
    Signature, SignatureCounter,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

const SETTINGS: &str = include_str!("vectors/settings.tsv");
const SETTINGS_3: &str = include_str!("vectors/settings_3.tsv");
const DATAGRAMS: &str = include_str!("vectors/datagrams.tsv");

/// Settings that the reference refuses and this crate takes: in a `.conf`, `0` and nothing mean absent; `<c>` is in the
/// reference's README.
const TAKEN_HERE: [&str; 7] = [
    "jc=0", "jc=", "jmin=0", "jmax=0", "h1=", "i1=<c>", "i1=<c 4>",
];

/// Settings that the reference takes and this crate refuses, with the parameter that is blamed: they make the reference
/// panic, send empty datagrams or datagrams that no socket takes, or are a slip of the pen.
const REFUSED_HERE: [(&str, &str); 9] = [
    ("jc=3", "Jmin"),
    ("jc=4294967296", "Jc"),
    ("jmin=90\tjmax=40", "Jmin"),
    ("jc=3\tjmin=90\tjmax=40", "Jmin"),
    ("s1=65535", "S1"),
    ("s1=65536", "S1"),
    ("s1=100000", "S1"),
    ("i1=hello", "I1"),
    ("i1=<r -1>", "I1"),
];

fn pairs(settings: &str) -> impl Iterator<Item = (&str, &str)> {
    settings.split('\t').filter_map(|line| line.split_once('='))
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |character: &u8| (*character as char).to_digit(16).unwrap() as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(&pair[0]) << 4 | digit(&pair[1]))
        .collect()
}

struct Recorded {
    kind: &'static str,
    unix: u64,
    data: Vec<u8>,
}

fn recordings() -> Vec<(&'static str, &'static str, Vec<Recorded>)> {
    let mut cases = Vec::new();
    for line in DATAGRAMS.lines() {
        let mut fields = line.splitn(3, '\t');
        let (first, second, third) = (
            fields.next().unwrap(),
            fields.next().unwrap(),
            fields.next().unwrap_or_default(),
        );
        if first == "case" {
            cases.push((second, third, Vec::new()));
        } else {
            let recorded = Recorded {
                kind: first,
                unix: second.parse().unwrap(),
                data: unhex(third),
            };
            cases.last_mut().unwrap().2.push(recorded);
        }
    }
    cases
}

/// The parameters of a recording, without the signature packets that the reference takes and this crate refuses.
fn parameters(settings: &str) -> Parameters {
    let accepted = pairs(settings).filter(|(_, value)| *value != "hello");
    Parameters::from_settings(accepted).unwrap()
}

#[test]
fn settings_are_taken_and_refused_as_by_the_reference() {
    let mut compared = 0;
    for line in SETTINGS.lines() {
        let (verdict, settings) = line.split_once('\t').unwrap();
        let ours = Parameters::from_settings(pairs(settings));
        let blamed_here = REFUSED_HERE
            .iter()
            .find(|(refused, _)| *refused == settings);
        if TAKEN_HERE.contains(&settings) {
            assert_eq!(verdict, "refused", "{settings}");
            assert!(ours.is_ok(), "{settings}: {ours:?}");
        } else if let Some((_, parameter)) = blamed_here {
            assert_eq!(verdict, "accepted", "{settings}");
            assert_eq!(ours.unwrap_err()[0].parameter(), *parameter, "{settings}");
        } else if settings == "i1=text <b 0x01> more <r 2> tail" {
            assert_eq!(ours.unwrap_err().len(), 3);
        } else {
            assert_eq!(ours.is_ok(), verdict == "accepted", "{settings}: {ours:?}");
            // Whatever is wrong, the parameter that was set is named.
            for error in ours.err().into_iter().flatten() {
                let named =
                    pairs(settings).any(|(name, _)| name.eq_ignore_ascii_case(error.parameter()));
                assert!(named, "{settings}: {error}");
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 82);
}

/// Empty values mean absent in a `.conf`, and nothing to the reference.
#[test]
fn settings_of_version_3_are_taken_and_refused_as_by_the_reference() {
    let mut compared = 0;
    for line in SETTINGS_3.lines() {
        let (verdict, settings) = line.split_once('\t').unwrap();
        let ours = Parameters::from_settings(pairs(settings));
        if settings.ends_with('=') {
            assert_eq!(verdict, "refused", "{settings}");
            assert_eq!(ours, Ok(Parameters::default()), "{settings}");
        } else {
            assert_eq!(ours.is_ok(), verdict == "accepted", "{settings}: {ours:?}");
        }
        for error in ours.err().into_iter().flatten() {
            for (name, value) in pairs(settings) {
                if name == "header_protection_key" {
                    assert!(!error.to_string().contains(value), "{error}");
                }
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 55);
}

#[test]
fn recorded_messages_are_recognised() {
    let mut recognised = 0;
    for (case, settings, datagrams) in recordings() {
        let parameters = parameters(settings);
        let obfuscation = Obfuscation::new(parameters.clone()).unwrap();
        for Recorded { kind, data, .. } in &datagrams {
            let found: Vec<Classified> = obfuscation.classify(data).collect();
            let message = match *kind {
                "initiation" => MessageType::Initiation,
                "response" => MessageType::Response,
                "cookie_reply" => MessageType::CookieReply,
                "transport" | "transport_lost" | "keepalive" => MessageType::Transport,
                _ => continue,
            };
            let bare_keepalive = *kind == "keepalive" && parameters.padding_transport > 0;
            let offset = if bare_keepalive {
                0
            } else {
                parameters.padding(message).into()
            };
            let expected = Classified {
                message,
                offset,
                bare_keepalive,
            };
            if *kind == "transport_lost" {
                assert_eq!(found[0].message, MessageType::Initiation, "{case}");
                assert_eq!(found[1..], [expected], "{case}");
            } else {
                assert_eq!(found.first(), Some(&expected), "{case}");
            }
            recognised += 1;
        }
    }
    assert!(recognised > 40, "{recognised}");
}

#[test]
fn recorded_preambles_are_what_this_crate_sends() {
    let mut preambles = 0;
    for (case, settings, datagrams) in recordings() {
        let obfuscation = Obfuscation::new(parameters(settings)).unwrap();
        let (mut counter, mut rng) = (SignatureCounter::default(), StdRng::from_seed([3; 32]));
        // An empty signature packet is one whose specification has no tag, which is none here.
        let recorded: Vec<_> = datagrams
            .iter()
            .filter(|recorded| {
                matches!(recorded.kind, "signature" | "junk") && !recorded.data.is_empty()
            })
            .collect();
        let mut preamble = obfuscation.preamble();
        let mut ours = Vec::new();
        for Recorded { kind, unix, data } in recorded {
            let sent = preamble.poll_datagram(
                &obfuscation,
                &mut counter,
                Duration::from_secs(*unix),
                &mut rng,
                &mut ours,
            );
            match sent.unwrap() {
                PreambleDatagram::Signature(number) => {
                    assert_eq!(*kind, "signature", "{case}");
                    let name = format!("i{number}=");
                    let specification = settings
                        .split('\t')
                        .find_map(|setting| setting.strip_prefix(&name))
                        .unwrap();
                    assert_signature(specification, data, *unix);
                    assert_signature(specification, &ours, *unix);
                }
                PreambleDatagram::Junk => {
                    assert_eq!(*kind, "junk", "{case}");
                    let sizes =
                        obfuscation.parameters().junk_min..=obfuscation.parameters().junk_max;
                    assert!(sizes.contains(&(data.len() as u16)), "{case}");
                    assert!(sizes.contains(&(ours.len() as u16)), "{case}");
                }
            }
            preambles += 1;
        }
        let after = preamble.poll_datagram(
            &obfuscation,
            &mut counter,
            Duration::ZERO,
            &mut rng,
            &mut ours,
        );
        assert_eq!(after, None, "{case}");
    }
    assert_eq!(preambles, 5 + 5 + 1 + 2);
}

/// Compares a packet with its specification, tag by tag, as the table of tags has it.
fn assert_signature(specification: &str, mut packet: &[u8], unix: u64) {
    assert_eq!(
        Signature::parse(specification).unwrap().unwrap().size(),
        packet.len(),
        "{specification}"
    );
    for group in specification.split('<').skip(1) {
        let mut words = group.trim_end_matches('>').split_whitespace();
        let (key, argument) = (words.next().unwrap(), words.next().unwrap_or_default());
        let bytes =
            unhex(
                argument
                    .strip_prefix("0x")
                    .unwrap_or(if key == "b" { argument } else { "" }),
            );
        let size = match key {
            "b" => bytes.len(),
            "t" => 4,
            "d" | "ds" => 0,
            _ => argument.parse().unwrap(),
        };
        let (part, rest) = packet.split_at(size);
        let right = match key {
            "b" => part == bytes,
            "t" => part == (unix as u32).to_be_bytes(),
            "rd" => part.iter().all(u8::is_ascii_digit),
            "rc" => part.iter().all(u8::is_ascii_alphabetic),
            "dz" => part.iter().all(|&byte| byte == 0),
            _ => true,
        };
        assert!(right, "<{key} {argument}> of {specification}: {part:02x?}");
        packet = rest;
    }
}

/// Two hundred junk packets of the reference with Jmin = 50 and Jmax = 53 had each of these sizes and no other.
#[test]
fn junk_sizes_are_those_of_the_reference() {
    let settings = [("Jc", "100"), ("Jmin", "50"), ("Jmax", "53")];
    let obfuscation = Obfuscation::new(Parameters::from_settings(settings).unwrap()).unwrap();
    let (mut counter, mut rng) = (SignatureCounter::default(), StdRng::from_seed([4; 32]));
    let mut sizes = BTreeSet::new();
    let mut datagram = Vec::new();
    let mut preamble = obfuscation.preamble();
    let mut count = 0;
    while let Some(kind) = preamble.poll_datagram(
        &obfuscation,
        &mut counter,
        Duration::ZERO,
        &mut rng,
        &mut datagram,
    ) {
        assert_eq!(kind, PreambleDatagram::Junk);
        sizes.insert(datagram.len());
        count += 1;
    }
    assert_eq!(count, 100);
    assert_eq!(sizes, BTreeSet::from([50, 51, 52, 53]));
}

#[test]
fn the_largest_sizes_fit_a_datagram() {
    let largest = [
        ("S1", "65359"),
        ("S2", "65415"),
        ("S3", "65443"),
        ("S4", "65475"),
    ];
    let parameters = Parameters::from_settings(largest).unwrap();
    for message in MessageType::ALL {
        let size = usize::from(parameters.padding(message)) + message.bare_size();
        assert_eq!(size, usize::from(LARGEST_DATAGRAM));
    }
    for (name, value) in largest {
        let above = (value.parse::<u16>().unwrap() + 1).to_string();
        let errors = Parameters::from_settings([(name, above.as_str())]).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].parameter(), name);
        assert!(
            errors[0]
                .to_string()
                .ends_with(&format!("allowed is 0 to {value}")),
            "{}",
            errors[0]
        );
    }
}
