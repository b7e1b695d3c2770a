//! `_kernel.EntryReader`: lines of an exported record in, proven entries as columns out.

use deconflict_kernel::entries::{read, Author, Frame, Point, Stretch};
use deconflict_kernel::signatures::Prover;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::collections::HashSet;

/// Reads the entries of one record; the GIL is released while it does.
#[pyclass(frozen, module = "deconflict._kernel")]
pub struct EntryReader {
    frame: Frame,
    shown: HashSet<Vec<u8>>,
}

/// Entries of one chain, one behind the other, or lines that were left.
#[pyclass(frozen, get_all, module = "deconflict._kernel")]
pub struct EntryStretch {
    start: usize,
    end: usize,
    count: usize,
    party: Py<PyString>,
    epoch: Py<PyString>,
    seq: u64,
    prev: Py<PyBytes>,
    hashes: Py<PyBytes>,
    leaves: Py<PyBytes>,
    drills: usize,
    delayed: usize,
    heard: Vec<(usize, String, u64, Py<PyBytes>)>,
    shown: Vec<(usize, usize)>,
    last: usize,
}

#[pymethods]
impl EntryReader {
    #[new]
    fn new(
        line: &str,
        authors: [(String, String, [u8; 32]); 2],
        shown: Vec<String>,
    ) -> PyResult<Self> {
        let ready = |(party, key_id, public): (String, String, [u8; 32])| {
            let prover = Prover::new(&public).map_err(|_| {
                PyValueError::new_err("the public key is malformed or of small order")
            })?;
            PyResult::Ok(Author {
                party: party.into_bytes(),
                key_id: key_id.into_bytes(),
                prover,
            })
        };
        let [first, second] = authors;
        Ok(Self {
            frame: Frame {
                line: line.as_bytes().to_vec(),
                authors: [ready(first)?, ready(second)?],
            },
            shown: shown.into_iter().map(String::into_bytes).collect(),
        })
    }

    /// Whole lines as stretches, in their order.
    fn read(&self, py: Python<'_>, text: &[u8]) -> PyResult<Vec<EntryStretch>> {
        let found = py.detach(|| read(text, &self.frame));
        found
            .into_iter()
            .map(|stretch| self.columns(py, &stretch))
            .collect()
    }
}

impl EntryReader {
    fn columns(&self, py: Python<'_>, stretch: &Stretch) -> PyResult<EntryStretch> {
        let entries = &stretch.entries;
        let first = entries.first().map(|(_, entry)| entry);
        let text = |bytes: &[u8]| PyString::new(py, &String::from_utf8_lossy(bytes)).unbind();
        let mut hashes = Vec::with_capacity(32 * entries.len());
        let mut leaves = Vec::with_capacity(32 * entries.len());
        let mut heard = Vec::new();
        let mut shown = Vec::new();
        let mut before: Option<Point> = None;
        for (place, (start, entry)) in entries.iter().enumerate() {
            hashes.extend_from_slice(&entry.point.hash);
            leaves.extend_from_slice(&entry.leaf);
            if let Some(point) = entry.heard.filter(|point| Some(*point) != before) {
                let epoch = String::from_utf8_lossy(&point.epoch).into_owned();
                let hash = PyBytes::new(py, &point.hash).unbind();
                heard.push((place, epoch, point.seq, hash));
                before = Some(point);
            }
            if self.shown.contains(&entry.kind) {
                shown.push((place, *start));
            }
        }
        Ok(EntryStretch {
            start: stretch.start,
            end: stretch.end,
            count: entries.len(),
            party: text(first.map_or(b"", |entry| &self.frame.authors[entry.author].party)),
            epoch: text(first.map_or(b"", |entry| &entry.point.epoch)),
            seq: first.map_or(0, |entry| entry.point.seq),
            prev: PyBytes::new(py, first.map_or(b"", |entry| &entry.prev)).unbind(),
            hashes: PyBytes::new(py, &hashes).unbind(),
            leaves: PyBytes::new(py, &leaves).unbind(),
            drills: entries.iter().filter(|(_, entry)| entry.drill).count(),
            delayed: entries.iter().filter(|(_, entry)| entry.delayed).count(),
            heard,
            shown,
            last: entries.last().map_or(stretch.start, |(start, _)| *start),
        })
    }
}
