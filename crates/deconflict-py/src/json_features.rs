//! `_kernel.json_features`: a part of a GeoJSON text in, columns of the usual flights out.

use deconflict_kernel::json_features::read;
use deconflict_kernel::json_scan::spelled_out;
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

/// Flights of a part of a GeoJSON text as columns, and where the features stand that are left.
///
/// The GIL is released while it reads.
#[pyfunction]
pub fn json_features<'py>(
    py: Python<'py>,
    text: &Bound<'py, PyBytes>,
) -> PyResult<Bound<'py, PyDict>> {
    let bytes = text.as_bytes();
    let found = py.detach(|| read(bytes));
    let words = |spans: &[(usize, usize)]| -> PyResult<Bound<'py, PyList>> {
        PyList::new(
            py,
            spans
                .iter()
                .map(|&(from, to)| (to > from).then(|| spelled_out(&bytes[from..to]))),
        )
    };
    let out = PyDict::new(py);
    out.set_item("id", words(&found.id)?)?;
    out.set_item("own_id", words(&found.own_id)?)?;
    out.set_item("party", words(&found.party)?)?;
    out.set_item("label", words(&found.label)?)?;
    out.set_item("offsets", found.offsets.into_pyarray(py))?;
    out.set_item("lat_deg", found.lat_deg.into_pyarray(py))?;
    out.set_item("lon_deg", found.lon_deg.into_pyarray(py))?;
    out.set_item("time_s", found.time_s.into_pyarray(py))?;
    out.set_item("altitude_tmm", found.altitude_tmm.into_pyarray(py))?;
    out.set_item("reference", found.reference.into_pyarray(py))?;
    out.set_item("lateral_m", found.lateral_m.into_pyarray(py))?;
    out.set_item("vertical_tmm", found.vertical_tmm.into_pyarray(py))?;
    out.set_item("window_s", found.window_s.into_pyarray(py))?;
    out.set_item("purpose", found.purpose.into_pyarray(py))?;
    out.set_item("place", found.place.into_pyarray(py))?;
    out.set_item("left", found.left)?;
    out.set_item("count", found.count)?;
    out.set_item("commas", found.commas)?;
    out.set_item("used", found.used)?;
    out.set_item("ended", found.ended)?;
    Ok(out)
}
