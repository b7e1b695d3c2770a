//! Python bindings of `deconflict-kernel`; no logic of their own.
use pyo3::prelude::*;

#[pymodule]
fn _kernel(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
