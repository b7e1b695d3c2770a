//! `_kernel.json_features`: a part of a GeoJSON text in, columns of usual flights and areas out.

use deconflict_kernel::json_about::About;
use deconflict_kernel::json_area::Areas;
use deconflict_kernel::json_features::read;
use deconflict_kernel::json_scan::{spelled_out, Spot};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

/// Flights and areas of a part of a GeoJSON text as columns, and where the features stand that are left.
///
/// The GIL is released while it reads.
#[pyfunction]
pub fn json_features<'py>(
    py: Python<'py>,
    text: &Bound<'py, PyBytes>,
) -> PyResult<Bound<'py, PyDict>> {
    let bytes = text.as_bytes();
    let found = py.detach(|| read(bytes));
    let out = PyDict::new(py);
    about(&out, &found.about, bytes)?;
    out.set_item("offsets", found.offsets.into_pyarray(py))?;
    out.set_item("lat_deg", found.lat_deg.into_pyarray(py))?;
    out.set_item("lon_deg", found.lon_deg.into_pyarray(py))?;
    out.set_item("time_s", found.time_s.into_pyarray(py))?;
    out.set_item("altitude_tmm", found.altitude_tmm.into_pyarray(py))?;
    out.set_item("reference", found.reference.into_pyarray(py))?;
    out.set_item("lateral_m", found.lateral_m.into_pyarray(py))?;
    out.set_item("vertical_tmm", found.vertical_tmm.into_pyarray(py))?;
    out.set_item("window_s", found.window_s.into_pyarray(py))?;
    out.set_item("place", found.place.into_pyarray(py))?;
    out.set_item("left", found.left)?;
    out.set_item("count", found.count)?;
    out.set_item("commas", found.commas)?;
    out.set_item("used", found.used)?;
    out.set_item("ended", found.ended)?;
    out.set_item("areas", areas(py, found.areas, bytes)?)?;
    Ok(out)
}

fn areas<'py>(py: Python<'py>, found: Areas, bytes: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    about(&out, &found.about, bytes)?;
    out.set_item("offsets", found.offsets.into_pyarray(py))?;
    out.set_item("lat_deg", found.lat_deg.into_pyarray(py))?;
    out.set_item("lon_deg", found.lon_deg.into_pyarray(py))?;
    out.set_item("shape", found.shape.into_pyarray(py))?;
    out.set_item("reach_m", found.reach_m.into_pyarray(py))?;
    out.set_item("lower_tmm", found.lower_tmm.into_pyarray(py))?;
    out.set_item("upper_tmm", found.upper_tmm.into_pyarray(py))?;
    out.set_item("start_s", found.start_s.into_pyarray(py))?;
    out.set_item("end_s", found.end_s.into_pyarray(py))?;
    out.set_item("reference", found.reference.into_pyarray(py))?;
    out.set_item("place", found.place.into_pyarray(py))?;
    Ok(out)
}

/// What a list of names is called, and where a feature says its own.
type Named = (&'static str, fn(&About) -> Spot);

/// Sets what features say of themselves: names as text, or None; purposes by their place.
fn about(out: &Bound<'_, PyDict>, features: &[About], bytes: &[u8]) -> PyResult<()> {
    let py = out.py();
    let named: [Named; 4] = [
        ("id", |each| each.id),
        ("own_id", |each| each.own_id),
        ("party", |each| each.party),
        ("label", |each| each.label),
    ];
    for (name, spot) in named {
        let words = features.iter().map(|each| {
            let (from, to) = spot(each);
            (to > from).then(|| spelled_out(&bytes[from..to]))
        });
        out.set_item(name, PyList::new(py, words.collect::<Vec<_>>())?)?;
    }
    let purposes: Vec<u8> = features.iter().map(|each| each.purpose).collect();
    out.set_item("purpose", purposes.into_pyarray(py))
}
