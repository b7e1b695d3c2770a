//! `_kernel.screen`: dicts of columns in, a dict of columns out, the GIL released between.

use deconflict_kernel::error::InputError;
use deconflict_kernel::findings::Finding;
use deconflict_kernel::screen::screen as screen_set;
use std::thread::available_parallelism;

use numpy::{Element, IntoPyArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::tables::{self, TrajectoryColumns, VolumeColumns};

pyo3::create_exception!(
    _kernel,
    RefusedInput,
    PyValueError,
    "An input row cannot be used; args are (table, row, field, problem)."
);

/// Stands for "not defined" in the column of vertical distances.
const UNDEFINED_TMM: i64 = i64::MIN;

pub fn refused(error: InputError) -> PyErr {
    RefusedInput::new_err((error.table, error.row, error.field, error.problem))
}

#[pyfunction]
#[pyo3(signature = (trajectories, volumes, minima, references, *, threads=None))]
pub fn screen<'py>(
    py: Python<'py>,
    trajectories: &Bound<'py, PyDict>,
    volumes: &Bound<'py, PyDict>,
    minima: &Bound<'py, PyDict>,
    references: &Bound<'py, PyDict>,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let threads = threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let (trajectories, volumes) = (
        TrajectoryColumns::of(trajectories)?,
        VolumeColumns::of(volumes)?,
    );
    let (table, outlines) = (trajectories.table(), volumes.table());
    let (minima, references) = (tables::minima(minima)?, tables::references(references)?);
    let found = py.detach(|| screen_set(&table, &outlines, minima, references, threads));
    columns_of(py, &found.map_err(refused)?)
}

pub fn columns_of<'py>(py: Python<'py>, findings: &[Finding]) -> PyResult<Bound<'py, PyDict>> {
    fn put<T: Element>(
        out: &Bound<'_, PyDict>,
        name: &str,
        findings: &[Finding],
        of: impl Fn(&Finding) -> T,
    ) -> PyResult<()> {
        let values: Vec<T> = findings.iter().map(of).collect();
        out.set_item(name, values.into_pyarray(out.py()))
    }
    let out = PyDict::new(py);
    put(&out, "i", findings, |f| f.i as u64)?;
    put(&out, "j", findings, |f| f.j as u64)?;
    put(&out, "verdict", findings, |f| f.verdict as u8)?;
    put(&out, "t_in_us", findings, |f| f.t_in_us)?;
    put(&out, "t_out_us", findings, |f| f.t_out_us)?;
    put(&out, "cpa_time_us", findings, |f| f.cpa_time_us)?;
    put(&out, "cpa_distance_m", findings, |f| f.cpa_distance_m)?;
    put(&out, "cpa_vertical_tmm", findings, |f| {
        f.cpa_vertical_tmm.unwrap_or(UNDEFINED_TMM)
    })?;
    put(&out, "first_lat_deg", findings, |f| f.first_point.0)?;
    put(&out, "first_lon_deg", findings, |f| f.first_point.1)?;
    put(&out, "second_lat_deg", findings, |f| f.second_point.0)?;
    put(&out, "second_lon_deg", findings, |f| f.second_point.1)?;
    put(&out, "lateral_m", findings, |f| f.lateral_m)?;
    put(&out, "vertical_tmm", findings, |f| f.vertical_tmm)?;
    put(&out, "margin_m", findings, |f| f.margin_m)?;
    put(&out, "margin_vertical_tmm", findings, |f| {
        f.margin_vertical_tmm
    })?;
    Ok(out)
}
