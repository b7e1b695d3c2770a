//! Altitudes: what two references have to do with one another, and when they come too near.
//!
//! Whole tenths of a millimetre and whole microseconds, in exact rationals: level traffic at the
//! minimum is separated to the last bit.

use crate::interval::Span;

/// The band's floor is the surface: below every altitude of every reference.
pub const SURFACE: i64 = i64::MIN;
/// The band's ceiling is unlimited: above every altitude of every reference.
pub const UNLIMITED: i64 = i64::MAX;
/// No altitude farther from its zero is accepted, 1,000 km; the products below then fit i128.
pub const GREATEST_TMM: i64 = 10_000_000_000;

/// Which references compare, and how altitudes convert (lowest and highest difference).
#[derive(Clone, Debug, Default)]
pub struct References {
    pub count: usize,
    pub comparable: Vec<u8>,
    pub offset_lo_tmm: Vec<i64>,
    pub offset_hi_tmm: Vec<i64>,
}

/// Altitudes of the first object plus `shift_tmm` compare with those of the second, give or take
/// `slack_tmm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversion {
    pub shift_tmm: i64,
    pub slack_tmm: i64,
}

impl References {
    /// None exactly when the terms name no conversion. Always computed from the lower index to the
    /// higher, so that swapping the objects negates the shift exactly.
    pub fn conversion(&self, first: u8, second: u8) -> Option<Conversion> {
        let (low, high) = (first.min(second) as usize, first.max(second) as usize);
        let at = low * self.count + high;
        if self.comparable.get(at).copied().unwrap_or(0) == 0 {
            return None;
        }
        let (lo, hi) = (*self.offset_lo_tmm.get(at)?, *self.offset_hi_tmm.get(at)?);
        let middle = (lo + hi).div_euclid(2);
        let slack_tmm = (middle - lo).max(hi - middle);
        let shift_tmm = if first <= second { middle } else { -middle };
        Some(Conversion {
            shift_tmm,
            slack_tmm,
        })
    }
}

/// Altitude along one leg.
#[derive(Clone, Copy, Debug)]
pub struct Ramp {
    pub t0_us: i64,
    pub t1_us: i64,
    pub h0_tmm: i64,
    pub h1_tmm: i64,
}

impl Ramp {
    fn duration(&self) -> i128 {
        i128::from(self.t1_us - self.t0_us)
    }

    fn climb(&self) -> i128 {
        i128::from(self.h1_tmm - self.h0_tmm)
    }

    /// Altitude at an instant, times the duration.
    fn scaled(&self, at_us: i64) -> i128 {
        i128::from(self.h0_tmm) * self.duration() + self.climb() * i128::from(at_us - self.t0_us)
    }
}

/// Roots of a rational inequality as seconds after `from_us`; all or nothing when constant.
fn below(n0: i128, n1: i128, low: i128, high: i128, strict: bool) -> Option<(f64, f64)> {
    if n1 == 0 {
        let inside = if strict {
            low < n0 && n0 < high
        } else {
            low <= n0 && n0 <= high
        };
        return inside.then_some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let root = |bound: i128| (bound - n0) as f64 / n1 as f64 / 1e6;
    let (x, y) = (root(low), root(high));
    Some((x.min(y), x.max(y)))
}

/// |first + shift − second| as n0 + n1·t, t in microseconds after `from_us`, times `scale`.
struct Apart {
    n0: i128,
    n1: i128,
    scale: i128,
}

impl Apart {
    fn of(first: &Ramp, second: &Ramp, shift_tmm: i64, from_us: i64) -> Self {
        let (ta, tb) = (first.duration(), second.duration());
        let scale = ta * tb;
        Self {
            n0: first.scaled(from_us) * tb - second.scaled(from_us) * ta
                + i128::from(shift_tmm) * scale,
            n1: first.climb() * tb - second.climb() * ta,
            scale,
        }
    }
}

/// |first + shift − second| at an instant, seconds after `from_us`, tenths of a millimetre.
pub fn ramps_apart_tmm(first: &Ramp, second: &Ramp, shift_tmm: i64, from_us: i64, t: f64) -> f64 {
    let apart = Apart::of(first, second, shift_tmm, from_us);
    ((apart.n0 as f64 + apart.n1 as f64 * (t * 1e6)) / apart.scale as f64).abs()
}

/// The instant in `span` at which |first + shift − second| is least, seconds after `from_us`; its
/// beginning where the difference stays the same.
pub fn ramps_nearest(first: &Ramp, second: &Ramp, shift_tmm: i64, from_us: i64, span: Span) -> f64 {
    let apart = Apart::of(first, second, shift_tmm, from_us);
    if apart.n1 == 0 {
        return span.from;
    }
    span.clamp(-(apart.n0 as f64) / apart.n1 as f64 / 1e6)
}

/// When is |first + shift − second| < minimum, in seconds after `from_us`, within `span`?
pub fn ramps_near(
    first: &Ramp,
    second: &Ramp,
    shift_tmm: i64,
    minimum_tmm: i64,
    from_us: i64,
    span: Span,
) -> Option<Span> {
    let apart = Apart::of(first, second, shift_tmm, from_us);
    let m = i128::from(minimum_tmm) * apart.scale;
    let (from, to) = below(apart.n0, apart.n1, -m, m, true)?;
    span.meet(Span::new(from, to))
}

/// When is the ramp within [low, high] (sentinels are open ends)? Closed: touching counts, and the
/// roots are rounded outward.
pub fn ramp_within(
    ramp: &Ramp,
    shift_tmm: i64,
    low: Option<i64>,
    high: Option<i64>,
    from_us: i64,
    span: Span,
) -> Option<Span> {
    let t = ramp.duration();
    let n0 = ramp.scaled(from_us) + i128::from(shift_tmm) * t;
    let bound = |b: Option<i64>, open: i128| b.map_or(open, |h| i128::from(h) * t);
    let open = i128::MAX / 4;
    let (from, to) = below(
        n0,
        ramp.climb(),
        bound(low, -open),
        bound(high, open),
        false,
    )?;
    let outward = 1e-9;
    span.meet(Span::new(from - outward, to + outward))
}

/// A band's bound moved by `by`, sentinels staying what they are.
pub fn moved(bound_tmm: i64, by_tmm: i64) -> Option<i64> {
    if bound_tmm == SURFACE || bound_tmm == UNLIMITED {
        None
    } else {
        Some(bound_tmm + by_tmm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span {
        from: 0.0,
        to: 3600.0,
    };

    fn ramp(h0_tmm: i64, h1_tmm: i64) -> Ramp {
        Ramp {
            t0_us: 0,
            t1_us: 3_600_000_000,
            h0_tmm,
            h1_tmm,
        }
    }

    #[test]
    fn exactly_one_thousand_feet_is_separated_and_a_tenth_of_a_millimetre_less_is_not() {
        let low = ramp(34_000 * 3_048, 34_000 * 3_048);
        let high = ramp(35_000 * 3_048, 35_000 * 3_048);
        assert_eq!(ramps_near(&low, &high, 0, 3_048_000, 0, SPAN), None);
        assert_eq!(ramps_near(&low, &high, 1, 3_048_000, 0, SPAN), Some(SPAN));
    }

    #[test]
    fn a_climb_through_a_level_is_near_while_within_the_minimum() {
        let found = ramps_near(
            &ramp(0, 3_600_000),
            &ramp(1_800_000, 1_800_000),
            0,
            1_000,
            0,
            SPAN,
        );
        let found = found.unwrap();
        assert!((found.from - 1_799.0).abs() < 1e-9 && (found.to - 1_801.0).abs() < 1e-9);
    }

    #[test]
    fn two_ramps_are_nearest_where_they_cross_or_at_an_end_or_from_the_beginning() {
        let (up, down) = (ramp(0, 3_600), ramp(3_600, 0));
        let whole = Span::new(0.0, 3_600.0);
        assert_eq!(ramps_nearest(&up, &down, 0, 0, whole), 1_800.0);
        assert_eq!(ramps_apart_tmm(&up, &down, 0, 0, 1_800.0), 0.0);
        let late = Span::new(2_000.0, 3_000.0);
        assert_eq!(ramps_nearest(&up, &down, 0, 0, late), 2_000.0);
        assert_eq!(ramps_apart_tmm(&up, &down, 0, 0, 2_000.0), 400.0);
        assert_eq!(ramps_nearest(&up, &up, 7, 0, late), 2_000.0);
        assert_eq!(ramps_apart_tmm(&up, &up, -7, 0, 2_500.0), 7.0);
    }

    #[test]
    fn a_band_is_touched_by_a_ramp_that_ends_on_its_floor() {
        let found = ramp_within(&ramp(0, 1_000), 0, Some(1_000), None, 0, SPAN).unwrap();
        assert!(found.to == 3_600.0 && found.from >= 3_599.99);
        assert_eq!(
            ramp_within(&ramp(0, 999), 0, Some(1_000), None, 0, SPAN),
            None
        );
        assert_eq!(ramp_within(&ramp(5, 5), 0, None, None, 0, SPAN), Some(SPAN));
    }

    #[test]
    fn the_greatest_inputs_do_not_overflow() {
        let long = Ramp {
            t0_us: 0,
            t1_us: 10_000_000_000_000,
            h0_tmm: -GREATEST_TMM,
            h1_tmm: GREATEST_TMM,
        };
        assert!(ramps_near(&long, &long, GREATEST_TMM, 2 * GREATEST_TMM, 0, SPAN).is_some());
    }

    #[test]
    fn conversions_swap_to_their_negative() {
        let references = References {
            count: 2,
            comparable: vec![1, 1, 0, 1],
            offset_lo_tmm: vec![0, -5, 0, 0],
            offset_hi_tmm: vec![0, 10, 0, 0],
        };
        let forward = references.conversion(0, 1).unwrap();
        let back = references.conversion(1, 0).unwrap();
        assert_eq!((forward.shift_tmm, forward.slack_tmm), (2, 8));
        assert_eq!((back.shift_tmm, back.slack_tmm), (-2, 8));
    }
}
