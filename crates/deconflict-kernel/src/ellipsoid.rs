//! The WGS84 ellipsoid: constants, points and normals in Earth-centred coordinates.

use crate::sincos::sincos_deg;
use crate::vec3::Vec3;
use crate::width::at_any_width;

/// Equatorial radius, metres, exact (NGA.STND.0036, 2014).
pub const A: f64 = 6_378_137.0;
/// Flattening, exact (same source).
pub const F: f64 = 1.0 / 298.257_223_563;
/// Polar radius, metres.
pub const B: f64 = A * (1.0 - F);
const E2: f64 = F * (2.0 - F);
/// Least radius of normal curvature anywhere: the meridian's at the equator, a(1 − e²).
pub const R_MIN: f64 = A * (1.0 - E2);
/// Greatest radius of normal curvature anywhere: at the poles, a²/b.
pub const R_MAX: f64 = A / (1.0 - F);

/// Returns the surface point at a geodetic latitude and longitude in degrees.
///
/// Sine and cosine are our own, so that every platform gets the same bits.
#[inline(always)]
pub fn surface(lat_deg: f64, lon_deg: f64) -> Vec3 {
    let (sin_lat, cos_lat) = sincos_deg(lat_deg);
    let (sin_lon, cos_lon) = sincos_deg(lon_deg);
    let n = A / (1.0 - E2 * sin_lat * sin_lat).sqrt();
    Vec3::new(
        n * cos_lat * cos_lon,
        n * cos_lat * sin_lon,
        n * (1.0 - E2) * sin_lat,
    )
}

at_any_width! {
    /// Fills `places` with the surface points at many latitudes and longitudes, each with the bits
    /// that [`surface`] gives. Of slices of different lengths the shortest counts.
    pub fn surfaces(lat_deg: &[f64], lon_deg: &[f64], places: &mut [Vec3]) {
        const AT_ONCE: usize = 8;
        let count = lat_deg.len().min(lon_deg.len()).min(places.len());
        let whole = count - count % AT_ONCE;
        let (lat, lon) = (&lat_deg[..count], &lon_deg[..count]);
        let places = &mut places[..count];
        let blocks = lat.chunks_exact(AT_ONCE).zip(lon.chunks_exact(AT_ONCE));
        for ((lat, lon), out) in blocks.zip(places.chunks_exact_mut(AT_ONCE)) {
            let (mut x, mut y, mut z) = ([0.0; AT_ONCE], [0.0; AT_ONCE], [0.0; AT_ONCE]);
            for k in 0..AT_ONCE {
                let p = surface(lat[k], lon[k]);
                (x[k], y[k], z[k]) = (p.x, p.y, p.z);
            }
            for k in 0..AT_ONCE {
                out[k] = Vec3::new(x[k], y[k], z[k]);
            }
        }
        for k in whole..count {
            places[k] = surface(lat[k], lon[k]);
        }
    }
}

/// Returns geodetic latitude and longitude in degrees of a point on (or within metres of) the
/// surface.
pub fn coordinates(p: Vec3) -> (f64, f64) {
    let across = (p.x * p.x + p.y * p.y).sqrt();
    let lat = libm::atan2(p.z, (1.0 - E2) * across);
    (lat.to_degrees(), libm::atan2(p.y, p.x).to_degrees())
}

/// Returns the outward unit normal of the ellipsoid through (or near) `p`.
pub fn normal(p: Vec3) -> Vec3 {
    let g = Vec3::new(p.x / (A * A), p.y / (A * A), p.z / (B * B));
    let length = g.norm();
    if length > 0.0 {
        g * (1.0 / length)
    } else {
        Vec3::new(0.0, 0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poles_and_equator_lie_where_they_should() {
        assert!((surface(90.0, 77.0) - Vec3::new(0.0, 0.0, B)).norm() < 1e-8);
        assert!((surface(0.0, 90.0) - Vec3::new(0.0, A, 0.0)).norm() < 1e-8);
        assert!((surface(12.0, 180.0) - surface(12.0, -180.0)).norm() < 1e-8);
    }

    #[test]
    fn many_at_once_have_the_bits_of_one_by_one() {
        let lat: Vec<f64> = (0..1_003).map(|k| f64::from(k) * 0.179_4 - 90.0).collect();
        let lon: Vec<f64> = (0..1_003).map(|k| f64::from(k) * 0.717 - 360.0).collect();
        let mut places = vec![Vec3::ZERO; 1_003];
        surfaces(&lat, &lon, &mut places);
        for k in 0..1_003 {
            assert_eq!(places[k], surface(lat[k], lon[k]));
        }
    }

    #[test]
    fn curvature_radii_are_the_published_ones() {
        assert!((R_MIN - 6_335_439.327).abs() < 1e-3);
        assert!((R_MAX - 6_399_593.626).abs() < 1e-3);
    }
}
