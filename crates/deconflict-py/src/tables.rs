//! The kernel's tables, borrowed from dicts of NumPy columns.

use deconflict_kernel::input::{Trajectories, Volumes};
use deconflict_kernel::limits::Minima;
use deconflict_kernel::vertical::References;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns::{column, column_at, slice, Column};

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

/// Declares the columns of a table by name and type, and how the kernel sees them.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident for $kernel:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        pub struct $name<'py> {
            $($field: Column<'py, $kind>,)*
        }

        impl<'py> $name<'py> {
            pub fn of(table: &Bound<'py, PyDict>) -> PyResult<$name<'py>> {
                let py = table.py();
                Ok($name {
                    $($field: column_at::<$kind>(table, pyo3::intern!(py, stringify!($field)))?,)*
                })
            }

            pub fn table(&self) -> $kernel<'_> {
                $kernel { $($field: slice(&self.$field),)* }
            }
        }
    };
}

table! {
    /// Columns of trajectories, which must live as long as the table.
    TrajectoryColumns for Trajectories {
        offsets: i64,
        lat_deg: f64,
        lon_deg: f64,
        time_s: f64,
        altitude_tmm: i64,
        lateral_m: f64,
        vertical_tmm: i64,
        window_s: f64,
        party: u32,
        purpose: u16,
        reference: u8,
        side: u8,
    }
}

table! {
    /// Columns of volumes, which must live as long as the table.
    VolumeColumns for Volumes {
        offsets: i64,
        lat_deg: f64,
        lon_deg: f64,
        shape: u8,
        reach_m: f64,
        lower_tmm: i64,
        upper_tmm: i64,
        start_s: f64,
        end_s: f64,
        party: u32,
        purpose: u16,
        reference: u8,
        item: u32,
        side: u8,
    }
}

/// The table of no volumes.
pub const NO_VOLUMES: Volumes<'static> = Volumes {
    offsets: &[0],
    lat_deg: &[],
    lon_deg: &[],
    shape: &[],
    reach_m: &[],
    lower_tmm: &[],
    upper_tmm: &[],
    start_s: &[],
    end_s: &[],
    party: &[],
    purpose: &[],
    reference: &[],
    item: &[],
    side: &[],
};

pub fn minima(table: &Bound<'_, PyDict>) -> PyResult<Minima> {
    let lateral_m = column::<f64>(table, "lateral_m")?;
    let vertical_tmm = column::<i64>(table, "vertical_tmm")?;
    Ok(Minima {
        count: side("minima", slice(&lateral_m).len())?,
        lateral_m: slice(&lateral_m).to_vec(),
        vertical_tmm: slice(&vertical_tmm).to_vec(),
    })
}

pub fn references(table: &Bound<'_, PyDict>) -> PyResult<References> {
    let comparable = column::<u8>(table, "comparable")?;
    let offset_lo_tmm = column::<i64>(table, "offset_lo_tmm")?;
    let offset_hi_tmm = column::<i64>(table, "offset_hi_tmm")?;
    Ok(References {
        count: side("references", slice(&comparable).len())?,
        comparable: slice(&comparable).to_vec(),
        offset_lo_tmm: slice(&offset_lo_tmm).to_vec(),
        offset_hi_tmm: slice(&offset_hi_tmm).to_vec(),
    })
}
