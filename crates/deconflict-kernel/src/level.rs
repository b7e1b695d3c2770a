//! Changes of level under which two pieces conflict.
//!
//! The first plan is flown `y` higher, except at an end that keeps its altitude: there the change
//! grows along the end's leg. Altitude is `h(t) + w(t)·y` with a weight `w` of 0 to 1.

use crate::bounds::NOISE_M;
use crate::convex::Polygon;
use crate::interval::{near_point, Span};
use crate::limits::{Limits, Vertical};
use crate::shift::{apart, flag_distance, lag, places_near, rise, Flown};
use crate::track::seconds;
use crate::vertical::Ramp;

/// Difference of altitudes and weight of the change at one instant.
pub type Instant = (f64, f64);

/// The weight at an instant of a leg whose ends have these weights.
pub fn weight(ramp: &Ramp, ends: (f64, f64), at_us: i64) -> f64 {
    let f = seconds(ramp.t0_us, at_us) / seconds(ramp.t0_us, ramp.t1_us);
    ends.0 + (ends.1 - ends.0) * f
}

/// Changes y with `low < d + w·y < high` at some instant between two: d and w are linear between
/// them, so each bound is monotone and its extremes are at the ends.
pub fn between(ends: [Instant; 2], low: f64, high: f64) -> Option<Span> {
    // Without weight the change does nothing, near that end ever less: the bound runs away, or
    // stays at what the other end says.
    let bound = |(d, w): Instant, limit: f64, runs_up: bool| {
        if w > 0.0 {
            (limit - d) / w
        } else if runs_up {
            f64::INFINITY
        } else {
            f64::NEG_INFINITY
        }
    };
    let lower = |end: Instant| bound(end, low, end.0 <= low);
    let upper = |end: Instant| bound(end, high, end.0 < high);
    let from = lower(ends[0]).min(lower(ends[1]));
    let to = upper(ends[0]).max(upper(ends[1]));
    (from < to).then_some(Span::new(from, to))
}

/// The open span of changes of the first's level, tenths of a millimetre, under which two pieces
/// conflict at their planned times, give or take `window` seconds.
pub fn forbidden(
    a: &Flown,
    weights: (f64, f64),
    b: &Flown,
    limits: &Limits,
    window: f64,
) -> Option<Span> {
    let start = a.piece.t0_us.max(b.piece.t0_us);
    let end = a.piece.t1_us.min(b.piece.t1_us);
    if (start >= end && window <= 0.0) || !places_near(a, b, limits) {
        return None;
    }
    let r = flag_distance(a, b, limits);
    let height = limits.height_tmm as f64;
    let always = Span::new(f64::NEG_INFINITY, f64::INFINITY);
    if window > 0.0 {
        let lag = lag(a, b);
        let both = Polygon::rectangle(a.length_s(), b.length_s()).within(lag, window)?;
        let found = both.extremes(&apart(a, b), r, rise(a, b, limits))?;
        if limits.vertical == Vertical::Unknown {
            return Some(always);
        }
        let (w0, w1) = (
            weight(&a.ramp, weights, a.piece.t0_us),
            weight(&a.ramp, weights, a.piece.t1_us),
        );
        // Every difference with every weight: wider than what can be, on legs to kept ends alone.
        let (least, most) = (found.from, found.to);
        let spans = [(least, least), (most, most), (least, most), (most, least)]
            .map(|(d0, d1)| between([(d0, w0), (d1, w1)], -height, height));
        return spans.into_iter().flatten().reduce(Span::hull);
    }
    let p = a.piece.at(start, 0.0) - b.piece.at(start, 0.0);
    let v = a.piece.velocity - b.piece.velocity;
    let common = Span::new(0.0, seconds(start, end));
    let near = near_point(p, v, r + NOISE_M, common)?;
    if limits.vertical == Vertical::Unknown {
        return Some(always);
    }
    // Whole microseconds outward: altitudes at waypoints are then exact.
    let from_us = start + (near.from * 1e6).floor() as i64;
    let to_us = (start + (near.to * 1e6).ceil() as i64).min(end);
    let shift = limits.shift_tmm as f64;
    let at = |us: i64| {
        (
            a.altitude(us) + shift - b.altitude(us),
            weight(&a.ramp, weights, us),
        )
    };
    between([at(from_us), at(to_us)], -height, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_flights_are_free_exactly_at_the_minimum() {
        let found = between([(2_000.0, 1.0), (2_000.0, 1.0)], -1_000.0, 1_000.0).unwrap();
        assert_eq!(found, Span::new(-3_000.0, -1_000.0));
    }

    #[test]
    fn a_climb_forbids_what_either_end_forbids() {
        let found = between([(-500.0, 1.0), (2_500.0, 1.0)], -1_000.0, 1_000.0).unwrap();
        assert_eq!(found, Span::new(-3_500.0, 1_500.0));
    }

    #[test]
    fn at_an_end_that_stays_no_change_helps() {
        let all = between([(0.0, 0.0), (0.0, 1.0)], -1_000.0, 1_000.0).unwrap();
        assert_eq!(all, Span::new(f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(
            between([(1_000.0, 0.0), (1_000.0, 0.0)], -1_000.0, 1_000.0),
            None
        );
        // Far above where it stays, nearer where it moves: only going down meets it.
        let down = between([(3_000.0, 0.0), (2_000.0, 1.0)], -1_000.0, 1_000.0).unwrap();
        assert_eq!(down, Span::new(f64::NEG_INFINITY, -1_000.0));
        let up = between([(-3_000.0, 0.0), (-2_000.0, 1.0)], -1_000.0, 1_000.0).unwrap();
        assert_eq!(up, Span::new(1_000.0, f64::INFINITY));
    }

    #[test]
    fn samples_of_the_change_agree_with_the_closed_form() {
        let (height, steps) = (1_000.0, 400);
        for (d0, w0, d1, w1) in [
            (-4_000.0, 0.0, 500.0, 1.0),
            (1_500.0, 0.25, -700.0, 1.0),
            (900.0, 1.0, 3_000.0, 0.0),
            (-1_000.0, 0.0, -1_000.0, 1.0),
        ] {
            let found = between([(d0, w0), (d1, w1)], -height, height);
            for change in (-60..=60).map(|k| f64::from(k) * 100.0 + 37.0) {
                let conflicts = (0..=steps).any(|k| {
                    let f = f64::from(k) / f64::from(steps);
                    let (d, w) = (d0 + (d1 - d0) * f, w0 + (w1 - w0) * f);
                    (d + w * change).abs() < height
                });
                let within = found.is_some_and(|s| s.from < change && change < s.to);
                assert!(within || !conflicts, "{d0} {w0} {d1} {w1} {change}");
                if let Some(s) = found {
                    // Inside by more than a sample's width it does conflict.
                    if s.from + 60.0 < change && change < s.to - 60.0 {
                        assert!(conflicts, "{d0} {w0} {d1} {w1} {change} {s:?}");
                    }
                }
            }
        }
    }
}
