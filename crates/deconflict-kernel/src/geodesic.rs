//! Geodesics of WGS84 by Karney's method (geographiclib-rs): the truth everything else is bounded
//! against, good to some nanometres.

use crate::ellipsoid::{normal, surface};
use geographiclib_rs::{DirectGeodesic, Geodesic, InverseGeodesic};
use std::sync::OnceLock;

/// An argument of a geodesic problem that has no place on the Earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BadArgument {
    pub name: &'static str,
    pub value: f64,
}

fn wgs84() -> &'static Geodesic {
    static WGS84: OnceLock<Geodesic> = OnceLock::new();
    WGS84.get_or_init(Geodesic::wgs84)
}

fn finite(name: &'static str, value: f64) -> Result<(), BadArgument> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(BadArgument { name, value })
    }
}

fn latitude(name: &'static str, value: f64) -> Result<(), BadArgument> {
    // A NaN fails the comparison, so it is refused as well.
    if value.abs() <= 90.0 {
        Ok(())
    } else {
        Err(BadArgument { name, value })
    }
}

/// Returns (distance in metres, azimuth at the first point, azimuth at the second point, both
/// forward and in degrees) of the shortest geodesic between two points.
pub fn inverse(lat1: f64, lon1: f64, lat2: f64, lon2: f64) -> Result<(f64, f64, f64), BadArgument> {
    latitude("lat1", lat1)?;
    finite("lon1", lon1)?;
    latitude("lat2", lat2)?;
    finite("lon2", lon2)?;
    let (s12, azi1, azi2, _arc): (f64, f64, f64, f64) = wgs84().inverse(lat1, lon1, lat2, lon2);
    Ok((s12, azi1, azi2))
}

/// Returns (latitude, longitude, forward azimuth) of the point at `s12` metres along the geodesic
/// that leaves the first point at `azi1` degrees.
pub fn direct(lat1: f64, lon1: f64, azi1: f64, s12: f64) -> Result<(f64, f64, f64), BadArgument> {
    latitude("lat1", lat1)?;
    finite("lon1", lon1)?;
    finite("azi1", azi1)?;
    finite("s12", s12)?;
    Ok(wgs84().direct(lat1, lon1, azi1, s12))
}

/// Distance of two points that were checked on entry, metres.
pub fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    inverse(a.0, a.1, b.0, b.1).map_or(0.0, |g| g.0)
}

/// Up to this chord [`near_distance`] has a closed form, metres.
const NEAR_M: f64 = 20_000.0;
/// How far [`near_distance`] may be from [`distance`], metres.
pub const NEAR_DISTANCE_M: f64 = 1e-5;

/// As [`distance`], within [`NEAR_DISTANCE_M`] of it and much faster where the points are near: the
/// arc over their chord, bent as the surface is between them.
pub fn near_distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (p, q) = (surface(a.0, a.1), surface(b.0, b.1));
    let chord = p - q;
    let d2 = chord.norm2();
    if d2 > NEAR_M * NEAR_M {
        return distance(a, b);
    }
    // κd² is how far the normals turn along the chord; arc − chord = κ²d³/24 and less than a
    // micrometre more.
    let turn = (normal(p) - normal(q)).dot(chord);
    let d = d2.sqrt();
    if d > 0.0 {
        d + turn * turn / (24.0 * d)
    } else {
        0.0
    }
}

/// The point `reach` metres from `from` towards `to`, or `to` itself when it is not farther.
pub fn toward(from: (f64, f64), to: (f64, f64), reach: f64) -> (f64, f64) {
    match inverse(from.0, from.1, to.0, to.1) {
        Ok((s12, azi, _)) if s12 > reach => {
            direct(from.0, from.1, azi, reach).map_or(to, |(lat, lon, _)| (lat, lon))
        }
        _ => to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_agrees_with_a_line_of_geodtest() {
        // GeodTest.dat (Karney 2010, CC0), first line of GeodTest-short.
        let (s12, azi1, azi2) =
            inverse(36.530042355041, 0.0, -48.16427077909777, 5.76234469467651).unwrap();
        assert!((s12 - 9_398_502.043_468_7).abs() < 1e-6);
        assert!((azi1 - 176.125875162171).abs() < 1e-9);
        assert!((azi2 - 175.3343083162854).abs() < 1e-9);
    }

    #[test]
    fn direct_undoes_inverse() {
        let (s12, azi1, _) = inverse(-33.9, 18.4, 51.5, -0.1).unwrap();
        let (lat, lon, _) = direct(-33.9, 18.4, azi1, s12).unwrap();
        assert!((lat - 51.5).abs() < 1e-12 && (lon + 0.1).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_on_the_earth_is_refused() {
        assert_eq!(inverse(90.5, 0.0, 0.0, 0.0).unwrap_err().name, "lat1");
        assert_eq!(inverse(0.0, f64::NAN, 0.0, 0.0).unwrap_err().name, "lon1");
        assert_eq!(inverse(0.0, 0.0, f64::NAN, 0.0).unwrap_err().name, "lat2");
        assert_eq!(
            direct(0.0, 0.0, 0.0, f64::INFINITY).unwrap_err().name,
            "s12"
        );
    }
}
