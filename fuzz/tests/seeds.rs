//! Every input under `seeds` goes through its target: those that once found something, those that come far, by the names of what
//! comes out (the targets' own tests hold them to it), and plain random bytes.

use std::fs;
use std::path::{Path, PathBuf};

use awg_fuzz::TARGETS;

/// The largest input that is kept, in bytes.
const LARGEST: usize = 4096;

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn names(of: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(of)
        .unwrap_or_else(|error| panic!("{}: {error}", of.display()))
        .map(|entry| entry.expect("a readable folder").file_name())
        .map(|name| name.into_string().expect("a plain name"))
        .collect();
    names.sort();
    names
}

#[test]
fn every_target_has_a_program_and_seeds() {
    let targets: Vec<_> = TARGETS.map(|(name, _)| name.to_owned()).into();
    let programs = targets.iter().map(|name| format!("{name}.rs"));
    assert_eq!(names(&folder("fuzz_targets")), programs.collect::<Vec<_>>());
    assert_eq!(names(&folder("seeds")), targets);
}

#[test]
fn every_seed_is_taken() {
    for (name, target) in TARGETS {
        let folder = folder("seeds").join(name);
        let seeds = names(&folder);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in seeds {
            let data = fs::read(folder.join(&seed)).expect("a readable file");
            assert!(data.len() <= LARGEST, "{name}/{seed} is large");
            // Whatever panics below is shown after this line.
            eprintln!("{name}/{seed}");
            target(&data);
        }
    }
}
