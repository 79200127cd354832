//! What is known of AmneziaWG 3.x: the rows that are proven against recordings of v3.1.20260814, which cannot be run here. The proof
//! is a test of another crate; that it is there, and reads the recording, a test of this one looks after.

use std::path::{Path, PathBuf};

/// A row that rests on recordings.
pub struct Recorded {
    /// What happens, as a reader of `docs/compatibility.md` asks for it.
    pub question: &'static str,
    /// What the recordings show.
    pub reference: &'static str,
    /// What ours does instead and why, where we differ on purpose.
    pub difference: Option<&'static str>,
    /// The recordings, by the names of their files.
    pub recordings: &'static [&'static str],
    /// The test that proves it: file and function.
    pub test: (&'static str, &'static str),
}

/// Where the recordings are.
pub const RECORDINGS: &str = "crates/awg-tunnel/tests/vectors/awg3";
const TUNNEL: &str = "crates/awg-tunnel/src/tunnel/tests/version_3";
const OBFUSCATION: &str = "crates/awg-obfuscation/tests";

const MADE_AGAIN: (&str, &str) = (
    "messages",
    "every_recorded_message_is_made_again_to_the_same_bytes",
);
const DELIVERED: (&str, &str) = ("behaviour", "what_was_delivered_there_is_delivered_here");

/// The rows.
pub const RECORDED: &[Recorded] = &[
    Recorded {
        question: "which settings are accepted, by their names in the control protocol",
        reference: "55 operations, 34 of them refused",
        difference: Some(
            "the same but for empty values: in a `.conf` they mean that the setting is absent",
        ),
        recordings: &[],
        test: (
            "known_answers",
            "settings_of_version_3_are_taken_and_refused_as_by_the_reference",
        ),
    },
    Recorded {
        question: "HeaderProtectionKey: what is hidden, with the first 12 bytes of the padding as nonce",
        reference: "the whole handshake message; the 16 bytes of a transport message's header",
        difference: None,
        recordings: &[
            "a_header_protection",
            "a_header_protection_min",
            "h_everything",
        ],
        test: MADE_AGAIN,
    },
    Recorded {
        question: "whether what was hidden is delivered",
        reference: "every packet",
        difference: None,
        recordings: &["a_header_protection", "a_header_protection_min"],
        test: DELIVERED,
    },
    Recorded {
        question: "what becomes of a message that is not hidden, or hidden with another key or nonce, cut, lengthened or repeated",
        reference: "nothing, in silence",
        difference: None,
        recordings: &["i_drops", "i_drops_trailers"],
        test: ("behaviour", "injected_datagrams_end_as_recorded"),
    },
    Recorded {
        question: "what precedes an initiation: Jc = 100, Jmin = 50, Jmax = 53; an I without tags",
        reference: "100 junk packets of 50 to 52 bytes: never Jmax, unless Jmin is as many; nothing",
        difference: Some("Jmax too, as in 2.0; text outside of tags is refused"),
        recordings: &["k_junk_sizes", "k_junk_and_empty_signature"],
        test: ("messages", "what_precedes_an_initiation_is_as_recorded"),
    },
    Recorded {
        question: "header protection on the receiving end only",
        reference: "nothing, in silence",
        difference: Some(
            "nothing is sent, and the log says that header protection is on at one end only, if the message is for our key",
        ),
        recordings: &["i_drops"],
        test: (
            "pairs",
            "header_protection_on_one_end_only_is_told_and_not_answered",
        ),
    },
    Recorded {
        question: "ContentPaddingAddition: how many zeros follow content, of keepalives too",
        reference: "a draw from the range, within the MTU",
        difference: Some(
            "the same, but where the range passes the MTU the reference fills up to it exactly; ours varies below it, so that full \
             packets have no size of their own",
        ),
        recordings: &[
            "b_content_padding",
            "b_content_padding_sides",
            "c_trailers_and_content_padding",
        ],
        test: MADE_AGAIN,
    },
    Recorded {
        question: "whether ends with different ranges understand each other",
        reference: "every packet is delivered",
        difference: None,
        recordings: &["b_content_padding_sides"],
        test: DELIVERED,
    },
    Recorded {
        question: "whether packets of one length that leave together are padded alike",
        reference: "each has a draw of its own",
        difference: Some(
            "sixteen in a row are: one draw for these, since the kernel sends only equal sizes in one go",
        ),
        recordings: &["b_content_padding"],
        test: ("pairs", "packets_that_leave_together_have_one_size"),
    },
    Recorded {
        question: "RandomTrailers: how many random bytes follow a handshake message, and zeros content",
        reference: "less than what is left of the window",
        difference: None,
        recordings: &[
            "c_random_trailers",
            "c_random_trailers_only",
            "e_cookie_trailers",
        ],
        test: MADE_AGAIN,
    },
    Recorded {
        question: "the window: at least 500, or the largest packet since the peer was last heard",
        reference: "as recorded with each of the datagrams",
        difference: None,
        recordings: &[
            "c_random_trailers",
            "c_random_trailers_only",
            "c_trailers_and_content_padding",
        ],
        test: ("messages", "windows_are_those_that_were_recorded"),
    },
    Recorded {
        question: "a message that looks like an earlier one because trailers let it be longer, with wide header ranges",
        reference: "dropped",
        difference: Some(
            "delivered: what fails mac1 is tried as the later types that it fits; invisible from outside",
        ),
        recordings: &[
            "l_trailers_wide_headers",
            "l_trailers_wide_headers_response",
        ],
        test: (
            "behaviour",
            "what_the_reference_loses_to_trailers_is_delivered_here",
        ),
    },
    Recorded {
        question: "DisableCookies: what a handshake message without mac2 gets under load",
        reference: "nothing; a cookie reply without the setting",
        difference: None,
        recordings: &["d_disable_cookies", "e_cookie", "e_cookie_trailers"],
        test: (
            "behaviour",
            "with_cookies_disabled_load_is_met_with_silence",
        ),
    },
    Recorded {
        question: "content whose first byte is 0",
        reference: "a keepalive, which asks for no answer",
        difference: Some(
            "the same with any parameter of 3.x; without one it is no IP packet, as in 2.0",
        ),
        recordings: &["g_keepalives_content_padding", "i_drops"],
        test: ("behaviour", "padded_keepalives_are_keepalives"),
    },
    Recorded {
        question: "whether keepalives are padded with S4",
        reference: "always",
        difference: None,
        recordings: &["g_keepalive_s4", "g_keepalives"],
        test: MADE_AGAIN,
    },
    Recorded {
        question: "RekeyTimeout = 7-12, MaxHandshakeAttempts = 2-5: when and how often an initiation is repeated",
        reference: "7 to 12 whole seconds and up to 333 ms apart, 4 to 7 in all",
        difference: None,
        recordings: &["f_rekey_timeout_attempts"],
        test: (
            "times",
            "initiations_are_repeated_at_a_draw_of_their_timeout_a_drawn_number_of_times",
        ),
    },
    Recorded {
        question: "KeepaliveTimeout = 4-9: when a keepalive follows data",
        reference: "after 4 to 9 whole seconds",
        difference: None,
        recordings: &["f_keepalive_timeout"],
        test: (
            "times",
            "a_keepalive_follows_data_after_a_draw_of_its_timeout",
        ),
    },
    Recorded {
        question: "how long silence is borne after data, with KeepaliveTimeout = 4-9",
        reference: "9 s, a draw of RekeyTimeout, and up to 333 ms",
        difference: None,
        recordings: &["f_keepalive_timeout"],
        test: (
            "times",
            "silence_is_borne_as_long_as_the_longest_keepalive_timeout_allows",
        ),
    },
    Recorded {
        question: "RekeyAfterTime as a range: when an initiator that sends renews",
        reference: "each packet draws, so near the low end",
        difference: None,
        recordings: &["f_rekey_after_time"],
        test: ("times", "a_busy_initiator_renews_near_the_low_end"),
    },
    Recorded {
        question: "RejectAfterTime = 60-80: when an initiator that only receives renews",
        reference: "at an age past a draw less 15 s (the low ends of the two timeouts)",
        difference: None,
        recordings: &["f_reject_after_time"],
        test: (
            "times",
            "a_receiving_initiator_renews_before_the_session_is_rejected",
        ),
    },
    Recorded {
        question: "when a session of RejectAfterTime = 60-80 is dead",
        reference: "at 80 s",
        difference: None,
        recordings: &["f_reject_after_time"],
        test: (
            "times",
            "a_session_ends_at_the_upper_end_and_its_keys_at_three_times_that",
        ),
    },
    Recorded {
        question: "PersistentKeepalive = 20-40: when keepalives come",
        reference: "20 to 40 whole seconds after the last authenticated message either way, drawn each time",
        difference: None,
        recordings: &["g_keepalives", "g_keepalives_content_padding"],
        test: (
            "times",
            "a_persistent_keepalive_draws_its_interval_each_time",
        ),
    },
    Recorded {
        question: "times without ranges",
        reference: "WireGuard's",
        difference: None,
        recordings: &["t_timers"],
        test: ("times", "without_ranges_the_times_are_wireguards"),
    },
    Recorded {
        question: "a device of 3.1 without any parameter of 3.x",
        reference: "sends what a 2.0 device sends, but pads keepalives with S4",
        difference: None,
        recordings: &[
            "a_plain",
            "a_padding_mtu1280",
            "j_mixed_awg2_to_awg3",
            "j_mixed_awg3_to_awg2",
        ],
        test: MADE_AGAIN,
    },
];

impl Recorded {
    /// The source of the test.
    pub fn source(&self) -> PathBuf {
        let folder = match self.test.0 {
            "known_answers" => OBFUSCATION,
            _ => TUNNEL,
        };
        root().join(folder).join(format!("{}.rs", self.test.0))
    }

    /// What is not there: the test, or a recording.
    pub fn missing(&self) -> Vec<String> {
        let source = std::fs::read_to_string(self.source()).unwrap_or_default();
        let function = format!("fn {}()", self.test.1);
        let test =
            (!source.contains(&function)).then(|| format!("{}::{}", self.test.0, self.test.1));
        let recordings = self
            .recordings
            .iter()
            .map(|name| format!("{RECORDINGS}/{name}.txt"));
        test.into_iter()
            .chain(recordings.filter(|path| !root().join(path).is_file()))
            .collect()
    }
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
