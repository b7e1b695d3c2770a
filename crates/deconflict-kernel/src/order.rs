//! The order in which the two objects of a pair are computed: by their content, so that the rows
//! they stand in, and what else is checked, change no bit of the result.

use std::cmp::Ordering;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::region::{Region, Shape};
use crate::track::Track;

/// What stands for the content of a trajectory, found when it is first asked for: pairs of long
/// trajectories are looked at thousands of times.
#[derive(Default)]
pub struct Digest(AtomicU64);

impl Digest {
    fn of(&self, track: &Track<'_>) -> u64 {
        // Two threads may both find it: the same.
        let known = self.0.load(Relaxed);
        if known != 0 {
            return known;
        }
        let found = digest(track).max(1);
        self.0.store(found, Relaxed);
        found
    }
}

impl Clone for Digest {
    fn clone(&self) -> Digest {
        Digest(AtomicU64::new(self.0.load(Relaxed)))
    }
}

/// True exactly when two trajectories change places.
///
/// Those of one digest keep theirs. That is nearly never more than one content, and then no bound
/// depends on it: only last digits.
pub fn swapped(x: &Track<'_>, y: &Track<'_>) -> bool {
    // Nearly all differ in when they start or end. Shifting all times alike keeps this order.
    let spans = x.span_us.cmp(&y.span_us);
    spans.then_with(|| x.digest.of(x).cmp(&y.digest.of(y))) == Ordering::Greater
}

fn digest(track: &Track<'_>) -> u64 {
    let start_us = track.start_us();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut take = |word: u64| {
        let wide = u128::from(state ^ word) * 0xD6E8_FEB8_6659_FD93_u128;
        state = (wide as u64) ^ ((wide >> 64) as u64).wrapping_add(word.rotate_left(32));
    };
    let points = track.lat_deg.iter().zip(track.lon_deg);
    let states = track.times_us.iter().zip(track.altitudes_tmm);
    for ((lat, lon), (t, h)) in points.zip(states) {
        take(lat.to_bits());
        take(lon.to_bits());
        take((t - start_us) as u64);
        take(*h as u64);
    }
    take(track.lateral_m.to_bits());
    take(track.vertical_tmm as u64);
    take(track.window_us as u64);
    take(u64::from(track.reference));
    // Not the purpose: a set numbers those it has, and the order must not depend on the set.
    state
}

pub fn by_region_content(x: &Region, y: &Region) -> Ordering {
    let places = |r: &Region| {
        let legs = r.legs.iter();
        legs.flat_map(|l| [l.lat0, l.lon0, l.lat1, l.lon1].map(f64::to_bits))
            .collect::<Vec<u64>>()
    };
    let head = |r: &Region| {
        (
            r.shape == Shape::Polygon,
            r.legs.len(),
            r.reference,
            r.purpose,
        )
    };
    head(x)
        .cmp(&head(y))
        .then_with(|| places(x).cmp(&places(y)))
        .then_with(|| x.reach_m.total_cmp(&y.reach_m))
        .then_with(|| (x.lower_tmm, x.upper_tmm).cmp(&(y.lower_tmm, y.upper_tmm)))
        .then_with(|| (x.start_us, x.end_us).cmp(&(y.start_us, y.end_us)))
}
