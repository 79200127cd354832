//! Arguments whose mistakes must be told with the argument's name, which Python's own conversion does not do.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use awg_engine::Target;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

use crate::errors::Failure;

/// An `int` of any size; what no machine integer holds is as far out of every range as the largest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole(i64);

impl<'a, 'py> FromPyObject<'a, 'py> for Whole {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<i64>() {
            Ok(value) => Ok(Self(value)),
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
                Ok(Self(i64::MAX))
            }
            Err(error) => Err(error),
        }
    }
}

impl From<u16> for Whole {
    fn from(value: u16) -> Self {
        Self(value.into())
    }
}

impl Whole {
    /// The number as a `T`, if it is in `range`.
    pub(crate) fn within<T>(
        self,
        argument: impl Display,
        range: RangeInclusive<T>,
    ) -> Result<T, Failure>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        T::try_from(self.0)
            .ok()
            .filter(|value| range.contains(value))
            .ok_or_else(|| {
                Failure::invalid(
                    argument,
                    format!(
                        "out of range, {} to {} is allowed",
                        range.start(),
                        range.end()
                    ),
                )
            })
    }

    /// The number as it is.
    pub(crate) fn get(self) -> i64 {
        self.0
    }
}

/// An address, or a name where one may be, and a port, as Python has them.
pub(crate) type Address = (String, Whole);

/// A socket address from its two halves.
pub(crate) fn socket_address(
    argument: impl Display,
    (host, port): &Address,
) -> Result<SocketAddr, Failure> {
    let port = port.within(format_args!("{argument}: port"), 0..=u16::MAX)?;
    Ok(SocketAddr::new(ip_address(argument, host)?, port))
}

/// An address or a name, with its port.
pub(crate) fn target(argument: impl Display, (host, port): &Address) -> Result<Target, Failure> {
    let port = port.within(format_args!("{argument}: port"), 1..=u16::MAX)?;
    if let Ok(address) = host.parse() {
        return Ok(SocketAddr::new(address, port).into());
    }
    Target::name(host, port).ok_or_else(|| {
        Failure::invalid(
            argument,
            "neither an IP address nor a name of 1 to 253 visible ASCII characters",
        )
    })
}

/// An IP address; the text is not repeated, since it may be anything.
pub(crate) fn ip_address(argument: impl Display, text: &str) -> Result<IpAddr, Failure> {
    text.parse().map_err(|_| {
        Failure::invalid(
            argument,
            "not an IP address such as 192.0.2.1 or 2001:db8::1",
        )
    })
}

/// A socket address as Python has it.
pub(crate) fn from_socket_address(address: SocketAddr) -> (String, u16) {
    (address.ip().to_string(), address.port())
}
