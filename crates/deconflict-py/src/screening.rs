//! `_kernel.screen`: dicts of columns in, a dict of columns out, the GIL released between.

use deconflict_kernel::error::InputError;
use deconflict_kernel::input::{Trajectories, Volumes};
use deconflict_kernel::limits::Minima;
use deconflict_kernel::screen::{screen as screen_set, Finding};
use deconflict_kernel::vertical::References;
use std::thread::available_parallelism;

use numpy::{Element, IntoPyArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns::{column, slice};

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

/// Side length of a square table given flat.
fn side(name: &str, elements: usize) -> PyResult<usize> {
    let side = (0..=elements).take_while(|s| s * s <= elements).count() - 1;
    if side * side == elements {
        Ok(side)
    } else {
        Err(PyValueError::new_err(format!(
            "table {name} has {elements} elements, which is no square"
        )))
    }
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
    let t = trajectories;
    let t_offsets = column::<i64>(t, "offsets")?;
    let t_lat = column::<f64>(t, "lat_deg")?;
    let t_lon = column::<f64>(t, "lon_deg")?;
    let t_time = column::<f64>(t, "time_s")?;
    let t_altitude = column::<i64>(t, "altitude_tmm")?;
    let t_lateral = column::<f64>(t, "lateral_m")?;
    let t_vertical = column::<i64>(t, "vertical_tmm")?;
    let t_window = column::<f64>(t, "window_s")?;
    let t_party = column::<u32>(t, "party")?;
    let t_purpose = column::<u16>(t, "purpose")?;
    let t_reference = column::<u8>(t, "reference")?;
    let t_side = column::<u8>(t, "side")?;
    let v = volumes;
    let v_offsets = column::<i64>(v, "offsets")?;
    let v_lat = column::<f64>(v, "lat_deg")?;
    let v_lon = column::<f64>(v, "lon_deg")?;
    let v_shape = column::<u8>(v, "shape")?;
    let v_reach = column::<f64>(v, "reach_m")?;
    let v_lower = column::<i64>(v, "lower_tmm")?;
    let v_upper = column::<i64>(v, "upper_tmm")?;
    let v_start = column::<f64>(v, "start_s")?;
    let v_end = column::<f64>(v, "end_s")?;
    let v_party = column::<u32>(v, "party")?;
    let v_purpose = column::<u16>(v, "purpose")?;
    let v_reference = column::<u8>(v, "reference")?;
    let v_item = column::<u32>(v, "item")?;
    let v_side = column::<u8>(v, "side")?;
    let m_lateral = column::<f64>(minima, "lateral_m")?;
    let m_vertical = column::<i64>(minima, "vertical_tmm")?;
    let r_comparable = column::<u8>(references, "comparable")?;
    let r_lo = column::<i64>(references, "offset_lo_tmm")?;
    let r_hi = column::<i64>(references, "offset_hi_tmm")?;

    let table = Trajectories {
        offsets: slice(&t_offsets),
        lat_deg: slice(&t_lat),
        lon_deg: slice(&t_lon),
        time_s: slice(&t_time),
        altitude_tmm: slice(&t_altitude),
        lateral_m: slice(&t_lateral),
        vertical_tmm: slice(&t_vertical),
        window_s: slice(&t_window),
        party: slice(&t_party),
        purpose: slice(&t_purpose),
        reference: slice(&t_reference),
        side: slice(&t_side),
    };
    let outlines = Volumes {
        offsets: slice(&v_offsets),
        lat_deg: slice(&v_lat),
        lon_deg: slice(&v_lon),
        shape: slice(&v_shape),
        reach_m: slice(&v_reach),
        lower_tmm: slice(&v_lower),
        upper_tmm: slice(&v_upper),
        start_s: slice(&v_start),
        end_s: slice(&v_end),
        party: slice(&v_party),
        purpose: slice(&v_purpose),
        reference: slice(&v_reference),
        item: slice(&v_item),
        side: slice(&v_side),
    };
    let minima = Minima {
        count: side("minima", slice(&m_lateral).len())?,
        lateral_m: slice(&m_lateral).to_vec(),
        vertical_tmm: slice(&m_vertical).to_vec(),
    };
    let references = References {
        count: side("references", slice(&r_comparable).len())?,
        comparable: slice(&r_comparable).to_vec(),
        offset_lo_tmm: slice(&r_lo).to_vec(),
        offset_hi_tmm: slice(&r_hi).to_vec(),
    };
    let found = py.detach(|| screen_set(&table, &outlines, minima, references, threads));
    columns_of(py, &found.map_err(refused)?)
}

fn columns_of<'py>(py: Python<'py>, findings: &[Finding]) -> PyResult<Bound<'py, PyDict>> {
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
    put(&out, "t_in_s", findings, |f| f.t_in_s)?;
    put(&out, "t_out_s", findings, |f| f.t_out_s)?;
    put(&out, "cpa_time_s", findings, |f| f.cpa_time_s)?;
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
