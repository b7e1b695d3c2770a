//! Why an input was refused: which table, row and field, and what is wrong with it.

use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub struct InputError {
    /// `trajectories`, `volumes`, `minima` or `references`.
    pub table: &'static str,
    /// Index of the trajectory or volume, or flat index into a table.
    pub row: usize,
    pub field: &'static str,
    pub problem: String,
}

impl InputError {
    pub fn new(table: &'static str, row: usize, field: &'static str, problem: String) -> Self {
        InputError {
            table,
            row,
            field,
            problem,
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InputError {
            table,
            row,
            field,
            problem,
        } = self;
        write!(f, "{table}[{row}].{field}: {problem}")
    }
}

impl std::error::Error for InputError {}
