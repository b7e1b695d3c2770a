//! `_kernel.Index`: what is active now, asked by many threads and changed by one at a time.

use std::sync::{PoisonError, RwLock};

use deconflict_kernel::index::Index as Active;
use numpy::{PyArrayMethods, PyReadonlyArray1};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::screening::{put, put_findings, refused, threads};
use crate::tables::{self, TrajectoryColumns, VolumeColumns, NO_VOLUMES};

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

    /// Puts declarations in the place of what was there under their numbers, one for each row.
    #[pyo3(signature = (keys, trajectories, volumes=None))]
    fn put(
        &self,
        py: Python<'_>,
        keys: PyReadonlyArray1<'_, u64>,
        trajectories: &Bound<'_, PyDict>,
        volumes: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let trajectories = TrajectoryColumns::of(trajectories)?;
        let volumes = volumes.map(VolumeColumns::of).transpose()?;
        let table = trajectories.table();
        let outlines = volumes.as_ref().map_or(NO_VOLUMES, VolumeColumns::table);
        let keys = keys.to_vec()?;
        let put = py.detach(|| {
            // Whoever asks waits only while what is ready is put in its place.
            let ready = {
                let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
                active.ready(&keys, &table, &outlines, threads())?
            };
            let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
            active.put(ready);
            Ok(())
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

    /// What these rows meet of all that is there: columns of findings, the row as `i`, and `key`;
    /// `done` rows were looked at, of which those `broken_off` not to the end.
    #[pyo3(signature = (trajectories, volumes=None, most=None))]
    fn ask<'py>(
        &self,
        py: Python<'py>,
        trajectories: &Bound<'py, PyDict>,
        volumes: Option<&Bound<'py, PyDict>>,
        most: Option<u64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let trajectories = TrajectoryColumns::of(trajectories)?;
        let volumes = volumes.map(VolumeColumns::of).transpose()?;
        let table = trajectories.table();
        let outlines = volumes.as_ref().map_or(NO_VOLUMES, VolumeColumns::table);
        let asked = py.detach(|| {
            let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
            active.ask(&table, &outlines, most.unwrap_or(u64::MAX))
        });
        let asked = asked.map_err(refused)?;
        let columns = PyDict::new(py);
        let rows = asked.met.iter().map(|met| met.finding.i as u64);
        let keys = asked.met.iter().map(|met| met.key);
        put(&columns, intern!(py, "i"), rows)?;
        put_findings(&columns, asked.met.iter().map(|met| &met.finding))?;
        put(&columns, intern!(py, "key"), keys)?;
        columns.set_item(intern!(py, "done"), asked.done)?;
        columns.set_item(intern!(py, "broken_off"), asked.broken_off)?;
        Ok(columns)
    }
}
