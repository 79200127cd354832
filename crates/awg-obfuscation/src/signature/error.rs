//! Why the specification of a signature packet was refused, and what in an accepted one is worth a word.

use super::argument::ArgumentError;
use crate::LARGEST_DATAGRAM;

/// Why the specification of a signature packet was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A tag is not closed. Where this stands, nothing else of the specification is reported.
    #[error("`{0}` is not closed; a tag ends with `>`")]
    NotClosed(String),
    /// There is text between the tags.
    #[error(
        "`{0}` stands outside of a tag; allowed are tags such as `<r 10>`, and blanks between them"
    )]
    TextOutside(String),
    /// Nothing stands between the angle brackets.
    #[error("a tag is empty; the tags are {}", super::known_tags())]
    EmptyTag,
    /// No such tag.
    #[error("there is no tag <{tag}>{}; the tags are {}", .nearest.map_or_else(String::new, |nearest| format!(", did you mean <{nearest}>?")), super::known_tags())]
    UnknownTag {
        /// What was given, cut short.
        tag: String,
        /// The tag of this name in other case.
        nearest: Option<&'static str>,
    },
    /// The argument of a tag is not what it should be.
    #[error("<{tag}>: {problem}")]
    Argument {
        /// The tag's key.
        tag: &'static str,
        /// What is wrong with it.
        problem: ArgumentError,
    },
    /// All tags together make more than a datagram can carry.
    #[error("the packet would have {size} bytes; a datagram carries at most {LARGEST_DATAGRAM}")]
    TooLong {
        /// The packet's size in bytes.
        size: usize,
    },
}

/// Something in an accepted specification that probably does not do what its author thinks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRemark {
    /// Arguments that nobody reads, as in `<r 10 20>` or `<t 5>`.
    #[error("<{tag}> ignores `{ignored}`, as the reference does")]
    ArgumentIgnored {
        /// The tag's key.
        tag: &'static str,
        /// What is ignored, cut short.
        ignored: String,
    },
    /// A tag that stands for data, in a packet that has none.
    #[error("<{tag}> stands for data, of which a signature packet has none: it gives {size} bytes")]
    NoData {
        /// The tag's key.
        tag: &'static str,
        /// How many (zero) bytes it gives.
        size: usize,
    },
    /// A tag of a size that is 0.
    #[error("<{tag}> of 0 bytes gives nothing")]
    NoBytes {
        /// The tag's key.
        tag: &'static str,
    },
    /// All tags together give nothing.
    #[error("the tags give no bytes: an empty datagram is sent, as by the reference")]
    Empty,
}
