//! A path moved to the side, built as it would be declared.
//!
//! Same times and altitudes, so far to the right of the plan along geodesics. At a waypoint the
//! moved legs are joined on the line that halves the turn, beyond a right angle short of where they
//! meet. An end that keeps its place is left or reached along its leg. Long legs get places in
//! between, because the line at one distance from a geodesic is none.

use crate::geodesic::{direct, inverse, BadArgument};

/// A leg of 100 km, moved by 20 NM, is a metre off the line at that distance (y·L²/8R²).
const LONGEST_LEG_M: f64 = 100_000.0;
const FARTHEST_JOINT: f64 = std::f64::consts::SQRT_2;
/// Sine of a turn that counts as right back, to the right: rounding must not choose its side.
pub const RIGHT_BACK: f64 = 1e-3;
const E7: f64 = 1e7;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waypoint {
    pub lat_deg: f64,
    pub lon_deg: f64,
    pub at_ms: i64,
    pub altitude_tmm: i64,
}

/// Which ends keep place and altitude: one from which it climbs, one to which it descends.
pub fn kept_ends(waypoints: &[Waypoint]) -> (bool, bool) {
    match waypoints {
        [first, second, ..] => {
            let n = waypoints.len();
            let (last, before) = (&waypoints[n - 1], &waypoints[n - 2]);
            (
                first.altitude_tmm < second.altitude_tmm,
                last.altitude_tmm < before.altitude_tmm,
            )
        }
        _ => (false, false),
    }
}

#[derive(Clone, Copy)]
struct Course {
    length_m: f64,
    start_deg: f64,
    end_deg: f64,
}

/// Where a waypoint goes for each metre: `far` metres, `half_deg` beyond the right of `into_deg`.
#[derive(Clone, Copy)]
struct Joint {
    into_deg: f64,
    half_deg: f64,
    far: f64,
}

impl Joint {
    /// Metres along and across the leg after it, or before it, for each metre.
    fn parts(&self, leaving: bool) -> (f64, f64) {
        let (sine, cosine) = libm::sincos(self.half_deg.to_radians());
        let along = if leaving { sine } else { -sine };
        (self.far * along, self.far * cosine)
    }
}

/// Returns the waypoints of the same flight `offset_m` to the right, whole 10⁻⁷ degrees.
pub fn moved_aside(waypoints: &[Waypoint], offset_m: f64) -> Result<Vec<Waypoint>, BadArgument> {
    let mut legs = Vec::with_capacity(waypoints.len());
    for pair in waypoints.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        let (length_m, start_deg, end_deg) = inverse(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)?;
        legs.push((length_m > 0.0).then_some(Course {
            length_m,
            start_deg,
            end_deg,
        }));
    }
    let joints = joints(&legs, kept_ends(waypoints));
    let mut moved = Vec::with_capacity(waypoints.len());
    for (k, (waypoint, joint)) in waypoints.iter().zip(&joints).enumerate() {
        if let Some(before) = k.checked_sub(1) {
            if let Some(leg) = legs[before].filter(|leg| leg.length_m > LONGEST_LEG_M) {
                let ends = (&waypoints[before], waypoint);
                between(leg, ends, (&joints[before], joint), offset_m, &mut moved)?;
            }
        }
        moved.push(if joint.far == 0.0 {
            *waypoint
        } else {
            let azimuth = joint.into_deg + 90.0 + joint.half_deg;
            placed(waypoint, azimuth, offset_m * joint.far)?
        });
    }
    Ok(moved)
}

fn joints(legs: &[Option<Course>], kept: (bool, bool)) -> Vec<Joint> {
    let count = legs.len();
    let mut before = vec![None; count + 1];
    let mut after = vec![None; count + 1];
    for k in 0..count {
        before[k + 1] = legs[k].map_or(before[k], |leg| Some(leg.end_deg));
    }
    for k in (0..count).rev() {
        after[k] = legs[k].map_or(after[k + 1], |leg| Some(leg.start_deg));
    }
    (0..=count)
        .map(|k| {
            let into_deg = before[k].or(after[k]).unwrap_or(0.0);
            let out_deg = after[k].unwrap_or(into_deg);
            let half_deg = half_turn(out_deg - into_deg);
            let cosine = libm::cos(half_deg.to_radians());
            let stays = (k == 0 && kept.0) || (k == count && kept.1);
            let far = if stays {
                0.0
            } else if cosine * FARTHEST_JOINT > 1.0 {
                1.0 / cosine
            } else {
                FARTHEST_JOINT
            };
            Joint {
                into_deg,
                half_deg,
                far,
            }
        })
        .collect()
}

/// Half of a turn, within ±90 degrees; right back is to the right.
fn half_turn(deg: f64) -> f64 {
    let turn = deg - 360.0 * (deg / 360.0).round();
    let back = turn.abs() > 90.0 && libm::sin(turn.to_radians()).abs() < RIGHT_BACK;
    0.5 * if back { turn.abs() } else { turn }
}

fn between(
    leg: Course,
    (a, b): (&Waypoint, &Waypoint),
    (start, end): (&Joint, &Joint),
    offset_m: f64,
    out: &mut Vec<Waypoint>,
) -> Result<(), BadArgument> {
    let ((along0, across0), (along1, across1)) = (start.parts(true), end.parts(false));
    let parts = (leg.length_m / LONGEST_LEG_M).ceil().clamp(1.0, 1e6) as i128;
    let lasts = i128::from(b.at_ms) - i128::from(a.at_ms);
    let mut last_ms = a.at_ms;
    for part in 1..parts {
        // Whole milliseconds first, then the place at exactly that instant.
        let at_ms = (i128::from(a.at_ms) + lasts * part / parts) as i64;
        if at_ms <= last_ms {
            continue;
        }
        last_ms = at_ms;
        let f = (at_ms - a.at_ms) as f64 / lasts as f64;
        let (lat_deg, lon_deg, course) =
            direct(a.lat_deg, a.lon_deg, leg.start_deg, leg.length_m * f)?;
        let along = along0 + (along1 - along0) * f;
        let across = across0 + (across1 - across0) * f;
        let azimuth = course + libm::atan2(across, along).to_degrees();
        let climb = (b.altitude_tmm - a.altitude_tmm) as f64 * f;
        let on = Waypoint {
            lat_deg,
            lon_deg,
            at_ms,
            altitude_tmm: a.altitude_tmm + climb.round() as i64,
        };
        out.push(placed(&on, azimuth, offset_m * libm::hypot(along, across))?);
    }
    Ok(())
}

fn placed(from: &Waypoint, azimuth: f64, distance_m: f64) -> Result<Waypoint, BadArgument> {
    let (lat, lon, _) = direct(from.lat_deg, from.lon_deg, azimuth, distance_m)?;
    let lon = (lon * E7).round();
    Ok(Waypoint {
        lat_deg: (lat * E7).round() / E7,
        lon_deg: if lon >= 180.0 * E7 {
            lon - 360.0 * E7
        } else {
            lon
        } / E7,
        ..*from
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geodesic::distance;

    fn at(seconds: i64, lat_deg: f64, lon_deg: f64, altitude_tmm: i64) -> Waypoint {
        Waypoint {
            lat_deg,
            lon_deg,
            at_ms: seconds * 1_000,
            altitude_tmm,
        }
    }

    #[test]
    fn a_straight_path_moves_to_the_right_by_the_offset() {
        let north = [at(0, 10.0, 20.0, 5), at(600, 10.5, 20.0, 5)];
        let moved = moved_aside(&north, 5_000.0).unwrap();
        assert_eq!(moved.len(), 2);
        for (from, to) in north.iter().zip(&moved) {
            let by = distance((from.lat_deg, from.lon_deg), (to.lat_deg, to.lon_deg));
            assert!((by - 5_000.0).abs() < 0.02 && to.lon_deg > from.lon_deg);
        }
        assert!(moved_aside(&north, -5_000.0).unwrap()[0].lon_deg < 20.0);
    }

    #[test]
    fn a_long_leg_keeps_its_distance_all_along() {
        let long = [at(0, 50.0, 0.0, 5), at(3_600, 50.0, 12.0, 5)];
        let moved = moved_aside(&long, 37_040.0).unwrap();
        assert_eq!(moved.len(), 10);
        let (length, azi, _) = inverse(50.0, 0.0, 50.0, 12.0).unwrap();
        for waypoint in &moved[1..9] {
            let f = waypoint.at_ms as f64 / 3_600_000.0;
            let (lat, lon, _) = direct(50.0, 0.0, azi, length * f).unwrap();
            let by = distance((lat, lon), (waypoint.lat_deg, waypoint.lon_deg));
            assert!((by - 37_040.0).abs() < 0.02);
        }
    }

    #[test]
    fn ends_of_a_climb_and_a_descent_stay() {
        let flight = [
            at(0, 10.0, 20.0, 0),
            at(600, 10.5, 20.0, 5),
            at(900, 10.8, 20.2, 5),
            at(1_500, 11.0, 20.5, 0),
        ];
        let moved = moved_aside(&flight, 5_000.0).unwrap();
        assert_eq!((moved[0], moved[3]), (flight[0], flight[3]));
        assert_ne!(moved[1], flight[1]);
    }

    #[test]
    fn hovering_stays_hovering() {
        let flight = [
            at(0, 10.0, 20.0, 5),
            at(60, 10.01, 20.0, 5),
            at(120, 10.01, 20.0, 5),
            at(180, 10.01, 20.01, 5),
        ];
        let moved = moved_aside(&flight, 100.0).unwrap();
        assert_eq!(moved[1].lat_deg, moved[2].lat_deg);
        assert_eq!(moved[1].lon_deg, moved[2].lon_deg);
        let still = [at(0, 10.0, 20.0, 5), at(60, 10.0, 20.0, 5)];
        assert!(moved_aside(&still, 100.0).unwrap()[0].lon_deg > 20.0);
    }
}
