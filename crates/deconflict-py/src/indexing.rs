//! `_kernel.Index`: what is active now, asked by many threads and changed by one at a time.

use std::sync::{PoisonError, RwLock};

use deconflict_kernel::findings::Finding;
use deconflict_kernel::index::Index as Active;
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::screening::{columns_of, refused};
use crate::tables::{self, TrajectoryColumns, VolumeColumns};

/// Active declarations by number; the columns are those of `screen`.
#[pyclass(module = "deconflict._kernel", frozen)]
pub struct Index {
    active: RwLock<Active>,
}

#[pymethods]
impl Index {
    #[new]
    fn new(minima: &Bound<'_, PyDict>, references: &Bound<'_, PyDict>) -> PyResult<Index> {
        let active = Active::new(tables::minima(minima)?, tables::references(references)?);
        Ok(Index {
            active: RwLock::new(active.map_err(refused)?),
        })
    }

    fn __len__(&self) -> usize {
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        active.len()
    }

    /// Puts a declaration in the place of what was there under its number.
    fn put(
        &self,
        py: Python<'_>,
        key: u64,
        trajectories: &Bound<'_, PyDict>,
        volumes: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        let (trajectories, volumes) = (
            TrajectoryColumns::of(trajectories)?,
            VolumeColumns::of(volumes)?,
        );
        let (table, outlines) = (trajectories.table(), volumes.table());
        let put = py.detach(|| {
            let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
            active.put(key, &table, &outlines)
        });
        put.map_err(refused)
    }

    /// Takes a declaration away; says whether it was there.
    fn remove(&self, py: Python<'_>, key: u64) -> bool {
        py.detach(|| {
            let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
            active.remove(key)
        })
    }

    /// Takes away what is over before an instant (microseconds); returns the numbers.
    fn drop_before(&self, py: Python<'_>, at_us: i64) -> Vec<u64> {
        py.detach(|| {
            let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
            active.drop_before(at_us)
        })
    }

    /// What these rows meet of all that is there: columns of findings, the row as `i`, and `key`.
    fn ask<'py>(
        &self,
        py: Python<'py>,
        trajectories: &Bound<'py, PyDict>,
        volumes: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (trajectories, volumes) = (
            TrajectoryColumns::of(trajectories)?,
            VolumeColumns::of(volumes)?,
        );
        let (table, outlines) = (trajectories.table(), volumes.table());
        let met = py.detach(|| {
            let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
            active.ask(&table, &outlines)
        });
        let met = met.map_err(refused)?;
        let findings: Vec<Finding> = met.iter().map(|met| met.finding).collect();
        let columns = columns_of(py, &findings)?;
        columns.del_item("j")?;
        let keys: Vec<u64> = met.iter().map(|met| met.key).collect();
        columns.set_item("key", keys.into_pyarray(py))?;
        Ok(columns)
    }
}
