//! The rows that rest on recordings: what they name is there, and no recording is without a row.

use std::collections::BTreeSet;

use awg_parity::behaviours::recorded::{RECORDED, RECORDINGS, root};

#[test]
fn every_proof_is_there() {
    for row in RECORDED {
        assert_eq!(row.missing(), [""; 0], "{}", row.question);
    }
}

#[test]
fn every_recording_proves_something() {
    let named: BTreeSet<String> = RECORDED
        .iter()
        .flat_map(|row| row.recordings)
        .map(|name| format!("{name}.txt"))
        .collect();
    let files: BTreeSet<String> = std::fs::read_dir(root().join(RECORDINGS))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(named, files);
}
