//! The one place where errors of Rust become exceptions of Python.

use std::fmt::Display;
use std::io;

use awg_engine::{CommandError, SettingsError, StartError};
use awg_tunnel::TunnelError;
use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};

/// Why a call failed, by the kind of exception that Python gets.
#[derive(Debug)]
pub(crate) enum Failure {
    /// `ValueError`: it can never work.
    Invalid(String),
    /// `OSError` or its subclass for the number: the system, or a bound, refuses.
    System { errno: i32, text: String },
    /// `RuntimeError`: not in this state of the engine.
    State(String),
}

impl Failure {
    /// A value that is none for `argument`. `problem` says what would be right and repeats no secret.
    pub(crate) fn invalid(argument: impl Display, problem: impl Display) -> Self {
        Self::Invalid(format!("{argument}: {problem}"))
    }

    /// What the system said.
    pub(crate) fn system(error: &io::Error) -> Self {
        let errno = error.raw_os_error().unwrap_or(match error.kind() {
            io::ErrorKind::Unsupported => libc::ENOTSUP,
            _ => libc::EIO,
        });
        Self::System {
            errno,
            text: error.to_string(),
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Invalid(text) => PyValueError::new_err(text),
            Failure::System { errno, text } => PyOSError::new_err((errno, text)),
            Failure::State(text) => PyRuntimeError::new_err(text),
        }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Descriptor(error) => Self::system(&error),
            invalid => match argument(&invalid) {
                Some(argument) => Self::invalid(argument, invalid),
                None => Self::Invalid(invalid.to_string()),
            },
        }
    }
}

/// The argument that a refused setting came in; a peer's text begins with its own.
fn argument(error: &SettingsError) -> Option<&'static str> {
    match error {
        SettingsError::Tunnel(TunnelError::PrivateKey(_)) => Some("private_key"),
        SettingsError::Tunnel(TunnelError::Parameters(_)) => Some("obfuscation"),
        SettingsError::Tunnel(TunnelError::Mtu { .. }) | SettingsError::Mtu(_) => Some("mtu"),
        SettingsError::NoAddress => Some("addresses"),
        SettingsError::CarrierPort => Some("carrier_port"),
        SettingsError::TooManyPorts(_) | SettingsError::PortTwice(_) => Some("listen_ports"),
        _ => None,
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Bind(error) => Self::System {
                errno: error.raw_os_error().unwrap_or(libc::EIO),
                text: error.to_string(),
            },
            StartError::System(ref system) => match Self::system(system) {
                Self::System { errno, .. } => Self::System {
                    errno,
                    text: error.to_string(),
                },
                other => other,
            },
            StartError::AlreadyStarted => Self::State(error.to_string()),
        }
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        let text = error.to_string();
        match error {
            CommandError::NotRunning | CommandError::Draining => Self::State(text),
            CommandError::QueueFull | CommandError::TooManyFlows => Self::System {
                errno: libc::ENOBUFS,
                text,
            },
            CommandError::NoDestination => Self::invalid("destinations", text),
            CommandError::NoSocketPair(errno) => Self::System { errno, text },
            CommandError::NoAnswer => Self::System {
                errno: libc::ETIMEDOUT,
                text,
            },
        }
    }
}
