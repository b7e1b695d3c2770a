//! `_kernel.RecordReader`: lines of an exported record in, what is proven as columns out.

use deconflict_kernel::checkpoints::Checkpoint;
use deconflict_kernel::entries::Entry;
use deconflict_kernel::entry_fields::Point;
use deconflict_kernel::frame::{Author, Frame, Key};
use deconflict_kernel::receipts::Receipt;
use deconflict_kernel::record::{read, Found, Stretch};
use deconflict_kernel::signatures::Prover;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::collections::HashSet;

/// Reads the lines of one record; the GIL is released while it does.
#[pyclass(frozen, module = "deconflict._kernel")]
pub struct RecordReader {
    frame: Frame,
    shown: HashSet<Vec<u8>>,
}

/// Lines that say the same kind of thing, or that were left.
#[pyclass(frozen, get_all, module = "deconflict._kernel")]
pub struct RecordStretch {
    start: usize,
    end: usize,
    entries: Option<Py<EntryColumns>>,
    receipts: Vec<(String, String, u64, Py<PyBytes>)>,
    checkpoints: Vec<(String, String, String, u64, Py<PyBytes>, u64)>,
}

/// Entries of one chain, one behind the other, by one key.
#[pyclass(frozen, get_all, module = "deconflict._kernel")]
pub struct EntryColumns {
    count: usize,
    party: String,
    key_id: String,
    epoch: String,
    seq: u64,
    prev: Py<PyBytes>,
    hashes: Py<PyBytes>,
    leaves: Py<PyBytes>,
    drills: usize,
    delayed: usize,
    heard: Vec<(usize, String, u64, Py<PyBytes>)>,
    shown: Vec<usize>,
    last: usize,
}

#[pymethods]
impl RecordReader {
    #[new]
    fn new(line: &str, parties: [String; 2], shown: Vec<String>) -> Self {
        Self {
            frame: Frame {
                line: line.as_bytes().to_vec(),
                authors: parties.map(|party| Author {
                    party: party.into_bytes(),
                    keys: Vec::new(),
                }),
            },
            shown: shown.into_iter().map(String::into_bytes).collect(),
        }
    }

    /// A reader that knows one key more.
    fn knowing(
        &self,
        py: Python<'_>,
        party: &str,
        key_id: &str,
        public: [u8; 32],
    ) -> PyResult<Self> {
        let prover = py
            .detach(|| Prover::new(&public))
            .map_err(|_| PyValueError::new_err("the public key is malformed or of small order"))?;
        let mut frame = self.frame.clone();
        let author = frame
            .author(party.as_bytes())
            .ok_or_else(|| PyValueError::new_err(format!("{party} is not on this line")))?;
        frame.authors[author].learn(Key {
            key_id: key_id.as_bytes().to_vec(),
            prover,
        });
        Ok(Self {
            frame,
            shown: self.shown.clone(),
        })
    }

    /// Whole lines as stretches, in their order.
    fn read(&self, py: Python<'_>, text: &[u8]) -> PyResult<Vec<RecordStretch>> {
        let found = py.detach(|| read(text, &self.frame));
        found
            .into_iter()
            .map(|stretch| self.columns(py, &stretch))
            .collect()
    }
}

impl RecordReader {
    fn columns(&self, py: Python<'_>, stretch: &Stretch) -> PyResult<RecordStretch> {
        let mut columns = RecordStretch {
            start: stretch.start,
            end: stretch.end,
            entries: None,
            receipts: Vec::new(),
            checkpoints: Vec::new(),
        };
        match &stretch.found {
            Found::Left => {}
            Found::Entries(entries) => {
                columns.entries = self.entries(py, stretch.start, entries)?
            }
            Found::Receipts(receipts) => {
                let row = |one: &Receipt| {
                    let Point { epoch, seq, hash } = &one.point;
                    let hash = PyBytes::new(py, hash).unbind();
                    (self.party(one.author), text(epoch), *seq, hash)
                };
                columns.receipts = receipts.iter().map(row).collect();
            }
            Found::Checkpoints(checkpoints) => {
                let row = |one: &Checkpoint| {
                    (
                        self.party(one.author),
                        text(&one.key.key_id),
                        text(&one.epoch),
                        one.size,
                        PyBytes::new(py, &one.root).unbind(),
                        one.time_s,
                    )
                };
                columns.checkpoints = checkpoints.iter().map(row).collect();
            }
        }
        Ok(columns)
    }

    fn entries(
        &self,
        py: Python<'_>,
        begin: usize,
        entries: &[(usize, Entry)],
    ) -> PyResult<Option<Py<EntryColumns>>> {
        let (Some((_, first)), Some((last, _))) = (entries.first(), entries.last()) else {
            return Ok(None);
        };
        let mut hashes = Vec::with_capacity(32 * entries.len());
        let mut leaves = Vec::with_capacity(32 * entries.len());
        let mut heard = Vec::new();
        let mut shown = Vec::new();
        let mut before: Option<Point> = None;
        for (place, (start, entry)) in entries.iter().enumerate() {
            hashes.extend_from_slice(&entry.point.hash);
            leaves.extend_from_slice(&entry.leaf);
            if let Some(point) = entry.heard.filter(|point| Some(*point) != before) {
                let hash = PyBytes::new(py, &point.hash).unbind();
                heard.push((place, text(&point.epoch), point.seq, hash));
                before = Some(point);
            }
            if self.shown.contains(&entry.kind) {
                shown.push(start - begin);
            }
        }
        let columns = EntryColumns {
            count: entries.len(),
            party: self.party(first.author),
            key_id: text(&first.key.key_id),
            epoch: text(&first.point.epoch),
            seq: first.point.seq,
            prev: PyBytes::new(py, &first.prev).unbind(),
            hashes: PyBytes::new(py, &hashes).unbind(),
            leaves: PyBytes::new(py, &leaves).unbind(),
            drills: entries.iter().filter(|(_, entry)| entry.drill).count(),
            delayed: entries.iter().filter(|(_, entry)| entry.delayed).count(),
            heard,
            shown,
            last: last - begin,
        };
        Py::new(py, columns).map(Some)
    }

    fn party(&self, author: usize) -> String {
        text(&self.frame.authors[author].party)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
