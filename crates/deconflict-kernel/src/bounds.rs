//! How far the straight model may lie from the geodesic truth, proved, so that it can be added.
//!
//! The derivations stand in `docs/reference/separation.md`; the names here are the names there.
//! A piece of a leg of geodesic length `L` is replaced by its chord, linear in time. Its true point
//! lies off the chord's point by a sag along the surface normal of at most `s` and sideways by at
//! most `e`. If two true points are within geodesic distance `d`, the chord points are within
//! `reach(d, s, e)`: nothing that is too close can be missed.

use crate::ellipsoid::{R_MAX, R_MIN};

/// Covers the rounding of coordinates (1 nm) and of the arithmetic on them, metres.
pub const NOISE_M: f64 = 1e-6;
/// Legs are cut so that no piece is longer than this, metres: ε at 5 NM is then within tolerance.
/// The same for every trajectory and all minima, so that what a pair comes to never depends on what
/// else is checked; nearer minima cut further where a pair is flagged.
pub const LONGEST_PIECE_M: f64 = 48_000.0;
/// Outlines are cut finer: their winding is judged on chords.
pub const LONGEST_EDGE_M: f64 = 10_000.0;
/// Added to the distance from a polygon's edges: twice `tangential(LONGEST_EDGE_M)`, rounded up.
pub const POLYGON_PAD_M: f64 = 0.002;
/// ε is never asked to be smaller than this when screening (half of what ASTM F3548 computes
/// outlines to), metres.
pub const LEAST_TOLERANCE_M: f64 = 0.005;
/// ε allowed when a finding is settled, metres.
pub const SETTLED_TOLERANCE_M: f64 = 1e-5;
/// Up to this distance the normals of both points are within 60° of one another, metres.
const NEAR_M: f64 = 5_000_000.0;
/// Up to this distance the chord bound is proved; beyond it everything on Earth counts as near.
const FAR_M: f64 = 15_000_000.0;

/// Greatest distance between a piece's chord and its geodesic, for a piece of length `length`.
pub fn sag(length: f64) -> f64 {
    length * length / (8.0 * R_MIN)
}

/// Greatest part of that distance that lies along the surface.
pub fn tangential(length: f64) -> f64 {
    length * length * length / (48.0 * R_MIN * R_MIN)
}

/// An upper bound of the straight distance of two points at geodesic distance `d` or less.
pub fn chord(d: f64) -> f64 {
    if d > FAR_M {
        return d;
    }
    // The shortening d − 2R sin(d/2R) on the flattest curvature, from below: its series alternates
    // and falls. Less a thousandth for torsion.
    let x2 = (d / (2.0 * R_MAX)) * (d / (2.0 * R_MAX));
    d - 0.999 * (d * (x2 * (1.0 / 6.0 - x2 / 120.0)))
}

/// An upper bound of the geodesic length between two points at straight distance `d`.
pub fn arc(d: f64) -> f64 {
    // Schur: curvature is at most 1/R_MIN. asin x <= x (1 + x²/4) for x <= 0.8.
    let x = d / (2.0 * R_MIN);
    if x <= 0.8 {
        d * (1.0 + 0.25 * x * x) * (1.0 + 1e-15)
    } else {
        2.0 * d
    }
}

/// Chord points of true points within geodesic distance `d` are within this distance.
pub fn reach(d: f64, s: f64, e: f64) -> f64 {
    let c = chord(d);
    // Nearly equal normals: of two sags only the greater counts.
    let across = if d <= NEAR_M { s } else { 2.0 * s } + 2.0 * e;
    (c * c + 4.0 * c * e + across * across).sqrt() + NOISE_M
}

/// ε: how much of `reach` is there only because chords stand in for geodesics.
pub fn excess(d: f64, length: f64) -> f64 {
    reach(d, sag(length), tangential(length)) - NOISE_M - chord(d)
}

/// The ε that screening accepts at distance `d`.
pub fn tolerance(d: f64) -> f64 {
    (d / 1e4).clamp(LEAST_TOLERANCE_M, 0.25)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ellipsoid::surface;
    use crate::geodesic::{direct, inverse};

    #[test]
    fn the_longest_piece_is_within_tolerance_at_five_nautical_miles() {
        assert!(excess(9_260.0, LONGEST_PIECE_M) <= tolerance(9_260.0));
        assert!(excess(9_260.0, 1.05 * LONGEST_PIECE_M) > tolerance(9_260.0));
    }

    #[test]
    fn chord_bounds_hold_on_geodesics_in_every_direction() {
        for lat in [-89.0, -60.0, -20.0, 0.0, 0.001, 45.0, 75.0] {
            for azi in [0.0, 30.0, 45.0, 90.0, 135.0, 200.0] {
                for s in [0.1, 50.0, 9_260.0, 200_000.0, 4_900_000.0, 14_900_000.0] {
                    let (lat2, lon2, _) = direct(lat, 10.0, azi, s).unwrap();
                    let straight = (surface(lat, 10.0) - surface(lat2, lon2)).norm();
                    assert!(straight <= chord(s) + NOISE_M, "{lat} {azi} {s}");
                    assert!(arc(straight) + NOISE_M >= s, "{lat} {azi} {s}");
                }
            }
        }
    }

    #[test]
    fn sag_and_tangential_hold_along_geodesics() {
        for (lat, azi) in [
            (0.0, 0.0),
            (0.0, 90.0),
            (45.0, 45.0),
            (85.0, 60.0),
            (-30.0, 10.0),
        ] {
            for length in [1_000.0, 10_000.0, 50_000.0] {
                let (lat2, lon2, _) = direct(lat, 0.0, azi, length).unwrap();
                let (p, q) = (surface(lat, 0.0), surface(lat2, lon2));
                for k in 1..20 {
                    let f = f64::from(k) / 20.0;
                    let (lat3, lon3, _) = direct(lat, 0.0, azi, f * length).unwrap();
                    let truth = surface(lat3, lon3);
                    let off = truth - (p + (q - p) * f);
                    let up = crate::ellipsoid::normal(truth);
                    let along = (off - up * off.dot(up)).norm();
                    assert!(off.dot(up) >= -NOISE_M && off.norm() <= sag(length) + NOISE_M);
                    assert!(along <= tangential(length) + NOISE_M);
                }
            }
        }
    }

    #[test]
    fn the_chord_model_never_reads_too_far() {
        // Two crossing 50 km legs: whatever the true distance is, reach covers it.
        let length = 50_000.0;
        for lat in [0.0, 33.0, 66.0] {
            for turn in [0.0, 17.0, 90.0, 180.0] {
                let (_, start_lon, _) = direct(lat, 0.0, 90.0, 5_000.0).unwrap();
                let a = (lat, 0.0, 40.0);
                let b = (lat, start_lon, 40.0 + turn);
                let ends = |(lat, lon, azi): (f64, f64, f64)| {
                    let (lat2, lon2, _) = direct(lat, lon, azi, length).unwrap();
                    (surface(lat, lon), surface(lat2, lon2))
                };
                let ((a0, a1), (b0, b1)) = (ends(a), ends(b));
                for k in 0..=10 {
                    let f = f64::from(k) / 10.0;
                    let (alat, alon, _) = direct(a.0, a.1, a.2, f * length).unwrap();
                    let (blat, blon, _) = direct(b.0, b.1, b.2, f * length).unwrap();
                    let (g, _, _) = inverse(alat, alon, blat, blon).unwrap();
                    let straight = ((a0 + (a1 - a0) * f) - (b0 + (b1 - b0) * f)).norm();
                    assert!(straight <= reach(g, sag(length), tangential(length)));
                }
            }
        }
    }
}
