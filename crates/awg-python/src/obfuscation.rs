//! The pure functions on obfuscation parameters, so that no parser is written twice.

use awg_obfuscation::{MessageType, Obfuscation, ParameterError, Parameters, Path};
use pyo3::prelude::*;

use crate::arguments::Whole;
use crate::errors::Failure;

/// Parameters as (name, value).
pub(crate) type Settings = Vec<(String, String)>;

fn read(settings: &Settings) -> Result<Parameters, Vec<ParameterError>> {
    Parameters::from_settings(
        settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    )
}

/// Reads parameters; the error names `argument` and everything that is wrong.
pub(crate) fn parse(argument: &str, settings: &Settings) -> Result<Parameters, Failure> {
    read(settings).map_err(|errors| {
        let problems: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::invalid(argument, problems.join("; "))
    })
}

fn path(path_mtu: Whole, ipv6: bool) -> Result<Path, Failure> {
    Ok(Path {
        mtu: path_mtu.within("path_mtu", 0..=u16::MAX)?,
        ipv6,
    })
}

/// See the stub file.
#[pyfunction]
pub(crate) fn check_obfuscation(settings: Settings) -> Vec<(String, String)> {
    let errors = read(&settings).err().unwrap_or_default();
    errors
        .iter()
        .map(|error| (error.parameter().to_owned(), error.problem().to_string()))
        .collect()
}

/// See the stub file.
#[pyfunction]
pub(crate) fn obfuscation_warnings(
    settings: Settings,
    path_mtu: Whole,
    ipv6: bool,
) -> Result<Vec<(String, String)>, Failure> {
    let warnings = parse("settings", &settings)?.warnings(&path(path_mtu, ipv6)?);
    Ok(warnings
        .iter()
        .map(|warning| {
            (
                warning.parameter().to_owned(),
                warning.concern().to_string(),
            )
        })
        .collect())
}

/// See the stub file.
#[pyfunction]
pub(crate) fn largest_inner_packet(
    settings: Settings,
    path_mtu: Whole,
    ipv6: bool,
) -> Result<usize, Failure> {
    Ok(parse("settings", &settings)?.largest_inner_packet(&path(path_mtu, ipv6)?))
}

/// See the stub file.
#[pyfunction]
pub(crate) fn message_type(
    settings: Settings,
    datagram: &[u8],
) -> Result<Option<&'static str>, Failure> {
    let parameters = parse("settings", &settings)?;
    let obfuscation = Obfuscation::new(parameters).map_err(|errors| {
        let problems: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::invalid("settings", problems.join("; "))
    })?;
    let first = obfuscation.classify(datagram).next();
    Ok(first.map(|classified| match classified.message {
        MessageType::Initiation => "initiation",
        MessageType::Response => "response",
        MessageType::CookieReply => "cookie-reply",
        MessageType::Transport => "transport",
    }))
}
