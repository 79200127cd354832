//! Why parameters were refused.

use std::borrow::Cow;

use super::header_protection_key::HeaderProtectionKeyError;
use crate::number::NumberError;
use crate::range::{NumberRange, NumberRangeError};
use crate::signature::SignatureError;

/// A parameter that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {problem}")]
pub struct ParameterError {
    parameter: Cow<'static, str>,
    problem: ParameterProblem,
}

impl ParameterError {
    pub(super) fn new(parameter: impl Into<Cow<'static, str>>, problem: ParameterProblem) -> Self {
        Self {
            parameter: parameter.into(),
            problem,
        }
    }

    /// The parameter's name as the documentation spells it, `Jc`; of an unknown one, as it was given, cut short.
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// Whether the value of the parameter `name` has a part in this.
    pub(super) fn involves(&self, name: &str) -> bool {
        let other = match self.problem {
            ParameterProblem::HeadersOverlap { other, .. } => Some(other),
            _ => None,
        };
        self.parameter == name || other == Some(name)
    }

    /// What is wrong, and what is allowed.
    pub fn problem(&self) -> &ParameterProblem {
        &self.problem
    }
}

/// What is wrong with a parameter. The text says what is allowed and does not repeat the parameter's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterProblem {
    /// No such parameter.
    #[error(
        "is not an obfuscation parameter; those are {}",
        super::settings::known_parameters()
    )]
    Unknown,
    /// The parameter was given before.
    #[error("is given more than once; each parameter may stand once")]
    Repeated,
    /// A count or size that is no number or out of range.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// There are junk packets and no size for them.
    #[error(
        "is missing: Jc = {count} junk packets need Jmin and Jmax of at least 1, or they would be empty"
    )]
    JunkWithoutSize {
        /// Jc.
        count: u16,
    },
    /// The smallest junk packet is larger than the largest.
    #[error("{min} is above Jmax = {max}; allowed is 1 to Jmax")]
    JunkSizesReversed {
        /// Jmin.
        min: u16,
        /// Jmax.
        max: u16,
    },
    /// A range that is none.
    #[error(transparent)]
    Range(#[from] NumberRangeError),
    /// Two messages could carry the same type word.
    #[error(
        "{range} overlaps {other} = {other_range}; H1 to H4 (1, 2, 3 and 4 where not given) must have no word in common"
    )]
    HeadersOverlap {
        /// The range to blame.
        range: NumberRange,
        /// The name of the other.
        other: &'static str,
        /// The other range.
        other_range: NumberRange,
    },
    /// A signature packet's specification is not one.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A key of header protection that is none.
    #[error(transparent)]
    HeaderProtectionKey(#[from] HeaderProtectionKeyError),
    /// The padding is too short for header protection.
    #[error(
        "is {size}: HeaderProtectionKey needs S1 to S4 of at least 12, since its nonce is the first 12 bytes of the padding"
    )]
    PaddingWithoutNonce {
        /// The size given.
        size: u16,
    },
    /// Neither yes nor no.
    #[error(
        "`{0}` is neither yes nor no; allowed is `true` or `1`, `false` or `0`, and in a file `on` or `off`"
    )]
    Flag(String),
    /// Neither of the two words.
    #[error("`{0}` is not known; allowed is `padded` or `reference`")]
    KeepalivePadding(String),
}

impl ParameterProblem {
    /// A number above what is allowed.
    pub(super) fn too_large(number: u16, most: u16) -> Self {
        NumberError::OutOfRange {
            value: number.to_string(),
            most,
        }
        .into()
    }

    /// The error of this problem with the parameter of this name.
    pub(super) fn of(self, parameter: &'static str) -> ParameterError {
        ParameterError::new(parameter, self)
    }
}
