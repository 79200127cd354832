use super::*;

fn set(name: &str, value: &str) -> Result<Conditions, ConditionError> {
    let mut conditions = Conditions::default();
    conditions.set(name, value).map(|()| conditions)
}

#[test]
fn conditions_are_read_with_their_units() {
    let mut read = Conditions::default();
    for (name, value) in [
        ("rate", "1.5G"),
        ("queue", "3125000"),
        ("delay", "25ms"),
        ("jitter", "200us"),
        ("loss", "1%"),
        ("burst", "5"),
        ("reorder", "0.1"),
        ("reorder-by", "0.5s"),
        ("duplicate", "100%"),
    ] {
        read.set(name, value).expect(value);
    }
    let wanted = Conditions {
        rate: Some(1_500_000_000),
        queue: 3_125_000,
        delay: Duration::from_millis(25),
        jitter: Duration::from_micros(200),
        loss: 0.01,
        burst: Some(5.0),
        reorder: 0.1,
        reorder_by: Duration::from_millis(500),
        duplicate: 1.0,
    };
    assert_eq!(read, wanted);
    for (name, value) in [
        ("rate", "none"),
        ("burst", "none"),
        ("queue", "1M"),
        ("delay", "0"),
        ("loss", "0"),
    ] {
        read.set(name, value).expect(value);
    }
    let wanted = Conditions {
        rate: None,
        burst: None,
        queue: 1_000_000,
        delay: Duration::ZERO,
        loss: 0.0,
        ..wanted
    };
    assert_eq!(read, wanted);
}

#[test]
fn what_cannot_be_read_is_refused_with_what_would_be_right() {
    assert_eq!(
        set("speed", "1"),
        Err(ConditionError::Unknown("speed".to_owned()))
    );
    for (name, value, hint) in [
        ("rate", "fast", "500M"),
        ("rate", "0", "from 1k"),
        ("rate", "", "500M"),
        ("rate", "5é", "500M"),
        ("delay", "25", "25ms"),
        ("delay", "11s", "at most 10s"),
        ("delay", "-1ms", "25ms"),
        ("jitter", "NaNs", "25ms"),
        ("loss", "101%", "1%"),
        ("loss", "nan", "1%"),
        ("burst", "0.5", "at least 1"),
        ("queue", "2G", "at most 1G"),
    ] {
        let error = set(name, value).expect_err(value).to_string();
        assert!(error.contains(name) && error.contains(hint), "{error}");
    }
}
