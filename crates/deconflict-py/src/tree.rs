//! `_kernel.RecordTree`: leaves in, the roots of their first parts out.

use deconflict_kernel::tree::Tree;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The tree over a chain that is read whole.
#[pyclass(module = "deconflict._kernel")]
pub struct RecordTree(Tree);

#[pymethods]
impl RecordTree {
    #[new]
    fn new() -> Self {
        Self(Tree::default())
    }

    /// How many leaves.
    #[getter]
    fn size(&self) -> usize {
        self.0.size()
    }

    /// How many leaves the part has that was agreed on.
    #[getter]
    fn agreed_size(&self) -> usize {
        self.0.agreed()
    }

    /// The root of that part.
    #[getter]
    fn agreed_root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.root())
    }

    /// Append the hashes of the next leaves, one behind the other.
    fn add_all(&mut self, leaves: &[u8]) -> PyResult<()> {
        let (leaves, rest) = leaves.as_chunks();
        if !rest.is_empty() {
            return Err(PyValueError::new_err("a hash has 32 bytes"));
        }
        self.0.add(leaves);
        Ok(())
    }

    /// Take the first `size` leaves as agreed on.
    fn agree(&mut self, py: Python<'_>, size: usize) -> PyResult<()> {
        if py.detach(|| self.0.agree(size)) {
            return Ok(());
        }
        Err(PyValueError::new_err(format!(
            "size {size} does not lie between {} and {}",
            self.0.agreed(),
            self.0.size()
        )))
    }
}
