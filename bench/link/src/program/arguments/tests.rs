use super::*;

fn read(line: &str) -> Result<Arguments, String> {
    let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
    Arguments::read(&words)
}

#[test]
fn conditions_hold_in_both_directions_or_in_one() {
    let arguments = read(
        "--listen 127.0.0.1:0 --to 10.0.0.2:51820 --rate 500M --down-rate 100M --up-loss 1% --seed 7 --grain 50us",
    )
    .expect("well written");
    let [up, down] = arguments.conditions;
    assert_eq!((up.rate, down.rate), (Some(500_000_000), Some(100_000_000)));
    assert_eq!((up.loss, down.loss), (0.01, 0.0));
    assert_eq!(
        (arguments.seed, arguments.grain),
        (7, Duration::from_micros(50))
    );
    let changed = change(
        arguments.conditions,
        "loss=2% up rate=5M down delay=1ms".split_whitespace(),
    );
    let [up, down] = changed.expect("well written");
    assert_eq!((up.rate, down.rate), (Some(5_000_000), Some(100_000_000)));
    assert_eq!((up.loss, down.loss), (0.02, 0.02));
    assert_eq!(
        (up.delay, down.delay),
        (Duration::ZERO, Duration::from_millis(1))
    );
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    for (line, hint) in [
        ("", "--listen and --to"),
        ("--listen 127.0.0.1:0", "--listen and --to"),
        ("--tun cable", "--near and --far"),
        ("--tun cable --near a --far a", "two namespaces"),
        ("--listen localhost --to 10.0.0.2:1", "127.0.0.1:5000"),
        (
            "--listen 127.0.0.1:0 --to 10.0.0.2:1 --from here",
            "an IP address",
        ),
        ("--tun cable --near a --far b --rate", "wants a value"),
        (
            "--tun cable --near a --far b --speed 5",
            "there is no condition",
        ),
        ("--tun cable --near a --far b --grain 1s", "10us to 10ms"),
        ("cable", "no option"),
    ] {
        let error = read(line).expect_err(line);
        assert!(error.contains(hint), "{line}: {error}");
    }
    assert!(
        change([Conditions::default(); 2], ["rate"].into_iter())
            .expect_err("no value")
            .contains("NAME=VALUE")
    );
}
