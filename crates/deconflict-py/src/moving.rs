//! `_kernel.moved_aside`: paths moved to the side.

use deconflict_kernel::aside::{moved_aside as move_path, Waypoint};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns::{column, slice};
use crate::refuse;

/// Row `k` of `paths` moved `offset_m[k]` to the right; a row moved by nothing stays as it is.
#[pyfunction]
pub fn moved_aside<'py>(
    py: Python<'py>,
    paths: &Bound<'py, PyDict>,
    offset_m: PyReadonlyArray1<'py, f64>,
) -> PyResult<Bound<'py, PyDict>> {
    let offsets = column::<i64>(paths, "offsets")?;
    let lat = column::<f64>(paths, "lat_deg")?;
    let lon = column::<f64>(paths, "lon_deg")?;
    let at = column::<i64>(paths, "at_ms")?;
    let altitude = column::<i64>(paths, "altitude_tmm")?;
    let (offsets, lat, lon) = (slice(&offsets), slice(&lat), slice(&lon));
    let (at, altitude, offset_m) = (slice(&at), slice(&altitude), slice(&offset_m));
    let unequal = || PyValueError::new_err("the columns do not fit one another");
    if offset_m.len() + 1 != offsets.len() {
        return Err(unequal());
    }
    let moved = py.detach(|| {
        let mut ends = vec![0_i64];
        let mut all: Vec<Waypoint> = Vec::with_capacity(lat.len());
        for (bounds, by) in offsets.windows(2).zip(offset_m) {
            let range = usize::try_from(bounds[0])
                .ok()
                .zip(usize::try_from(bounds[1]).ok());
            let (from, to) = range.filter(|(from, to)| from <= to).ok_or_else(unequal)?;
            let columns = lat.get(from..to).zip(lon.get(from..to));
            let others = at.get(from..to).zip(altitude.get(from..to));
            let ((lat, lon), (at, altitude)) = columns.zip(others).ok_or_else(unequal)?;
            let path: Vec<Waypoint> = (0..lat.len())
                .map(|k| Waypoint {
                    lat_deg: lat[k],
                    lon_deg: lon[k],
                    at_ms: at[k],
                    altitude_tmm: altitude[k],
                })
                .collect();
            if *by == 0.0 {
                all.extend(path);
            } else {
                all.extend(move_path(&path, *by).map_err(refuse)?);
            }
            ends.push(all.len() as i64);
        }
        Ok::<_, PyErr>((ends, all))
    });
    let (ends, all) = moved?;
    let out = PyDict::new(py);
    let floats = |of: fn(&Waypoint) -> f64| all.iter().map(of).collect::<Vec<f64>>();
    let whole = |of: fn(&Waypoint) -> i64| all.iter().map(of).collect::<Vec<i64>>();
    out.set_item("offsets", ends.into_pyarray(py))?;
    out.set_item("lat_deg", floats(|w| w.lat_deg).into_pyarray(py))?;
    out.set_item("lon_deg", floats(|w| w.lon_deg).into_pyarray(py))?;
    out.set_item("at_ms", whole(|w| w.at_ms).into_pyarray(py))?;
    out.set_item("altitude_tmm", whole(|w| w.altitude_tmm).into_pyarray(py))?;
    Ok(out)
}
