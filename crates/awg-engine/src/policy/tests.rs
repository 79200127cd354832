use super::{EgressPolicy, Rule};

fn policy(rules: &[(bool, &str, u16, u16, &str)]) -> EgressPolicy {
    EgressPolicy::new(
        rules
            .iter()
            .map(|&(allow, network, first, last, reason)| Rule {
                allow,
                network: network.parse().unwrap(),
                ports: first..=last,
                reason: reason.to_owned(),
            }),
    )
}

fn verdict<'p>(policy: &'p EgressPolicy, destination: &str) -> Option<&'p str> {
    policy.verdict(destination.parse().unwrap())
}

#[test]
fn the_first_rule_that_fits_decides_and_none_allows() {
    let policy = policy(&[
        (true, "10.1.2.3/32", 80, 80, ""),
        (false, "10.0.0.0/8", 0, 65535, "private"),
        (false, "0.0.0.0/0", 25, 25, "mail"),
        (false, "fc00::/7", 0, 65535, "private6"),
    ]);
    for (destination, expected) in [
        ("10.1.2.3:80", None),
        ("10.1.2.3:81", Some("private")),
        ("10.255.255.255:25", Some("private")),
        ("11.0.0.0:25", Some("mail")),
        ("11.0.0.0:26", None),
        ("[fd00::1]:1", Some("private6")),
        ("[fe00::1]:1", None),
    ] {
        assert_eq!(verdict(&policy, destination), expected, "{destination}");
    }
}

#[test]
fn an_address_inside_another_one_is_judged_too() {
    let policy = policy(&[
        (false, "127.0.0.0/8", 0, 65535, "loopback"),
        (false, "2002:102:304::/48", 0, 65535, "that 6to4 site"),
    ]);
    for (destination, expected) in [
        ("[::ffff:127.0.0.1]:1", Some("loopback")),
        ("[64:ff9b::7f00:1]:1", Some("loopback")),
        ("[2002:7f00:1::1]:1", Some("loopback")),
        ("[2002:102:304::1]:1", Some("that 6to4 site")),
        ("[2002:102:305::1]:1", None),
        ("[64:ff9b:1::7f00:1]:1", None),
        ("[2001:7f00:1::1]:1", None),
    ] {
        assert_eq!(verdict(&policy, destination), expected, "{destination}");
    }
}

#[test]
fn without_rules_everything_is_allowed() {
    assert_eq!(verdict(&EgressPolicy::default(), "127.0.0.1:25"), None);
}
