//! The table of behaviours, a test for each row, and the page that is made of it.
//!
//! Without Go the rows are ignored, but with `CI=true` they must run. `UPDATE=1` writes the page instead of comparing it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use awg_parity::behaviours::TABLE;
use awg_parity::page::{self, Outcome};
use awg_parity::reference::{Version, needed};
use awg_parity::stage::Implementation;
use libtest_mimic::{Arguments, Failed, Trial};

type Outcomes = Arc<Mutex<HashMap<(&'static str, &'static str), Outcome>>>;

fn main() {
    let arguments = Arguments::from_args();
    let program = needed(Version::Reference);
    let outcomes = Outcomes::default();
    let mut trials = Vec::new();
    for theme in TABLE {
        for row in theme.rows {
            let (program, outcomes) = (program.clone(), Arc::clone(&outcomes));
            let ignored = program.is_none();
            let play = move || {
                let reference =
                    row.play(&Implementation::Reference(program.expect("else ignored")));
                let ours = row.play(&Implementation::Ours);
                let outcome = Outcome { reference, ours };
                let judged = judge(&outcome, row.difference.is_some());
                let mut all = outcomes.lock().expect("no test panics with it");
                all.insert((theme.name, row.name), outcome);
                judged
            };
            let name = format!("{}::{}", theme.name, row.name);
            trials.push(Trial::test(name, play).with_ignored_flag(ignored));
        }
    }
    let all = trials.len();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let outcomes = outcomes.lock().expect("no test panics with it");
    if outcomes.len() == all && !conclusion.has_failed() {
        compare_page(&outcomes);
    }
    conclusion.exit();
}

fn judge(outcome: &Outcome, differs: bool) -> Result<(), Failed> {
    let Outcome { reference, ours } = outcome;
    match (reference == ours, differs) {
        (true, false) | (false, true) => Ok(()),
        (false, false) => Err(format!("the reference: {reference}\nours: {ours}").into()),
        (true, true) => Err(format!("no difference any more: {ours}").into()),
    }
}

/// The page says what was just seen, or is written anew.
fn compare_page(outcomes: &HashMap<(&'static str, &'static str), Outcome>) {
    let path: PathBuf = page::path();
    let rendered = page::render(|theme, name| {
        let found = outcomes
            .iter()
            .find(|((t, n), _)| *t == theme && *n == name);
        found.expect("every row ran").1.clone()
    });
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, rendered).expect("docs can be written to");
    } else if std::fs::read_to_string(&path).ok().as_deref() != Some(&rendered) {
        eprintln!("docs/compatibility.md is stale: run `make compatibility`");
        std::process::exit(101);
    }
}
