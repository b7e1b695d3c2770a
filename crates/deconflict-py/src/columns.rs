//! Columns of a dict of NumPy arrays, borrowed without copying.

use numpy::{Element, PyReadonlyArray1};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// A borrowed column; it must live as long as the slice taken from it.
pub type Column<'py, T> = PyReadonlyArray1<'py, T>;

/// The named column as a contiguous array of the right type, or an error that names it.
pub fn column<'py, T: Element>(
    table: &Bound<'py, PyDict>,
    name: &'static str,
) -> PyResult<Column<'py, T>> {
    column_at(table, &PyString::new(table.py(), name))
}

/// The same by a name that Python knows already.
pub fn column_at<'py, T: Element>(
    table: &Bound<'py, PyDict>,
    name: &Bound<'py, PyString>,
) -> PyResult<Column<'py, T>> {
    let value = table
        .get_item(name)?
        .ok_or_else(|| PyKeyError::new_err(format!("column {name} is missing")))?;
    let array: Column<'py, T> = value.extract().map_err(|_| {
        PyTypeError::new_err(format!(
            "column {name} must be a one-dimensional array of the documented type"
        ))
    })?;
    // Checked once here, so that `slice` below cannot fail.
    if array.as_slice().is_err() {
        return Err(PyTypeError::new_err(format!(
            "column {name} must be contiguous"
        )));
    }
    Ok(array)
}

/// The elements of a column.
pub fn slice<'a, T: Element>(column: &'a Column<'_, T>) -> &'a [T] {
    column.as_slice().unwrap_or(&[])
}
