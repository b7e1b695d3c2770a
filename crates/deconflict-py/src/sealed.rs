//! Private checks: bytes in, bytes out, the GIL released between.

use deconflict_sealed::cells::Cells;
use deconflict_sealed::receiver::{Question, Receiver};
use deconflict_sealed::seed::{Seed, SEED_LENGTH};
use deconflict_sealed::sender::{public_key, Sender};
use deconflict_sealed::{Refusal, POINT_LENGTH, SSID_LENGTH, TAG_LENGTH};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::screening::threads as processors;

pyo3::create_exception!(
    _kernel,
    RefusedBatch,
    PyValueError,
    "A batch of a private check cannot be used; args are (code, slot, index, problem)."
);

fn refused(refusal: Refusal) -> PyErr {
    let problem = refusal.to_string();
    RefusedBatch::new_err((refusal.code(), refusal.slot(), refusal.index(), problem))
}

/// The public key that the HELLO of a seed shows.
#[pyfunction]
pub fn sealed_public_key(py: Python<'_>, seed: [u8; SEED_LENGTH]) -> PyResult<Bound<'_, PyBytes>> {
    let seed = Seed::new(seed);
    let key = py.detach(|| public_key(&seed)).map_err(refused)?;
    Ok(PyBytes::new(py, &key))
}

/// Salts of 32 bytes for places (slot, index), one behind the other.
#[pyfunction]
#[pyo3(signature = (seed, places, *, threads=None))]
pub fn sealed_salts(
    py: Python<'_>,
    seed: [u8; SEED_LENGTH],
    places: Vec<(u32, u32)>,
    threads: Option<usize>,
) -> Bound<'_, PyBytes> {
    let seed = Seed::new(seed);
    let threads = threads.unwrap_or_else(processors);
    let salts = py.detach(|| seed.salts(&places, threads));
    PyBytes::new(py, &salts)
}

/// Tags of 12 bytes that fill a sender's up to its bucket.
#[pyfunction]
#[pyo3(signature = (seed, ssid, count, *, threads=None))]
pub fn sealed_pad_tags(
    py: Python<'_>,
    seed: [u8; SEED_LENGTH],
    ssid: [u8; SSID_LENGTH],
    count: u32,
    threads: Option<usize>,
) -> Bound<'_, PyBytes> {
    let seed = Seed::new(seed);
    let threads = threads.unwrap_or_else(processors);
    let tags = py.detach(|| seed.pad_tags(&ssid, count, threads));
    PyBytes::new(py, &tags)
}

/// The role that holds the key.
#[pyclass(frozen, module = "deconflict._kernel")]
pub struct SealedSender(Sender);

#[pymethods]
impl SealedSender {
    #[new]
    fn new(seed: [u8; SEED_LENGTH], ssid: [u8; SSID_LENGTH]) -> PyResult<Self> {
        Sender::new(Seed::new(seed), ssid)
            .map(Self)
            .map_err(refused)
    }

    #[pyo3(signature = (slots, sizes, cell_length, cells, *, length=TAG_LENGTH, threads=None))]
    #[allow(clippy::too_many_arguments)] // They are named on the other side.
    fn tags<'py>(
        &self,
        py: Python<'py>,
        slots: Vec<u32>,
        sizes: Vec<u32>,
        cell_length: usize,
        cells: &[u8],
        length: usize,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let threads = threads.unwrap_or_else(processors);
        let outputs = py.detach(|| {
            let cells = Cells::new(&slots, &sizes, cell_length, cells)?;
            self.0.outputs(&cells, length, threads)
        });
        Ok(PyBytes::new(py, &outputs.map_err(refused)?))
    }

    #[pyo3(signature = (slots, per_slot, blinded, *, threads=None))]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        slots: Vec<u32>,
        per_slot: usize,
        blinded: &[u8],
        threads: Option<usize>,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let threads = threads.unwrap_or_else(processors);
        let answer = py
            .detach(|| self.0.evaluate(&slots, per_slot, blinded, threads))
            .map_err(refused)?;
        let evaluated = PyBytes::new(py, &answer.evaluated);
        Ok((evaluated, PyBytes::new(py, &answer.proofs)))
    }
}

/// The role that asks.
#[pyclass(frozen, module = "deconflict._kernel")]
pub struct SealedReceiver(Receiver);

#[pymethods]
impl SealedReceiver {
    #[new]
    fn new(
        seed: [u8; SEED_LENGTH],
        ssid: [u8; SSID_LENGTH],
        sender: [u8; POINT_LENGTH],
    ) -> PyResult<Self> {
        Receiver::new(Seed::new(seed), ssid, &sender)
            .map(Self)
            .map_err(refused)
    }

    #[pyo3(signature = (slots, sizes, cell_length, cells, per_slot, *, threads=None))]
    #[allow(clippy::too_many_arguments)] // They are named on the other side.
    fn ask(
        &self,
        py: Python<'_>,
        slots: Vec<u32>,
        sizes: Vec<u32>,
        cell_length: usize,
        cells: &[u8],
        per_slot: usize,
        threads: Option<usize>,
    ) -> PyResult<SealedQuestion> {
        let threads = threads.unwrap_or_else(processors);
        py.detach(|| {
            let cells = Cells::new(&slots, &sizes, cell_length, cells)?;
            self.0.ask(&cells, per_slot, threads)
        })
        .map(SealedQuestion)
        .map_err(refused)
    }
}

/// Points that were asked, and what their answer is opened with.
#[pyclass(frozen, module = "deconflict._kernel")]
pub struct SealedQuestion(Question);

#[pymethods]
impl SealedQuestion {
    #[getter]
    fn points<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.points())
    }

    #[pyo3(signature = (evaluated, proofs, *, length=TAG_LENGTH, threads=None))]
    fn finalize<'py>(
        &self,
        py: Python<'py>,
        evaluated: &[u8],
        proofs: &[u8],
        length: usize,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let threads = threads.unwrap_or_else(processors);
        let outputs = py
            .detach(|| self.0.open(evaluated, proofs, length, threads))
            .map_err(refused)?;
        Ok(PyBytes::new(py, &outputs))
    }
}
