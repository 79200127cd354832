//! The two programs, as processes: a line goes there and comes back.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn lines_arrive() {
    let settings = [
        "S1=31",
        "S4=9",
        "H1=100000-199999",
        "H4=4000000000",
        "Jc=3",
        "Jmin=40",
        "Jmax=90",
    ];
    let mut receiver = Command::new(env!("CARGO_BIN_EXE_receiver"))
        .arg("127.0.0.1:0")
        .args(settings)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it was built");
    let mut lines = BufReader::new(receiver.stdout.take().expect("it is piped")).lines();
    let _receiver = Running(receiver);
    let first = lines.next().expect("it says where it is").expect("text");
    let address = first.strip_prefix("listening at ").expect("an address");

    let mut sender = Command::new(env!("CARGO_BIN_EXE_sender"))
        .arg(address)
        .args(settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it was built");
    let mut input = sender.stdin.take().expect("it is piped");
    input.write_all(b"one\ntwo\n").expect("it reads");
    drop(input);
    assert!(sender.wait().expect("it ends").success());
    let mut echoed = String::new();
    let mut output = sender.stdout.take().expect("it is piped");
    output.read_to_string(&mut echoed).expect("text");
    assert_eq!(echoed, "one\ntwo\n");
    for expected in ["one", "two"] {
        assert_eq!(lines.next().expect("a line").expect("text"), expected);
    }
}

#[test]
fn wrong_settings_are_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_sender"))
        .args(["127.0.0.1:1", "S1=-3"])
        .output()
        .expect("it was built");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("S1"));
}
