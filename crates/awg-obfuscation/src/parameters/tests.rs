//! Reading, checking and warning.

use super::{HeaderProtectionKey, KeepalivePadding, Parameters, Path};
use crate::message::MessageType;
use crate::range::NumberRange;

const ETHERNET: Path = Path {
    mtu: 1500,
    ipv6: false,
};

fn errors(settings: &[(&str, &str)]) -> Vec<String> {
    let errors = Parameters::from_settings(settings.iter().copied()).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

fn warnings(settings: &[(&str, &str)], path: Path) -> Vec<String> {
    let parameters = Parameters::from_settings(settings.iter().copied()).unwrap();
    parameters
        .warnings(&path)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn names_are_read_in_any_case() {
    let settings = [
        ("jc", "4"),
        ("JMIN", "40"),
        ("Jmax", "70"),
        ("s1", "1"),
        ("S2", "2"),
        ("s3", "3"),
        ("S4", "4"),
        ("h1", "10-20"),
        ("H2", "21"),
        ("h3", "22"),
        ("H4", "23-4294967295"),
        ("i1", "<r 1>"),
        ("I5", "<t>"),
        ("keepalivepadding", "Reference"),
    ];
    let parameters = Parameters::from_settings(settings).unwrap();
    assert_eq!(
        (
            parameters.junk_count,
            parameters.junk_min,
            parameters.junk_max
        ),
        (4, 40, 70)
    );
    assert_eq!(
        MessageType::ALL.map(|message| parameters.padding(message)),
        [1, 2, 3, 4]
    );
    assert_eq!(parameters.headers[0], NumberRange::new(10, 20).unwrap());
    assert_eq!(
        parameters.headers[3],
        NumberRange::new(23, u32::MAX).unwrap()
    );
    let specifications = parameters
        .signatures
        .each_ref()
        .map(|signature| signature.as_ref().map(ToString::to_string));
    assert_eq!(
        specifications,
        [
            Some("<r 1>".to_owned()),
            None,
            None,
            None,
            Some("<t>".to_owned())
        ]
    );
    assert_eq!(parameters.keepalive_padding, KeepalivePadding::Reference);
}

#[test]
fn absent_zero_and_empty_are_the_default() {
    let names = [
        "Jc",
        "Jmin",
        "Jmax",
        "S1",
        "S2",
        "S3",
        "S4",
        "I1",
        "I2",
        "I3",
        "I4",
        "I5",
        "KeepalivePadding",
    ];
    for value in ["0", ""] {
        assert_eq!(
            Parameters::from_settings(names.map(|name| (name, value))),
            Ok(Parameters::default())
        );
    }
    assert_eq!(
        Parameters::from_settings([("H1", ""), ("H4", "")]),
        Ok(Parameters::default())
    );
    assert_eq!(Parameters::from_settings([]), Ok(Parameters::default()));
}

#[test]
fn a_header_of_zero_is_the_word_zero() {
    assert_eq!(
        Parameters::from_settings([("H3", "0")]).unwrap().headers[2],
        NumberRange::single(0)
    );
}

#[test]
fn all_errors_are_reported_together() {
    let found = errors(&[
        ("Jd", "1"),
        ("Jc", "x"),
        ("jc", "2"),
        ("S1", "-1"),
        ("S2", "99999999999999999999"),
        ("H1", "9-5"),
        ("H2", "3-9"),
        ("I1", "<q><r x>"),
        ("KeepalivePadding", "maybe"),
    ]);
    let expected = [
        (
            "Jd: ",
            "those are Jc, Jmin, Jmax, S1, S2, S3, S4, H1, H2, H3, H4, I1, I2, I3, I4, I5, KeepalivePadding, \
             HeaderProtectionKey, ContentPaddingAddition, RandomTrailers, DisableCookies, RekeyAfterTime, RekeyTimeout, \
             RejectAfterTime, KeepaliveTimeout, MaxHandshakeAttempts",
        ),
        ("Jc: ", "`x` is not a whole number; allowed is 0 to 65535"),
        ("Jc: ", "more than once"),
        ("S1: ", "-1 is out of range; allowed is 0 to 65359"),
        (
            "S2: ",
            "99999999999999999999 is out of range; allowed is 0 to 65415",
        ),
        ("H1: ", "9-5 runs backwards"),
        ("I1: ", "no tag <q>"),
        ("I1: ", "<r>: `x`"),
        ("KeepalivePadding: ", "allowed is `padded` or `reference`"),
        ("H2: ", "3-9 overlaps H3 = 3; "),
        ("H2: ", "3-9 overlaps H4 = 4; "),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (error, (parameter, part)) in found.iter().zip(expected) {
        assert!(
            error.starts_with(parameter) && error.contains(part),
            "{error} lacks {part}"
        );
    }
}

#[test]
fn what_could_not_be_read_is_not_checked_against_the_rest() {
    assert_eq!(errors(&[("H1", "abc"), ("H2", "1")]).len(), 1);
    assert_eq!(
        errors(&[("Jc", "4"), ("Jmin", "x"), ("Jmax", "70")]).len(),
        1
    );
}

#[test]
fn overlapping_headers_blame_what_was_configured() {
    for (name, value, against) in [
        ("H1", "2", "H2 = 2"),
        ("H4", "1", "H1 = 1"),
        ("H1", "4-9", "H4 = 4"),
        ("H3", "4294967295", ""),
    ] {
        match Parameters::from_settings([(name, value)]) {
            Ok(_) => assert_eq!(against, ""),
            Err(errors) => {
                assert_eq!(errors.len(), 1);
                assert_eq!(errors[0].parameter(), name);
                assert!(
                    errors[0]
                        .problem()
                        .to_string()
                        .starts_with(&format!("{value} overlaps {against}; "))
                );
            }
        }
    }
    assert!(Parameters::from_settings([("H1", "2"), ("H2", "1")]).is_ok());
    assert_eq!(
        errors(&[("H1", "10-20"), ("H2", "20-30"), ("H3", "40"), ("H4", "50")]).len(),
        1
    );
}

#[test]
fn junk_needs_sizes_that_make_sense() {
    assert_eq!(errors(&[("Jc", "3")]).len(), 2);
    assert!(errors(&[("Jc", "3"), ("Jmax", "9")])[0].starts_with("Jmin: is missing: Jc = 3"));
    assert!(errors(&[("Jc", "3"), ("Jmin", "9")])[0].starts_with("Jmax: is missing"));
    assert_eq!(
        errors(&[("Jmin", "90"), ("Jmax", "40")]),
        ["Jmin: 90 is above Jmax = 40; allowed is 1 to Jmax"]
    );
    assert!(errors(&[("Jmax", "65508")])[0].ends_with("allowed is 0 to 65507"));
    // Without junk a size may stand alone: the other one is absent, not 0.
    for alone in [("Jmin", "90"), ("Jmax", "40")] {
        assert!(Parameters::from_settings([alone]).is_ok());
    }
    assert!(Parameters::from_settings([("Jmin", "90"), ("Jmax", "0")]).is_ok());
    assert!(Parameters::from_settings([("Jc", "65535"), ("Jmin", "1"), ("Jmax", "65507")]).is_ok());
}

#[test]
fn fields_filled_directly_are_checked_too() {
    let parameters = Parameters {
        junk_count: 1,
        junk_min: 65_508,
        junk_max: 65_509,
        padding_transport: u16::MAX,
        headers: [NumberRange::single(7); 4],
        ..Parameters::default()
    };
    let names: Vec<_> = parameters
        .validate()
        .unwrap_err()
        .iter()
        .map(|error| error.parameter().to_owned())
        .collect();
    assert_eq!(
        names,
        ["Jmin", "Jmax", "S4", "H2", "H3", "H3", "H4", "H4", "H4"]
    );
}

#[test]
fn sizes_above_the_path_are_warned_of() {
    let fitting = [
        ("Jc", "128"),
        ("Jmin", "1"),
        ("Jmax", "1472"),
        ("S1", "1324"),
        ("S4", "1440"),
        ("I1", "<r 1472>"),
    ];
    assert_eq!(warnings(&fitting, ETHERNET), [""; 0]);
    let over_ipv6 = warnings(
        &fitting,
        Path {
            ipv6: true,
            ..ETHERNET
        },
    );
    let expected = [
        "Jmax: makes a junk packet of 1520",
        "S1: makes an initiation of 1520",
        "S4: makes a transport message without content of 1520",
        "I1: makes a signature packet of 1520",
    ];
    assert_eq!(over_ipv6.len(), expected.len(), "{over_ipv6:#?}");
    for (warning, part) in over_ipv6.iter().zip(expected) {
        assert!(
            warning.starts_with(part) && warning.contains("MTU of 1500"),
            "{warning}"
        );
    }
    let above = [("S2", "1381"), ("S3", "1409"), ("Jmax", "1473")];
    let above = warnings(&above, ETHERNET);
    assert_eq!(above.len(), 2, "without Jc there is no junk: {above:#?}");
    assert!(
        above[0].starts_with("S2: makes a response of 1501")
            && above[1].starts_with("S3: makes a cookie reply of 1501")
    );
}

#[test]
fn much_junk_and_lax_specifications_are_warned_of() {
    let lax = [
        ("Jc", "129"),
        ("Jmin", "1"),
        ("Jmax", "9"),
        ("I2", "<r 10 20>"),
        ("I3", "<t><d>"),
    ];
    let parameters = Parameters::from_settings(lax).unwrap();
    let warnings = parameters.warnings(&ETHERNET);
    let names: Vec<_> = warnings
        .iter()
        .map(super::ParameterWarning::parameter)
        .collect();
    assert_eq!(names, ["Jc", "I2", "I3"]);
    assert!(
        warnings[0]
            .concern()
            .to_string()
            .starts_with("sends 129 junk packets")
    );
    assert!(
        warnings[1]
            .concern()
            .to_string()
            .starts_with("<r> ignores `20`")
    );
}

#[test]
fn the_inner_packet_is_what_the_path_leaves() {
    let parameters = Parameters::from_settings([("S4", "16")]).unwrap();
    assert_eq!(parameters.largest_inner_packet(&ETHERNET), 1440 - 16);
    assert_eq!(
        parameters.largest_inner_packet(&Path {
            ipv6: true,
            ..ETHERNET
        }),
        1420 - 16
    );
    assert_eq!(
        parameters.largest_inner_packet(&Path {
            mtu: 60,
            ipv6: false
        }),
        0
    );
}

#[test]
fn a_file_may_say_on_and_off_and_the_control_protocol_may_not() {
    for (word, meant) in [
        ("on", true),
        ("ON", true),
        ("off", false),
        ("1", true),
        ("0", false),
    ] {
        let read = Parameters::from_settings([("RandomTrailers", word)]).unwrap();
        assert_eq!(read.random_trailers, meant, "{word}");
        let by_control = Parameters::from_settings([("random_trailers", word)]);
        assert_eq!(by_control.is_ok(), word.len() == 1, "{word}");
    }
}

const KEY: &str = "cLfc8enkw2a01FGI5gD9Gv69+49YuvNioq96svN59MA=";
const PADDED: [(&str, &str); 4] = [("S1", "12"), ("S2", "12"), ("S3", "12"), ("S4", "12")];

#[test]
fn parameters_of_version_3_are_read_by_both_names() {
    let key = HeaderProtectionKey::from_base64(KEY).unwrap().unwrap();
    let hex = "70b7dcf1e9e4c366b4d45188e600fd1afebdfb8f58baf362a2af7ab2f379f4c0";
    let by_conf = [
        ("HeaderProtectionKey", KEY),
        ("contentpaddingaddition", "5-60"),
        ("RandomTrailers", "true"),
        ("DisableCookies", "1"),
        ("RekeyAfterTime", "100-120"),
        ("RekeyTimeout", "5"),
        ("RejectAfterTime", "150-180"),
        ("KeepaliveTimeout", "8-12"),
        ("MaxHandshakeAttempts", "10-18"),
    ];
    let by_uapi = [
        ("header_protection_key", hex),
        ("content_padding_addition", "5-60"),
        ("RANDOM_TRAILERS", "T"),
        ("disable_cookies", "True"),
        ("rekey_after_time", "100-120"),
        ("rekey_timeout", "5-5"),
        ("reject_after_time", "150-180"),
        ("keepalive_timeout", "8-12"),
        ("max_handshake_attempts", "10-18"),
    ];
    let conf = Parameters::from_settings(PADDED.into_iter().chain(by_conf)).unwrap();
    let uapi = Parameters::from_settings(PADDED.into_iter().chain(by_uapi)).unwrap();
    assert_eq!(conf, uapi);
    assert_eq!(conf.header_protection_key, Some(key));
    assert_eq!(conf.timing.rekey_timeout, Some(NumberRange::single(5)));
    assert_eq!(
        conf.timing.max_handshake_attempts,
        Some(NumberRange::new(10, 18).unwrap())
    );
    assert!(conf.random_trailers && conf.disable_cookies && conf.is_version_3());
    for one in by_conf {
        let alone = Parameters::from_settings(PADDED.into_iter().chain([one])).unwrap();
        assert!(alone.is_version_3(), "{one:?}");
        let nothing = Parameters::from_settings([(one.0, "0")]);
        assert_eq!(nothing, Ok(Parameters::default()), "{one:?}");
    }
    assert!(errors(&[("RekeyTimeout", "5"), ("rekey_timeout", "6")])[0].contains("more than once"));
}

#[test]
fn no_error_shows_the_key() {
    let hex = "70b7dcf1e9e4c366b4d45188e600fd1afebdfb8f58baf362a2af7ab2f379f4c0";
    for (name, value) in [
        ("HeaderProtectionKey", hex),
        ("HeaderProtectionKey", &KEY[1..]),
        (
            "HeaderProtectionKey",
            "cLfc8enkw2a01FGI5gD9Gv69+49YuvNioq96svN59M_=",
        ),
        (
            "HeaderProtectionKey",
            "cLfc8enkw2a01FGI5gD9Gv69+49YuvNioq96svN59é=",
        ),
        ("header_protection_key", KEY),
        ("header_protection_key", &hex[2..]),
        (
            "header_protection_key",
            "zzb7dcf1e9e4c366b4d45188e1600fd1afebbd8f58baf362a87ab2f379f4c066",
        ),
        ("S1", hex),
        ("RandomTrailers", hex),
        ("RekeyTimeout", KEY),
        (hex, "1"),
    ] {
        let found = errors(&[(name, value)]);
        assert_eq!(found.len(), 1, "{found:?}");
        for secret in [&KEY[1..9], &KEY[33..41], &hex[2..10], &hex[54..62]] {
            assert!(!found[0].contains(secret), "{}", found[0]);
        }
    }
    let parameters =
        Parameters::from_settings(PADDED.into_iter().chain([("HeaderProtectionKey", KEY)]));
    assert!(!format!("{parameters:?}").contains("112, 183"));
}

#[test]
fn header_protection_needs_padding_that_holds_its_nonce() {
    let found = errors(&[
        ("HeaderProtectionKey", KEY),
        ("S1", "11"),
        ("S2", "12"),
        ("S3", "x"),
    ]);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("S3: `x` is not"));
    assert!(found[1].starts_with("S1: is 11: HeaderProtectionKey needs"));
    assert!(found[2].starts_with("S4: is 0: "));
}

#[test]
fn trailers_that_swallow_messages_are_warned_of() {
    let wide = [("RandomTrailers", "1"), ("S2", "7"), ("H1", "5-500000")];
    let found = warnings(&wide, ETHERNET);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("RandomTrailers: ") && found[0].contains("one in 8589 "));
    for harmless in [
        [("RandomTrailers", "1"), ("S2", "0"), ("H1", "5-500000")],
        [("RandomTrailers", "1"), ("S2", "7"), ("H1", "5-50000")],
        [("RandomTrailers", "0"), ("S2", "7"), ("H1", "5-500000")],
    ] {
        assert_eq!(warnings(&harmless, ETHERNET), [""; 0]);
    }
    let bare = [("KeepalivePadding", "reference"), ("DisableCookies", "1")];
    assert!(
        warnings(&bare, ETHERNET)[0].starts_with("KeepalivePadding: `reference` has no effect")
    );
}
