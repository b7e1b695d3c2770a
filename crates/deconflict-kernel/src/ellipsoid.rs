//! The WGS84 ellipsoid: constants, points and normals in Earth-centred coordinates.

use crate::vec3::Vec3;

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
/// Sine and cosine are libm's own, so that every platform gets the same bits.
pub fn surface(lat_deg: f64, lon_deg: f64) -> Vec3 {
    let (sin_lat, cos_lat) = libm::sincos(lat_deg.to_radians());
    let (sin_lon, cos_lon) = libm::sincos(lon_deg.to_radians());
    let n = A / (1.0 - E2 * sin_lat * sin_lat).sqrt();
    Vec3::new(
        n * cos_lat * cos_lon,
        n * cos_lat * sin_lon,
        n * (1.0 - E2) * sin_lat,
    )
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
    fn curvature_radii_are_the_published_ones() {
        assert!((R_MIN - 6_335_439.327).abs() < 1e-3);
        assert!((R_MAX - 6_399_593.626).abs() < 1e-3);
    }
}
