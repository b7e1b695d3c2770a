//! Made-up flights for tests: some level, some climbing, some with windows, some long.

use crate::grid::Set;
use crate::input::Trajectories;
use crate::interval::point_to_segment;
use crate::limits::Minima;
use crate::stretch::{may_meet, Bounding, Stretch, Ticks, STEPS_PER_M};
use crate::tracks::Tracks;
use crate::vec3::Vec3;
use crate::vertical::References;

/// Columns of flights within so many metres of 47° N 9° E, in two hours.
pub struct Scatter {
    offsets: Vec<i64>,
    lat_deg: Vec<f64>,
    lon_deg: Vec<f64>,
    time_s: Vec<f64>,
    altitude_tmm: Vec<i64>,
    window_s: Vec<f64>,
    side: Vec<u8>,
}

impl Scatter {
    pub fn new(seed: u64, count: usize, far_m: f64) -> Scatter {
        let mut state = seed;
        let mut next = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1_u32 << 31)
        };
        let mut made = Scatter {
            offsets: vec![0],
            lat_deg: Vec::new(),
            lon_deg: Vec::new(),
            time_s: Vec::new(),
            altitude_tmm: Vec::new(),
            window_s: Vec::new(),
            side: Vec::new(),
        };
        let far_deg = far_m / 111_000.0;
        for _ in 0..count {
            let lat: f64 = 47.0 + far_deg * (next() - 0.5);
            let mut lat = lat.clamp(-89.0, 89.0);
            let mut lon = (9.0 + 1.5 * far_deg * (next() - 0.5)).clamp(-300.0, 300.0);
            let mut time_s = (next() * 7_200.0).floor();
            let mut altitude = (next() * 12.0).floor() * 3_048_000.0;
            let slow = if next() < 0.1 { 40.0 } else { 1.0 };
            for _ in 0..2 + (next() * 20.0) as usize {
                made.lat_deg.push(lat);
                made.lon_deg.push(lon);
                made.time_s.push(time_s);
                made.altitude_tmm.push(altitude as i64);
                lat = (lat + slow * 0.3 * (next() - 0.5)).clamp(-89.5, 89.5);
                lon = (lon + slow * 0.3 * (next() - 0.5)).clamp(-359.0, 359.0);
                time_s += slow * (30.0 + (next() * 300.0).floor());
                if next() < 0.3 {
                    altitude += 6e6 * (next() - 0.5);
                }
            }
            made.offsets.push(made.lat_deg.len() as i64);
            made.window_s.push(if next() < 0.1 { 120.0 } else { 0.0 });
            made.side.push(if next() < 0.2 { 1 } else { 0 });
        }
        made
    }

    /// Calls with the set of these flights.
    pub fn with_set(&self, minima: Minima, call: impl FnOnce(&Set<'_>)) {
        let count = self.window_s.len();
        let (none_f64, none_i64) = (vec![0.0; count], vec![0; count]);
        let party: Vec<u32> = (0..count as u32).map(|k| k % 100).collect();
        let (purpose, reference) = (vec![0; count], vec![0; count]);
        let table = Trajectories {
            offsets: &self.offsets,
            lat_deg: &self.lat_deg,
            lon_deg: &self.lon_deg,
            time_s: &self.time_s,
            altitude_tmm: &self.altitude_tmm,
            lateral_m: &none_f64,
            vertical_tmm: &none_i64,
            window_s: &self.window_s,
            party: &party,
            purpose: &purpose,
            reference: &reference,
            side: &self.side,
        };
        let references = References {
            count: 1,
            comparable: vec![1],
            offset_lo_tmm: vec![0],
            offset_hi_tmm: vec![0],
        };
        let tracks = Tracks::new(&table, 1, 1, 1).unwrap();
        let spans_us: Vec<(i64, i64)> = (0..count)
            .map(|row| {
                let (start, end) = tracks.span_us(row);
                let window_us = tracks.get(row).window_us;
                (start - window_us, end + window_us)
            })
            .collect();
        let first_us = spans_us.iter().map(|s| s.0).min().unwrap();
        let last_us = spans_us.iter().map(|s| s.1).max().unwrap();
        let ticks = Ticks::new(first_us, last_us);
        let bounding = Bounding::new(&minima, &references, 0, 0, ticks);
        call(&Set {
            tracks: &tracks,
            regions: &[],
            spans_us: &spans_us,
            bounding: &bounding,
            sides: &self.side,
        });
    }
}

/// What no filter may exclude: two stretches that come within their reach of one another while both
/// last, one of their bands within the other. In double precision, without any division of space
/// or time.
pub fn not_excluded(a: &Stretch, b: &Stretch, bounding: &Bounding) -> bool {
    let (from, to) = (a.from.max(b.from), a.to.min(b.to));
    let vertical = bounding.vertical();
    let ((low_a, high_a), (low_b, high_b)) = (a.band(vertical), b.band(vertical));
    if from > to || low_a > high_b || low_b > high_a {
        return false;
    }
    let at = |s: &Stretch, tick: u32| {
        let [x, y, z] = s.place.map(|steps| f64::from(steps) / STEPS_PER_M);
        let [vx, vy, vz] = s.velocity.map(f64::from);
        let since = (f64::from(tick) - f64::from(s.at)) * bounding.ticks.seconds();
        Vec3::new(x, y, z) + Vec3::new(vx, vy, vz) * since
    };
    let (p, q) = (at(a, from) - at(b, from), at(a, to) - at(b, to));
    let (distance, _) = point_to_segment(Vec3::ZERO, p, q);
    distance < f64::from(a.reach) + f64::from(b.reach) && may_meet(a, b, vertical, bounding.ticks)
}
