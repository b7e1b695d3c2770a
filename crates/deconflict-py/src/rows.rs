//! `_kernel.row_check` and `_kernel.first_changed_row`: rows of a database as Python tuples.

use deconflict_kernel::rows::{check, Column};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

/// 16 bytes that change when any column, its type or their order changes.
#[pyfunction]
#[pyo3(signature = (*columns))]
pub fn row_check(columns: &Bound<'_, PyTuple>) -> PyResult<[u8; 16]> {
    check_of(columns, columns.len())
}

/// Place of the first row whose last column is not the check of those before it, or None.
///
/// A column of a type that no row is written with was not written so.
#[pyfunction]
pub fn first_changed_row(rows: Vec<Bound<'_, PyTuple>>) -> PyResult<Option<usize>> {
    for (place, row) in rows.iter().enumerate() {
        let Some(last) = row.len().checked_sub(1) else {
            return Ok(Some(place));
        };
        let kept = row.get_item(last)?;
        let same = match (check_of(row, last), kept.cast::<PyBytes>()) {
            (Ok(check), Ok(kept)) => kept.as_bytes() == check,
            _ => false,
        };
        if !same {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

fn check_of(row: &Bound<'_, PyTuple>, columns: usize) -> PyResult<[u8; 16]> {
    let values: Vec<_> = row.iter().take(columns).collect();
    let columns: Vec<_> = values.iter().map(column).collect::<PyResult<_>>()?;
    Ok(check(columns))
}

fn column<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Column<'a>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Column::Text(text.to_str()?));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Column::Bytes(bytes.as_bytes()));
    }
    if value.is_none() {
        return Ok(Column::Nothing);
    }
    value.extract::<i64>().map(Column::Whole).map_err(|_| {
        PyTypeError::new_err("a column is text, bytes, a whole number of 64 bits, or None")
    })
}
