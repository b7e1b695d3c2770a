//! `_kernel.screen`: dicts of columns in, a dict of columns out, the GIL released between.

use deconflict_kernel::error::InputError;
use deconflict_kernel::findings::Finding;
use deconflict_kernel::screen::{screen_while, Progress};
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;

use numpy::{Element, PyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::interrupt::Interrupt;
use crate::tables::{self, TrajectoryColumns, VolumeColumns};

pyo3::create_exception!(
    _kernel,
    RefusedInput,
    PyValueError,
    "An input row cannot be used; args are (table, row, field, problem)."
);

/// Stands for "not defined" in the column of vertical distances.
const UNDEFINED_TMM: i64 = i64::MIN;

/// As many as there are processors.
pub fn threads() -> usize {
    available_parallelism().map_or(1, usize::from)
}

pub fn refused(error: InputError) -> PyErr {
    RefusedInput::new_err((error.table, error.row, error.field, error.problem))
}

/// How far a screening is: given to one, looked at by another thread.
#[pyclass(frozen)]
#[derive(Default)]
pub struct ScreenProgress(Progress);

#[pymethods]
impl ScreenProgress {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Parts done, and parts in all; 0 in all until that is known.
    fn parts(&self) -> (usize, usize) {
        let part = |count: &std::sync::atomic::AtomicUsize| count.load(Ordering::Relaxed);
        (part(&self.0.done), part(&self.0.total))
    }
}

#[pyfunction]
#[pyo3(signature = (trajectories, volumes, minima, references, *, threads=None, progress=None))]
pub fn screen<'py>(
    py: Python<'py>,
    trajectories: &Bound<'py, PyDict>,
    volumes: &Bound<'py, PyDict>,
    minima: &Bound<'py, PyDict>,
    references: &Bound<'py, PyDict>,
    threads: Option<usize>,
    progress: Option<Bound<'py, ScreenProgress>>,
) -> PyResult<Bound<'py, PyDict>> {
    let threads = threads.unwrap_or_else(self::threads);
    let (trajectories, volumes) = (
        TrajectoryColumns::of(trajectories)?,
        VolumeColumns::of(volumes)?,
    );
    let (table, outlines) = (trajectories.table(), volumes.table());
    let (minima, references) = (tables::minima(minima)?, tables::references(references)?);
    let unseen = Progress::default();
    let counted = progress.as_ref().map_or(&unseen, |held| &held.get().0);
    let interrupt = Interrupt::of_this_thread();
    let goes_on = || interrupt.goes_on();
    let found = py.detach(|| {
        screen_while(
            &table, &outlines, minima, references, threads, counted, &goes_on,
        )
    });
    let found = interrupt.whole(found.map_err(refused)?)?;
    let columns = PyDict::new(py);
    let rows = found.iter().map(|f| f.i as u64);
    let others = found.iter().map(|f| f.j as u64);
    put(&columns, intern!(py, "i"), rows)?;
    put(&columns, intern!(py, "j"), others)?;
    put_findings(&columns, found.iter())?;
    Ok(columns)
}

/// Adds a column to a table.
pub fn put<T: Element>(
    table: &Bound<'_, PyDict>,
    name: &Bound<'_, PyString>,
    values: impl ExactSizeIterator<Item = T>,
) -> PyResult<()> {
    // Copied: of few values, which is the rule, this takes half as long as handing them over.
    let values: Vec<T> = values.collect();
    table.set_item(name, PyArray1::from_slice(table.py(), &values))
}

/// Adds what is found of two to a table, the two themselves not.
pub fn put_findings<'f>(
    table: &Bound<'_, PyDict>,
    findings: impl ExactSizeIterator<Item = &'f Finding> + Clone,
) -> PyResult<()> {
    let py = table.py();
    macro_rules! columns {
        ($($name:ident: $of:expr,)*) => {
            $(put(table, intern!(py, stringify!($name)), findings.clone().map($of))?;)*
        };
    }
    columns! {
        verdict: |f| f.verdict as u8,
        t_in_us: |f| f.t_in_us,
        t_out_us: |f| f.t_out_us,
        cpa_time_us: |f| f.cpa_time_us,
        cpa_distance_m: |f| f.cpa_distance_m,
        cpa_vertical_tmm: |f| f.cpa_vertical_tmm.unwrap_or(UNDEFINED_TMM),
        first_lat_deg: |f| f.first_point.0,
        first_lon_deg: |f| f.first_point.1,
        second_lat_deg: |f| f.second_point.0,
        second_lon_deg: |f| f.second_point.1,
        lateral_m: |f| f.lateral_m,
        vertical_tmm: |f| f.vertical_tmm,
        margin_m: |f| f.margin_m,
        margin_vertical_tmm: |f| f.margin_vertical_tmm,
    }
    Ok(())
}
