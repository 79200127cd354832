//! What `Recovery = fast` does otherwise than the reference, on purpose and above the protocol: the section of the page. These rows
//! are tested where they live, in simulated time.

use std::fmt::Write as _;

/// What is asked, what the reference does, what ours does, and the test of it in `crates/awg-engine`.
const ROWS: &[[&str; 4]] = &[
    [
        "when a client whose server has restarted begins a handshake",
        "15 s after data that nothing answered",
        "after 400 ms or four round trips; of a server that answers pings, only where one went without an answer, too",
        "recovery::an_idle_client_whose_server_restarted_connects_within_a_second",
    ],
    [
        "the time between two initiations",
        "5 s at least",
        "the same",
        "liveness::tests::handshakes_stay_five_seconds_apart_and_fifteen_where_they_change_nothing",
    ],
    [
        "how often a target that does not answer makes a client begin a handshake",
        "every 15 s",
        "the same behind a server of others; not at all behind ours, which answers pings",
        "recovery::a_slow_target_behind_a_server_of_others_costs_a_handshake_in_fifteen_seconds",
    ],
    [
        "how many initiations go unanswered until a client gives up",
        "20, about 100 s",
        "while a connection is open it never does: every 5 s and up to 333 ms, as before",
        "recovery::while_a_flow_is_open_the_client_asks_every_five_seconds_for_ever",
    ],
    [
        "what an end sends when packets to the other one went unanswered and it is heard again",
        "what waited for a session; TCP above it waits for its timers",
        "all that connections have left unacknowledged, at once",
        "recovery::after_an_outage_new_connections_and_running_transfers_are_back_within_six_seconds",
    ],
    [
        "what a client sends when a download stops coming in",
        "a keepalive after 10 s",
        "a keepalive after 150 ms or two round trips, a question after 1 s or four, once each",
        "recovery::a_change_of_the_clients_address_or_port_leaves_no_gap",
    ],
    [
        "what a client does when its machine wakes",
        "nothing, until something is sent",
        "a handshake",
        "harm::a_client_that_woke_has_a_new_session_at_once",
    ],
    [
        "the timestamp of an initiation after the clock was set back",
        "older than the last one, so that it is not answered",
        "newer than the last one of this process, with `reference`, too",
        "tunnel::tests::recovery::a_clock_that_is_set_back_makes_no_initiation_look_like_a_replay",
    ],
];

/// Writes the section.
pub(crate) fn render(page: &mut String) {
    page.push_str(
        "\n## Recovery\n\n\
         The tunnel below is the same; what is above it, our client and server, asks it for more with `Recovery = fast`, the default\n\
         ([recovery](recovery.md)). With `Recovery = reference` it asks for nothing, and every time is the reference's. These rows\n\
         are tested in simulated time in `crates/awg-engine` (`shard::tests` and `shard::liveness`), the last one in `crates/awg-tunnel`.\n\n\
         | | the reference | awgproxy | test |\n|---|---|---|---|\n",
    );
    for [question, reference, ours, test] in ROWS {
        let ours = match *ours {
            "the same" => ours.to_string(),
            other => format!("**{other}**"),
        };
        let _ = writeln!(page, "| {question} | {reference} | {ours} | `{test}` |");
    }
}
