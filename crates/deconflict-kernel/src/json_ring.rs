//! Is a ring of geodesics surely simple? A quick look at small ones; the rest is left open.
//!
//! The same test as `deconflict.airspace.ring`, whose docstring says why it holds, on the same
//! pieces: an edge of less than 50 km is one. Every distance has twice the room here, so that what
//! passes would pass there, whatever the last digits of sines are.

const MOST_VERTICES: usize = 512;
const LONGEST_M: f64 = 49_999.0;
const TOUCH_M: f64 = 0.002;
/// The other test asks which side is the smaller one, as seen from the Earth's centre; of less than
/// this it is left to say so.
const LEAST_AREA_M2: f64 = 100.0;
const A_M: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
const E2: f64 = (2.0 - FLATTENING) * FLATTENING;

type Vector = [f64; 3];

struct Piece {
    start: Vector,
    end: Vector,
    along: Vector,
    lateral: Vector,
    length_m: f64,
    low: Vector,
    high: Vector,
}

/// True when the closed ring, whose first vertex is not repeated, is surely simple. No ring of so
/// many edges so short comes near half the Earth, which takes an outline of 40,000 km.
pub fn is_surely_simple(lat_deg: &[f64], lon_deg: &[f64]) -> bool {
    let count = lat_deg.len();
    if !(3..=MOST_VERTICES).contains(&count) {
        return false;
    }
    let places: Vec<(Vector, Vector)> = lat_deg
        .iter()
        .zip(lon_deg)
        .map(|(&lat, &lon)| earth_centred(lat.to_radians(), lon.to_radians()))
        .collect();
    let mut pieces = Vec::with_capacity(count);
    for k in 0..count {
        let Some(piece) = piece(places[k], places[(k + 1) % count]) else {
            return false;
        };
        pieces.push(piece);
    }
    twice_area_m2(&pieces) >= 2.0 * LEAST_AREA_M2
        && (0..count).all(|one| {
            (one + 1..count).all(|other| {
                let following = other == one + 1;
                let closing = one == 0 && other == count - 1;
                are_apart(&pieces[one], &pieces[other], following, closing)
            })
        })
}

/// Twice the area that the ring encloses, nearly: of its chords, as a plane sees it.
fn twice_area_m2(pieces: &[Piece]) -> f64 {
    let from = pieces[0].start;
    let mut sum = [0.0; 3];
    for piece in pieces {
        let part = cross(minus(piece.start, from), minus(piece.end, from));
        sum = [0, 1, 2].map(|axis| sum[axis] + part[axis]);
    }
    dot(sum, sum).sqrt()
}

/// True when two pieces surely neither cross nor touch, but where one follows the other.
fn are_apart(one: &Piece, other: &Piece, following: bool, closing: bool) -> bool {
    if (0..3).any(|axis| one.low[axis] > other.high[axis] || other.low[axis] > one.high[axis]) {
        return true;
    }
    let other_start = seen_from(one, other.start);
    let other_end = seen_from(one, other.end);
    let one_start = seen_from(other, one.start);
    let one_end = seen_from(other, one.end);
    let touches = (other_start.1 && !following)
        || (other_end.1 && !closing)
        || (one_start.1 && !closing)
        || (one_end.1 && !following);
    let crosses = !following
        && !closing
        && other_start.0 * other_end.0 <= 0.0
        && one_start.0 * one_end.0 <= 0.0;
    !touches && !crosses
}

/// How far aside of a piece's line a place is, and whether it may lie on the piece.
fn seen_from(piece: &Piece, place: Vector) -> (f64, bool) {
    let offset = minus(place, piece.start);
    let side_m = dot(offset, piece.lateral);
    let ahead_m = dot(offset, piece.along);
    let on_it =
        side_m.abs() <= TOUCH_M && ahead_m >= -TOUCH_M && ahead_m <= piece.length_m + TOUCH_M;
    (side_m, on_it)
}

fn piece(from: (Vector, Vector), to: (Vector, Vector)) -> Option<Piece> {
    let step = minus(to.0, from.0);
    let length_m = dot(step, step).sqrt();
    if !(length_m > TOUCH_M && length_m < LONGEST_M) {
        return None;
    }
    let along = step.map(|x| x / length_m);
    let normal = [0, 1, 2].map(|axis| from.1[axis] + to.1[axis]);
    let lateral = cross(along, normal);
    let size = dot(lateral, lateral).sqrt();
    // The surface rises above a chord by L²/(8R); so much further out can two pieces meet.
    let pad_m = 1.2 / 8.0 / 6.3e6 * length_m * length_m + 4.0 * TOUCH_M;
    Some(Piece {
        start: from.0,
        end: to.0,
        along,
        lateral: lateral.map(|x| x / size),
        length_m,
        low: [0, 1, 2].map(|axis| from.0[axis].min(to.0[axis]) - pad_m),
        high: [0, 1, 2].map(|axis| from.0[axis].max(to.0[axis]) + pad_m),
    })
}

/// A place of the ellipsoid in metres, and the normal of the surface there.
fn earth_centred(lat: f64, lon: f64) -> (Vector, Vector) {
    let normal = [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()];
    let across_m = A_M / (1.0 - E2 * normal[2] * normal[2]).sqrt();
    let place = [
        normal[0] * across_m,
        normal[1] * across_m,
        normal[2] * across_m * (1.0 - E2),
    ];
    (place, normal)
}

fn minus(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simple(ring: &[(f64, f64)]) -> bool {
        let (lat, lon): (Vec<f64>, Vec<f64>) = ring.iter().copied().unzip();
        is_surely_simple(&lat, &lon)
    }

    #[test]
    fn usual_rings_are_simple_either_way_round_and_anywhere() {
        let square = [(0.0, 0.0), (0.0, 0.3), (0.3, 0.3), (0.3, 0.0)];
        for (north, east) in [(0.0, 0.0), (59.0, 179.9), (-89.9, 0.0), (89.6, -180.0)] {
            let moved: Vec<_> = square.iter().map(|&(a, o)| (a + north, o + east)).collect();
            let turned: Vec<_> = moved.iter().rev().copied().collect();
            assert!(simple(&moved), "{north}");
            assert!(simple(&turned), "{north}");
        }
        let star: Vec<_> = (0..100)
            .map(|k| {
                let (r, a) = (if k % 2 == 0 { 0.2 } else { 0.1 }, f64::from(k) * 0.062_8);
                (48.0 + r * a.sin(), 8.0 + r * a.cos())
            })
            .collect();
        assert!(simple(&star));
    }

    #[test]
    fn what_crosses_touches_or_repeats_is_left() {
        for ring in [
            vec![(0.0, 0.0), (0.3, 0.3), (0.0, 0.3), (0.3, 0.0)],
            vec![(0.0, 0.0), (0.0, 0.2), (0.0, 0.1)],
            vec![(0.0, 0.0), (0.0, 0.2), (0.2, 0.1), (0.0, 0.1), (-0.1, 0.1)],
            vec![(0.0, 0.0), (0.0, 0.0), (0.2, 0.1)],
            vec![(0.0, 0.0), (0.0, 0.2), (0.2, 0.2), (0.0, 0.000_000_01)],
            vec![(0.0, 0.0), (0.0, 0.5), (0.2, 0.2)],
            vec![(0.0, 0.0), (0.0, 0.2)],
            vec![(0.0, 0.0), (0.000_01, 0.0), (0.0, 0.000_01)],
            vec![(f64::NAN, 0.0), (0.0, 0.2), (0.2, 0.2)],
        ] {
            assert!(!simple(&ring), "{ring:?}");
        }
    }
}
