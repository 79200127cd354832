//! The chain of tags: what is refused, what is remarked upon, what the bytes are.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Moment, Signature};

fn bytes(specification: &str) -> Vec<u8> {
    let signature = Signature::parse(specification).unwrap().unwrap();
    let mut packet = vec![0; signature.size()];
    let moment = Moment {
        unix: 0x0102_0304,
        counter: 7,
    };
    signature.write(&mut packet, moment, &mut StdRng::from_seed([1; 32]));
    packet
}

fn errors(specification: &str) -> Vec<String> {
    Signature::parse(specification)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn remarks(specification: &str) -> Vec<String> {
    let signature = Signature::parse(specification).unwrap().unwrap();
    signature
        .remarks()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn fixed_tags_give_their_bytes() {
    assert_eq!(bytes("<b 0x00FFc0>"), [0x00, 0xff, 0xc0]);
    assert_eq!(bytes("<b  dead >"), [0xde, 0xad]);
    assert_eq!(bytes("<t>"), [1, 2, 3, 4]);
    assert_eq!(bytes("<c>"), [0, 0, 0, 7]);
    assert_eq!(bytes("<d><ds><dz 3>"), [0, 0, 0]);
    assert_eq!(bytes("<b 01> <t>\r\n<c>"), [1, 1, 2, 3, 4, 0, 0, 0, 7]);
}

#[test]
fn random_tags_give_their_whole_alphabet_and_nothing_else() {
    let seen = |specification| {
        let mut seen = bytes(specification);
        assert_eq!(seen.len(), 20_000);
        seen.sort_unstable();
        seen.dedup();
        seen
    };
    assert_eq!(seen("<rd 20000>"), b"0123456789");
    assert_eq!(
        seen("<rc 20000>"),
        [(b'A'..=b'Z').collect::<Vec<_>>(), (b'a'..=b'z').collect()].concat()
    );
    assert_eq!(seen("<r 20000>"), (0..=255).collect::<Vec<_>>());
}

#[test]
fn random_tags_are_drawn_anew() {
    let signature = Signature::parse("<r 32>").unwrap().unwrap();
    let mut rng = StdRng::from_seed([2; 32]);
    let moment = Moment {
        unix: 0,
        counter: 0,
    };
    let (mut first, mut second) = ([0; 32], [0; 32]);
    signature.write(&mut first, moment, &mut rng);
    signature.write(&mut second, moment, &mut rng);
    assert_ne!(first, second);
}

#[test]
fn a_specification_without_tags_is_no_packet() {
    assert_eq!(Signature::parse(""), Ok(None));
    assert_eq!(Signature::parse(" \r\n"), Ok(None));
}

#[test]
fn all_errors_are_reported_together() {
    let errors = errors("x<q><B 00><>< ><b 0x1><b><b 0X00><r y><rd -1><rc 65508><dz>tail");
    assert_eq!(errors.len(), 13, "{errors:#?}");
    let expected = [
        "`x` stands outside",
        "no tag <q>; the tags are <b> <r> <rd> <rc> <t> <c> <d> <ds> <dz>",
        "did you mean <b>?",
        "empty",
        "empty",
        "<b>: 1 hexadecimal digits",
        "<b>: an argument is missing",
        "<b>: `0X00` is not hexadecimal",
        "<r>: `y` is not a whole number; allowed is 0 to 65507",
        "<rd>: -1 is out of range",
        "<rc>: 65508 is out of range",
        "<dz>: an argument is missing",
        "`tail` stands outside",
    ];
    for (error, part) in errors.iter().zip(expected) {
        assert!(error.contains(part), "{error} lacks {part}");
    }
}

#[test]
fn a_tag_that_is_not_closed_is_reported_alone() {
    assert_eq!(
        errors("<q><b 0x00"),
        ["`<b 0x00` is not closed; a tag ends with `>`"]
    );
}

#[test]
fn a_packet_above_a_datagram_is_refused() {
    assert_eq!(
        Signature::parse("<r 65507>").unwrap().unwrap().size(),
        65_507
    );
    assert_eq!(
        errors("<r 65507><b 00>"),
        ["the packet would have 65508 bytes; a datagram carries at most 65507"]
    );
    assert_eq!(errors(&"<r 65507>".repeat(3)).len(), 1);
}

#[test]
fn lax_forms_are_remarked_upon() {
    assert_eq!(remarks("<b 00><r 1><rd 1><rc 1><t><c>"), [""; 0]);
    assert_eq!(
        remarks("<r 10 20>"),
        ["<r> ignores `20`, as the reference does"]
    );
    assert_eq!(
        remarks("<t 5 6>"),
        ["<t> ignores `5 6`, as the reference does"]
    );
    assert_eq!(remarks("<t><r 0>"), ["<r> of 0 bytes gives nothing"]);
    let data = remarks("<t><d><ds><dz 2>");
    assert!(
        data[0].starts_with("<d> stands for data") && data[0].ends_with("0 bytes"),
        "{data:?}"
    );
    assert!(data[1].starts_with("<ds> stands for data"), "{data:?}");
    assert!(
        data[2].starts_with("<dz> stands for data") && data[2].ends_with("2 bytes"),
        "{data:?}"
    );
    assert!(remarks("<d>").last().unwrap().contains("empty datagram"));
}

#[test]
fn errors_repeat_little_of_what_was_given() {
    let long = "z".repeat(10_000);
    for specification in [
        format!("<{long}>"),
        format!("<b {long}>"),
        long.clone(),
        format!("<r {long}>"),
        format!("<{long}"),
    ] {
        for error in errors(&specification) {
            assert!(error.len() < 250, "{error}");
            assert!(!error.contains('\n'));
        }
    }
}
