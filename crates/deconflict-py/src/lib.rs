//! Python bindings of `deconflict-kernel` and `deconflict-sealed`; no logic of their own.
mod advising;
mod canonical;
mod columns;
mod indexing;
mod interrupt;
mod json_features;
mod moving;
mod plan;
mod record;
mod rows;
mod screening;
mod sealed;
mod signatures;
mod tables;
mod tree;

use deconflict_kernel::geodesic::{self, BadArgument};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

fn refuse(bad: BadArgument) -> PyErr {
    PyValueError::new_err(format!("{} {} is not usable", bad.name, bad.value))
}

/// Distance (m) and forward azimuths (degrees) of the geodesic between two points.
#[pyfunction]
fn geodesic_inverse(lat1: f64, lon1: f64, lat2: f64, lon2: f64) -> PyResult<(f64, f64, f64)> {
    geodesic::inverse(lat1, lon1, lat2, lon2).map_err(refuse)
}

/// Point and forward azimuth (degrees) at a distance (m) along a geodesic.
#[pyfunction]
fn geodesic_direct(lat: f64, lon: f64, azi: f64, s_m: f64) -> PyResult<(f64, f64, f64)> {
    geodesic::direct(lat, lon, azi, s_m).map_err(refuse)
}

#[pymodule]
fn _kernel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(geodesic_inverse, module)?)?;
    module.add_function(wrap_pyfunction!(geodesic_direct, module)?)?;
    module.add_function(wrap_pyfunction!(screening::screen, module)?)?;
    module.add_function(wrap_pyfunction!(advising::forbidden, module)?)?;
    module.add_function(wrap_pyfunction!(moving::moved_aside, module)?)?;
    module.add_function(wrap_pyfunction!(json_features::json_features, module)?)?;
    module.add_function(wrap_pyfunction!(plan::sound_span, module)?)?;
    module.add_function(wrap_pyfunction!(plan::sound_plan, module)?)?;
    module.add_function(wrap_pyfunction!(canonical::is_surely_canonical, module)?)?;
    module.add_function(wrap_pyfunction!(rows::row_check, module)?)?;
    module.add_function(wrap_pyfunction!(rows::first_changed_row, module)?)?;
    module.add_function(wrap_pyfunction!(sealed::sealed_public_key, module)?)?;
    module.add_function(wrap_pyfunction!(sealed::sealed_salts, module)?)?;
    module.add_function(wrap_pyfunction!(sealed::sealed_pad_tags, module)?)?;
    module.add_class::<record::EntryColumns>()?;
    module.add_class::<record::RecordReader>()?;
    module.add_class::<record::RecordStretch>()?;
    module.add_class::<tree::RecordTree>()?;
    module.add_class::<indexing::Index>()?;
    module.add_class::<screening::ScreenProgress>()?;
    module.add_class::<sealed::SealedQuestion>()?;
    module.add_class::<sealed::SealedReceiver>()?;
    module.add_class::<sealed::SealedSender>()?;
    module.add_class::<signatures::Prover>()?;
    module.add(
        "RefusedInput",
        module.py().get_type::<screening::RefusedInput>(),
    )?;
    module.add(
        "RefusedBatch",
        module.py().get_type::<sealed::RefusedBatch>(),
    )?;
    Ok(())
}
