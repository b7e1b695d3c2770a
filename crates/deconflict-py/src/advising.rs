//! `_kernel.forbidden`: which changes of some rows would meet others.

use std::thread::available_parallelism;

use deconflict_kernel::advise::{advise, Asked, Forbidden};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns::{column, slice};
use crate::screening::refused;
use crate::tables::{self, TrajectoryColumns, VolumeColumns};

#[pyfunction]
#[pyo3(signature = (trajectories, volumes, minima, references, asked, *, early_s=0.0, late_s=0.0,
    down_tmm=0, up_tmm=0, threads=None))]
#[allow(clippy::too_many_arguments)] // keyword arguments of Python
pub fn forbidden<'py>(
    py: Python<'py>,
    trajectories: &Bound<'py, PyDict>,
    volumes: &Bound<'py, PyDict>,
    minima: &Bound<'py, PyDict>,
    references: &Bound<'py, PyDict>,
    asked: &Bound<'py, PyDict>,
    early_s: f64,
    late_s: f64,
    down_tmm: i64,
    up_tmm: i64,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let threads = threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let paths = TrajectoryColumns::of(trajectories)?;
    let outlines = VolumeColumns::of(volumes)?;
    let (minima, references) = (tables::minima(minima)?, tables::references(references)?);
    let movers = column::<u32>(asked, "movers")?;
    let offsets_m = column::<f64>(asked, "offsets_m")?;
    let (paths, outlines, movers) = (paths.table(), outlines.table(), slice(&movers));
    let limits = Asked {
        early_s,
        late_s,
        down_tmm,
        up_tmm,
        offsets_m: slice(&offsets_m).to_vec(),
    };
    let found = py.detach(|| {
        advise(
            &paths, &outlines, minima, references, movers, &limits, threads,
        )
    });
    let found = found.map_err(refused)?;
    let out = PyDict::new(py);
    out.set_item("shift", columns_of(py, &found.shifts)?)?;
    out.set_item("level", columns_of(py, &found.levels)?)?;
    out.set_item("offset", columns_of(py, &found.offsets)?)?;
    Ok(out)
}

fn columns_of<'py>(py: Python<'py>, rows: &[Forbidden]) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    let column = |of: fn(&Forbidden) -> i64| rows.iter().map(of).collect::<Vec<i64>>();
    let put = |name: &str, values: Vec<i64>| out.set_item(name, values.into_pyarray(py));
    put("mover", column(|f| i64::from(f.mover)))?;
    put("other", column(|f| i64::from(f.other)))?;
    put("from", column(|f| f.from))?;
    put("to", column(|f| f.to))?;
    Ok(out)
}
