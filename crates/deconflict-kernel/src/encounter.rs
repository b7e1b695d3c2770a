//! Trajectory against trajectory: open, longer than a microsecond.

use crate::bounds::{self, reach, sag, tangential};
use crate::geodesic;
use crate::interval::{join, near_point, nearest_instant, Span};
use crate::leg::NEAR_POINT_M;
use crate::limits::{Hit, Limits, Settled, Vertical, EQUALLY_NEAR_M};
use crate::track::{seconds, Piece, Track};
use crate::vertical::{ramps_apart_tmm, ramps_near, ramps_nearest, Ramp};
use crate::window::{meet, Clocks, Slope};
use std::ops::Range;

/// A loss of separation must last longer than this, seconds.
pub const SHORTEST_LOSS_S: f64 = 1e-6;
/// Pieces shorter than this are not cut further, metres.
const SHORTEST_PIECE_M: f64 = 10.0;

/// Two trajectories, their limits, and the pair's own zero of time.
pub struct Pair<'a> {
    pub first: Track<'a>,
    pub second: Track<'a>,
    pub limits: Limits,
    pub base_us: i64,
    /// ε above which flagged pieces are cut further.
    pub tolerance: f64,
    /// Only hits in here are wanted.
    pub within: Span,
}

/// Two places and their geodesic distance.
#[derive(Clone, Copy, Debug)]
pub struct Witness {
    pub first_point: (f64, f64),
    pub second_point: (f64, f64),
    pub distance_m: f64,
}

impl<'a> Pair<'a> {
    pub fn new(first: Track<'a>, second: Track<'a>, limits: Limits) -> Pair<'a> {
        Pair {
            first,
            second,
            base_us: first.start_us().max(second.start_us()),
            tolerance: bounds::tolerance(limits.distance_m),
            limits,
            within: Span::new(f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    fn window_s(&self) -> f64 {
        seconds(0, self.first.window_us + self.second.window_us)
    }

    /// Adds the stretches in which pieces of these ranges come too close.
    pub fn hits(&self, first: Range<usize>, second: Range<usize>, out: &mut Vec<Hit>) {
        // Open: no distance is below a minimum of zero.
        let unknown = self.limits.vertical == Vertical::Unknown;
        if self.limits.distance_m <= 0.0 || (!unknown && self.limits.height_tmm <= 0) {
            return;
        }
        if self.first.window_us + self.second.window_us > 0 {
            self.shifted_hits(first, second, out);
            return;
        }
        let (mut i, mut j) = (first.start, second.start);
        while i < first.end && j < second.end {
            if let Some((start, end)) = self.may_be_near(i, j) {
                let (a, b) = (self.first.piece(i), self.second.piece(j));
                let common = Span::new(seconds(self.base_us, start), seconds(self.base_us, end));
                self.approach(&a, &b, common, out);
            }
            if self.first.vertex_us[i + 1] <= self.second.vertex_us[j + 1] {
                i += 1;
            } else {
                j += 1;
            }
        }
    }

    /// As [`Pair::hits`], each plan early or late within its window.
    fn shifted_hits(&self, first: Range<usize>, second: Range<usize>, out: &mut Vec<Hit>) {
        let window_us = self.first.window_us + self.second.window_us;
        let starts = &self.second.vertex_us[second.start..second.end];
        let ends = &self.second.vertex_us[second.start + 1..=second.end];
        for a in first.map(|k| self.first.piece(k)) {
            let from = ends.partition_point(|&end| end < a.t0_us - window_us);
            let until = starts.partition_point(|&start| start <= a.t1_us + window_us);
            for k in second.start + from..second.start + until {
                if self.may_ever_be_near(&a, k) {
                    self.shifted(&a, &self.second.piece(k), out);
                }
            }
        }
    }

    /// False when a quick look shows a piece of the first apart from one of the second wherever on
    /// them both are.
    #[inline]
    fn may_ever_be_near(&self, a: &Piece, k: usize) -> bool {
        let (p, q) = (self.second.places[k], self.second.places[k + 1]);
        let (a_along, b_along) = (a.edge.p1 - a.edge.p0, q - p);
        let straight2 = a_along.norm2().max(b_along.norm2());
        let longest = bounds::arc(straight2.sqrt());
        let r = reach(self.limits.distance_m, sag(longest), tangential(longest));
        let apart = a.edge.p0 + a_along * 0.5 - (p + b_along * 0.5);
        // Each may be half its length from its middle; `shifted` decides.
        let most = r + straight2.sqrt() + 2.0 * bounds::NOISE_M;
        apart.norm2() <= most * most && self.bands_near(a.edge.leg, self.second.leg_of(k))
    }

    /// The common time of two pieces, unless a quick look shows them apart throughout.
    #[inline]
    fn may_be_near(&self, i: usize, j: usize) -> Option<(i64, i64)> {
        let (a, b) = (&self.first, &self.second);
        let (a0, a1) = (a.vertex_us[i], a.vertex_us[i + 1]);
        let (b0, b1) = (b.vertex_us[j], b.vertex_us[j + 1]);
        let (start, end) = (a0.max(b0), a1.min(b1));
        if start >= end || !self.bands_near(a.leg_of(i), b.leg_of(j)) {
            return None;
        }
        let (p, q) = (a.places[i], b.places[j]);
        let (u, w) = (a.places[i + 1] - p, b.places[j + 1] - q);
        let u = u * (1.0 / seconds(a0, a1));
        let w = w * (1.0 / seconds(b0, b1));
        let apart = (p + u * seconds(a0, start)) - (q + w * seconds(b0, start));
        let v = u - w;
        let t = nearest_instant(apart, v, Span::new(0.0, seconds(start, end)));
        let straight2 = (a.places[i + 1] - p)
            .norm2()
            .max((b.places[j + 1] - q).norm2());
        let longest = bounds::arc(straight2.sqrt());
        let r = reach(self.limits.distance_m, sag(longest), tangential(longest));
        // Room for the rounding of the nearest instant; `approach` decides.
        let r = r + bounds::NOISE_M;
        ((apart + v * t).norm2() <= r * r).then_some((start, end))
    }

    /// False when the legs' altitudes are apart whatever the instant.
    fn bands_near(&self, a: u32, b: u32) -> bool {
        if self.limits.vertical != Vertical::Compared {
            return true;
        }
        let (a, b) = (self.first.band(a), self.second.band(b));
        let shift = self.limits.shift_tmm;
        a.0 + shift - b.1 < self.limits.height_tmm && b.0 - (a.1 + shift) < self.limits.height_tmm
    }

    /// One pair of pieces flown as planned, in their common time.
    fn approach(&self, a: &Piece, b: &Piece, common: Span, out: &mut Vec<Hit>) {
        let Some(common) = common.meet(self.within) else {
            return;
        };
        let d = self.limits.distance_m;
        let longest = a.edge.length.max(b.edge.length);
        let r = reach(d, sag(longest), tangential(longest));
        // From an instant of both pieces: far from the pair's zero, seconds are too coarse.
        let zero_us = a.t0_us.max(b.t0_us);
        let since = common.from - seconds(self.base_us, zero_us);
        let p = a.at(zero_us, since) - b.at(zero_us, since);
        let v = a.velocity - b.velocity;
        let own = Span::new(0.0, common.length());
        let Some(near) = near_point(p, v, r, own) else {
            return;
        };
        let near = Span::new(
            common.from + near.from,
            (common.from + near.to).min(common.to),
        );
        let Some(span) = self.vertically_near(a, b, near) else {
            return;
        };
        let excess = bounds::excess(d, longest);
        if excess > self.tolerance && longest > SHORTEST_PIECE_M {
            if a.edge.length >= b.edge.length {
                if let Some(halves) = self.first.halves(a) {
                    for half in halves {
                        self.part(&half, b, span, out);
                    }
                    return;
                }
            } else if let Some(halves) = self.second.halves(b) {
                for half in halves {
                    self.part(a, &half, span, out);
                }
                return;
            }
        }
        let at = Span::new(span.from - common.from, span.to - common.from);
        let moved = v.norm() * at.length();
        let t = if moved <= EQUALLY_NEAR_M {
            self.nearest_level(a, b, span) - common.from
        } else {
            nearest_instant(p, v, at)
        };
        out.push(Hit {
            span,
            first_t: common.from + t,
            second_t: common.from + t,
            distance: (p + v * t).norm(),
            height_tmm: self.height_tmm(a, b, common.from + t),
            excess,
            still: self.first.hovers(a.edge.leg) && self.second.hovers(b.edge.leg),
        });
    }

    fn part(&self, a: &Piece, b: &Piece, span: Span, out: &mut Vec<Hit>) {
        let from = seconds(self.base_us, a.t0_us.max(b.t0_us));
        let to = seconds(self.base_us, a.t1_us.min(b.t1_us));
        if let Some(common) = Span::new(from, to).meet(span) {
            self.approach(a, b, common, out);
        }
    }

    fn vertically_near(&self, a: &Piece, b: &Piece, span: Span) -> Option<Span> {
        if self.limits.vertical != Vertical::Compared {
            return Some(span);
        }
        let (first, second, from) = self.ramps(a, b);
        let zero = seconds(self.base_us, from);
        let own = Span::new(span.from - zero, span.to - zero);
        let near = ramps_near(
            &first,
            &second,
            self.limits.shift_tmm,
            self.limits.height_tmm,
            from,
            own,
        )?;
        Span::new(near.from + zero, near.to + zero).meet(span)
    }

    /// The ramps of two pieces, and the instant from which both count.
    fn ramps(&self, a: &Piece, b: &Piece) -> (Ramp, Ramp, i64) {
        let (first, second) = (self.first.ramp(a.edge.leg), self.second.ramp(b.edge.leg));
        let from_us = first.t0_us.max(second.t0_us);
        (first, second, from_us)
    }

    /// The instant in `span` at which two pieces are nearest in altitude; its beginning where
    /// altitudes are not compared.
    fn nearest_level(&self, a: &Piece, b: &Piece, span: Span) -> f64 {
        if self.limits.vertical != Vertical::Compared {
            return span.from;
        }
        let (first, second, from_us) = self.ramps(a, b);
        let zero = seconds(self.base_us, from_us);
        let own = Span::new(span.from - zero, span.to - zero);
        let t = ramps_nearest(&first, &second, self.limits.shift_tmm, from_us, own);
        span.clamp(t + zero)
    }

    fn height_tmm(&self, a: &Piece, b: &Piece, t: f64) -> f64 {
        if self.limits.vertical != Vertical::Compared {
            return 0.0;
        }
        let (first, second, from_us) = self.ramps(a, b);
        let own = t - seconds(self.base_us, from_us);
        ramps_apart_tmm(&first, &second, self.limits.shift_tmm, from_us, own)
    }

    /// One pair of pieces, either plan early or late within its window.
    fn shifted(&self, a: &Piece, b: &Piece, out: &mut Vec<Hit>) {
        let window = self.window_s();
        let lag = seconds(a.t0_us, b.t0_us);
        let (a_end, b_end) = (seconds(a.t0_us, a.t1_us), seconds(b.t0_us, b.t1_us));
        if lag > a_end + window || -lag > b_end + window {
            return;
        }
        let d = self.limits.distance_m;
        let longest = a.edge.length.max(b.edge.length);
        let r = reach(d, sag(longest), tangential(longest));
        let clocks = Clocks {
            p: a.edge.p0 - b.edge.p0,
            u: a.velocity,
            w: b.velocity,
            a_end,
            b_end,
            lag,
            window,
        };
        let slope = match self.limits.vertical {
            Vertical::Compared => match self.slope(a, b) {
                Some(slope) => Some(slope),
                None => return,
            },
            _ => None,
        };
        let Some(meeting) = meet(&clocks, slope, r) else {
            return;
        };
        if meeting.a.length() <= SHORTEST_LOSS_S && meeting.b.length() <= SHORTEST_LOSS_S {
            return;
        }
        let excess = bounds::excess(d, longest);
        if excess > self.tolerance && longest > SHORTEST_PIECE_M {
            if a.edge.length >= b.edge.length {
                if let Some(halves) = self.first.halves(a) {
                    halves.iter().for_each(|half| self.shifted(half, b, out));
                    return;
                }
            } else if let Some(halves) = self.second.halves(b) {
                halves.iter().for_each(|half| self.shifted(a, half, out));
                return;
            }
        }
        let a_zero = seconds(self.base_us, a.t0_us);
        let b_zero = seconds(self.base_us, b.t0_us);
        let (a_window, b_window) = (
            seconds(0, self.first.window_us),
            seconds(0, self.second.window_us),
        );
        let from = (a_zero + meeting.a.from - a_window).max(b_zero + meeting.b.from - b_window);
        let to = (a_zero + meeting.a.to + a_window).min(b_zero + meeting.b.to + b_window);
        out.push(Hit {
            span: Span::new(from, to.max(from)),
            first_t: a_zero + meeting.nearest.0,
            second_t: b_zero + meeting.nearest.1,
            distance: meeting.distance,
            height_tmm: 0.0,
            excess,
            still: false,
        });
    }

    /// Altitude difference over both clocks; none when level flight settles it (exactly).
    fn slope(&self, a: &Piece, b: &Piece) -> Option<Slope> {
        if !self.bands_near(a.edge.leg, b.edge.leg) {
            return None;
        }
        let first = self.first.ramp(a.edge.leg);
        let second = self.second.ramp(b.edge.leg);
        let rate = |r: &Ramp| (r.h1_tmm - r.h0_tmm) as f64 / seconds(r.t0_us, r.t1_us);
        let at = |r: &Ramp, t_us: i64| r.h0_tmm as f64 + rate(r) * seconds(r.t0_us, t_us);
        Some(Slope {
            h: at(&first, a.t0_us) + self.limits.shift_tmm as f64 - at(&second, b.t0_us),
            x: rate(&first),
            y: rate(&second),
            minimum: self.limits.height_tmm as f64,
        })
    }

    /// As [`Pair::witness`], points and distance to some nanometres.
    pub fn exact_witness(&self, hit: &Hit) -> Witness {
        let first_point = self.first.exact_position(self.base_us, hit.first_t);
        let second_point = self.second.exact_position(self.base_us, hit.second_t);
        Witness {
            first_point,
            second_point,
            distance_m: geodesic::distance(first_point, second_point),
        }
    }

    fn true_distance(&self, hit: &Hit) -> f64 {
        self.exact_witness(hit).distance_m
    }

    /// Where both are at a hit's nearest instants, each within [`NEAR_POINT_M`] of the truth, and
    /// the geodesic distance of these two points.
    pub fn witness(&self, hit: &Hit) -> Witness {
        let first_point = self.first.position(self.base_us, hit.first_t);
        let second_point = self.second.position(self.base_us, hit.second_t);
        Witness {
            first_point,
            second_point,
            distance_m: geodesic::near_distance(first_point, second_point),
        }
    }

    /// True exactly when a witness shows the minimum broken, whatever its points are off.
    pub fn proven(&self, witness: &Witness) -> bool {
        let off = 2.0 * NEAR_POINT_M + geodesic::NEAR_DISTANCE_M;
        witness.distance_m + off < self.limits.distance_m
    }

    /// Settles a merged stretch: the geodesic truth where it decides, else finer pieces. The hit's
    /// nearest instants move to the ones that decided.
    pub fn settle(&mut self, hit: &mut Hit) -> Settled {
        if self.true_distance(hit) < self.limits.distance_m {
            return Settled::Conflict;
        }
        if self.window_s() > 0.0 {
            return Settled::WithinTolerance;
        }
        self.tolerance = bounds::SETTLED_TOLERANCE_M;
        self.within = hit.span;
        let mut finer = Vec::new();
        let during = |track: &Track<'_>| {
            let ends = |k: usize| seconds(self.base_us, track.vertex_us[k]);
            let all = 0..track.pieces();
            let from = all.clone().find(|k| ends(k + 1) >= hit.span.from);
            let until = all.rev().find(|&k| ends(k) <= hit.span.to);
            from.unwrap_or(0)..until.map_or(0, |k| k + 1)
        };
        self.hits(during(&self.first), during(&self.second), &mut finer);
        let mut nearest: Option<(f64, Hit)> = None;
        let mut open = Vec::new();
        for part in finer {
            let distance = self.true_distance(&part);
            if part.still && distance >= self.limits.distance_m {
                continue;
            }
            open.push(part.span);
            if nearest.is_none_or(|(least, _)| distance < least) {
                nearest = Some((distance, part));
            }
        }
        let lasting = join(open, SHORTEST_LOSS_S)
            .iter()
            .any(|span| span.length() > SHORTEST_LOSS_S);
        match nearest {
            Some((distance, part)) if lasting => {
                hit.first_t = part.first_t;
                hit.second_t = part.second_t;
                hit.distance = part.distance;
                hit.height_tmm = part.height_tmm;
                if distance < self.limits.distance_m {
                    Settled::Conflict
                } else {
                    Settled::WithinTolerance
                }
            }
            _ => Settled::Clear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ellipsoid::surface;
    use crate::exact::Rules;
    use crate::limits::Minima;
    use crate::order::Digest;
    use crate::scatter::Scatter;
    use crate::vertical::References;

    /// The least distance on the chords of two that wait at their start and then cross at 8 km/s.
    fn crossing(wait_us: i64) -> f64 {
        let ends = |lat: f64, lon: f64, by: f64| [(lat, lon), (lat, lon), (lat + by, lon + 0.3)];
        let tracks = [ends(10.0, 20.0, 0.1), ends(10.12, 20.0, -0.1)];
        let times = [
            [0, wait_us, wait_us + 5_000_000],
            [0, wait_us - 777_000, wait_us + 4_111_000],
        ];
        let coordinates = tracks.map(|track| (track.map(|p| p.0), track.map(|p| p.1)));
        let places = tracks.map(|track| track.map(|(lat, lon)| surface(lat, lon)));
        let digests = [Digest::default(), Digest::default()];
        let track = |k: usize| Track {
            span_us: (times[k][0], times[k][2]),
            times_us: &times[k],
            lat_deg: &coordinates[k].0,
            lon_deg: &coordinates[k].1,
            altitudes_tmm: &[0; 3],
            vertex_us: &times[k],
            places: &places[k],
            legs: &[],
            digest: &digests[k],
            lateral_m: 0.0,
            vertical_tmm: 0,
            window_us: 0,
            party: 0,
            purpose: 0,
            reference: 0,
            side: 0,
        };
        let limits = Limits {
            lateral_m: 9_260.0,
            vertical_tmm: 1,
            distance_m: 9_260.0,
            containment_m: 0.0,
            height_tmm: 1,
            shift_tmm: 0,
            vertical: Vertical::Compared,
        };
        let mut hits = Vec::new();
        Pair::new(track(0), track(1), limits).hits(1..2, 1..2, &mut hits);
        hits.iter()
            .fold(f64::INFINITY, |d, hit| d.min(hit.distance))
    }

    #[test]
    fn thirty_years_after_the_start_places_are_as_exact_as_after_a_second() {
        let (soon, late) = (crossing(1_000_000), crossing(1_000_000_000_000_000));
        assert!(
            soon < 9_260.0 && (soon - late).abs() < 1e-6,
            "{soon} {late}"
        );
    }

    #[test]
    fn what_the_quick_look_at_windows_excludes_does_not_meet() {
        let minima = Minima {
            count: 1,
            lateral_m: vec![9_260.0],
            vertical_tmm: vec![3_048_000],
        };
        let rules = Rules {
            minima: minima.clone(),
            references: References {
                count: 1,
                comparable: vec![1],
                offset_lo_tmm: vec![0],
                offset_hi_tmm: vec![0],
            },
        };
        let (mut looked_at, mut meet) = (0, 0);
        Scatter::new(7, 200, 5e4).with_set(minima, |set| {
            let tracks: Vec<_> = (0..200).map(|row| set.tracks.get(row)).collect();
            for (k, first) in tracks.iter().enumerate() {
                for second in tracks[..k]
                    .iter()
                    .filter(|t| t.window_us + first.window_us > 0)
                {
                    let pair = rules.pair(first, second);
                    let (mut quick, mut all) = (Vec::new(), Vec::new());
                    pair.hits(0..first.pieces(), 0..second.pieces(), &mut quick);
                    for a in (0..first.pieces()).map(|k| first.piece(k)) {
                        for b in (0..second.pieces()).map(|k| second.piece(k)) {
                            pair.shifted(&a, &b, &mut all);
                        }
                    }
                    assert_eq!(format!("{quick:?}"), format!("{all:?}"));
                    looked_at += 1;
                    meet += usize::from(!all.is_empty());
                }
            }
        });
        assert!(looked_at > 2_000 && meet > 20, "{meet} of {looked_at}");
    }
}
