//! `_kernel.row_check` and `_kernel.first_changed_row`: rows of a database as Python tuples.

use deconflict_kernel::rows::{check, name_of, Column};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

/// 16 bytes that change when any column, its type or their order changes.
#[pyfunction]
#[pyo3(signature = (*columns))]
pub fn row_check(columns: &Bound<'_, PyTuple>) -> PyResult<[u8; 16]> {
    check_of(columns, columns.len(), &[])
}

/// Place of the first row whose last column is not the check of those before it, or None.
///
/// The columns at `outside` have no part in the check. With `named`, the second of these columns is
/// the name of the first: its SHA-256 in hex digits. A column of a type that no row is written with
/// was not written so.
#[pyfunction]
#[pyo3(signature = (rows, *, outside=Vec::new(), named=None))]
pub fn first_changed_row(
    rows: Vec<Bound<'_, PyTuple>>,
    outside: Vec<usize>,
    named: Option<(usize, usize)>,
) -> PyResult<Option<usize>> {
    for (place, row) in rows.iter().enumerate() {
        let Some(last) = row.len().checked_sub(1) else {
            return Ok(Some(place));
        };
        let kept = row.get_item(last)?;
        let same = match (check_of(row, last, &outside), kept.cast::<PyBytes>()) {
            (Ok(check), Ok(kept)) => kept.as_bytes() == check,
            _ => false,
        };
        if !same || !named.map_or(Ok(true), |(data, name)| is_named(row, data, name))? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

fn is_named(row: &Bound<'_, PyTuple>, data: usize, name: usize) -> PyResult<bool> {
    let (data, name) = (row.get_item(data)?, row.get_item(name)?);
    Ok(match (data.cast::<PyBytes>(), name.cast::<PyString>()) {
        (Ok(data), Ok(name)) => name_of(data.as_bytes()) == name.to_str()?.as_bytes(),
        _ => false,
    })
}

fn check_of(row: &Bound<'_, PyTuple>, columns: usize, outside: &[usize]) -> PyResult<[u8; 16]> {
    let covered = (0..columns).filter(|column| !outside.contains(column));
    let values: Vec<_> = covered
        .map(|column| row.get_item(column))
        .collect::<PyResult<_>>()?;
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
