//! Parameters from the text of a configuration: names and values as an AmneziaWG `.conf` or its control protocol (UAPI) has them.
//!
//! What is read of the parameters of 3.x: what v3.1.20260814 was recorded to take.

use super::timing::TIMES;
use super::{
    HEADERS, HeaderProtectionKey, KeepalivePadding, PADDINGS, ParameterError, ParameterProblem,
    Parameters, SIGNATURES, largest_padding,
};
use crate::LARGEST_DATAGRAM;
use crate::excerpt::excerpt;
use crate::message::MessageType;
use crate::number::number;
use crate::range::NumberRange;
use crate::signature::Signature;

/// The parameters that are not numbered.
const OTHERS: [&str; 4] = ["Jc", "Jmin", "Jmax", "KeepalivePadding"];
/// Those of 3.x, and their names in the control protocol; the times beside.
const VERSION_3: [(&str, &str); 4] = [
    ("HeaderProtectionKey", "header_protection_key"),
    ("ContentPaddingAddition", "content_padding_addition"),
    ("RandomTrailers", "random_trailers"),
    ("DisableCookies", "disable_cookies"),
];

impl Parameters {
    /// Reads parameters by their names in a `.conf`, in any case: `Jc`, `Jmin`, `Jmax`, `S1`–`S4`, `H1`–`H4`, `I1`–`I5`,
    /// `KeepalivePadding`, and of 3.x `HeaderProtectionKey` (base64), `ContentPaddingAddition`, `RandomTrailers`, `DisableCookies`,
    /// `RekeyAfterTime`, `RekeyTimeout`, `RejectAfterTime`, `KeepaliveTimeout`, `MaxHandshakeAttempts`; or by the names of the
    /// control protocol, as `rekey_after_time`, by which the key is hexadecimal.
    ///
    /// What is absent, `0` or empty keeps its default; for H, `0` is the type word 0. A key of 32 zero bytes is none. Values stand
    /// without blanks around them.
    ///
    /// # Errors
    /// Everything that is wrong with the settings, each by itself and all together.
    pub fn from_settings<'a>(
        settings: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<ParameterError>> {
        let mut parameters = Self::default();
        let mut errors = Vec::new();
        let mut seen = Vec::new();
        for (given, value) in settings {
            let Some(name) = known(given) else {
                errors.push(ParameterError::new(
                    excerpt(given),
                    ParameterProblem::Unknown,
                ));
                continue;
            };
            if seen.contains(&name) {
                errors.push(ParameterProblem::Repeated.of(name));
                continue;
            }
            seen.push(name);
            if let Err(problems) = parameters.set(name, value, given.contains('_')) {
                errors.extend(problems.into_iter().map(|problem| problem.of(name)));
            }
        }
        if let Err(together) = parameters.validate() {
            // What could not be read has kept its default; that this does not fit the rest is not news.
            let unread: Vec<String> = errors
                .iter()
                .map(|error| error.parameter().to_owned())
                .collect();
            let news = |error: &ParameterError| !unread.iter().any(|name| error.involves(name));
            errors.extend(together.into_iter().filter(news));
        }
        if errors.is_empty() {
            Ok(parameters)
        } else {
            Err(errors)
        }
    }

    /// Sets the parameter `name`, spelt as in this crate; `by_control`: the value is the control protocol's, not a file's.
    fn set(
        &mut self,
        name: &str,
        value: &str,
        by_control: bool,
    ) -> Result<(), Vec<ParameterProblem>> {
        let position = |names: &[&str]| names.iter().position(|&known| known == name);
        if let Some(message) =
            position(&PADDINGS).and_then(|index| MessageType::ALL.get(index).copied())
        {
            *self.padding_mut(message) = amount(value, largest_padding(message))?;
        } else if let Some(header) =
            position(&HEADERS).and_then(|index| self.headers.get_mut(index))
        {
            if !value.is_empty() {
                *header = value.parse::<NumberRange>().map_err(one)?;
            }
        } else if let Some(signature) =
            position(&SIGNATURES).and_then(|index| self.signatures.get_mut(index))
        {
            *signature = specification(value)?;
        } else if let Some(time) = TIMES
            .iter()
            .position(|(known, _)| *known == name)
            .and_then(|index| self.time_mut(index))
        {
            *time = range(value)?;
        } else {
            match name {
                "HeaderProtectionKey" => self.header_protection_key = key(value, by_control)?,
                "ContentPaddingAddition" => self.content_padding_addition = range(value)?,
                "RandomTrailers" => self.random_trailers = flag(value, !by_control)?,
                "DisableCookies" => self.disable_cookies = flag(value, !by_control)?,
                "Jc" => self.junk_count = amount(value, u16::MAX)?,
                "Jmin" => self.junk_min = amount(value, LARGEST_DATAGRAM)?,
                "Jmax" => self.junk_max = amount(value, LARGEST_DATAGRAM)?,
                _ => self.keepalive_padding = keepalive_padding(value).map_err(one)?,
            }
        }
        Ok(())
    }

    fn padding_mut(&mut self, message: MessageType) -> &mut u16 {
        match message {
            MessageType::Initiation => &mut self.padding_initiation,
            MessageType::Response => &mut self.padding_response,
            MessageType::CookieReply => &mut self.padding_cookie_reply,
            MessageType::Transport => &mut self.padding_transport,
        }
    }
}

/// Every name there is.
fn names() -> impl Iterator<Item = &'static str> {
    OTHERS[..3]
        .iter()
        .chain(&PADDINGS)
        .chain(&HEADERS)
        .chain(&SIGNATURES)
        .chain(&OTHERS[3..])
        .copied()
        .chain(VERSION_3.iter().chain(&TIMES).map(|(name, _)| *name))
}

/// The parameter of this name in any case, as this crate spells it.
fn known(given: &str) -> Option<&'static str> {
    let is_given = |name: &str| name.eq_ignore_ascii_case(given);
    names().find(|name| is_given(name)).or_else(|| {
        let mut others = VERSION_3.iter().chain(&TIMES);
        Some(others.find(|(_, other)| is_given(other))?.0)
    })
}

/// All parameters, as an error names them.
pub(super) fn known_parameters() -> String {
    names().collect::<Vec<_>>().join(", ")
}

/// A problem as the only one of its parameter.
fn one(problem: impl Into<ParameterProblem>) -> Vec<ParameterProblem> {
    vec![problem.into()]
}

/// A count or a size; 0 where none is given.
fn amount(value: &str, most: u16) -> Result<u16, Vec<ParameterProblem>> {
    if value.is_empty() {
        return Ok(0);
    }
    number(value, most).map_err(one)
}

/// A range; none where there is nothing but 0.
fn range(value: &str) -> Result<Option<NumberRange>, Vec<ParameterProblem>> {
    if value.is_empty() {
        return Ok(None);
    }
    let range = value.parse::<NumberRange>().map_err(one)?;
    Ok((range.last() > 0).then_some(range))
}

/// Yes or no, in the words that Go's `strconv.ParseBool` knows; no where none is given. In a file also `on` and `off`, in
/// any case: amneziawg-tools know these and digits only, so files in the wild have them.
fn flag(value: &str, in_file: bool) -> Result<bool, Vec<ParameterProblem>> {
    match value {
        _ if in_file && value.eq_ignore_ascii_case("on") => Ok(true),
        _ if in_file && value.eq_ignore_ascii_case("off") => Ok(false),
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(one(ParameterProblem::Flag(excerpt(value)))),
    }
}

/// The key of header protection; none where there is none.
fn key(value: &str, hex: bool) -> Result<Option<HeaderProtectionKey>, Vec<ParameterProblem>> {
    match value {
        "" | "0" => Ok(None),
        _ if hex => HeaderProtectionKey::from_hex(value).map_err(one),
        _ => HeaderProtectionKey::from_base64(value).map_err(one),
    }
}

/// A signature packet; none where there is no tag.
fn specification(value: &str) -> Result<Option<Signature>, Vec<ParameterProblem>> {
    if value == "0" {
        return Ok(None);
    }
    Signature::parse(value)
        .map_err(|errors| errors.into_iter().map(ParameterProblem::from).collect())
}

/// One of the two words; the default where none is given.
fn keepalive_padding(value: &str) -> Result<KeepalivePadding, ParameterProblem> {
    match value.to_ascii_lowercase().as_str() {
        "" | "0" | "padded" => Ok(KeepalivePadding::Padded),
        "reference" => Ok(KeepalivePadding::Reference),
        _ => Err(ParameterProblem::KeepalivePadding(excerpt(value))),
    }
}
