//! `_kernel.Prover`: a list of statements in, a place out, the GIL released between.

use deconflict_kernel::signatures;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// An Ed25519 public key made ready for many signatures.
#[pyclass(frozen, module = "deconflict._kernel")]
pub struct Prover(signatures::Prover);

#[pymethods]
impl Prover {
    #[new]
    fn new(py: Python<'_>, public: [u8; 32]) -> PyResult<Self> {
        py.detach(|| signatures::Prover::new(&public))
            .map(Self)
            .map_err(|_| PyValueError::new_err("the public key is malformed or of small order"))
    }

    /// Place of the first (statement, signature) that the key did not sign; None when it signed all.
    fn first_bad(
        &self,
        py: Python<'_>,
        context: &[u8],
        statements: Vec<(PyBackedBytes, PyBackedBytes)>,
    ) -> Option<usize> {
        py.detach(|| {
            let pairs = statements
                .iter()
                .map(|(data, signature)| (&**data, &**signature));
            self.0.first_bad(context, pairs)
        })
    }
}
