//! Flagged stretches settled against the geodesic truth, and told.

use std::cmp::Ordering;

use crate::encounter::SHORTEST_LOSS_S;
use crate::exact::{region_share, Body, Rules};
use crate::flagged::PairHit;
use crate::limits::{Limits, Settled, Vertical};
use crate::order::{by_region_content, swapped};
use crate::overlap::Overlap;
use crate::region::Region;
use crate::track::{seconds, Track, MICROSECONDS_PER_SECOND};
use crate::vertical::{SURFACE, UNLIMITED};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Conflict = 0,
    WithinTolerance = 1,
    Incomparable = 2,
}

/// Two objects that come, or cannot be shown not to come, under their minima. Indices count
/// trajectories first, then volumes.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    pub i: usize,
    pub j: usize,
    pub verdict: Verdict,
    /// First and last instant, rounded outward to whole microseconds.
    pub t_in_us: i64,
    pub t_out_us: i64,
    pub cpa_time_us: i64,
    pub cpa_distance_m: f64,
    /// Second minus first; none when the references do not compare.
    pub cpa_vertical_tmm: Option<i64>,
    pub first_point: (f64, f64),
    pub second_point: (f64, f64),
    pub lateral_m: f64,
    pub vertical_tmm: i64,
    pub margin_m: f64,
    pub margin_vertical_tmm: i64,
}

impl Finding {
    /// The same, told from the other object.
    pub fn turned(self) -> Finding {
        Finding {
            first_point: self.second_point,
            second_point: self.first_point,
            cpa_vertical_tmm: self.cpa_vertical_tmm.map(|rise| -rise),
            ..self
        }
    }

    /// By the first object, the second, and the start. Where a window lets one pair meet in several
    /// ways in the same stretch, by these: no order is left to chance.
    pub fn order(&self, other: &Finding) -> Ordering {
        let stretch = |f: &Finding| (f.i, f.j, f.t_in_us, f.t_out_us, f.cpa_time_us);
        let rise = |f: &Finding| (f.cpa_vertical_tmm.map(i64::abs), f.cpa_vertical_tmm);
        let places = |f: &Finding| [f.first_point, f.second_point].map(|(lat, lon)| [lat, lon]);
        stretch(self)
            .cmp(&stretch(other))
            .then_with(|| self.cpa_distance_m.total_cmp(&other.cpa_distance_m))
            .then_with(|| rise(self).cmp(&rise(other)))
            .then_with(|| {
                let (own, others) = (places(self).concat(), places(other).concat());
                let mut both = own.iter().zip(&others).map(|(x, y)| x.total_cmp(y));
                both.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            })
    }
}

/// The stretch from and to seconds after a zero, outward to whole microseconds, and an instant in
/// it. Told from the pair's own zero, so that the rounding does not depend on the set's.
fn whole_us(base_us: i64, from: f64, to: f64, at: f64) -> (i64, i64, i64) {
    let us = |t: f64| t * MICROSECONDS_PER_SECOND;
    let (from, to) = (us(from).floor() as i64, us(to).ceil() as i64);
    let at = (us(at).round() as i64).clamp(from, to);
    (base_us + from, base_us + to, base_us + at)
}

impl Rules {
    /// What a joined stretch of two objects comes to.
    pub fn finding(&self, found: &PairHit, x: &Body<'_>, y: &Body<'_>) -> Option<Finding> {
        match (x, y) {
            (Body::Flight(x), Body::Flight(y)) => self.loss(found, x, y),
            (Body::Flight(x), Body::Volume(y)) => self.entry(found, x, y),
            (Body::Volume(_), _) => None,
        }
    }

    fn loss(&self, found: &PairHit, x: &Track<'_>, y: &Track<'_>) -> Option<Finding> {
        let PairHit { i, j, mut hit } = *found;
        if hit.span.length() <= SHORTEST_LOSS_S {
            return None;
        }
        let swapped = swapped(x, y);
        let mut pair = if swapped {
            self.pair(y, x)
        } else {
            self.pair(x, y)
        };
        let limits = pair.limits;
        let mut witness = pair.witness(&hit);
        let mut settled = Settled::Conflict;
        if !pair.proven(&witness) {
            settled = pair.settle(&mut hit);
            witness = pair.exact_witness(&hit);
        }
        let verdict = verdict(settled, limits.vertical)?;
        let rise = pair.second.altitude(pair.base_us, hit.second_t)
            - (pair.first.altitude(pair.base_us, hit.first_t) + limits.shift_tmm as f64);
        let mut points = (witness.first_point, witness.second_point);
        let mut rise = rise.round() as i64;
        if swapped {
            points = (points.1, points.0);
            rise = -rise;
        }
        // With windows both stand for whole plans: an instant at which both can be there.
        let wide = |track: &Track<'_>| seconds(0, track.window_us);
        let (one, other) = (wide(&pair.first), wide(&pair.second));
        let from = (hit.first_t - one).max(hit.second_t - other);
        let to = (hit.first_t + one).min(hit.second_t + other);
        let both = 0.5 * (hit.first_t + hit.second_t);
        let at = hit.span.clamp(both.min(to).max(from));
        let (t_in_us, t_out_us, cpa_time_us) =
            whole_us(pair.base_us, hit.span.from, hit.span.to, at);
        Some(Finding {
            i: i as usize,
            j: j as usize,
            verdict,
            t_in_us,
            t_out_us,
            cpa_time_us,
            cpa_distance_m: witness.distance_m,
            cpa_vertical_tmm: (limits.vertical != Vertical::Unknown).then_some(rise),
            first_point: points.0,
            second_point: points.1,
            lateral_m: limits.lateral_m,
            vertical_tmm: limits.vertical_tmm,
            margin_m: limits.containment_m + hit.excess,
            margin_vertical_tmm: limits.height_tmm - limits.vertical_tmm,
        })
    }

    fn entry(&self, found: &PairHit, x: &Track<'_>, y: &Region) -> Option<Finding> {
        let PairHit { i, j, mut hit } = *found;
        let mut intrusion = self.intrusion(x, y);
        let settled = intrusion.settle(&mut hit);
        let limits = intrusion.limits;
        let verdict = verdict(settled, limits.vertical)?;
        let (path, region) = (&intrusion.path, intrusion.region);
        let base = intrusion.base_us;
        let witness = intrusion.witness(hit.first_t);
        let window = seconds(0, path.window_us);
        let start = (hit.span.from - window).max(seconds(base, region.start_us));
        let end = (hit.span.to + window).min(seconds(base, region.end_us));
        let end = end.max(start);
        let altitude = path.altitude(base, hit.first_t) + limits.shift_tmm as f64;
        let gap = band_gap(region, altitude);
        let at = hit.first_t.max(start).min(end);
        let (t_in_us, t_out_us, cpa_time_us) = whole_us(base, start, end, at);
        Some(Finding {
            i: i as usize,
            j: j as usize,
            verdict,
            t_in_us,
            t_out_us,
            cpa_time_us,
            cpa_distance_m: witness.distance_m,
            cpa_vertical_tmm: (limits.vertical != Vertical::Unknown).then_some(gap),
            first_point: witness.path_point,
            second_point: witness.region_point,
            lateral_m: limits.lateral_m,
            vertical_tmm: limits.vertical_tmm,
            margin_m: limits.containment_m + hit.excess,
            margin_vertical_tmm: limits.height_tmm - limits.vertical_tmm,
        })
    }

    /// What two volumes come to.
    pub fn overlap(
        &self,
        (i, first): (u32, &Region),
        (j, second): (u32, &Region),
    ) -> Option<Finding> {
        let swapped = by_region_content(first, second) == Ordering::Greater;
        let (one, other) = if swapped {
            (second, first)
        } else {
            (first, second)
        };
        let mut limits = Limits::new(
            &self.minima,
            &self.references,
            region_share(one),
            region_share(other),
        );
        let open = |r: &Region| r.lower_tmm == SURFACE && r.upper_tmm == UNLIMITED;
        let both_grounded = one.lower_tmm == SURFACE && other.lower_tmm == SURFACE;
        let both_unlimited = one.upper_tmm == UNLIMITED && other.upper_tmm == UNLIMITED;
        if open(one) || open(other) || both_grounded || both_unlimited {
            limits.vertical = Vertical::Always;
        }
        let overlap = Overlap {
            first: one,
            second: other,
            limits,
        };
        let (start_us, end_us) = overlap.common()?;
        if !overlap.bands_meet() {
            return None;
        }
        let closest = overlap.closest()?;
        let verdict = verdict(closest.settled, limits.vertical)?;
        let gap = match limits.vertical {
            Vertical::Compared => i64::try_from(overlap.gap_tmm()).ok(),
            Vertical::Always => Some(0),
            Vertical::Unknown => None,
        };
        let (mut points, mut gap) = ((closest.first_point, closest.second_point), gap);
        if swapped {
            points = (points.1, points.0);
            gap = gap.map(|g| -g);
        }
        Some(Finding {
            i: i as usize,
            j: j as usize,
            verdict,
            t_in_us: start_us,
            t_out_us: end_us,
            cpa_time_us: start_us,
            cpa_distance_m: closest.distance_m,
            cpa_vertical_tmm: gap,
            first_point: points.0,
            second_point: points.1,
            lateral_m: limits.lateral_m,
            vertical_tmm: limits.vertical_tmm,
            margin_m: limits.containment_m + closest.excess,
            margin_vertical_tmm: limits.height_tmm - limits.vertical_tmm,
        })
    }
}

/// Unknown altitudes never make a finding more certain, and never make it vanish.
fn verdict(settled: Settled, vertical: Vertical) -> Option<Verdict> {
    match (settled, vertical) {
        (Settled::Clear, _) => None,
        (_, Vertical::Unknown) => Some(Verdict::Incomparable),
        (Settled::Conflict, _) => Some(Verdict::Conflict),
        (Settled::WithinTolerance, _) => Some(Verdict::WithinTolerance),
    }
}

/// How far a band lies above (positive) or below (negative) an altitude; 0 when it holds it.
fn band_gap(region: &Region, altitude_tmm: f64) -> i64 {
    if region.lower_tmm != SURFACE && altitude_tmm < region.lower_tmm as f64 {
        (region.lower_tmm as f64 - altitude_tmm).round() as i64
    } else if region.upper_tmm != UNLIMITED && altitude_tmm > region.upper_tmm as f64 {
        (region.upper_tmm as f64 - altitude_tmm).round() as i64
    } else {
        0
    }
}
