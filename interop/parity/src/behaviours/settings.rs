//! Which settings are taken. Where the reference takes what it cannot carry out, we refuse it.

use super::{Behaviour, differs, same};
use crate::stage::Implementation;
use crate::wish::Wish;

const BREAKS: &str = "what cannot be carried out is refused when it is read";

pub(super) const ROWS: &[Behaviour] = &[
    same("none", "no parameter", |implementation| {
        taken(implementation, &[])
    }),
    same("junk", "Jc = 4, Jmin = 40, Jmax = 70", |implementation| {
        taken(
            implementation,
            &[("Jc", "4"), ("Jmin", "40"), ("Jmax", "70")],
        )
    }),
    same(
        "junk_one_size",
        "Jc = 4, Jmin = 40, Jmax = 40",
        |implementation| {
            taken(
                implementation,
                &[("Jc", "4"), ("Jmin", "40"), ("Jmax", "40")],
            )
        },
    ),
    differs(
        "junk_reversed",
        "Jc = 4, Jmin = 70, Jmax = 40",
        BREAKS,
        |implementation| {
            carried_out(
                implementation,
                &[("Jc", "4"), ("Jmin", "70"), ("Jmax", "40")],
            )
        },
    ),
    differs(
        "junk_without_sizes",
        "Jc = 4 alone",
        "empty datagrams are a mark of their own",
        |implementation| carried_out(implementation, &[("Jc", "4")]),
    ),
    differs(
        "junk_count_zero",
        "Jc = 0",
        "as absent: the reference's later versions and every configuration generator mean that by it",
        |implementation| taken(implementation, &[("Jc", "0")]),
    ),
    same("junk_count_negative", "Jc = -1", |implementation| {
        taken(
            implementation,
            &[("Jc", "-1"), ("Jmin", "4"), ("Jmax", "9")],
        )
    }),
    same("junk_count_word", "Jc = four", |implementation| {
        taken(
            implementation,
            &[("Jc", "four"), ("Jmin", "4"), ("Jmax", "9")],
        )
    }),
    same("padding_zero", "S1 = 0", |implementation| {
        taken(implementation, &[("S1", "0")])
    }),
    same("padding_negative", "S1 = -1", |implementation| {
        taken(implementation, &[("S1", "-1")])
    }),
    same("padding_word", "S2 = many", |implementation| {
        taken(implementation, &[("S2", "many")])
    }),
    differs(
        "padding_huge",
        "S1 = 70000",
        "a padded message must fit a datagram",
        |implementation| carried_out(implementation, &[("S1", "70000")]),
    ),
    same("header_single", "H1 = 77", |implementation| {
        taken(implementation, &[("H1", "77")])
    }),
    same("header_range", "H1 = 77-99", |implementation| {
        taken(implementation, &[("H1", "77-99")])
    }),
    same("header_reversed", "H1 = 99-77", |implementation| {
        taken(implementation, &[("H1", "99-77")])
    }),
    same("header_largest", "H4 = 4294967295", |implementation| {
        taken(implementation, &[("H4", "4294967295")])
    }),
    same("header_beyond", "H4 = 4294967296", |implementation| {
        taken(implementation, &[("H4", "4294967296")])
    }),
    same("header_word", "H1 = one", |implementation| {
        taken(implementation, &[("H1", "one")])
    }),
    same(
        "headers_overlap",
        "H1 = 10-20, H2 = 20-30",
        |implementation| taken(implementation, &[("H1", "10-20"), ("H2", "20-30")]),
    ),
    same("header_meets_a_default", "H1 = 2", |implementation| {
        taken(implementation, &[("H1", "2")])
    }),
    same("headers_exchanged", "H1 = 2, H2 = 1", |implementation| {
        taken(implementation, &[("H1", "2"), ("H2", "1")])
    }),
    same("tag_unknown", "I1 = <x 4>", |implementation| {
        taken(implementation, &[("I1", "<x 4>")])
    }),
    same("tag_open", "I1 = <r 4", |implementation| {
        taken(implementation, &[("I1", "<r 4")])
    }),
    same("tag_empty", "I1 = <>", |implementation| {
        taken(implementation, &[("I1", "<>")])
    }),
    same("tag_hex_odd", "I1 = <b 0xabc>", |implementation| {
        taken(implementation, &[("I1", "<b 0xabc>")])
    }),
    same("tag_hex_wrong", "I1 = <b 0xzz>", |implementation| {
        taken(implementation, &[("I1", "<b 0xzz>")])
    }),
    same("tag_hex_none", "I1 = <b>", |implementation| {
        taken(implementation, &[("I1", "<b>")])
    }),
    same("tag_number_wrong", "I1 = <r ten>", |implementation| {
        taken(implementation, &[("I1", "<r ten>")])
    }),
    differs(
        "tag_number_negative",
        "I1 = <r -1>",
        BREAKS,
        |implementation| carried_out(implementation, &[("I1", "<r -1>")]),
    ),
    differs(
        "tag_text_around",
        "I1 = a<r 4>b",
        "what the reference ignores is a slip of the pen",
        |implementation| carried_out(implementation, &[("I1", "a<r 4>b")]),
    ),
    same("tag_chain", "I1 = <b 0x01><r 4><t>", |implementation| {
        taken(implementation, &[("I1", "<b 0x01><r 4><t>")])
    }),
];

fn taken(implementation: &Implementation, parameters: &[(&str, &str)]) -> String {
    // What is tried may be refused by our own code, which the probe of a stage is made of: the device alone is opened.
    if implementation.takes(&Wish::with(parameters)) {
        "taken"
    } else {
        "refused"
    }
    .to_owned()
}

/// Whether it is taken, and the sizes that the first initiation then brings.
fn carried_out(implementation: &Implementation, parameters: &[(&str, &str)]) -> String {
    match implementation.first_initiation(&Wish::with(parameters)) {
        None => "refused".to_owned(),
        Some(None) => "taken; it panics with the first initiation".to_owned(),
        Some(Some(sizes)) => format!("taken; with the first initiation it sends {sizes:?} bytes"),
    }
}
