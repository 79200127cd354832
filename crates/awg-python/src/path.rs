//! What the system knows of the network below the tunnel.

use pyo3::prelude::*;

use crate::arguments::{Whole, socket_address};
use crate::errors::Failure;

/// See the stub file.
#[pyfunction]
pub(crate) fn path_mtu(address: String, port: Whole) -> Result<usize, Failure> {
    let remote = socket_address("address", &(address, port))?;
    awg_engine::transport::udp::path_mtu(remote, None).map_err(|error| Failure::system(&error))
}
