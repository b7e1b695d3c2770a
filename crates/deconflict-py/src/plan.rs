//! `_kernel.sound_span` and `sound_plan`: a trajectory as it lies in JSON, its span, and its
//! waypoints and containment, out when it is surely sound.

use deconflict_kernel::plan::{self, Containment, Waypoint};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyString};

/// First and last instant (ms) of a trajectory that is surely sound; None when not known.
#[pyfunction]
pub fn sound_span(trajectory: &Bound<'_, PyAny>) -> PyResult<Option<(i64, i64)>> {
    let found = plan_of(trajectory)?;
    Ok(found.and_then(|(points, around)| plan::sound_span(&points, around)))
}

type Row = (i64, i64, i64, i64);
type Around = (i64, i64, i64);

/// Waypoints (instant, latitude, longitude, altitude) and containment (lateral, vertical, time) of a
/// trajectory that is surely sound; None when not known.
#[pyfunction]
pub fn sound_plan(trajectory: &Bound<'_, PyAny>) -> PyResult<Option<(Vec<Row>, Around)>> {
    let found = plan_of(trajectory)?;
    Ok(found
        .filter(|(points, around)| plan::sound_span(points, *around).is_some())
        .map(|(points, around)| {
            let rows = points
                .iter()
                .map(|at| (at.at_ms, at.lat_e7, at.lon_e7, at.altitude_tmm))
                .collect();
            (
                rows,
                (around.lateral_mm, around.vertical_tmm, around.time_ms),
            )
        }))
}

fn plan_of(trajectory: &Bound<'_, PyAny>) -> PyResult<Option<(Vec<Waypoint>, Containment)>> {
    let py = trajectory.py();
    let Some(members) = object(trajectory, 3) else {
        return Ok(None);
    };
    let (Some(reference), Some(waypoints), Some(around)) = (
        members.get_item(intern!(py, "reference"))?,
        members.get_item(intern!(py, "waypoints"))?,
        members.get_item(intern!(py, "containment"))?,
    ) else {
        return Ok(None);
    };
    let known = match reference.cast::<PyString>() {
        Ok(reference) => matches!(reference.to_str()?, "W84" | "AMSL" | "FL" | "AGL"),
        Err(_) => false,
    };
    let (true, Some(around), Ok(waypoints)) = (
        known,
        containment(&around)?,
        waypoints.cast_exact::<PyList>(),
    ) else {
        return Ok(None);
    };
    let mut points = Vec::with_capacity(waypoints.len());
    for waypoint in waypoints {
        match point(&waypoint)? {
            Some(point) => points.push(point),
            None => return Ok(None),
        }
    }
    Ok(Some((points, around)))
}

fn containment(value: &Bound<'_, PyAny>) -> PyResult<Option<Containment>> {
    let py = value.py();
    let Some(members) = object(value, 3) else {
        return Ok(None);
    };
    let (Some(lateral_mm), Some(vertical_tmm), Some(time_ms)) = (
        whole(members, intern!(py, "lateral_mm"))?,
        whole(members, intern!(py, "vertical_tmm"))?,
        whole(members, intern!(py, "time_ms"))?,
    ) else {
        return Ok(None);
    };
    Ok(Some(Containment {
        lateral_mm,
        vertical_tmm,
        time_ms,
    }))
}

fn point(value: &Bound<'_, PyAny>) -> PyResult<Option<Waypoint>> {
    let py = value.py();
    let Some(members) = object(value, 4) else {
        return Ok(None);
    };
    let Some(at) = members.get_item(intern!(py, "at_utc"))? else {
        return Ok(None);
    };
    let at_ms = match at.cast::<PyString>() {
        Ok(at) => plan::utc_ms(at.to_str()?),
        Err(_) => None,
    };
    let (Some(at_ms), Some(lat_e7), Some(lon_e7), Some(altitude_tmm)) = (
        at_ms,
        whole(members, intern!(py, "lat_e7"))?,
        whole(members, intern!(py, "lon_e7"))?,
        whole(members, intern!(py, "altitude_tmm"))?,
    ) else {
        return Ok(None);
    };
    Ok(Some(Waypoint {
        at_ms,
        lat_e7,
        lon_e7,
        altitude_tmm,
    }))
}

fn object<'a, 'py>(value: &'a Bound<'py, PyAny>, keys: usize) -> Option<&'a Bound<'py, PyDict>> {
    let members = value.cast_exact::<PyDict>().ok()?;
    (members.len() == keys).then_some(members)
}

fn whole(members: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<Option<i64>> {
    let Some(value) = members.get_item(key)? else {
        return Ok(None);
    };
    // Exactly a whole number: True is none, though Python counts with it. The limits of the plan
    // are far inside 53 bits, so what is beyond 64 is not sound either.
    Ok(value
        .cast_exact::<PyInt>()
        .ok()
        .and_then(|whole| whole.extract().ok()))
}
