//! A path moved to the side: the same times and altitudes, `y` metres to the right of the plan.
//!
//! At a waypoint the moved legs are joined on the line that halves the turn; an end that keeps its
//! place is left or reached along its leg. Places here are good to decimetres: they choose which
//! offsets to build and screen, and only the screen of what was built decides.

use crate::aside::RIGHT_BACK;
use crate::bounds;
use crate::convex::Polygon;
use crate::ellipsoid::{normal, R_MIN};
use crate::interval::{near_point, Span};
use crate::leg::Edge;
use crate::limits::{Limits, Vertical};
use crate::shift::{apart, flag_distance, lag, places_near, rise, Flown};
use crate::track::{seconds, Piece};
use crate::vec3::Vec3;
use crate::vertical::ramps_near;
use crate::way::Way;

/// A joint is moved no farther than this many times the offset: beyond a right angle the moved legs
/// are joined short of where they meet.
const FARTHEST_JOINT: f64 = std::f64::consts::SQRT_2;
/// Shorter chords have no direction, metres.
const STILL_M: f64 = 1e-3;

/// How far each end of a piece moves for one metre of offset.
pub type Sideways = [Vec3; 2];

fn unit(v: Vec3) -> Option<Vec3> {
    let length = v.norm();
    (length > 0.0).then(|| v * (1.0 / length))
}

/// Direction of a chord along the surface at a place.
fn course(piece: &Piece, place: Vec3) -> Option<Vec3> {
    let along = piece.edge.p1 - piece.edge.p0;
    if along.norm() < STILL_M {
        return None;
    }
    let up = normal(place);
    unit(along - up * along.dot(up))
}

fn right_of(course: Vec3, place: Vec3) -> Vec3 {
    course.cross(normal(place))
}

/// Where a waypoint goes for one metre of offset, from the courses into and out of it.
fn joint(into: Vec3, out: Vec3, place: Vec3) -> Vec3 {
    let right = right_of(into, place);
    let cosine = into.dot(out).clamp(-1.0, 1.0);
    let half_cosine = (0.5 * (1.0 + cosine)).sqrt();
    let half_sine = (0.5 * (1.0 - cosine)).sqrt();
    // Turning right, the moved legs meet before the waypoint; so where it turns right back, which
    // is neither to the right nor to the left.
    let sine = out.dot(right);
    let half_sine = if sine >= 0.0 || (cosine < 0.0 && sine.abs() < RIGHT_BACK) {
        -half_sine
    } else {
        half_sine
    };
    let far = if half_cosine * FARTHEST_JOINT > 1.0 {
        1.0 / half_cosine
    } else {
        FARTHEST_JOINT
    };
    (right * half_cosine + into * half_sine) * far
}

/// How every piece of a path moves, in the order of the pieces.
pub fn sideways(way: &Way<'_>) -> Vec<Sideways> {
    let pieces: Vec<Piece> = (0..way.pieces()).map(|k| way.piece(k)).collect();
    let legs = way.legs() as usize;
    // Courses at both ends of each leg that has a length.
    let mut courses: Vec<Option<(Vec3, Vec3)>> = vec![None; legs];
    let mut places = vec![Vec3::ZERO; legs + 1];
    for piece in &pieces {
        let leg = piece.edge.leg as usize;
        let starts = course(piece, piece.edge.p0);
        let ends = course(piece, piece.edge.p1);
        if let (Some(starts), Some(ends)) = (starts, ends) {
            let first = courses[leg].map_or(starts, |c| c.0);
            courses[leg] = Some((first, ends));
        }
        if piece.edge.f0 <= 0.0 {
            places[leg] = piece.edge.p0;
        }
        places[leg + 1] = piece.edge.p1;
    }
    let (first, last) = way.kept_ends();
    let moves: Vec<Vec3> = (0..=legs)
        .map(|k| {
            if (k == 0 && first) || (k == legs && last) {
                return Vec3::ZERO;
            }
            let before = courses[..k].iter().rev().flatten().next().map(|c| c.1);
            let after = courses[k..].iter().flatten().next().map(|c| c.0);
            let place = places[k];
            match (before.or(after), after.or(before)) {
                (Some(into), Some(out)) => joint(into, out, place),
                // It hovers all the time: the right of north.
                _ => unit(Vec3::new(0.0, 0.0, 1.0).cross(normal(place))).unwrap_or(Vec3::ZERO),
            }
        })
        .collect();
    pieces
        .iter()
        .map(|piece| {
            let leg = piece.edge.leg as usize;
            let (from, to) = (moves[leg], moves[leg + 1]);
            let Some((starts, ends)) = courses[leg] else {
                return [from, to];
            };
            // Along and across the leg, linear from its start to its end.
            let parts = |course: Vec3, place: Vec3, of: Vec3| {
                (of.dot(course), of.dot(right_of(course, place)))
            };
            let (a0, c0) = parts(starts, places[leg], from);
            let (a1, c1) = parts(ends, places[leg + 1], to);
            [
                (piece.edge.f0, piece.edge.p0),
                (piece.edge.f1, piece.edge.p1),
            ]
            .map(|(f, place)| {
                let course = course(piece, place).unwrap_or(starts);
                course * (a0 + (a1 - a0) * f) + right_of(course, place) * (c0 + (c1 - c0) * f)
            })
        })
        .collect()
}

/// The piece as it is flown `offset_m` to the right.
pub fn moved(own: &Flown, sideways: &Sideways, offset_m: f64) -> Flown {
    let piece = &own.piece;
    let place = |at: Vec3, by: Vec3| {
        let by = by * offset_m;
        // Along the surface, which falls away from the tangent.
        at + by - normal(at) * (by.norm2() / (2.0 * R_MIN))
    };
    let p0 = place(piece.edge.p0, sideways[0]);
    let p1 = place(piece.edge.p1, sideways[1]);
    let edge = Edge {
        p0,
        p1,
        length: bounds::arc((p1 - p0).norm()),
        ..piece.edge
    };
    let velocity = (p1 - p0) * (1.0 / seconds(piece.t0_us, piece.t1_us));
    Flown::new(
        Piece {
            edge,
            velocity,
            ..*piece
        },
        own.ramp,
    )
}

/// True when two pieces conflict at their planned times, give or take `window` seconds.
pub fn conflict(a: &Flown, b: &Flown, limits: &Limits, window: f64) -> bool {
    let start = a.piece.t0_us.max(b.piece.t0_us);
    let end = a.piece.t1_us.min(b.piece.t1_us);
    if (start >= end && window <= 0.0) || !places_near(a, b, limits) {
        return false;
    }
    let r = flag_distance(a, b, limits);
    if window > 0.0 {
        let lag = lag(a, b);
        let rectangle = Polygon::rectangle(a.length_s(), b.length_s());
        let mut both = rectangle.within(lag, window);
        if limits.vertical == Vertical::Compared {
            let height = limits.height_tmm as f64;
            both = both.and_then(|p| p.within(rise(a, b, limits), height));
        }
        return both.is_some_and(|p| p.extremes(&apart(a, b), r, lag).is_some());
    }
    let p = a.piece.at(start, 0.0) - b.piece.at(start, 0.0);
    let v = a.piece.velocity - b.piece.velocity;
    let Some(near) = near_point(p, v, r, Span::new(0.0, seconds(start, end))) else {
        return false;
    };
    limits.vertical != Vertical::Compared
        || ramps_near(
            &a.ramp,
            &b.ramp,
            limits.shift_tmm,
            limits.height_tmm,
            start,
            near,
        )
        .is_some_and(|span| span.length() > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Vec3 = Vec3 {
        x: 6_378_137.0,
        y: 0.0,
        z: 0.0,
    };

    #[test]
    fn straight_on_a_waypoint_moves_to_the_right_by_the_offset() {
        // On the equator at 0° east: north is +z, east +y, and right of north is east.
        let north = Vec3::new(0.0, 0.0, 1.0);
        assert!((joint(north, north, UP) - Vec3::new(0.0, 1.0, 0.0)).norm() < 1e-12);
    }

    #[test]
    fn a_joint_lies_on_both_moved_legs() {
        let north = Vec3::new(0.0, 0.0, 1.0);
        for turn in [-80.0_f64, -30.0, 10.0, 60.0, 89.0] {
            let (sine, cosine) = turn.to_radians().sin_cos();
            let out = Vec3::new(0.0, sine, cosine);
            let found = joint(north, out, UP);
            let right_in = right_of(north, UP);
            let right_out = right_of(out, UP);
            assert!((found.dot(right_in) - 1.0).abs() < 1e-12, "{turn}");
            assert!((found.dot(right_out) - 1.0).abs() < 1e-12, "{turn}");
        }
    }

    #[test]
    fn a_sharp_turn_is_joined_short() {
        let north = Vec3::new(0.0, 0.0, 1.0);
        let back = Vec3::new(0.0, 0.01, -1.0);
        assert!(joint(north, back, UP).norm() < FARTHEST_JOINT + 1e-9);
    }

    #[test]
    fn places_are_those_of_the_path_that_is_built() {
        use crate::aside::{moved_aside, Waypoint};
        use crate::ellipsoid::surface;
        use crate::input::Trajectories;
        use crate::limits::Minima;
        use crate::way::Ways;
        let lat = [0.5426215, 0.4673152, 0.0, 0.2469966, 0.0, 0.3];
        let lon = [179.99, 179.856048, 179.99, 179.7954566, 179.99, 179.99];
        let time = [0.0, 100.0, 1_462.929, 3_219.591, 3_909.505, 4_000.0];
        let minima = Minima {
            count: 1,
            lateral_m: vec![9_260.0],
            vertical_tmm: vec![1],
        };
        let table = Trajectories {
            offsets: &[0, 6],
            lat_deg: &lat,
            lon_deg: &lon,
            time_s: &time,
            altitude_tmm: &[0; 6],
            lateral_m: &[0.0],
            vertical_tmm: &[0],
            window_s: &[0.0],
            party: &[0],
            purpose: &[0],
            reference: &[0],
            side: &[0],
        };
        let ways = Ways::new(&table, &minima, 1, true, 1).unwrap();
        let way = ways.get(0).unwrap();
        let waypoints: Vec<Waypoint> = (0..6)
            .map(|k| Waypoint {
                lat_deg: lat[k],
                lon_deg: lon[k],
                at_ms: (time[k] * 1e3) as i64,
                altitude_tmm: 0,
            })
            .collect();
        let sideways = sideways(&way);
        for offset in [-18_520.0, 100.0, 18_520.0] {
            let built = moved_aside(&waypoints, offset).unwrap();
            for (k, sideways) in sideways.iter().enumerate() {
                let piece = way.piece(k);
                let found = moved(&Flown::new(piece, way.ramp(&piece)), sideways, offset).piece;
                let leg = piece.edge.leg as usize;
                let (from, to) = (built[leg], built[leg + 1]);
                let (length, azi, _) =
                    crate::geodesic::inverse(from.lat_deg, from.lon_deg, to.lat_deg, to.lon_deg)
                        .unwrap();
                for (f, place) in [
                    (piece.edge.f0, found.edge.p0),
                    (piece.edge.f1, found.edge.p1),
                ] {
                    let (lat, lon, _) =
                        crate::geodesic::direct(from.lat_deg, from.lon_deg, azi, length * f)
                            .unwrap();
                    let off = (place - surface(lat, lon)).norm();
                    assert!(off < 2.0, "leg {leg} at {f}, {offset} m: {off} m off");
                }
            }
        }
    }
}
