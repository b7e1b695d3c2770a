//! `_kernel.first_bad_signature`: a list of statements in, a place out, the GIL released between.

use deconflict_kernel::signatures::first_bad;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// Place of the first (statement, signature) that the key did not sign; None when it signed all.
#[pyfunction]
pub fn first_bad_signature(
    py: Python<'_>,
    public: [u8; 32],
    context: &[u8],
    statements: Vec<(PyBackedBytes, PyBackedBytes)>,
) -> PyResult<Option<usize>> {
    py.detach(|| {
        let pairs = statements
            .iter()
            .map(|(data, signature)| (&**data, &**signature));
        first_bad(&public, context, pairs)
    })
    .map_err(|_| PyValueError::new_err("the public key is malformed or of small order"))
}
