//! A trajectory made ready, as a view into the columns of its set: legs, and the straight pieces
//! they are cut into.

use crate::leg::{Edge, Leg};
use crate::order::Digest;
use crate::vec3::Vec3;
use crate::vertical::Ramp;

pub const MICROSECONDS_PER_SECOND: f64 = 1e6;

/// Seconds from one instant to another.
#[inline]
pub fn seconds(from_us: i64, to_us: i64) -> f64 {
    (to_us - from_us) as f64 / MICROSECONDS_PER_SECOND
}

/// A chord flown at constant velocity.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub edge: Edge,
    pub t0_us: i64,
    pub t1_us: i64,
    pub velocity: Vec3,
}

impl Piece {
    pub fn new(edge: Edge, t0_us: i64, t1_us: i64) -> Piece {
        let velocity = (edge.p1 - edge.p0) * (1.0 / seconds(t0_us, t1_us));
        Piece {
            edge,
            t0_us,
            t1_us,
            velocity,
        }
    }

    /// Place on the chord at `t` seconds after `base_us`.
    pub fn at(&self, base_us: i64, t: f64) -> Vec3 {
        self.edge.p0 + self.velocity * (t - seconds(base_us, self.t0_us))
    }
}

/// Waypoints, and the vertices between which pieces are straight: the same, unless legs were cut.
#[derive(Clone, Copy)]
pub struct Track<'a> {
    /// First and last instant.
    pub span_us: (i64, i64),
    pub times_us: &'a [i64],
    pub lat_deg: &'a [f64],
    pub lon_deg: &'a [f64],
    pub altitudes_tmm: &'a [i64],
    /// When and where the pieces join, one more than pieces.
    pub vertex_us: &'a [i64],
    pub places: &'a [Vec3],
    /// The leg of each piece; empty where no leg was cut and piece `k` is leg `k`.
    pub legs: &'a [u32],
    pub digest: &'a Digest,
    pub lateral_m: f64,
    pub vertical_tmm: i64,
    pub window_us: i64,
    pub party: u32,
    pub purpose: u16,
    pub reference: u8,
    pub side: u8,
}

impl Track<'_> {
    pub fn pieces(&self) -> usize {
        self.places.len() - 1
    }

    pub fn start_us(&self) -> i64 {
        self.span_us.0
    }

    pub fn end_us(&self) -> i64 {
        self.span_us.1
    }

    /// The leg that a piece belongs to.
    #[inline]
    pub fn leg_of(&self, piece: usize) -> u32 {
        self.legs.get(piece).copied().unwrap_or(piece as u32)
    }

    pub fn leg(&self, leg: u32) -> Leg {
        let k = leg as usize;
        Leg {
            lat0: self.lat_deg[k],
            lon0: self.lon_deg[k],
            lat1: self.lat_deg[k + 1],
            lon1: self.lon_deg[k + 1],
        }
    }

    pub fn leg_times(&self, leg: u32) -> (i64, i64) {
        let leg = leg as usize;
        (self.times_us[leg], self.times_us[leg + 1])
    }

    pub fn piece(&self, k: usize) -> Piece {
        let (t0_us, t1_us) = (self.vertex_us[k], self.vertex_us[k + 1]);
        let mut edge = Edge::between(self.leg_of(k), self.places[k], self.places[k + 1]);
        if !self.legs.is_empty() {
            let (from, to) = self.leg_times(edge.leg);
            let fraction = |at: i64| (at - from) as f64 / (to - from) as f64;
            (edge.f0, edge.f1) = (fraction(t0_us), fraction(t1_us));
        }
        Piece::new(edge, t0_us, t1_us)
    }

    /// Altitude along a leg.
    pub fn ramp(&self, leg: u32) -> Ramp {
        let (t0_us, t1_us) = self.leg_times(leg);
        Ramp {
            t0_us,
            t1_us,
            h0_tmm: self.altitudes_tmm[leg as usize],
            h1_tmm: self.altitudes_tmm[leg as usize + 1],
        }
    }

    /// Lowest and highest altitude of a leg.
    #[inline]
    pub fn band(&self, leg: u32) -> (i64, i64) {
        let leg = leg as usize;
        let (h0, h1) = (self.altitudes_tmm[leg], self.altitudes_tmm[leg + 1]);
        (h0.min(h1), h0.max(h1))
    }

    /// Cuts a piece at its middle microsecond; none when it is too short to cut.
    pub fn halves(&self, piece: &Piece) -> Option<[Piece; 2]> {
        let middle = piece.t0_us + (piece.t1_us - piece.t0_us) / 2;
        if middle <= piece.t0_us || middle >= piece.t1_us {
            return None;
        }
        let (t0, t1) = self.leg_times(piece.edge.leg);
        let f = (middle - t0) as f64 / (t1 - t0) as f64;
        let place = self.leg(piece.edge.leg).place(f);
        let span = piece.edge.f1 - piece.edge.f0;
        let share = |f0: f64, f1: f64| piece.edge.length * ((f1 - f0) / span) * (1.0 + 1e-12);
        let before = Edge {
            f1: f,
            p1: place,
            length: share(piece.edge.f0, f),
            ..piece.edge
        };
        let after = Edge {
            f0: f,
            p0: place,
            length: share(f, piece.edge.f1),
            ..piece.edge
        };
        Some([
            Piece::new(before, piece.t0_us, middle),
            Piece::new(after, middle, piece.t1_us),
        ])
    }

    /// The leg flown at `t` seconds after `base_us`, and the fraction of it flown by then.
    pub fn progress(&self, base_us: i64, t: f64) -> (u32, f64) {
        let at = seconds(self.start_us(), base_us) + t;
        let gone = |us: i64| seconds(self.start_us(), us) <= at;
        // Found by whole numbers, which takes no division for each that is looked at, then put
        // right by what decides.
        let about_us = (at * MICROSECONDS_PER_SECOND) as i64;
        let about_us = self.start_us().saturating_add(about_us);
        let mut after = self.after(about_us);
        while self.times_us.get(after).is_some_and(|&us| gone(us)) {
            after += 1;
        }
        while after > 0 && !gone(self.times_us[after - 1]) {
            after -= 1;
        }
        let leg = after.clamp(1, self.times_us.len() - 1) - 1;
        let (t0, t1) = self.leg_times(leg as u32);
        let fraction = (at - seconds(self.start_us(), t0)) / seconds(t0, t1);
        (leg as u32, fraction.clamp(0.0, 1.0))
    }

    /// How many waypoints lie at or before an instant: looked for first where they would, did all
    /// legs last alike.
    fn after(&self, at_us: i64) -> usize {
        const NEAR: usize = 4;
        let (times, count) = (self.times_us, self.times_us.len());
        let share = (at_us.saturating_sub(self.start_us())) as f64
            / (self.end_us().saturating_sub(self.start_us())) as f64;
        let about = ((share * count as f64) as usize).min(count);
        let (from, to) = (about.saturating_sub(NEAR), (about + NEAR).min(count));
        let there = (from == 0 || times[from - 1] <= at_us) && (to == count || at_us < times[to]);
        let (from, to) = if there { (from, to) } else { (0, count) };
        from + times[from..to].partition_point(|&us| us <= at_us)
    }

    /// Latitude and longitude at `t` seconds after `base_us`, to some nanometres.
    pub fn exact_position(&self, base_us: i64, t: f64) -> (f64, f64) {
        let (leg, fraction) = self.progress(base_us, t);
        self.leg(leg).point(fraction)
    }

    /// Latitude and longitude at `t` seconds after `base_us`, within
    /// [`crate::leg::NEAR_POINT_M`] of the truth.
    pub fn position(&self, base_us: i64, t: f64) -> (f64, f64) {
        let (leg, fraction) = self.progress(base_us, t);
        self.leg(leg).near_point(fraction)
    }

    /// Altitude at `t` seconds after `base_us`, tenths of a millimetre.
    pub fn altitude(&self, base_us: i64, t: f64) -> f64 {
        let (leg, fraction) = self.progress(base_us, t);
        let h0 = self.altitudes_tmm[leg as usize];
        let h1 = self.altitudes_tmm[leg as usize + 1];
        h0 as f64 + (h1 - h0) as f64 * fraction
    }

    /// True exactly when the leg has no length: the aircraft hovers.
    pub fn hovers(&self, leg: u32) -> bool {
        let leg = self.leg(leg);
        leg.lat0 == leg.lat1 && leg.lon0 == leg.lon1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leg_flown_is_found_however_uneven_the_legs() {
        let even: Vec<i64> = (0..60).map(|k| k * 122_000_000).collect();
        let growing: Vec<i64> = (0..60).map(|k| k * k * k * 1_000 + k).collect();
        for times_us in [&even[..], &growing, &even[..2], &growing[..3]] {
            let (count, last) = (times_us.len(), times_us[times_us.len() - 1]);
            let track = Track {
                span_us: (times_us[0], last),
                times_us,
                lat_deg: &[],
                lon_deg: &[],
                altitudes_tmm: &[],
                vertex_us: times_us,
                places: &[],
                legs: &[],
                digest: &Digest::default(),
                lateral_m: 0.0,
                vertical_tmm: 0,
                window_us: 0,
                party: 0,
                purpose: 0,
                reference: 0,
                side: 0,
            };
            for at_us in times_us.iter().flat_map(|us| [us - 1, *us, us + 1]) {
                let gone = times_us.partition_point(|&us| us <= at_us);
                assert_eq!(track.after(at_us), gone);
                let (leg, fraction) = track.progress(0, seconds(0, at_us));
                assert_eq!(leg as usize, gone.clamp(1, count - 1) - 1);
                assert!((0.0..=1.0).contains(&fraction));
            }
            let far = [f64::NEG_INFINITY, -1e300, 1e300, f64::INFINITY, f64::NAN];
            assert!(far
                .iter()
                .all(|&t| track.progress(0, t).0 as usize <= count - 2));
        }
    }
}
