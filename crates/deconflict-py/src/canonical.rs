//! `_kernel.is_surely_canonical`: bytes in, whether they are surely canonical JSON out.

use deconflict_kernel::canonical;
use pyo3::prelude::*;

/// True only if the bytes are one JSON value in canonical form, at most so deep.
#[pyfunction]
pub fn is_surely_canonical(data: &[u8], max_depth: usize) -> bool {
    canonical::is_surely_canonical(data, max_depth)
}
