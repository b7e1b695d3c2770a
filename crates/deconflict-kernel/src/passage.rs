//! A path past a volume: when it is within the lateral minimum, and what follows for changes.
//!
//! Closed, like every meeting with a volume. The volume's own time and band are left out of the
//! lateral picture; they are what a shift and a change of level move.

use crate::bounds::{self, reach, sag, tangential};
use crate::interval::{join, near_segment, Span};
use crate::level::{between, weight};
use crate::limits::{Limits, Vertical};
use crate::region::{Region, Shape};
use crate::shift::Flown;
use crate::track::{seconds, Piece};
use crate::vertical::{moved, ramp_within};

/// Stretches of a piece, seconds after its start, in which it is within `distance` of the outline.
pub fn stretches(piece: &Piece, region: &Region, distance: f64) -> Vec<Span> {
    let pad = match region.shape {
        Shape::Capsules => 0.0,
        Shape::Polygon => bounds::POLYGON_PAD_M,
    };
    let d = distance + pad;
    let whole = Span::new(0.0, seconds(piece.t0_us, piece.t1_us));
    let longest = piece.edge.length.max(bounds::LONGEST_EDGE_M);
    let r = reach(d, sag(longest), tangential(longest));
    let half = 0.5 * (piece.edge.p1 - piece.edge.p0).norm();
    let mut near = Vec::new();
    for edge in region.edges_near(piece.edge.at(0.5), half + r) {
        let longest = piece.edge.length.max(edge.length);
        let r = reach(d, sag(longest), tangential(longest));
        near.extend(near_segment(
            piece.edge.p0,
            piece.velocity,
            edge.p0,
            edge.p1,
            r,
            whole,
        ));
    }
    let near = join(near, 0.0);
    if region.shape != Shape::Polygon {
        return near;
    }
    // Away from every edge, inside or outside cannot change: one look per gap.
    let mut all = near.clone();
    let mut from = whole.from;
    let ends = near.iter().map(|s| (s.from, s.to));
    for (next, to) in ends.chain([(whole.to, whole.to)]) {
        if next > from || near.is_empty() {
            let t = 0.5 * (from + next);
            if region.contains(piece.edge.p0 + piece.velocity * t) {
                all.push(Span::new(from, next));
            }
        }
        from = from.max(to);
    }
    join(all, 0.0)
}

/// The part of a stretch in which the altitudes are within the minimum of the band.
pub fn in_band(a: &Flown, stretch: Span, region: &Region, limits: &Limits) -> Option<Span> {
    if limits.vertical != Vertical::Compared {
        return Some(stretch);
    }
    let zero = seconds(a.ramp.t0_us, a.piece.t0_us);
    let height = limits.height_tmm;
    let found = ramp_within(
        &a.ramp,
        limits.shift_tmm,
        moved(region.lower_tmm, -height),
        moved(region.upper_tmm, height),
        a.ramp.t0_us,
        Span::new(stretch.from + zero, stretch.to + zero),
    )?;
    Some(Span::new(found.from - zero, found.to - zero))
}

/// Closed span of shifts of the path under which a stretch of it falls into the volume's time.
pub fn forbidden_shifts(a: &Flown, stretch: Span, region: &Region, window: f64) -> Span {
    let start = seconds(a.piece.t0_us, region.start_us);
    let end = seconds(a.piece.t0_us, region.end_us);
    Span::new(start - stretch.to - window, end - stretch.from + window)
}

/// The part of a stretch that may be flown during the volume's time as planned.
pub fn in_time(a: &Flown, stretch: Span, region: &Region, window: f64) -> Option<Span> {
    let start = seconds(a.piece.t0_us, region.start_us) - window;
    let end = seconds(a.piece.t0_us, region.end_us) + window;
    stretch.meet(Span::new(start, end))
}

/// Closed span of changes of the path's level under which a stretch of it meets the band.
pub fn forbidden_levels(
    a: &Flown,
    weights: (f64, f64),
    stretch: Span,
    region: &Region,
    limits: &Limits,
) -> Option<Span> {
    if limits.vertical != Vertical::Compared {
        return Some(Span::new(f64::NEG_INFINITY, f64::INFINITY));
    }
    let height = limits.height_tmm;
    let low = moved(region.lower_tmm, -height).map_or(f64::NEG_INFINITY, |h| h as f64);
    let high = moved(region.upper_tmm, height).map_or(f64::INFINITY, |h| h as f64);
    let at = |t: f64, outward: fn(f64) -> f64| {
        let us = a.piece.t0_us + outward(t * 1e6) as i64;
        let us = us.clamp(a.piece.t0_us, a.piece.t1_us);
        let h = a.altitude(us) + limits.shift_tmm as f64;
        (h, weight(&a.ramp, weights, us))
    };
    let ends = [at(stretch.from, f64::floor), at(stretch.to, f64::ceil)];
    // Touching counts: a tenth of a millimetre outward makes the closed span an open one.
    between(ends, low - 1.0, high + 1.0)
}

/// Closed span of changes of a volume's band under which it meets a stretch of another's path.
pub fn forbidden_bands(a: &Flown, stretch: Span, region: &Region, limits: &Limits) -> Option<Span> {
    let flip = forbidden_levels(a, (1.0, 1.0), stretch, region, limits)?;
    // A band raised meets what a path lowered by as much meets.
    Some(Span::new(-flip.to, -flip.from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ellipsoid::surface;
    use crate::leg::{Edge, Leg};
    use crate::region::Extent;
    use crate::vertical::Ramp;

    fn eastward() -> Flown {
        // One degree along the equator in 1,000 s: 111.3 m/s, at 3,000 m.
        let (p0, p1) = (surface(0.0, 0.0), surface(0.0, 1.0 / 3.0));
        let edge = Edge::between(0, p0, p1);
        let t1_us = 333_333_333;
        let piece = Piece {
            edge,
            t0_us: 0,
            t1_us,
            velocity: (p1 - p0) * (1.0 / seconds(0, t1_us)),
        };
        let ramp = Ramp {
            t0_us: 0,
            t1_us,
            h0_tmm: 30_000_000,
            h1_tmm: 30_000_000,
        };
        Flown::new(piece, ramp)
    }

    fn square(shape: Shape, legs: Vec<Leg>, reach_m: f64) -> Region {
        let extent = Extent {
            reach_m,
            lower_tmm: 20_000_000,
            upper_tmm: 40_000_000,
            start_us: 1_000_000_000,
            end_us: 2_000_000_000,
            party: 0,
            purpose: 0,
            reference: 0,
            side: 0,
            item: 0,
        };
        Region::new(shape, legs, extent).unwrap()
    }

    fn ring(corners: &[(f64, f64)]) -> Vec<Leg> {
        (0..corners.len())
            .map(|k| {
                let ((lat0, lon0), (lat1, lon1)) = (corners[k], corners[(k + 1) % corners.len()]);
                Leg {
                    lat0,
                    lon0,
                    lat1,
                    lon1,
                }
            })
            .collect()
    }

    #[test]
    fn a_polygon_is_entered_and_left() {
        let region = square(
            Shape::Polygon,
            ring(&[(-0.5, 0.1), (-0.5, 0.2), (0.5, 0.2), (0.5, 0.1)]),
            0.0,
        );
        let found = stretches(&eastward().piece, &region, 0.0);
        assert_eq!(found.len(), 1);
        // The sag of a piece of 37 km, 27 m, is flown in 0.25 s.
        assert!((found[0].from - 100.0).abs() < 0.3 && (found[0].to - 200.0).abs() < 0.3);
        let wholly = square(
            Shape::Polygon,
            ring(&[(-5.0, -5.0), (-5.0, 5.0), (5.0, 5.0), (5.0, -5.0)]),
            0.0,
        );
        let found = stretches(&eastward().piece, &wholly, 0.0);
        assert_eq!(found.len(), 1);
        assert!((found[0].length() - 333.333_333).abs() < 1e-6);
        let beside = square(
            Shape::Polygon,
            ring(&[(1.0, 0.1), (1.0, 0.2), (2.0, 0.2), (2.0, 0.1)]),
            0.0,
        );
        assert!(stretches(&eastward().piece, &beside, 0.0).is_empty());
    }

    #[test]
    fn shifts_and_levels_past_a_circle() {
        let centre = Leg {
            lat0: 0.0,
            lon0: 0.15,
            lat1: 0.0,
            lon1: 0.15,
        };
        let region = square(Shape::Capsules, vec![centre], 1_113.0);
        let own = eastward();
        let found = stretches(&own.piece, &region, 1_113.0);
        assert!((found[0].from - 140.0).abs() < 0.1 && (found[0].to - 160.0).abs() < 0.1);
        let shifts = forbidden_shifts(&own, found[0], &region, 5.0);
        assert!((shifts.from - (1_000.0 - 160.0 - 5.0)).abs() < 0.1);
        assert!((shifts.to - (2_000.0 - 140.0 + 5.0)).abs() < 0.1);
        assert_eq!(in_time(&own, found[0], &region, 5.0), None);
    }
}
