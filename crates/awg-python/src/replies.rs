//! What is written to applications.

use pyo3::prelude::*;

/// See the stub file.
#[pyclass(frozen, module = "awgproxy._native")]
#[derive(Debug)]
pub(crate) struct Replies(awg_engine::Replies);

impl Replies {
    pub(crate) fn replies(&self) -> awg_engine::Replies {
        self.0.clone()
    }
}

#[pymethods]
impl Replies {
    #[new]
    fn new(
        succeeded: &[u8],
        refused: &[u8],
        network_unreachable: &[u8],
        host_unreachable: &[u8],
        prohibited: &[u8],
        timed_out: &[u8],
        failed: &[u8],
    ) -> Self {
        Self(awg_engine::Replies {
            succeeded: succeeded.to_vec(),
            refused: refused.to_vec(),
            network_unreachable: network_unreachable.to_vec(),
            host_unreachable: host_unreachable.to_vec(),
            prohibited: prohibited.to_vec(),
            timed_out: timed_out.to_vec(),
            failed: failed.to_vec(),
        })
    }
}
