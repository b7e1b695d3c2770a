//! The tables that functions of the kernel take, borrowed from dicts of columns.

use deconflict_kernel::input::{Trajectories, Volumes};
use deconflict_kernel::limits::Minima;
use deconflict_kernel::vertical::References;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns::{column, slice, Column};

/// Columns of trajectories; they must live as long as the table taken from them.
pub struct TrajectoryColumns<'py> {
    offsets: Column<'py, i64>,
    lat_deg: Column<'py, f64>,
    lon_deg: Column<'py, f64>,
    time_s: Column<'py, f64>,
    altitude_tmm: Column<'py, i64>,
    lateral_m: Column<'py, f64>,
    vertical_tmm: Column<'py, i64>,
    window_s: Column<'py, f64>,
    party: Column<'py, u32>,
    purpose: Column<'py, u16>,
    reference: Column<'py, u8>,
    side: Column<'py, u8>,
}

impl<'py> TrajectoryColumns<'py> {
    pub fn of(table: &Bound<'py, PyDict>) -> PyResult<Self> {
        Ok(TrajectoryColumns {
            offsets: column(table, "offsets")?,
            lat_deg: column(table, "lat_deg")?,
            lon_deg: column(table, "lon_deg")?,
            time_s: column(table, "time_s")?,
            altitude_tmm: column(table, "altitude_tmm")?,
            lateral_m: column(table, "lateral_m")?,
            vertical_tmm: column(table, "vertical_tmm")?,
            window_s: column(table, "window_s")?,
            party: column(table, "party")?,
            purpose: column(table, "purpose")?,
            reference: column(table, "reference")?,
            side: column(table, "side")?,
        })
    }

    pub fn table(&self) -> Trajectories<'_> {
        Trajectories {
            offsets: slice(&self.offsets),
            lat_deg: slice(&self.lat_deg),
            lon_deg: slice(&self.lon_deg),
            time_s: slice(&self.time_s),
            altitude_tmm: slice(&self.altitude_tmm),
            lateral_m: slice(&self.lateral_m),
            vertical_tmm: slice(&self.vertical_tmm),
            window_s: slice(&self.window_s),
            party: slice(&self.party),
            purpose: slice(&self.purpose),
            reference: slice(&self.reference),
            side: slice(&self.side),
        }
    }
}

/// Columns of volumes; they must live as long as the table taken from them.
pub struct VolumeColumns<'py> {
    offsets: Column<'py, i64>,
    lat_deg: Column<'py, f64>,
    lon_deg: Column<'py, f64>,
    shape: Column<'py, u8>,
    reach_m: Column<'py, f64>,
    lower_tmm: Column<'py, i64>,
    upper_tmm: Column<'py, i64>,
    start_s: Column<'py, f64>,
    end_s: Column<'py, f64>,
    party: Column<'py, u32>,
    purpose: Column<'py, u16>,
    reference: Column<'py, u8>,
    item: Column<'py, u32>,
    side: Column<'py, u8>,
}

impl<'py> VolumeColumns<'py> {
    pub fn of(table: &Bound<'py, PyDict>) -> PyResult<Self> {
        Ok(VolumeColumns {
            offsets: column(table, "offsets")?,
            lat_deg: column(table, "lat_deg")?,
            lon_deg: column(table, "lon_deg")?,
            shape: column(table, "shape")?,
            reach_m: column(table, "reach_m")?,
            lower_tmm: column(table, "lower_tmm")?,
            upper_tmm: column(table, "upper_tmm")?,
            start_s: column(table, "start_s")?,
            end_s: column(table, "end_s")?,
            party: column(table, "party")?,
            purpose: column(table, "purpose")?,
            reference: column(table, "reference")?,
            item: column(table, "item")?,
            side: column(table, "side")?,
        })
    }

    pub fn table(&self) -> Volumes<'_> {
        Volumes {
            offsets: slice(&self.offsets),
            lat_deg: slice(&self.lat_deg),
            lon_deg: slice(&self.lon_deg),
            shape: slice(&self.shape),
            reach_m: slice(&self.reach_m),
            lower_tmm: slice(&self.lower_tmm),
            upper_tmm: slice(&self.upper_tmm),
            start_s: slice(&self.start_s),
            end_s: slice(&self.end_s),
            party: slice(&self.party),
            purpose: slice(&self.purpose),
            reference: slice(&self.reference),
            item: slice(&self.item),
            side: slice(&self.side),
        }
    }
}

pub fn minima_of(table: &Bound<'_, PyDict>) -> PyResult<Minima> {
    let lateral = column::<f64>(table, "lateral_m")?;
    let vertical = column::<i64>(table, "vertical_tmm")?;
    Ok(Minima {
        count: side("minima", slice(&lateral).len())?,
        lateral_m: slice(&lateral).to_vec(),
        vertical_tmm: slice(&vertical).to_vec(),
    })
}

pub fn references_of(table: &Bound<'_, PyDict>) -> PyResult<References> {
    let comparable = column::<u8>(table, "comparable")?;
    let lo = column::<i64>(table, "offset_lo_tmm")?;
    let hi = column::<i64>(table, "offset_hi_tmm")?;
    Ok(References {
        count: side("references", slice(&comparable).len())?,
        comparable: slice(&comparable).to_vec(),
        offset_lo_tmm: slice(&lo).to_vec(),
        offset_hi_tmm: slice(&hi).to_vec(),
    })
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
