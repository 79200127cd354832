//! `docs/compatibility.md`, made of the table and what both implementations did.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::behaviours::TABLE;
use crate::behaviours::recorded::{RECORDED, Recorded};
use crate::recovery;

/// What a row's scene ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The reference's words.
    pub reference: String,
    /// Ours.
    pub ours: String,
}

/// Where the page lies.
pub fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility.md")
}

/// The page; `outcome` gives a row's by its theme and name.
pub fn render(outcome: impl Fn(&str, &str) -> Outcome) -> String {
    let mut page = String::from(
        "# Compatibility with AmneziaWG, behaviour by behaviour\n\n\
         What `amneziawg-go` v0.2.16 (commit e796d47, AmneziaWG 2.0) does, and what awgproxy does. Every row is a test: the same\n\
         scene is played to both, each with its clock stopped, against a peer that knows all keys, and what they did is compared.\n\
         Where awgproxy differs it does so on purpose, and the row says why; everything else must be the same.\n\n\
         This page is made by `make compatibility`; a test fails when it is stale. The test of a row is `behaviours` in\n\
         `interop/parity`, by the name in its last column: `cargo test -p awg-parity --test behaviours preamble::retry`.\n\n\
         What AmneziaWG 3.x adds stands [at the end](#amneziawg-3x); it is proven against recordings.\n",
    );
    for theme in TABLE {
        let _ = write!(
            page,
            "\n## {}\n\n| | the reference | awgproxy | test |\n|---|---|---|---|\n",
            theme.title
        );
        for row in theme.rows {
            let outcome = outcome(theme.name, row.name);
            let ours = match row.difference {
                None => "the same".to_owned(),
                Some(reason) => format!("**{}**: {reason}", outcome.ours),
            };
            let _ = writeln!(
                page,
                "| {} | {} | {ours} | `{}::{}` |",
                row.question, outcome.reference, theme.name, row.name
            );
        }
    }
    recovery::render(&mut page);
    render_recorded(&mut page);
    page
}

fn render_recorded(page: &mut String) {
    page.push_str(
        "\n## AmneziaWG 3.x\n\n\
         Proven against recordings of `amneziawg-go` v3.1.20260814 talking to itself (`crates/awg-tunnel/tests/vectors/awg3`): its\n\
         messages are read and made again to the same bytes, and what it did is compared with what ours does. Everything here is off\n\
         unless it is configured; a pair of 2.0 sends what it always sent. The tests are `version_3::…` in `crates/awg-tunnel`, and\n\
         `known_answers::…` in `crates/awg-obfuscation`.\n\n\
         | | the reference, recorded | awgproxy | recordings | test |\n|---|---|---|---|---|\n",
    );
    for row in RECORDED {
        let Recorded {
            question,
            reference,
            test: (file, name),
            ..
        } = row;
        let ours = match row.difference {
            None => "the same".to_owned(),
            Some(ours) => format!("**{ours}**"),
        };
        let recordings: Vec<String> = row
            .recordings
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let recordings = recordings.join(", ");
        let _ = writeln!(
            page,
            "| {question} | {reference} | {ours} | {recordings} | `{file}::{name}` |"
        );
    }
}
